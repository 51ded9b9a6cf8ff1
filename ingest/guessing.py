"""What columns seem to be, from their names and cells: types, keys, and the clocks of a case.

Everything here is a guess with its reason, for a person to check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations, count, pairwise
from math import ceil
from statistics import quantiles
from zoneinfo import ZoneInfo

from ingest import cells as converting
from ingest import dates
from ingest.cells import Value
from ingest.contract import Cell
from ingest.looking import Look
from metrics.model import Column, ColumnType

MOSTLY = 0.99
"""The share of cells that must be of a type for the column to be of it."""

NEARLY_ALL = 0.98
"""The share of rows that a key must tell apart."""

FORMATS: Mapping[ColumnType, tuple[str, ...]] = {
    "day": ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%y"),
    "instant": (
        "%m/%d/%Y %I:%M:%S %p",
        "%m/%d/%Y %I:%M %p",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M",
        "%d/%m/%Y %H:%M:%S",
        "%d/%m/%Y %H:%M",
        "%d.%m.%Y %H:%M:%S",
        "%d.%m.%Y %H:%M",
        "%Y/%m/%d %H:%M:%S",
        "%m/%d/%y %H:%M",
    ),
}
ROLES: Mapping[str, re.Pattern[str]] = {
    "due": re.compile(r"due|target|sla|deadline|expected|promis"),
    "modified": re.compile(r"updat|modif|chang|edited"),
    "closed": re.compile(r"clos|complet|resol|finish|ended|issued|decided|arriv"),
    "opened": re.compile(r"open|creat|request|submit|receiv|report|appl|enter|call|start"),
}
"""What the names of time columns say, asked in this order: a target close date is a due date."""

PERSONAL = re.compile(
    r"((first|last|full|middle|contact|caller|reporter|requestor|applicant|owner)_?name|^name$|phone|e_?mail"
    r"|street|address|descri|comment|notes?$|free_?text)"
)
"""Columns that may hold what nobody needs here: names, addresses, free text."""

NUMBERED_ROWS = re.compile(r"^(_id|objectid|fid|oid|index|row_?(id|no|number)?|unnamed.*)$")
"""Numbers that a portal or a program gave the rows, and gives anew when it loads the file again."""

CODE = re.compile(r"(id|no|num|number|code|zip|postal|ward|district|precinct|phone|year|block|zone)$")
KEY_NAME = re.compile(r"(^|_)(id|no|num|number|key|case|ticket|reference)($|_)|id$|num$")
PLACE = ("neighbo", "district", "borough", "ward", "precinct", "community", "zone", "area")
AFTERWARDS = re.compile(r"status|resolution|outcome|closure|on_?time|result|disposition")

QUIET_AT_LEAST, QUIET_AT_MOST = 60, 2880
WORKING_HOURS = range(7, 19)

Read = Callable[[str], datetime]


@dataclass(frozen=True)
class Guess:
    """One column: as it could be declared, how many cells are empty, how many different, what to say of it.

    values: the cells as typed, None where they are empty or do not fit.
    """

    column: Column
    written: str
    empty: int
    distinct: int
    misfits: int
    values: Sequence[Value] = field(repr=False)
    personal: bool = False


@dataclass(frozen=True)
class Guesses:
    """What a table seems to be. roles: the column of each clock; reasons: why, by role or "key".

    key: the columns that tell rows apart, none where nothing does. place, topic: columns of text.
    keys: every candidate with its reason.
    """

    columns: tuple[Guess, ...]
    key: tuple[str, ...]
    keys: Mapping[str, str]
    roles: Mapping[str, str]
    reasons: Mapping[str, str]
    place: str | None
    quiet_minutes: int
    newest: datetime | None

    def of(self, role: str) -> Guess | None:
        """The column of a clock; None where there is none."""
        return self.named(self.roles[role]) if role in self.roles else None

    def named(self, name: str) -> Guess:
        """The guess of a column by its name here."""
        return next(one for one in self.columns if one.column.name == name)

    def pairs(self, first: str, second: str) -> list[tuple[datetime, datetime]]:
        """The instants of two clocks in the rows that have both."""
        one, other = self.of(first), self.of(second)
        if one is None or other is None:
            return []
        found = zip(one.values, other.values, strict=True)
        return [(moment(a), moment(b)) for a, b in found if a is not None and b is not None]


def guess(look: Look, time_zone: str) -> Guesses:
    """Everything that the rows of a look and the names of their columns tell."""
    columns = _named([_column(name, cells, time_zone) for name, cells in look.columns.items()])
    columns = [_stamped(one, look.columns[one.written], time_zone) for one in columns]
    keys = _keys(columns, look.rows)
    roles, reasons = _roles(columns)
    key, why = _key(columns, keys, look)
    arrivals = sorted(
        moment(value) for one in columns if one.column.name == roles.get("opened")
        for value in one.values if value is not None
    )  # fmt: skip
    is_day = any(one.column.name == roles.get("opened") and one.column.type == "day" for one in columns)
    return Guesses(
        columns=tuple(columns),
        key=key,
        keys=keys,
        roles=roles,
        reasons=reasons | {"key": why},
        place=_word(columns, PLACE, 2, 100),
        quiet_minutes=1440 if is_day else _quiet(arrivals),
        newest=arrivals[-1] if arrivals else None,
    )


def moment(value: Value) -> datetime:
    """A typed day or instant as a point in time; a day as its beginning."""
    return datetime.fromisoformat(str(value)[:26]).replace(tzinfo=None)


# --- one column ------------------------------------------------------------------------------------


def _column(name: str, cells: Sequence[Cell], time_zone: str) -> Guess:
    filled = [cell for cell in cells if cell and cell.strip()]
    plain = _plain(name)
    column, found = _typed(plain, cells, filled, time_zone)
    misfits = sum(1 for index in found.wrong if cells[index])
    column = replace(column, aliases=() if plain == name.casefold() else (name,))
    if misfits:
        column = replace(column, unfit="empty")
    return Guess(
        column,
        name,
        empty=len(cells) - len(filled),
        distinct=len(set(filled)),
        misfits=misfits,
        values=found.values,
        personal=bool(PERSONAL.search(plain)) and column.type == "text",
    )


def _plain(name: str) -> str:
    """A name as catalogues have them: small letters, digits and _."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()) if name.lower() != name else name
    plain = re.sub(r"[^a-z0-9]+", "_", spaced.casefold()).strip("_")
    return plain if plain[:1].isalpha() else f"column_{plain}".rstrip("_")


