"""Raw pages become rows of the store: columns found by name, cells typed, wrong rows refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import compress
from operator import itemgetter

from ingest import cells, dates
from ingest.cells import Converted, Value
from ingest.cleaning import cleaned, emptied, unbelievable
from ingest.contract import Cell, Page, SourceError, Unreadable
from ingest.places import Places
from ingest.placing import Placing
from ingest.quarantine import Rejection, printable
from metrics.model import Column, Source

RAGGED = "has more or fewer cells than the header"
NO_KEY = "is empty, and it is the key"
LONGEST_KEY = 1000
"""How many bytes a key may have: what PostgreSQL keeps in order may have little more than twice as many."""

LONG_KEY = f"is longer than {LONGEST_KEY} bytes, and it is the key"
NO_VALUE = "is empty, and it is required"

Row = tuple[Value, ...]


@dataclass(frozen=True)
class Parsed:
    """rows in the store's order of columns, lines[i] where rows[i] stood, and the rows refused."""

    rows: list[Row]
    lines: list[int]
    rejections: list[Rejection]


@dataclass(frozen=True)
class _Layout:
    """Where in a header each declared column stands; None for an optional one that is absent."""

    positions: Mapping[str, int | None]
    missing: tuple[str, ...]
    extra: tuple[str, ...]


@dataclass
class _Told:
    """The cells of one page that were emptied: column, index of the row, reason."""

    cells: list[tuple[str, int, str]] = field(default_factory=list)

    def add(self, column: str, wrong: Mapping[int, str]) -> None:
        self.cells += [(column, index, reason) for index, reason in wrong.items()]


@dataclass
class _Refused:
    """{index of a row: (column, reason, rule)}; the first fault of a row is the one told."""

    faults: dict[int, tuple[str | None, str, str]] = field(default_factory=dict)

    def add(self, index: int, column: str | None, reason: str, rule: str = "") -> None:
        self.faults.setdefault(index, (column, reason, rule))


