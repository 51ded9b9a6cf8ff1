"""`python -m ingest discover`: a look at an address or file, and a source and metrics written from it."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.contract import ReadRequest, SourceError
from ingest.drafting import Draft, draft, known_days
from ingest.guessing import Guesses, guess
from ingest.looking import Look, kept_at, look
from ingest.probing import identify
from ingest.spellings import Spelled, spelled
from metrics import catalogue as catalogues
from metrics.model import Catalogue

PrintTable = Callable[[Sequence[str], Sequence[Sequence[str]]], None]

EXAMPLE_CELLS = 28


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The words of the command."""
    parser = commands.add_parser(
        "discover", help="look at an address or file, and write a source and metrics"
    )
    parser.add_argument("address", metavar="URL_OR_FILE", help="a dataset, layer, service, sheet or file")
    parser.add_argument("--id", help="what the source is to be called (default: after the file or dataset)")
    parser.add_argument("--dry-run", action="store_true", help="print the files and write nothing")


def run_command(
    folder: Path,
    catalogue: Catalogue,
    given: argparse.Namespace,
    request: ReadRequest,
    print_table: PrintTable,
    called: str,
) -> int:
    """Looks, prints what was seen, and writes the files; 1 when some of them stand there already.

    request.folder is where a path that was typed begins; called: how commands shown begin. Raises
    SourceError when the address does not answer or no column tells its rows apart.
    """
    seen = look(identify(given.address, request), request)
    found = guess(seen, catalogue.city.time_zone)
    districts = spelled(seen, found, tuple(catalogue.districts.values()))
    _show(seen, found, print_table, districts)
    print(f"clock: {catalogue.city.time_zone}, as city.toml says; stamps without an offset are read by it")
    if not found.key:
        raise SourceError("No column tells the rows apart: a source needs a key; ask the publisher for one.")
    address = kept_at(seen.address, request.folder, folder)
    id_ = given.id or _id(address.name)
    if re.fullmatch("[a-z][a-z0-9_]*", id_) is None:
        raise SourceError(f"{id_!r} cannot name a source; give small letters, digits and _ with --id.")
    made = _checked(draft(id_, address, found, catalogue, districts), folder)
    for line in made.left_out:
        print(f"left out: {line}")
    if given.dry_run:
        for name, text in made.files.items():
            print(f"\n# --- {name}\n{text}", end="")
        return 0
    return _write(folder, made, id_, called, known_days(found, catalogue.city.time_zone))


def _write(folder: Path, made: Draft, id_: str, called: str, day: date | None) -> int:
    standing = [name for name in made.files if (folder / name).exists()]
    if standing:
        print(
            f"There already, and left as it is: {', '.join(standing)}. Nothing was written; give another "
            "name with --id, or see the files with --dry-run.",
            file=sys.stderr,
        )
        return 1
    for name, text in made.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        print(f"wrote {folder / name}")
    print(f"Check what is marked GUESS in them, then: {called} -m ingest run {id_}")
    if day is not None:
        print(f"and, for the days that these rows cover: {called} -m store publish --as-of {day}")
    return 0


def _checked(made: Draft, folder: Path) -> Draft:
    """The draft without metrics that the city's catalogue would not take, each with the reason.

    Raises SourceError when it would not take the source.
    """
    with TemporaryDirectory() as place:
        trial = Path(place) / folder.resolve().name
        names = ("*.toml", "*.geojson")
        for path in (path for name in names for path in folder.rglob(name)):
            (trial / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, trial / path.relative_to(folder))
        _put(trial, made.files)
        mistakes = [one for one in catalogues.check(trial) if one.level == "error" and one.file in made.files]
    wrong = {one.file: f"{one.place}: {one.message}" for one in mistakes}
    for name, why in wrong.items():
        if name.startswith("sources/"):
            raise SourceError(f"{name} would not pass the check ({why}); write it by hand from --dry-run.")
    files = {name: text for name, text in made.files.items() if name not in wrong}
    said = [f"{Path(name).stem}: {why}" for name, why in wrong.items()]
    return replace(made, files=files, left_out=[*made.left_out, *said])


def _put(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")


def _show(seen: Look, found: Guesses, print_table: PrintTable, districts: Spelled | None) -> None:
    whole = "all of them" if seen.whole else "there may be more"
    print(f"{seen.address.kind}: {seen.rows} rows looked at, {whole}; {len(found.columns)} columns")
    rows = [
        (
            one.column.name,
            one.column.type,
            str(one.empty),
            str(one.distinct),
            str(one.misfits or ""),
            _example(seen.columns[one.written]),
        )
        for one in found.columns
    ]
    print_table(("column", "seems", "empty", "different", "unfit", "for example"), rows)
    for name, why in found.keys.items():
        print(f"key: {name}: {why}")
    if len(found.key) > 1:
        print(f"key: {' and '.join(found.key)}: {found.reasons['key']}")
    for role, name in found.roles.items():
        print(f"{role}: {name}: {found.reasons[role]}")
    cursor = found.roles.get("modified")
    if cursor is None:
        print("cursor: no column tells when a row was last changed")
    if districts:
        strange = f"; {len(districts.strange)} spellings name none" if districts.strange else ""
        print(
            f"district: {districts.column}: {districts.named} of {districts.filled} cells name one{strange}"
        )


def _example(cells: Sequence[str | None]) -> str:
    first = " ".join(next((one for one in cells if one and one.strip()), "").split())
    return first if len(first) <= EXAMPLE_CELLS else first[: EXAMPLE_CELLS - 1] + "…"


def _id(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    return plain if plain[:1].isalpha() else f"source_{plain}".rstrip("_")