def _named(columns: Sequence[Guess]) -> list[Guess]:
    """The same columns, those whose names became alike with a number behind."""
    taken = {one.column.name for one in columns if not one.column.aliases}
    found = []
    for one in columns:
        name = one.column.name
        if one.column.aliases and name in taken:
            name = next(other for number in count(2) if (other := f"{name}_{number}") not in taken)
            one = replace(one, column=replace(one.column, name=name))
        taken.add(name)
        found.append(one)
    return found


def _typed(
    name: str, cells: Sequence[Cell], filled: Sequence[str], time_zone: str
) -> tuple[Column, converting.Converted]:
    """The narrowest type that nearly all cells are of, and the cells so typed; text where none is."""
    as_text = Column(name, "text")
    if not filled:
        return as_text, converting.text(cells)
    for column in _candidates(name, filled):
        few = _convert(column, filled[:200], time_zone)
        if len(few.wrong) > len(filled[:200]) * (1 - MOSTLY) + 1:
            continue
        found = _convert(column, cells, time_zone)
        if len(found.wrong) <= len(filled) * (1 - MOSTLY):
            return column, found
    return as_text, converting.text(cells)


def _candidates(name: str, filled: Sequence[str]) -> list[Column]:
    shortest = min(map(len, filled[:200]))
    is_dated = shortest >= 6 and all(re.search(r"\d\D\d|\d{8}", one) for one in filled[:20])
    found: list[Column] = []
    if is_dated and not re.fullmatch(r"-?\d+\.\d+", filled[0].strip()):
        for type_ in ("day", "instant"):
            found.append(Column(name, type_))
            found += [Column(name, type_, format=one) for one in FORMATS[type_]]
    is_code = CODE.search(name) or any(re.match(r"\s*0\d", one) for one in filled)
    if not is_code:
        found += [Column(name, "integer"), Column(name, "number")]
    words = {one.strip().casefold() for one in filled[:200]}
    if len(words) <= 2 and not words & {"0", "1"}:
        found.append(Column(name, "boolean"))
    return found


def _convert(column: Column, cells: Sequence[Cell], time_zone: str) -> converting.Converted:
    if column.type == "day":
        return dates.days(cells, column)
    if column.type == "instant":
        return dates.instants(cells, column, time_zone)
    plain = {"integer": converting.integer, "number": converting.number, "boolean": converting.boolean}
    return plain[column.type](cells)


