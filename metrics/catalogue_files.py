"""The files of a catalogue: what is read from a folder, and how each file becomes typed definitions."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath

from metrics import column_sets
from metrics.catalogue_shapes import (
    Mistake,
    Table,
    adapter,
    error,
    named_rows,
    plain_text,
    read_shape,
    warning,
)
from metrics.model import Approved, City, Department, District, Metric, Source, Target, Withdrawn

CITY, DEPARTMENTS, DISTRICTS = "city.toml", "departments.toml", "districts.geojson"
SOURCES, METRICS, COLUMN_SETS = "sources", "metrics", "column_sets"
APPROVED = "approved_targets.json"
"""Not a file of the folder: what was approved in the store, as it stands in a catalogue's text."""

Rows = Mapping[tuple[str, date], Approved]
"""What was decided about targets last, by metric and first day."""

FROM_THE_START = date.min
"""Since when a weight written as one number holds."""

HOLIDAY_WORDS = {"country": "holiday_country", "subdivision": "holiday_subdivision", "dates": "holidays"}
"""The words of [holidays] and the fields they fill."""


@dataclass(frozen=True)
class Draft:
    """What the files say before any rule has judged it. Mappings are keyed by the file's stem.

    A definition that has no readable shape is left out, its mistakes are in `mistakes`; its file stays
    in `files`, so that a reference to it is not called unknown as well.
    """

    files: Mapping[str, str]
    city: City | None = None
    departments: Mapping[str, Department] = field(default_factory=dict)
    districts: tuple[District, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()


def read_folder(folder: Path) -> tuple[dict[str, str], list[Mistake]]:
    """The catalogue's files as {relative path: text}, sorted, with the mistakes of unreadable ones.

    A ready-made set of columns that a source names is one of them: what was published with it recomputes
    for ever, whatever becomes of the set.
    """
    found = [folder / CITY, folder / DEPARTMENTS, folder / DISTRICTS]
    found += [one for name in (SOURCES, METRICS, COLUMN_SETS) for one in (folder / name).glob("*")]
    files: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for path in sorted(path for path in found if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(folder).as_posix()
        if path.suffix != ".toml" and name != DISTRICTS:
            mistakes.append(
                warning("", "this file is not read.", "End its name in .toml, or move it away.", name)
            )
            continue
        try:
            files[name] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as fault:
            message = f"byte {fault.start + 1} is not UTF-8."
            mistakes.append(error("", message, "Save the file as UTF-8 text.", name))
    return files | _ready_made(files), mistakes


def _ready_made(files: Mapping[str, str]) -> dict[str, str]:
    """{relative path: text} of the product's sets of columns that sources name and the city lacks."""
    sources = (text for name, text in files.items() if name.startswith(f"{SOURCES}/"))
    named = {f"{COLUMN_SETS}/{column_sets.set_of(text)}.toml" for text in sources}
    ours = {name: column_sets.FOLDER.parent / name for name in sorted(named - set(files))}
    return {name: path.read_text(encoding="utf-8") for name, path in ours.items() if path.is_file()}


def canonical(files: Mapping[str, str]) -> str:
    """The one text of a catalogue's files: JSON of {relative path: content} in the order of the paths."""
    return json.dumps(files, sort_keys=True, ensure_ascii=False)


def draft(files: Mapping[str, str]) -> Draft:
    """The definitions in `files`, as far as they have a readable shape, and the mistakes of the others."""
    mistakes: list[Mistake] = []
    tables = {
        name: _parse_toml(name, text, mistakes) for name, text in files.items() if name.endswith(".toml")
    }
    city_table = tables.get(CITY)
    city = read_shape(City, CITY, _city_words(city_table), mistakes) if city_table is not None else None
    sets = {stem: table for stem, _, table in _of_folder(tables, COLUMN_SETS)}
    sources = {
        stem: source
        for stem, name, table in _of_folder(tables, SOURCES)
        if (source := _read_source(name, table, sets, mistakes))
    }
    metrics = {
        stem: metric
        for stem, name, table in _of_folder(tables, METRICS)
        if (metric := _read_metric(name, table, mistakes))
    }
    return Draft(
        files=files,
        city=city,
        departments=_departments(tables.get(DEPARTMENTS) or {}, mistakes),
        districts=_districts(files.get(DISTRICTS), mistakes),
        sources=sources,
        metrics=_with_approved(metrics, files.get(APPROVED, "[]")),
        mistakes=tuple(mistakes),
    )


def approved_text(rows: Rows) -> str:
    """What was approved as the text that `draft` reads back; a row without a value withdraws."""
    ordered = [{"metric": metric, **asdict(rows[metric, day])} for metric, day in sorted(rows)]
    return json.dumps(ordered, default=plain_text, ensure_ascii=False)


def approved_rows(text: str) -> dict[tuple[str, date], Approved]:
    """The reverse of `approved_text`."""
    rows: dict[tuple[str, date], Approved] = {}
    for row in json.loads(text):
        metric = row.pop("metric")
        shape: Hashable = Target if "value" in row else Withdrawn
        [one] = adapter(shape).validate_json(json.dumps([row]))
        rows[metric, one.valid_from] = one
    return rows


def with_row(targets: Iterable[Target], row: Approved) -> tuple[Target, ...]:
    """A metric's targets in order of their days, with one more, or another or none on its day."""
    kept = [target for target in targets if target.valid_from != row.valid_from]
    added = [row] if isinstance(row, Target) else []
    return tuple(sorted([*kept, *added], key=lambda target: target.valid_from))


def _parse_toml(name: str, text: str, mistakes: list[Mistake]) -> Table | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        message = f"this is not TOML: {fault}."
        mistakes.append(error("", message, "Mend the line named; text needs quotes.", name))
        return None


def _of_folder(tables: Mapping[str, Table | None], folder: str) -> list[tuple[str, str, Table]]:
    """(stem, name, table) of every readable file of a folder."""
    paths = [(PurePosixPath(name), table) for name, table in sorted(tables.items()) if table is not None]
    return [(path.stem, str(path), table) for path, table in paths if str(path.parent) == folder]


def _city_words(table: Table) -> Table:
    holidays = table.get("holidays")
    if not isinstance(holidays, dict):
        return table
    flat = {HOLIDAY_WORDS.get(word, f"holidays.{word}"): value for word, value in holidays.items()}
    return {word: value for word, value in table.items() if word != "holidays"} | flat


def _read_source(
    name: str, given: Table, sets: Mapping[str, Table], mistakes: list[Mistake]
) -> Source | None:
    table = column_sets.spread(name, given, sets, mistakes)
    if table is None:
        return None
    columns = named_rows(name, table.get("columns", {}), "name", mistakes, inside="columns.")
    source = read_shape(Source, name, table | {"columns": columns}, mistakes)
    # Words of a kind keep their TOML types; dates would become text on the way through the validator.
    return replace(source, options=table["options"]) if source and "options" in table else source


def _read_metric(name: str, table: Table, mistakes: list[Mistake]) -> Metric | None:
    weight = table.get("weight")
    if isinstance(weight, int | float) and not isinstance(weight, bool):
        constant = {"value": weight, "valid_from": FROM_THE_START, "reason": "as first defined"}
        table = table | {"weight": [constant]}
    metric = read_shape(Metric, name, table, mistakes)
    if metric is None:
        return None
    targets = tuple(sorted(metric.targets, key=lambda target: target.valid_from))
    weights = tuple(sorted(metric.weights, key=lambda weight: weight.valid_from))
    return replace(metric, targets=targets, weights=weights)


def _departments(table: Table, mistakes: list[Mistake]) -> dict[str, Department]:
    rows = named_rows(DEPARTMENTS, table, "id", mistakes)
    found = (read_shape(Department, DEPARTMENTS, row, mistakes, inside=row["id"]) for row in rows)
    return {department.id: department for department in found if department}


def _districts(text: str | None, mistakes: list[Mistake]) -> tuple[District, ...]:
    if text is None:
        return ()
    try:
        features = json.loads(text)["features"]
        rows = [{**feature["properties"], "geometry": feature.get("geometry")} for feature in features]
    except json.JSONDecodeError as fault:
        mistakes.append(error("", f"this is not JSON: {fault}.", "Mend the line named.", DISTRICTS))
        return ()
    except (KeyError, TypeError, AttributeError):
        message = "this is not a GeoJSON FeatureCollection whose features have properties."
        fix = 'Write {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {…}}]}.'
        mistakes.append(error("", message, fix, DISTRICTS))
        return ()
    found = [
        read_shape(District, DISTRICTS, row, mistakes, inside=f"feature {number}")
        for number, row in enumerate(rows, 1)
    ]
    return tuple(district for district in found if district)


def _with_approved(metrics: dict[str, Metric], text: str) -> dict[str, Metric]:
    """What was approved, merged in: of the same metric and first day it wins."""
    merged = dict(metrics)
    for (name, _), row in approved_rows(text).items():
        if name in merged:
            merged[name] = replace(merged[name], targets=with_row(merged[name].targets, row))
    return merged
