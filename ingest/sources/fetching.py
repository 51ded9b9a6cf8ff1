"""Files wherever they are: looked at first, and brought to this machine only when they are new."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from glob import has_magic
from pathlib import Path
from typing import Any

import fsspec

from ingest import http
from ingest.contract import ReadRequest, SourceError
from ingest.redaction import Secrets, public
from ingest.sources.packed import refuse_larger
from ingest.sources.sheets import table_address

DONE = ".done"
"""A file of this ending beside another says that the other is complete."""

UNFINISHED = (DONE, ".part", ".partial", ".filepart", ".tmp", ".crdownload")
"""What the names of files end with that are no data, or not yet."""

JUST_NOW_SECONDS = 2
"""A file may change once more within a tick of its clock: one so young is not known by its time."""

DRIVERS = {
    "sftp": "paramiko==5.1.0",
    "ssh": "paramiko==5.1.0",
    "s3": "s3fs==2026.9.0",
    "s3a": "s3fs==2026.9.0",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "smb": "smbprotocol",
}
"""The package each kind of address needs beside fsspec."""

Mark = Any
"""What a place says of a file that every change makes another, as plain JSON; None for nothing."""

_TAGS = ("ETag", "etag", "e_tag", "md5Hash", "md5", "checksum", "content_md5")
_TIMES = ("mtime", "LastModified", "last_modified", "modified", "updated")
_SCHEME = re.compile(r"(?:^|::)([A-Za-z][A-Za-z0-9+.-]*)://")
_COMPLAINTS = (OSError, ValueError, EOFError, TypeError, LookupError, AttributeError, RuntimeError)
"""What drivers raise for an address they cannot make sense of, or a place that does not answer."""

_OWN_COMPLAINTS = (
    ("paramiko", "SSHException"),
    ("botocore.exceptions", "BotoCoreError"),
    ("aiohttp", "ClientError"),
)
_MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<")
_HEAD = 1024


@dataclass(frozen=True)
class Found:
    """A file as it was seen. look: its size and time; mark: what tells that it is as it was before.

    is_done: whether a marker beside it says that it is complete. bring: gives where its bytes are on this
    machine and the mark they have, or None where they are as the mark given says.
    """

    name: str
    look: str | None
    mark: Mark
    is_done: Callable[[], bool]
    bring: Callable[[Mark], tuple[Path, Mark] | None]


def look(
    path: str,
    request: ReadRequest,
    storage: Mapping[str, Any],
    closing: ExitStack,
    *,
    drop: bool = False,
    notes: list[str] | None = None,
) -> list[Found]:
    """The files that `path` means, in order of their names.

    storage: words for the fsspec driver of an address. closing: ends connections when everything is
    brought. drop: path may be a folder, which may be empty. notes: takes a sentence for each link that is
    passed over.
    Raises SourceError where there is no such file or place, and for a driver that is not installed.
    """
    path = _SCHEME.sub(lambda found: found[0].lower(), path)
    if path.startswith(("http://", "https://")):
        if drop:
            raise SourceError(f"{public(path)} is an address of the web, not a folder; leave drop out.")
        return [_on_the_web(path, request)]
    if "://" in path:
        found = list(_elsewhere(path, request, storage, closing, drop))
    else:
        found = list(_here(path, request, drop, [] if notes is None else notes))
    if not found and not drop:
        raise SourceError(f"No file is like {public(path)}; put one there, or correct `path` of the source.")
    return found


# --- on this machine -----------------------------------------------------------------------------


def _here(path: str, request: ReadRequest, drop: bool, notes: list[str]) -> Iterator[Found]:
    wanted = request.folder / Path(path).expanduser()
    if drop and wanted.is_dir():
        wanted /= "*"
    elif drop and not has_magic(str(wanted)):
        raise SourceError(
            f"There is no folder {public(str(wanted))}; make it, or correct `path` of the source."
        )
    if has_magic(path) or drop:
        paths = sorted(Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor))))
        if drop:
            # Whoever puts files into a drop may put a link there to what only we may read.
            links = {one for one in paths if _is_linked(one, _root(wanted))}
            notes += [f"{public(str(one))} is a link or behind one: passed over" for one in sorted(links)]
            paths = [one for one in paths if one not in links]
        paths = [one for one in paths if one.is_file()]
        names = [(one, str(one)) for one in paths if _is_data(one.name, drop)]
        if not names and not drop:
            raise SourceError(
                f"No file is like {public(str(wanted))}; put one there, or correct `path` of the source."
            )
    else:
        refuse_no_file(wanted)
        names = [(wanted, path)]
    yield from (_found_here(one, name) for one, name in names)


def _root(pattern: Path) -> Path:
    """The folder whose files a pattern means: what stands before its first part with a sign."""
    return next(one for one in pattern.parents if not has_magic(str(one)))


def _is_linked(path: Path, root: Path) -> bool:
    """Whether a path is a link somewhere below its root; the root itself may be one that we made."""
    below = [path, *path.parents]
    return any(one.is_symlink() for one in below[: below.index(root)])


def refuse_no_file(path: Path) -> None:
    """SourceError where there is no file at `path`."""
    shown = public(str(path))
    if path.is_dir():
        raise SourceError(
            f"{shown} is a folder; give a file, a pattern like {shown}/*.csv, or write drop = true."
        )
    if not path.exists():
        raise SourceError(f"There is no file {shown}; put it there, or correct the path.")


def _found_here(path: Path, name: str) -> Found:
    seen = path.stat()
    look = f"{seen.st_size} {seen.st_mtime_ns}"
    is_old = seen.st_mtime < time.time() - JUST_NOW_SECONDS
    mark = look if is_old else None
    return Found(
        name, look, mark, lambda: path.with_name(path.name + DONE).exists(), lambda _known: (path, mark)
    )


def _is_data(name: str, drop: bool) -> bool:
    return not drop or not (name.startswith(".") or name.lower().endswith(UNFINISHED))


# --- on the web ----------------------------------------------------------------------------------


def _on_the_web(address: str, request: ReadRequest) -> Found:
    name = public(address)
    return Found(name, None, None, lambda: True, lambda known: _downloaded(address, name, known, request))


def _downloaded(address: str, name: str, known: Mark, request: ReadRequest) -> tuple[Path, Mark] | None:
    path = request.work / "download"
    with _said(address):
        table = table_address(address)
    with http.client(request.city.contact) as client:
        answer = http.download(
            client,
            table or address,
            path,
            headers=known or {},
            largest=request.largest,
            progress=request.progress,
        )
    if answer.status_code == http.AS_IT_WAS:
        return None
    if table is not None and _is_page(path):
        raise SourceError(
            f"{name} is not shared: it answered with a page to sign in; share the sheet with everyone who "
            "has the link, or publish it to the web."
        )
    told = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
    mark = {asked: answer.headers[said] for asked, said in told.items() if said in answer.headers}
    return path, mark or None


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return _MARKUP.match(file.read(_HEAD)) is not None


# --- anywhere else -------------------------------------------------------------------------------


def _elsewhere(
    address: str, request: ReadRequest, storage: Mapping[str, Any], closing: ExitStack, drop: bool
) -> Iterator[Found]:
    with _said(address):
        storage = _guarded(address, storage, request.folder)
        # A driver kept from an earlier run has an old listing, and a connection that may have ended.
        system, inside = fsspec.url_to_fs(address, skip_instance_cache=True, **storage)
        if hasattr(system, "client"):
            closing.callback(system.client.close)
        if drop and system.isdir(inside):
            inside = f"{inside.rstrip('/')}/*"
        names = sorted(system.glob(inside)) if has_magic(inside) else [inside]
        infos = [(name, system.info(name)) for name in names if _is_data(name.rpartition("/")[2], drop)]
    for number, (name, info) in enumerate((name, info) for name, info in infos if info["type"] == "file"):
        yield _found_there(system, name, info, request.work / f"fetched-{number}", request)


def _guarded(address: str, storage: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The words for the drivers; an SFTP server's key must be known, as the driver alone believes any."""
    words = dict(storage)
    named = words.pop("known_hosts", None)
    for scheme in set(_SCHEME.findall(address)) & {"sftp", "ssh"}:
        from ingest.sources.host_keys import USUAL, OnlyKnown  # needs a package few cities have

        files = USUAL if named is None else [folder / Path(str(named)).expanduser()]
        words[scheme] = {**words.get(scheme, {}), "host_key_policy": OnlyKnown(files)}
    return words


