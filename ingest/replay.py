"""Refused rows are read again by today's definition: those that fit now go into the records, in one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from zoneinfo import ZoneInfo

from ingest.contract import Page, SourceError
from ingest.desk import BUSY, Desk, RunReport
from ingest.parse import Parsed, Parser
from ingest.places import Places
from ingest.quarantine import Tally
from ingest.run import told
from ingest.staging import STANDS_AGAIN
from ingest.turns import turn
from metrics.derived import computed
from metrics.model import Source
from metrics.periods import local_day
from store import quarantine, records, runs
from store.engine import StoreError, Writing, reading, writing
from store.quarantine import NOT_AGAIN, QuarantinedRow
from store.reduce import prepare_workdays

PLACE = "quarantine"
TRIGGER = "replay"
"""Who asked, in the ledger."""


@dataclass
class _Outcome:
    """What became of the rows tried, by their index: those still refused, and those a newer row answers."""

    rows: Sequence[QuarantinedRow]
    refused: dict[int, QuarantinedRow] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    def accepted(self) -> list[int]:
        """The store's numbers of the rows that leave the quarantine."""
        return [row.id for i, row in enumerate(self.rows) if i not in self.refused and row.id is not None]

    def refuse(self, index: int, **words: str | None) -> None:
        self.refused[index] = replace(self.rows[index], **words)  # type: ignore[arg-type]


def replay(desk: Desk, source: Source, dated: Sequence[str] = ()) -> RunReport:
    """Reads the quarantine of a source again; the report counts the rows tried.

    A row never replaces one that was recorded with or after its refusal: it is `unchanged` and leaves the
    quarantine. Rows that did not fall into cells, or whose key stood again in their own reading, are
    not tried. How far the source is known, and where its next run goes on, stay as they were.
    """
    try:
        with turn(desk, source):
            run_id = runs.start(desk.engine, desk.clock, source.id, TRIGGER)
            try:
                return _replay(desk, source, run_id, tuple(dated))
            except (SourceError, StoreError, OSError) as error:
                runs.fail(desk.engine, desk.clock, run_id, told(error))
                return RunReport(source.id, "failed", message=told(error))
    except runs.UnderWayError as error:
        return RunReport(source.id, BUSY, message=str(error))


def _replay(desk: Desk, source: Source, run_id: int, dated: tuple[str, ...]) -> RunReport:
    with writing(desk.engine, desk.clock) as write:
        records.prepare(write.connection, source, dated)
        if computed(source):
            prepare_workdays(write.connection, desk.city)
    with reading(desk.engine) as connection:
        found = quarantine.quarantined(connection, source.id)
        cursor = runs.cursor(connection, source.id)
        known_until = runs.knowledge(connection, {source.id: source})[source.id].known_until
    outcome = _Outcome([row for row in found if row.form not in NOT_AGAIN])
    with records.staging(desk.engine, source) as stage:
        order = _fill(desk, source, stage, outcome)
        for unfit in stage.compute(ZoneInfo(desk.city.time_zone)).unfit:
            why = {"reason": unfit.reason, "rule": unfit.reason}
            outcome.refuse(order[unfit.order - 1], column=unfit.column, value=unfit.value, **why)
        with stage.writing(desk.clock) as write:
            counts = stage.merge(write, run_id)
            for one in counts.conflicts:
                why = {"reason": STANDS_AGAIN, "rule": STANDS_AGAIN, "form": "repeated"}
                outcome.refuse(order[one.line - 1], column=source.key, value=one.key, **why)
            _settle(write, run_id, outcome)
            report = RunReport(
                source.id,
                "succeeded",
                read=len(outcome.rows),
                new=counts.new,
                changed=counts.changed,
                unchanged=counts.unchanged + counts.repeated + len(outcome.answered),
                rejected=len(outcome.refused),
                known_until=known_until,
                message="; ".join(_notes(outcome, len(found))),
            )
            _enter(write, run_id, report, cursor)
    return report


def _fill(desk: Desk, source: Source, stage: records.Stage, outcome: _Outcome) -> list[int]:
    """Stages the rows that fit today and that no newer record answers; gives the index of each."""
    order: list[int] = []
    for indexes, parsed in _parsed(desk, source, outcome):
        for one in parsed.rejections:
            outcome.refuse(one.line, column=one.column, value=one.value, reason=one.reason, rule=one.rule)
        held = stage.recorded([row[_key_at(source)] for row in parsed.rows])
        kept = [
            (index, row)
            for index, row in zip(indexes, parsed.rows, strict=True)
            if outcome.rows[index].recorded_at > held.get(row[_key_at(source)], "")
        ]
        outcome.answered |= {*indexes} - {index for index, _ in kept}
        order += [index for index, _ in kept]
        stage.add([row for _, row in kept])
    return order


def _parsed(desk: Desk, source: Source, outcome: _Outcome) -> Iterator[tuple[list[int], Parsed]]:
    """The rows, those with the same fields at once: the indexes of those that fit, and what they became.

    The line of a rejection is its row's index.
    """
    today = local_day(desk.city, desk.clock())
    for (form, names), group in groupby(range(len(outcome.rows)), lambda i: _shape(outcome.rows[i])):
        indexes = list(group)
        read = source if form == "received" else _as_recorded(source)
        columns = records.stage_columns(source)
        parser = Parser(read, desk.city.time_zone, columns, places=Places(desk.districts), today=today)
        cells = [[outcome.rows[i].row[name] for name in names] for i in indexes]
        try:
            parsed = parser.parse(Page(names, cells, place=PLACE, lines=indexes))
        except SourceError as error:
            for index in indexes:
                outcome.refuse(index, column=None, value=None, reason=str(error), rule=str(error))
            continue
        yield parsed.lines, parsed


def _shape(row: QuarantinedRow) -> tuple[str, tuple[str, ...]]:
    return row.form, tuple(row.row)


def _as_recorded(source: Source) -> Source:
    """The source as one whose cells are written as records have them."""
    columns = tuple(
        replace(
            column,
            aliases=(),
            format=None,
            stamps="offset",
            local_until=None,
            empty=(),
            values={},
            others="keep",
            pad=None,
        )
        for column in source.columns
    )
    return replace(source, columns=columns)


def _key_at(source: Source) -> int:
    return records.stage_columns(source).index(source.key)


def _settle(write: Writing, run_id: int, outcome: _Outcome) -> None:
    quarantine.leave(write, outcome.accepted(), run_id)
    quarantine.refuse_again(write, list(outcome.refused.values()))


def _notes(outcome: _Outcome, found: int) -> Iterator[str]:
    if found == 0:
        yield "the quarantine is empty"
    if found > len(outcome.rows):
        yield f"{found - len(outcome.rows)} rows are not read again: broken, or repeated in their own reading"
    if outcome.answered:
        yield f"{len(outcome.answered)} left the quarantine as a newer row of their key is held"


def _enter(write: Writing, run_id: int, report: RunReport, cursor: str | None) -> None:
    runs.finish(
        write,
        run_id,
        read=report.read,
        new=report.new,
        changed=report.changed,
        unchanged=report.unchanged,
        rejected=report.rejected,
        known_until=report.known_until,
        cursor=cursor,
        message=report.message or None,
    )