class Parser:
    """Turns the pages of one source into rows, remembering what their headers lacked.

    names: the store's order of columns, an instant `x` followed somewhere by its day `x_day`. since,
    until: local days, both included; rows that arrived on other days, or on no day, are passed over.
    places: where districts are looked up. today: the day of the run, for how far ahead a day may
    lie; None leaves that open.
    """

    def __init__(
        self,
        source: Source,
        time_zone: str,
        names: Sequence[str],
        since: date | None = None,
        until: date | None = None,
        *,
        places: Places | None = None,
        today: date | None = None,
    ) -> None:
        if (since or until) and source.arrival is None:
            raise SourceError(
                f"{source.id} declares no arrival column, so --since and --until cannot be used; leave "
                f"them away, or write arrival = … in sources/{source.id}.toml."
            )
        self._source = source
        self._time_zone = time_zone
        self._names = names
        self._since = since.isoformat() if since else ""
        self._until = until.isoformat() if until else "9999-12-31"
        self._is_ranged = bool(since or until)
        if any(column.type == "district" for column in source.columns) and not places:
            raise SourceError(
                f"{source.id} has a column of districts, and the city has none; add districts.geojson."
            )
        self._places = places or Places()
        self._today = today
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._emptied: Counter[tuple[str, str]] = Counter()
        self._placing = {column.name: Placing() for column in source.columns if column.type == "district"}

    def parse(self, page: Page) -> Parsed:
        """The rows of one page; SourceError when its header lacks the key or a required column."""
        layout = self._layout(page)
        width = len(page.columns)
        is_whole = [length == width for length in map(len, page.rows)]
        ragged = [index for index, whole in enumerate(is_whole) if not whole]
        if ragged:
            rows, lines = list(compress(page.rows, is_whole)), list(compress(page.all_lines(), is_whole))
            parsed = self._typed(replace(page, rows=rows, lines=lines), layout)
        else:
            parsed = self._typed(page, layout)
        refused = [_unreadable(page, one) for one in page.unreadable] + self._ragged(page, layout, ragged)
        return replace(parsed, rejections=refused + parsed.rejections)

    def keys(self, ids: Sequence[Cell]) -> set[Value]:
        """Ids as a source says them, as the values its records go by; what is no key is passed over."""
        key = self._source.column(self._source.key)
        return set(self._convert(key, [(one,) for one in ids], 0, _Told()).values) - {None}

    def count_emptied(self, emptied: Iterable[tuple[tuple[str, str], int]]) -> None:
        """Counts computed cells that were emptied, by column and reason."""
        self._emptied.update(dict(emptied))

    def notes(self) -> list[str]:
        """What the headers lacked or had too much, and which cells were emptied or named no district."""
        layouts = self._layouts.values()
        missing = sorted({name for layout in layouts for name in layout.missing})
        extra = sorted({name for layout in layouts for name in layout.extra})
        return [
            *([f"missing columns, taken as empty: {', '.join(missing)}"] if missing else []),
            *([f"columns not declared, not kept: {', '.join(extra)}"] if extra else []),
            *(f"{name} emptied, {reason}: {count}" for (name, reason), count in self._emptied.most_common()),
            *(note for name, placing in self._placing.items() for note in placing.notes(name)),
        ]

    def _layout(self, page: Page) -> _Layout:
        if page.columns not in self._layouts:
            self._layouts[page.columns] = _find_columns(self._source, page)
        return self._layouts[page.columns]

    def _typed(self, page: Page, layout: _Layout) -> Parsed:
        told = _Told()
        columns = {
            column.name: self._convert(column, page.rows, layout.positions[column.name], told)
            for column in self._source.columns
            if column.type != "district"
        }
        for column in self._source.columns:
            if column.type == "district":
                columns[column.name] = self._place(column, page.rows, layout.positions[column.name], columns)
        self._keep_in_order(columns, told)
        refused = self._faults(columns)
        arrived = self._arrived(columns)
        values: dict[str, Sequence[Value]] = {name: one.values for name, one in columns.items()}
        values |= {f"{name}_day": one.days for name, one in columns.items() if one.days}
        empty = [None] * len(page.rows)
        rows: list[Row] = list(zip(*(values.get(name, empty) for name in self._names), strict=True))
        lines = page.all_lines()
        keys = values[self._source.key]
        rejections = [
            self._rejection(page, layout, index, *fault, typed_key=keys[index])
            for index, fault in sorted(refused.faults.items())
            if index not in arrived or arrived[index]
        ]
        if not refused.faults and not arrived:
            self._count(told, None)
            return Parsed(rows, lines, rejections)
        kept = [i for i in range(len(rows)) if i not in refused.faults and arrived.get(i, True)]
        self._count(told, frozenset(kept))
        return Parsed([rows[i] for i in kept], [lines[i] for i in kept], rejections)

    def _convert(
        self, column: Column, rows: Sequence[Sequence[Cell]], position: int | None, told: _Told
    ) -> Converted:
        """The column's values, those that must not be kept among `wrong` or, where it says so, emptied."""
        if position is None:
            return Converted([None] * len(rows), days=[None] * len(rows) if column.type == "instant" else ())
        clean = cleaned(list(map(itemgetter(position), rows)), column)
        typed = self._type(column, clean.cells)
        wrong = {**unbelievable(typed, column, self._today), **typed.wrong, **clean.wrong}
        if column.unfit == "empty" and wrong:
            told.add(column.name, wrong)
            return replace(emptied(typed, wrong), wrong={})
        return replace(typed, wrong=wrong) if len(wrong) > len(typed.wrong) else typed

    def _type(self, column: Column, found: Sequence[Cell]) -> Converted:
        if column.type == "instant":
            return dates.instants(found, column, self._time_zone)
        if column.type == "day":
            return dates.days(found, column)
        plain = {
            "text": cells.text,
            "integer": cells.integer,
            "number": cells.number,
            "boolean": cells.boolean,
        }
        return plain[column.type](found)

    def _place(
        self,
        column: Column,
        rows: Sequence[Sequence[Cell]],
        position: int | None,
        columns: Mapping[str, Converted],
    ) -> Converted:
        found = [None] * len(rows) if position is None else list(map(itemgetter(position), rows))
        coordinates = None
        if column.longitude and column.latitude:
            coordinates = columns[column.longitude].values, columns[column.latitude].values
        placing = self._placing[column.name]
        return placing.place(cleaned(found, column).cells, coordinates, column.others, self._places)

    def _keep_in_order(self, columns: dict[str, Converted], told: _Told) -> None:
        """A time that comes before the one it must not come before is wrong, or emptied."""
        for column in self._source.columns:
            early = _early(self._source, column, columns) if column.not_before else {}
            if early and column.unfit == "empty":
                told.add(column.name, early)
                columns[column.name] = emptied(columns[column.name], early)
            elif early:
                found = columns[column.name]
                columns[column.name] = replace(found, out_of_order=early)

    def _count(self, told: _Told, kept: Collection[int] | None) -> None:
        """Counts what was done to the cells of the rows that are kept; None is all of them."""
        for name, index, reason in told.cells:
            if kept is None or index in kept:
                self._emptied[name, reason] += 1
        for placing in self._placing.values():
            placing.count(kept)

    def _faults(self, columns: Mapping[str, Converted]) -> _Refused:
        refused = _Refused()
        for name, converted in columns.items():
            for index, reason in converted.wrong.items():
                refused.add(index, name, reason)
        for column in self._source.columns:
            if column.required or column.name == self._source.key:
                reason = NO_KEY if column.name == self._source.key else NO_VALUE
                values = columns[column.name].values
                if not all(values):
                    for index in (index for index, value in enumerate(values) if value is None):
                        refused.add(index, column.name, reason)
        for index in _too_long(columns[self._source.key].values):
            refused.add(index, self._source.key, LONG_KEY)
        for name, converted in columns.items():
            for index, reason in converted.out_of_order.items():
                refused.add(index, name, reason)
        return refused

    def _arrived(self, columns: Mapping[str, Converted]) -> dict[int, bool]:
        """{index: whether the row is in range} of a ranged reading, without rows of unreadable arrival."""
        if not self._is_ranged or self._source.arrival is None:
            return {}
        arrival = columns[self._source.arrival]
        return {
            index: isinstance(day, str) and self._since <= day <= self._until
            for index, day in enumerate(_local_days(arrival))
            if index not in arrival.wrong
        }

    def _ragged(self, page: Page, layout: _Layout, indexes: Sequence[int]) -> list[Rejection]:
        header = len(page.columns)
        return [
            self._rejection(
                page,
                layout,
                index,
                None,
                f"has {len(page.rows[index])} cells where the header has {header}",
                RAGGED,
            )
            for index in indexes
        ]

    def _rejection(
        self,
        page: Page,
        layout: _Layout,
        index: int,
        column: str | None,
        reason: str,
        rule: str,
        typed_key: Value = None,
    ) -> Rejection:
        """typed_key: the key as records have it, None where it cannot be told."""
        row = page.rows[index]

        def cell(name: str) -> str | None:
            position = layout.positions[name]
            return printable(row[position]) if position is not None and position < len(row) else None

        names = [*page.columns, *(f"cell {number + 1}" for number in range(len(page.columns), len(row)))]
        return Rejection(
            line=page.line(index),
            key=(cell(self._source.key) or "").strip() or None if typed_key is None else str(typed_key),
            column=column,
            value=cell(column) if column else None,
            reason=reason,
            row=dict(zip(names, row, strict=False)),
            place=page.place,
            rule=rule,
            form="broken" if rule == RAGGED else "received",
        )


