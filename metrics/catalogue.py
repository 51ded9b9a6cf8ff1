"""The catalogue of a city: its definitions, read from files or a stored text, and all their mistakes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from metrics import catalogue_rules
from metrics.catalogue_files import (
    APPROVED,
    CITY,
    Draft,
    Rows,
    approved_rows,
    approved_text,
    canonical,
    draft,
    read_folder,
    with_row,
)
from metrics.catalogue_shapes import Mistake, error
from metrics.model import Approved, Catalogue

__all__ = [
    "CITIES",
    "CatalogueError",
    "Mistake",
    "beside_the_files",
    "check",
    "find_city",
    "from_text",
    "load",
    "read",
    "warnings",
    "with_targets",
]

CITIES = Path(__file__).resolve().parents[1] / "data" / "cities"
"""Where a city is looked for by its name."""


class CatalogueError(ValueError):
    """A catalogue that cannot be used. `mistakes` has all of them; the message is one line."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        errors = [mistake for mistake in mistakes if mistake.level == "error"]
        more = len(errors) - 1
        also = f" (and {more} more; `python -m metrics check` lists them)" if more > 0 else ""
        super().__init__(str(errors[0]) + also)
        self.mistakes = tuple(mistakes)


def find_city(name_or_path: str) -> Path:
    """The folder of a city: the name of a folder in data/cities/, or a path.

    Raises CatalogueError, naming the cities there are, where there is no such folder.
    """
    for folder in (CITIES / name_or_path, Path(name_or_path)):
        if name_or_path.strip() and folder.is_dir():
            return folder
    known = sorted(path.parent.name for path in CITIES.glob(f"*/{CITY}"))
    there_are = f"Cities here: {', '.join(known)}" if known else "There is no city here yet"
    fix = f"{there_are}; write CITY=name, or give the path of a city's folder."
    raise CatalogueError([error("", f"there is no city and no folder called `{name_or_path}`.", fix)])


def load(folder: Path) -> Catalogue:
    """The catalogue in a city's folder. Raises CatalogueError with all its mistakes if any is an error."""
    read_draft, mistakes = read(folder)
    _refuse(mistakes)
    return _catalogue(read_draft)


def check(folder: Path) -> list[Mistake]:
    """Every mistake in a city's folder, errors and warnings, all at once; empty when it is clean."""
    return read(folder)[1]


def read(folder: Path) -> tuple[Draft, list[Mistake]]:
    """What the folder's files say as far as it can be read, and every mistake in them."""
    if not folder.is_dir():
        message = f"there is no folder {folder}."
        return Draft({}), [error("", message, "Give the folder that holds city.toml.")]
    files, unreadable = read_folder(folder)
    found = draft(files)
    return found, [*unreadable, *catalogue_rules.mistakes(found)]


def from_text(text: str) -> Catalogue:
    """The catalogue whose canonical text is `text`, equal to the one it was taken from.

    It is not judged again by today's rules: what was published must recompute for ever. Raises
    CatalogueError where the text no longer has the shape of a catalogue.
    """
    found = draft(json.loads(text))
    _refuse(found.mistakes)
    return _catalogue(found)


def with_targets(catalogue: Catalogue, rows: Iterable[tuple[str, Approved]]) -> Catalogue:
    """The catalogue with what was approved in the store, (metric id, target) each, merged in.

    Of the same metric and first day the row wins over the file, a later row over an earlier one; a
    withdrawal leaves no target of its day. The rows become part of text and hash, those that only repeat
    the file do not. A row of a metric's old id counts for the metric renamed from it. Raises
    CatalogueError for a row of no metric there is and for a target that the rules refuse.
    """
    files: dict[str, str] = json.loads(catalogue.text)
    approved = approved_rows(files.pop(APPROVED, "[]"))
    in_files = from_text(canonical(files))
    now = {metric.renamed_from: metric.id for metric in catalogue.metrics.values() if metric.renamed_from}
    for name, row in rows:
        approved[now.get(name, name), row.valid_from] = row
    approved = {key: row for key, row in approved.items() if not _says(in_files, key[0], row)}
    if approved:
        files[APPROVED] = approved_text(approved)
    merged = draft(files)
    _refuse([*_of_no_metric(catalogue, approved), *catalogue_rules.mistakes(merged)])
    return _catalogue(merged)


def beside_the_files(catalogue: Catalogue) -> dict[tuple[str, date], Approved]:
    """What of a merged catalogue its files do not say, by metric and first day."""
    return approved_rows(json.loads(catalogue.text).get(APPROVED, "[]"))


def warnings(catalogue: Catalogue) -> list[Mistake]:
    """What should be mended in a catalogue, merged or not."""
    found = catalogue_rules.mistakes(draft(json.loads(catalogue.text)))
    return [mistake for mistake in found if mistake.level == "warning"]


def _refuse(mistakes: Sequence[Mistake]) -> None:
    if any(mistake.level == "error" for mistake in mistakes):
        raise CatalogueError(mistakes)


def _catalogue(found: Draft) -> Catalogue:
    if found.city is None:
        raise CatalogueError([error("", "the file is missing.", "Add city.toml.", CITY)])
    text = canonical(found.files)
    return Catalogue(
        city=found.city,
        departments=found.departments,
        districts={district.id: district for district in found.districts},
        sources=found.sources,
        metrics=found.metrics,
        text=text,
        hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def _says(catalogue: Catalogue, name: str, row: Approved) -> bool:
    metric = catalogue.metrics.get(name)
    return metric is not None and with_row(metric.targets, row) == metric.targets


def _of_no_metric(catalogue: Catalogue, rows: Rows) -> list[Mistake]:
    return [
        error(
            name,
            f"a target is approved from {day} for a metric that is not in the catalogue.",
            f'Add retired = {{on, reason}} to it, or renamed_from = "{name}" to the metric it became.',
            "metrics",
        )
        for name, day in rows
        if name not in catalogue.metrics
    ]