def _found_there(system: Any, name: str, info: Mapping[str, Any], path: Path, request: ReadRequest) -> Found:
    address = public(system.unstrip_protocol(name))
    size, tag, at = info.get("size"), _first(info, _TAGS), _first(info, _TIMES)

    def bring(_known: Mark) -> tuple[Path, Mark]:
        request.progress(f"fetching {address}")
        refuse_larger(size or 0, address, request.largest)
        with _said(address):
            system.get_file(name, str(path))
        return path, mark

    def is_done() -> bool:
        with _said(address):
            return bool(system.exists(name + DONE))

    mark = None if tag is None and at is None else f"{size} {tag or ''} {at or ''}"
    return Found(address, f"{size} {tag or at}", mark, is_done, bring)


def _first(info: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    found = next((info[name] for name in names if info.get(name)), None)
    return found.isoformat() if isinstance(found, datetime) else None if found is None else str(found)


@contextmanager
def _said(address: str) -> Iterator[None]:
    """What a driver complains of, in one line."""
    secrets = Secrets()
    secrets.see(address)
    try:
        yield
    except ImportError as error:
        needed = [DRIVERS[one] for one in _SCHEME.findall(address) if one in DRIVERS]
        fix = f"install it: .venv/bin/python -m pip install {needed[-1]}" if needed else f"({error})"
        raise SourceError(
            f"{public(address)} needs a driver that is not installed; {secrets.hidden(fix)}"
        ) from error
    except _complaints() as error:
        cause = secrets.hidden(" ".join(str(error).split())).rstrip(".") or type(error).__name__
        hint = f" ({http.CODED})" if "@" in address and isinstance(error, ValueError) else ""
        raise SourceError(
            f"{public(address)} cannot be fetched ({cause}); correct `path` of the source{hint}."
        ) from error


def _complaints() -> tuple[type[Exception], ...]:
    """The errors that drivers raise: Python's own, and those of the drivers that are in use."""
    own = [getattr(sys.modules[one], name) for one, name in _OWN_COMPLAINTS if one in sys.modules]
    return (*_COMPLAINTS, *own)