def _unreadable(page: Page, line: Unreadable) -> Rejection:
    return Rejection(
        line=line.line,
        key=None,
        column=None,
        value=printable(line.text.strip()),
        reason=line.reason,
        row={"line": line.text},
        place=page.place,
        form="broken",
    )


def _find_columns(source: Source, page: Page) -> _Layout:
    found = [name.strip().casefold() for name in page.columns]
    positions: dict[str, int | None] = {}
    for column in source.columns:
        if column.expression is not None:
            positions[column.name] = None
            continue
        names = [name.casefold() for name in (column.name, *column.aliases)]
        name = next((name for name in names if name in found), None)
        if name is not None and found.count(name) > 1:
            raise SourceError(
                f"{page.place}: the column {name} stands {found.count(name)} times in the header; "
                "remove or rename one."
            )
        positions[column.name] = None if name is None else found.index(name)
    _refuse_missing(source, page, positions)
    used = set(positions.values())
    return _Layout(
        positions,
        missing=tuple(
            column.name
            for column in source.columns
            if positions[column.name] is None and column.expression is None
        ),
        extra=tuple(name for index, name in enumerate(page.columns) if index not in used and name.strip()),
    )


def _refuse_missing(source: Source, page: Page, positions: Mapping[str, int | None]) -> None:
    needed = [column.name for column in source.columns if column.required or column.name == source.key]
    missing = [name for name in needed if positions[name] is None]
    if not missing:
        return
    found = ", ".join(name.strip() or "(empty)" for name in page.columns)
    header = (
        "" if any(position is not None for position in positions.values()) else " Is there a header line?"
    )
    raise SourceError(
        f"{page.place}: the column {' and '.join(missing)} is missing (found: {printable(found)}).{header} "
        f"Give the right file, or add the name used there to `aliases` in sources/{source.id}.toml."
    )


