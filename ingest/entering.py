"""Values given by people: checked as the source declares, shown as a difference, kept with who and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from ingest.contract import Entered, Page, SourceError
from ingest.desk import Desk
from ingest.parse import Parser, Row
from ingest.places import Places
from ingest.quarantine import Rejection, printable
from ingest.sources.keys import key_of, keyed
from ingest.sources.manual import Options, known_days, options_for
from metrics.catalogue_shapes import did_you_mean
from metrics.derived import computed
from metrics.model import Source
from metrics.periods import local_day
from store import entries, records
from store.engine import Connection, reading, writing
from store.entries import Given, Kind
from store.reduce import prepare_workdays

LONGEST_WORDS = 500
NOT_YET = "lies ahead"
TOO_EARLY = "is before the source begins"
TWICE = "stands again with other values"
NOT_THERE = "has no value to withdraw"

Cells = Mapping[str, str]


@dataclass(frozen=True)
class Giver:
    """Who gives values, and why they differ from those before; the reason may be empty for new ones."""

    by: str
    reason: str = ""


@dataclass(frozen=True)
class Change:
    """What becomes of one value: its cells before and after; None where there is none."""

    key: str
    before: Cells | None
    after: Cells | None

    def line(self) -> str:
        """The change in one line."""
        if self.before is None:
            return f"{self.key}: new: {_told(self.after)}"
        if self.after is None:
            return f"{self.key}: withdrawn: {_told(self.before)}"
        names = [
            name for name in {**self.before, **self.after} if self.before.get(name) != self.after.get(name)
        ]
        return f"{self.key}: " + ", ".join(
            f"{name} {self.before.get(name) or '(none)'} -> {self.after.get(name) or '(none)'}"
            for name in names
        )


@dataclass(frozen=True)
class Difference:
    """What giving some values changes; as long as there are rejections nothing is kept.

    changes: the values that are new, changed or withdrawn. unchanged: how many rows say what is known.
    rejections: a sentence for each row that is refused. entered: what would count, of a dry run.
    """

    changes: tuple[Change, ...]
    unchanged: int
    rejections: tuple[str, ...]
    entered: tuple[Entered, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many values are new, changed, withdrawn, as before, and rejected."""
        return {
            "new": sum(one.before is None for one in self.changes),
            "changed": sum(one.before is not None and one.after is not None for one in self.changes),
            "withdrawn": sum(one.after is None for one in self.changes),
            "unchanged": self.unchanged,
            "rejected": len(self.rejections),
        }


@dataclass(frozen=True)
class _Checked:
    """A row that was understood: what is to be kept of it, and its values as they will be records."""

    given: Given
    values: Row
    line: int


def enter(
    desk: Desk,
    source: Source,
    pages: Iterable[Page],
    giver: Giver,
    *,
    kind: Kind = Kind.VALUE,
    dry_run: bool = False,
) -> Difference:
    """Gives the values of some pages to a manual source, or withdraws those of their keys; all or none.

    dry_run: says what it would change and keeps nothing. Raises SourceError for a source of another kind,
    a column it does not have, no name of who gives them, a change without a reason, and a withdrawal that
    would make a known day unknown.
    """
    options = _refuse_others(source, giver)
    rows = list(pages)
    unfit = _unfit(desk, source, options, rows) if kind is Kind.VALUE else []
    if dry_run:
        with reading(desk.engine) as connection:
            found, given = _difference(connection, desk, source, options, rows, giver, kind, unfit)
            return replace(found, entered=_would_count(connection, source, given))
    with writing(desk.engine, desk.clock) as write:
        found, given = _difference(write.connection, desk, source, options, rows, giver, kind, unfit)
        if not found.rejections:
            entries.add(write, source.id, given, giver.by, giver.reason)
    return found


def one_page(cells: Cells) -> list[Page]:
    """The page of a single value, as somebody typed it."""
    return [Page(tuple(cells), [list(cells.values())], place="the value given")]


def _refuse_others(source: Source, giver: Giver) -> Options:
    if source.kind != "manual":
        raise SourceError(
            f"{source.id} is a source of kind {source.kind}; values are entered into sources of kind manual."
        )
    for word, said in (("--by", giver.by), ("--reason", giver.reason)):
        if not said.isprintable() or len(said) > LONGEST_WORDS:
            raise SourceError(f"{word} is one line of at most {LONGEST_WORDS} characters.")
    if not giver.by.strip():
        raise SourceError("Say who gives the values: --by NAME.")
    return options_for(source)


