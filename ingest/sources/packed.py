"""Files inside files: what gzip and zip packed, unpacked no further than a limit."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from ingest.contract import SourceError, too_large

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"

_PIECE = 1 << 20
_OF_A_WORKBOOK = {"[Content_Types].xml", "content.xml"}
_ENCRYPTED = 1
_NO_DATA = ("__MACOSX/", ".")


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[BinaryIO]:
    """The bytes of a file, those inside it where gzip packed it; SourceError where that is damaged."""
    with path.open("rb") as file:
        is_packed = file.read(2) == GZIP
    try:
        with gzip.open(path) if is_packed else path.open("rb") as file:
            yield cast(BinaryIO, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        cause = "ends too early" if isinstance(error, EOFError) else "is damaged"
        raise SourceError(f"{name} {cause} (gzip: {error}); fetch it again.") from error


def refuse_larger(size: int, name: str, largest: int) -> None:
    """SourceError where `size` bytes, read so far or promised, are more than the limit."""
    if size > largest:
        raise SourceError(too_large(name, largest))


def unpack(path: Path, name: str, to: Path, largest: int) -> Path:
    """Writes what gzip packed to the file `to`."""
    with unpacked(path, name) as packed:
        _copy(packed, to, name, largest)
    return to


def is_workbook(path: Path) -> bool:
    """Whether a zip file is a workbook: .xlsx, .xlsm and .ods are folders packed by zip."""
    try:
        with zipfile.ZipFile(path) as packed:
            return not _OF_A_WORKBOOK.isdisjoint(packed.namelist())
    except zipfile.BadZipFile:
        return False


def members(
    path: Path, name: str, pattern: str | None, work: Path, largest: int
) -> Iterator[tuple[Path, str]]:
    """(where it was unpacked to, its name) of each wanted file inside a zip file, in order of name.

    Only one is unpacked at a time. Without a pattern there must be one file only. Raises SourceError for
    a damaged or encrypted file, for no file like the pattern and for more bytes than `largest` in all.
    """
    with _opened(path, name) as packed:
        left = largest
        for number, member in enumerate(_wanted(packed, name, pattern)):
            inside = f"{name}/{member.filename}"
            if member.flag_bits & _ENCRYPTED:
                raise SourceError(f"{inside} is locked by a password; pack it without one.")
            refuse_larger(largest - left + member.file_size, name, largest)
            to = work / f"member-{number}"
            with packed.open(member) as file:
                left -= _copy(cast(BinaryIO, file), to, name, left)
            yield to, inside
            to.unlink()


def check_members(path: Path, name: str, largest: int) -> None:
    """Reads a zip file through, so that one that is damaged or unpacks to too much is refused in words."""
    with _opened(path, name) as packed:
        size = 0
        for member in packed.infolist():
            with packed.open(member) as file:
                while piece := file.read(_PIECE):
                    size += len(piece)
                    refuse_larger(size, name, largest)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as packed:
            yield packed
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{name} is a damaged zip file or workbook ({error}); fetch it again.") from error
    except NotImplementedError as error:
        raise SourceError(
            f"{name} is packed in a way that cannot be read ({error}); pack it by zip."
        ) from error


def _wanted(packed: zipfile.ZipFile, name: str, pattern: str | None) -> list[zipfile.ZipInfo]:
    found = sorted(
        (one for one in packed.infolist() if not one.is_dir() and not _is_beside(one.filename)),
        key=lambda one: one.filename,
    )
    wanted = [one for one in found if pattern is None or _is_like(one.filename, pattern)]
    names = ", ".join(one.filename for one in found) or "none"
    if pattern is None and len(found) > 1:
        raise SourceError(f'{name} has several files inside; write member = "…", one or a pattern: {names}.')
    if not wanted:
        like = f" like {pattern}" if pattern else ""
        raise SourceError(f"{name} has no file{like} inside; its files are: {names}.")
    return wanted


def _is_beside(name: str) -> bool:
    """What programs put beside the data: folders of their own and hidden files."""
    return name.startswith(_NO_DATA[0]) or PurePosixPath(name).name.startswith(_NO_DATA[1])


def _is_like(name: str, pattern: str) -> bool:
    """By the whole path inside, or by the name alone, in any case."""
    return any(fnmatchcase(one.casefold(), pattern.casefold()) for one in (name, PurePosixPath(name).name))


def _copy(file: BinaryIO, to: Path, name: str, largest: int) -> int:
    size = 0
    with to.open("wb") as out:
        while piece := file.read(_PIECE):
            size += len(piece)
            refuse_larger(size, name, largest)
            out.write(piece)
    return size