def _too_long(keys: Sequence[Value]) -> list[int]:
    """Where the keys stand that an index cannot hold; a sign has four bytes at most."""
    texts = [(index, one) for index, one in enumerate(keys) if isinstance(one, str)]
    suspects = [(index, one) for index, one in texts if len(one) * 4 > LONGEST_KEY]
    return [index for index, one in suspects if len(one.encode()) > LONGEST_KEY]


def _local_days(converted: Converted) -> Sequence[Value]:
    return converted.days or converted.values


class _Bound:
    """How a time may lie to the one that it must not precede."""

    def __init__(self, column: Column, both_instants: bool) -> None:
        within, beyond = column.not_within_seconds, column.not_beyond_minutes
        self._within = None if within is None else timedelta(seconds=within)
        self._beyond = None if beyond is None else timedelta(minutes=beyond)
        self._is_measured = both_instants and (within, beyond) != (None, None)
        self._close, self._far = f"is within {within} seconds of", f"is more than {beyond} minutes after"

    def fault(self, begins: str, ends: str) -> str:
        """What is wrong with two times as texts; empty where nothing is."""
        if ends < begins:
            return "is before"
        if not self._is_measured:
            return ""
        apart = datetime.fromisoformat(ends) - datetime.fromisoformat(begins)
        if self._within is not None and apart <= self._within:
            return self._close
        return self._far if self._beyond is not None and apart > self._beyond else ""


def _early(source: Source, column: Column, columns: Mapping[str, Converted]) -> dict[int, str]:
    """Compares instants with instants; where one of the two is a day, days with days."""
    other = source.column(column.not_before or "")
    ours, theirs = columns[column.name], columns[other.name]
    both_instants = column.type == other.type == "instant"
    late = ours.values if both_instants else _local_days(ours)
    early = theirs.values if both_instants else _local_days(theirs)
    bound = _Bound(column, both_instants)
    return {
        index: f"{fault} {other.name}"
        for index, (ends, begins) in enumerate(zip(late, early, strict=True))
        if isinstance(ends, str) and isinstance(begins, str) and (fault := bound.fault(begins, ends))
    }
