"""The bytes of every source as they were received, dated and hashed, in files that never change.

A snapshot is `<folder>/<source>/<year>/<when the run started>-<begin of its SHA-256>.<ending>`, folder
being the `snapshots` of a city in DATA_DIR. It has that name only when all of it is on the disk.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from store.disk import UNFINISHED, settle
from store.engine import StoreError

_HASH_SHOWN = 12
_PIECE = 1 << 20
_STAMPED = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]+\.")
_ENDING = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}$")


@dataclass(frozen=True)
class Snapshot:
    """Bytes as received. is_new is False when the last snapshot of the source holds the same bytes.

    path is then that one's. sha256 is in hexadecimal, bytes their number.
    """

    path: Path
    sha256: str
    bytes: int
    is_new: bool


def keep(
    folder: Path, source_id: str, run_stamp: str, name: str, content: Iterable[bytes] | Path
) -> Snapshot:
    """Keeps what a run received, in pieces or as a file that is left where it is.

    run_stamp is the instant text of the run's start, name what the bytes were called: its ending is
    kept. Raises StoreError when the disk refuses; nothing of the snapshot is left then.
    """
    year = folder / source_id / run_stamp[:4]
    try:
        year.mkdir(parents=True, exist_ok=True)
        for left in year.glob(f"*{UNFINISHED}"):
            left.unlink(missing_ok=True)
        return _keep(folder / source_id, year, run_stamp, name, content)
    except OSError as error:
        raise StoreError(
            f"The snapshot of {source_id} cannot be kept in {year} ({error.strerror}); free space there or "
            "set DATA_DIR."
        ) from error


def put_in_place_of(path: Path, content: Path) -> Path:
    """Keeps other bytes in place of a snapshot, which itself stays until the caller removes it.

    Gives where: beside it, under the name of the same run. Raises StoreError when the disk refuses.
    """
    unfinished = path.with_name(f"{path.name}{UNFINISHED}")
    try:
        sha256, _ = _write(unfinished, content)
        stamp, _, rest = path.name.partition("-")
        new = path.with_name(f"{stamp}-{sha256[:_HASH_SHOWN]}.{rest.partition('.')[2]}")
        unfinished.replace(new)
        settle(path.parent)
        return new
    except OSError as error:
        raise StoreError(f"{path} cannot be written anew ({error.strerror}); free space there.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def of_source(folder: Path, source_id: str) -> list[Path]:
    """Every snapshot of a source, oldest first."""
    return sorted(_all(folder / source_id), key=_name)


def last(folder: Path, source_id: str) -> Path | None:
    """The newest snapshot of a source; None when there is none."""
    return max(_all(folder / source_id), key=lambda path: path.name, default=None)


def expendable(
    folder: Path, source_id: str, since: date, needed: Collection[str], *, monthly: bool = True
) -> list[Path]:
    """The snapshots of a source that nobody will miss, oldest first.

    Kept are those of the newest run, of every run since a day (UTC), of the last run of each month where
    `monthly`, and the paths `needed`, as the ledger names them. What has another name than a
    snapshot is left alone.
    """
    found = sorted((path for path in _all(folder / source_id) if _STAMPED.match(path.name)), key=_name)
    by_month = {_stamp(path)[:6]: _stamp(path) for path in found}
    kept = {*(by_month.values() if monthly else ()), *(_stamp(path) for path in found[-1:])}
    first = since.strftime("%Y%m%d")
    return [
        path
        for path in found
        if _stamp(path) not in kept
        and _stamp(path)[:8] < first
        and path.relative_to(folder).as_posix() not in needed
    ]


def _name(path: Path) -> str:
    return path.name


def _stamp(path: Path) -> str:
    """When the run began that a snapshot is of, as its name says it."""
    return path.name.partition("-")[0]


def _keep(source: Path, year: Path, stamp: str, name: str, content: Iterable[bytes] | Path) -> Snapshot:
    short = re.sub(r"[^0-9TZ]", "", stamp.split(".")[0]) + "Z"
    unfinished = year / f"{short}{UNFINISHED}"
    try:
        sha256, size = _write(unfinished, content)
        before = max(_all(source), key=lambda path: path.name, default=None)
        if before is not None and _same(before, sha256, size):
            return Snapshot(before, sha256, size, is_new=False)
        path = year / f"{short}-{sha256[:_HASH_SHOWN]}{_ending(name)}"
        unfinished.replace(path)
        settle(year)
        return Snapshot(path, sha256, size, is_new=True)
    finally:
        unfinished.unlink(missing_ok=True)


def _all(source: Path) -> Iterator[Path]:
    return (path for path in source.glob("[0-9]*/*") if path.suffix != UNFINISHED)


def _write(path: Path, content: Iterable[bytes] | Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in _pieces(content) if isinstance(content, Path) else content:
            digest.update(piece)
            size += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _same(path: Path, sha256: str, size: int) -> bool:
    """The name shows the begin of the hash; the bytes themselves decide."""
    if path.stat().st_size != size or f"-{sha256[:_HASH_SHOWN]}" not in path.name:
        return False
    digest = hashlib.sha256()
    for piece in _pieces(path):
        digest.update(piece)
    return digest.hexdigest() == sha256


def _ending(name: str) -> str:
    found = _ENDING.search(name)
    return found.group().lower() if found else ".bin"