def _difference(
    connection: Connection,
    desk: Desk,
    source: Source,
    options: Options,
    pages: Sequence[Page],
    giver: Giver,
    kind: Kind,
    unfit: Sequence[str],
) -> tuple[Difference, list[Given]]:
    """What the rows change beside what counts now, and what is to be kept for it."""
    before = {one.key: one for one in _counting(connection, desk, source)}
    checked, repeated, rejections = _checked(desk, source, options, pages, kind)
    rejections += unfit
    if kind is Kind.WITHDRAWAL:
        rejections += [f"{one.given.key} {NOT_THERE}" for one in checked if one.given.key not in before]
    differing = [
        one for one in checked if kind is Kind.WITHDRAWAL or _differs(one, before.get(one.given.key))
    ]
    shown = [column.name for column in source.columns if column.name not in (source.key, *options.key_from)]
    changes = tuple(_change(one, before.get(one.given.key), shown) for one in differing)
    if not rejections:
        _refuse_without_reason(changes, giver)
        _refuse_a_hole(desk, source, options, before, differing, kind)
    found = Difference(changes, len(checked) + repeated - len(differing), tuple(rejections))
    return found, [one.given for one in differing]


def _counting(connection: Connection, desk: Desk, source: Source) -> list[_Counting]:
    held = entries.current(connection, source.id)
    cells = [one.given.cells for one in held]
    columns = tuple(dict.fromkeys(name for one in cells for name in one))
    if not columns:
        return []
    page = Page(columns, [[one.get(name) for name in columns] for one in cells], place="entries")
    parsed = _parser(desk, source).parse(page)
    values = dict(zip(parsed.lines, parsed.rows, strict=True))
    return [_Counting(one.given, values.get(line)) for line, one in enumerate(held, 1)]


@dataclass(frozen=True)
class _Counting:
    """A value that counts now. values None: it no longer fits what the source declares."""

    given: Given
    values: Row | None

    @property
    def key(self) -> str:
        """The key of the value."""
        return self.given.key


def _checked(
    desk: Desk, source: Source, options: Options, pages: Sequence[Page], kind: Kind
) -> tuple[list[_Checked], int, list[str]]:
    """The rows that were understood, how many say one of them again, and sentences on the others."""
    found: dict[str, _Checked] = {}
    repeated = 0
    rejections: list[str] = []
    for page in keyed(pages, source, options.key_from):
        _refuse_unknown_columns(source, options, page, kind)
        parsed = _parser(desk, source, kind).parse(page)
        rejections += map(_rejected, parsed.rejections)
        cells = dict(zip(page.all_lines(), page.rows, strict=True))
        for line, values in zip(parsed.lines, parsed.rows, strict=True):
            one = _understood(source, options, page, (line, cells[line]), values, kind)
            wrong = _wrong_day(desk, source, one.given.day)
            again = found.setdefault(one.given.key, one)
            if wrong is not None or again.values != one.values:
                rejections.append(f"line {line}: {one.given.key} {wrong or TWICE}")
            elif again is not one:
                repeated += 1
    return list(found.values()), repeated, rejections


def _understood(
    source: Source,
    options: Options,
    page: Page,
    row: tuple[int, Sequence[str | None]],
    values: Row,
    kind: Kind,
) -> _Checked:
    """A row, with its line, under the key that its values make, however its cells were written."""
    line, written = row
    names = records.stage_columns(source)
    by_name = dict(zip(names, values, strict=True))
    parts = [None if by_name[name] is None else str(by_name[name]) for name in options.key_from]
    key = key_of(parts) or ""
    cells = {name: cell.strip() for name, cell in _declared(source, page, written) if cell and cell.strip()}
    given = Given(key, date.fromisoformat(str(parts[0])), {**cells, source.key: key}, kind)
    place = names.index(source.key)
    return _Checked(given, (*values[:place], key, *values[place + 1 :]), line)


def _declared(source: Source, page: Page, row: Sequence[str | None]) -> Iterable[tuple[str, str | None]]:
    found = [name.strip().casefold() for name in page.columns]
    for column in source.columns:
        names = [name.casefold() for name in (column.name, *column.aliases)]
        place = next((found.index(name) for name in names if name in found), None)
        if place is not None:
            yield column.name, row[place]