def _stamped(one: Guess, cells: Sequence[Cell], time_zone: str) -> Guess:
    """The column with `stamps = "local"` where its offsets put the working day into the night."""
    if one.column.type != "instant" or one.column.formats:
        return one
    local = replace(one.column, stamps="local")
    found = _convert(local, cells, time_zone)
    if _by_day(found.values, time_zone) <= _by_day(one.values, time_zone) + 0.05:
        return one
    return replace(one, column=local, values=found.values)


def _by_day(values: Sequence[Value], time_zone: str) -> float:
    """The share of instants in working hours of the city's clock."""
    instants = [datetime.fromisoformat(str(one)).astimezone(ZoneInfo(time_zone)) for one in values if one]
    return sum(one.hour in WORKING_HOURS for one in instants) / len(instants) if instants else 0.0


# --- the table -------------------------------------------------------------------------------------


def _keys(columns: Sequence[Guess], rows: int) -> dict[str, str]:
    """Columns that could be the key, the likeliest first, with the reason."""
    found = []
    for one in columns:
        is_number = one.column.type in ("number", "instant", "day", "boolean")
        if one.empty or is_number or one.distinct < rows * NEARLY_ALL or one.personal:
            continue
        twice = rows - one.distinct
        why = f"filled in all {rows} rows, " + (
            f"{twice} rows repeat one" if twice else "never twice the same"
        )
        is_numbered = bool(NUMBERED_ROWS.match(one.written.casefold()))
        if is_numbered:
            why += "; but such numbers may be given anew when the file is loaded again"
        found.append((is_numbered, not KEY_NAME.search(one.column.name), twice, one.column.name, why))
    return {name: why for *_, name, why in sorted(found, key=lambda item: item[:3])}


def _key(columns: Sequence[Guess], keys: Mapping[str, str], look: Look) -> tuple[tuple[str, ...], str]:
    if keys:
        # GeoReport v2 has a key of its own.
        first = "service_request_id" if look.address.kind == "open311" else next(iter(keys))
        if first not in keys:
            return (), ""
        return (first,), keys[first]
    if look.address.kind != "file":
        return (), ""
    filled = [one for one in columns if not one.empty and one.distinct > 1 and not one.personal]
    likely = sorted(filled, key=lambda one: -one.distinct)[:8]
    for pair in combinations(likely, 2):
        cells = zip(*(look.columns[one.written] for one in pair), strict=True)
        if len(set(cells)) >= look.rows * NEARLY_ALL:
            return tuple(one.column.name for one in pair), "together they are different in every row"
    return (), ""


def _roles(columns: Sequence[Guess]) -> tuple[dict[str, str], dict[str, str]]:
    """The clocks of a case: by their names, checked by which comes first."""
    times = [one for one in columns if one.column.type in ("instant", "day") and one.distinct > 1]
    roles: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for role, words in ROLES.items():
        fitting = [
            one for one in times if one.column.name not in roles.values() and words.search(one.column.name)
        ]
        if fitting:
            # A case is opened once and for all; it may still have no closing.
            best = min(fitting, key=lambda one: one.empty)
            found = words.search(best.column.name)
            roles[role] = best.column.name
            reasons[role] = f'its name has "{found and found[0]}", {best.empty} are empty'
    left = [one for one in times if one.column.name not in roles.values()]
    if "opened" not in roles and left:
        best = min(left, key=lambda one: (one.empty, min(str(value) for value in one.values if value)))
        roles["opened"], reasons["opened"] = best.column.name, f"the fullest time, {best.empty} are empty"
    return roles, reasons


def _word(columns: Sequence[Guess], words: Sequence[str], fewest: int, most: int) -> str | None:
    """The first column of text whose name has one of the words, in their order, with so many values."""
    for word in words:
        for one in columns:
            if one.column.type == "text" and word in one.column.name and fewest <= one.distinct <= most:
                return one.column.name
    return None


def _quiet(arrivals: Sequence[datetime]) -> int:
    """Minutes that may pass without a record: all but the longest hundredth of the gaps, in whole hours."""
    gaps = [(after - before) / timedelta(minutes=1) for before, after in pairwise(arrivals[-5_000:])]
    if len(gaps) < 2:
        return QUIET_AT_MOST
    usual = quantiles(gaps, n=100)[-1]
    return min(max(ceil(usual / 60) * 60, QUIET_AT_LEAST), QUIET_AT_MOST)
