"""Approved targets written back into the files of a city's catalogue."""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from metrics.catalogue import beside_the_files, load
from metrics.catalogue_export import exported
from metrics.catalogue_files import METRICS, read_folder
from metrics.model import Approved, Catalogue
from store.engine import StoreError
from store.targets import merged

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class ExportReport:
    """How many approved targets were written, into how many files of which folder."""

    folder: Path
    targets: int
    files: int

    def line(self) -> str:
        """What was written, in one line of counts."""
        if not self.targets:
            return f"{self.folder}: the files say all that was approved"
        targets, files = _counted(self.targets, "approved target"), _counted(self.files, "file")
        return f"{self.folder}: {targets} written into {files}"


def export(connection: Connection, home: Path, folder: Path) -> ExportReport:
    """Writes what was approved and is not in the files of a folder into them, every other line kept.

    home: the city's own folder. folder: it, another folder of the same city, or one that is not there yet
    or empty, which then gets a copy of the catalogue first. All texts are made before any is written.
    Raises CatalogueError for a folder that is no catalogue and for a file that no block can be put into,
    StoreError for the folder of another city and a target that does not fit the files.
    """
    catalogue = load(home)
    if folder != home and not (folder.is_dir() and any(folder.iterdir())):
        _copy(home, folder)
    there = load(folder)
    if there.city.id != catalogue.city.id:
        raise StoreError(
            f"{folder} is the city {there.city.id}, not {catalogue.city.id}; give one of its own folders."
        )
    texts = _texts(folder, merged(connection, there))
    for path, (text, _) in texts.items():
        _write(path, text)
    return ExportReport(folder, sum(count for _, count in texts.values()), len(texts))


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _texts(folder: Path, catalogue: Catalogue) -> dict[Path, tuple[bytes, int]]:
    """The files that change with their new content and the number of targets in it."""
    rows: dict[str, list[Approved]] = defaultdict(list)
    for (metric, _), row in beside_the_files(catalogue).items():
        rows[metric].append(row)
    return {
        folder / METRICS / f"{metric}.toml": (_text(folder, f"{METRICS}/{metric}.toml", said), len(said))
        for metric, said in rows.items()
    }


def _text(folder: Path, file: str, rows: list[Approved]) -> bytes:
    content = (folder / file).read_bytes()
    mark = BYTE_ORDER_MARK if content.startswith(BYTE_ORDER_MARK) else b""
    text = content.removeprefix(mark).decode()
    return mark + exported(file, text, rows).encode()


def _copy(home: Path, folder: Path) -> None:
    for name in read_folder(home)[0]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(home / name, folder / name)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, whatever is killed."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    shutil.copymode(path, beside)
    beside.replace(path)