def _refuse_unknown_columns(source: Source, options: Options, page: Page, kind: Kind) -> None:
    known = {
        name.casefold(): column.name for column in source.columns for name in (column.name, *column.aliases)
    }
    for name in page.columns:
        if name.strip() and name.strip().casefold() not in known:
            raise SourceError(
                f"{source.id} has no column {name.strip()!r}. "
                f"{did_you_mean(name.strip(), [column.name for column in source.columns])}"
            )
    given = {known[name.strip().casefold()] for name in page.columns if name.strip()}
    needed = {*options.key_from, source.key}
    if kind is Kind.VALUE and given <= needed:
        others = ", ".join(column.name for column in source.columns if column.name not in needed)
        raise SourceError(f"No value is given; give at least one of: {others}.")
    if options.key_from[0] not in given:
        raise SourceError(f"No day is given; give the column {options.key_from[0]}.")


def _wrong_day(desk: Desk, source: Source, day: date) -> str | None:
    if day > local_day(desk.city, desk.clock()):
        return NOT_YET
    return TOO_EARLY if source.begins is not None and day < source.begins else None


def _unfit(desk: Desk, source: Source, options: Options, pages: Sequence[Page]) -> list[str]:
    """Sentences on the rows whose computed columns are beyond what the source declares of them."""
    if not computed(source):
        return []
    checked = _checked(desk, source, options, pages, Kind.VALUE)[0]
    with writing(desk.engine, desk.clock) as write:
        prepare_workdays(write.connection, desk.city)
    with records.staging(desk.engine, source) as stage:
        stage.add([one.values for one in checked])
        found = stage.compute(ZoneInfo(desk.city.time_zone)).unfit
    return [
        f"line {checked[one.order - 1].line}: {one.column} {one.reason}: {printable(one.value)!r}"
        for one in found
    ]


def _would_count(connection: Connection, source: Source, given: Sequence[Given]) -> tuple[Entered, ...]:
    """Every value that would count with those given, numbered behind those that do."""
    held = {
        one.given.key: Entered(one.id, one.given.day, one.given.cells)
        for one in entries.current(connection, source.id)
    }
    number = max((one.number for one in held.values()), default=0)
    for one in given:
        number += 1
        if one.kind is Kind.WITHDRAWAL:
            held.pop(one.key, None)
        else:
            held[one.key] = Entered(number, one.day, one.cells)
    return tuple(held.values())


def _differs(one: _Checked, before: _Counting | None) -> bool:
    return before is None or before.values != one.values


def _change(one: _Checked, before: _Counting | None, shown: Sequence[str]) -> Change:
    was = None if before is None else _shown(before.given, shown)
    return Change(one.given.key, was, None if one.given.kind is Kind.WITHDRAWAL else _shown(one.given, shown))


def _shown(given: Given, names: Sequence[str]) -> dict[str, str]:
    return {name: given.cells[name] for name in names if name in given.cells}


def _refuse_without_reason(changes: Sequence[Change], giver: Giver) -> None:
    later = [one for one in changes if one.before is not None]
    if later and not giver.reason.strip():
        raise SourceError(
            f"{len(later)} values that were given before would change ({later[0].line()}); say why: --reason."
        )


def _refuse_a_hole(
    desk: Desk,
    source: Source,
    options: Options,
    before: Mapping[str, _Counting],
    differing: Sequence[_Checked],
    kind: Kind,
) -> None:
    """What is known stays known: a day without a value in the midst of others would count as zero."""
    if kind is not Kind.WITHDRAWAL:
        return
    gone = {one.given.key for one in differing}
    today = local_day(desk.city, desk.clock())
    days = {one.given.day for one in before.values()}
    left = {one.given.day for key, one in before.items() if key not in gone}
    known, _ = known_days(source, desk.city, options, days, today)
    after, _ = known_days(source, desk.city, options, left, today)
    if known is not None and (after is None or after < known):
        raise SourceError(
            "The day is known already, and without a value it would count as one on which nothing happened; "
            f"give the right value instead, or declare a gap in sources/{source.id}.toml."
        )


def _parser(desk: Desk, source: Source, kind: Kind = Kind.VALUE) -> Parser:
    """What reads rows as a run would; a withdrawal says the key of a value and nothing else."""
    if kind is Kind.WITHDRAWAL:
        source = replace(source, columns=tuple(replace(one, required=False) for one in source.columns))
    return Parser(
        source,
        desk.city.time_zone,
        records.stage_columns(source),
        places=Places(desk.districts),
        today=local_day(desk.city, desk.clock()),
    )


def _rejected(one: Rejection) -> str:
    column = f"{one.column} " if one.column else ""
    value = f": {one.value!r}" if one.value else ""
    return f"line {one.line}: {column}{one.reason}{value}"


def _told(cells: Cells | None) -> str:
    return ", ".join(f"{name} {cell}" for name, cell in (cells or {}).items())
