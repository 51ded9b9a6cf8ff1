"""A run that is only tried: what it would do to the records and to the scores, with nothing kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ingest.contract import SourceError
from ingest.desk import BUSY, Asked, Desk, RunReport
from ingest.run import Do, told, try_source
from metrics.model import Catalogue, Source
from store import records, runs, written
from store.engine import StoreError, Writing
from store.rehearsal import Effect, Moved, effect
from store.written import Values, Written

EXAMPLES = 3
SHOWN = 4
"""How many columns of an example are shown."""

MOVED = 12
"""How many scores that move are told one by one."""

LONGEST = 60


@dataclass(frozen=True)
class Trial:
    """What a run would have done. written and effect are None where it would have failed."""

    report: RunReport
    key: str = ""
    written: Written | None = None
    effect: Effect | None = None

    def lines(self) -> Iterator[str]:
        """The difference, line by line; the counts first."""
        yield f"{self.report.line()} (a dry run: nothing was kept)"
        if self.written is None:
            return
        yield from (f"  {note}" for note in [self.report.message] if note)
        yield from (f"  {line}" for kind in self.examples().values() for line in kind)
        yield from (f"  {sentence}" for sentence in self.report.rejections)
        yield from (f"  {line}" for line in self.effects())

    def examples(self) -> dict[str, list[str]]:
        """A few records that would be new, changed or vanished, a line each; none where it would fail."""
        found = self.written or Written((), (), ())
        return {
            "new": [f"new {one[self.key]}: {_said(one, self.key)}" for one in found.new],
            "changed": [
                f"changed {after[self.key]}: {_differences(before, after)}" for before, after in found.changed
            ],
            "vanished": [f"vanished {one[self.key]}: {_said(one, self.key)}" for one in found.withdrawn],
        }

    def effects(self) -> Iterator[str]:
        """What the scores would be afterwards, line by line; why that cannot be said where it cannot."""
        if self.effect is None:
            yield f"scores: not known, as the run would fail: {self.report.message}"
        else:
            yield from _effect(self.effect)


def dry_run(desk: Desk, source: Source, catalogue: Catalogue, asked: Asked | None = None) -> Trial:
    """Tries a run: everything is read, merged, reduced and planned, and then rolled back.

    Not a row of the ledger, a snapshot or a cursor is left. Other writers wait while it is compared.
    """

    def look(write: Writing, do: Do) -> tuple[RunReport, Written, Effect]:
        def change(held: Writing) -> tuple[RunReport, Written]:
            report = do(held)
            return report, written.examples(held, source, EXAMPLES)

        (report, found), moved = effect(write, catalogue, change)
        return report, found, moved

    try:
        dated = records.dated_columns(catalogue, source)
        report, found, moved = try_source(desk, source, asked or Asked(), look, dated)
    except runs.UnderWayError as error:
        return Trial(RunReport(source.id, BUSY, message=str(error)))
    except (SourceError, StoreError, OSError) as error:
        return Trial(RunReport(source.id, "failed", message=told(error)))
    return Trial(report, source.key, found, moved)


def _said(values: Values, key: str) -> str:
    said = [f"{name} {_shown(value)}" for name, value in values.items() if name != key and value is not None]
    return ", ".join(_at_most(said)) or "nothing but its key"


def _differences(before: Values, after: Values) -> str:
    differing = [
        f"{name} {_shown(before[name])} -> {_shown(after[name])}"
        for name in after
        if before[name] != after[name]
    ]
    return ", ".join(_at_most(differing)) or "is back at its source"


def _at_most(said: list[str]) -> Iterable[str]:
    return [*said[:SHOWN], "…"] if len(said) > SHOWN else said


def _shown(value: Any) -> str:
    if value is None:
        return "(none)"
    text = f"{value:.15g}" if isinstance(value, float) else str(value)
    text = "".join(sign if sign.isprintable() else "�" for sign in text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _effect(found: Effect) -> Iterator[str]:
    if found.why_not:
        yield f"scores: nothing would be published: {found.why_not}"
        return
    if not (found.scores or found.composites):
        yield "scores: none would change"
        return
    restated = f", {found.restated} final scores restated" if found.restated else ""
    day = f" as of {found.after}" if found.before in (None, found.after) else f" ({_days(found)})"
    yield f"scores: {found.scores} and {found.composites} composites new or changed{day}{restated}"
    for one in found.moved[:MOVED]:
        yield f"score: {_moved(one)}"
    if len(found.moved) > MOVED:
        yield f"score: {len(found.moved) - MOVED} more of them move"


def _days(found: Effect) -> str:
    return f"as of {found.after} in place of {found.before}"


def _moved(one: Moved) -> str:
    what = one.name or "the whole city"
    return f"{what}, {one.grain.value} of {one.start}: {_number(one.before)} -> {_number(one.after)}"


def _number(score: float | None) -> str:
    return "none" if score is None else f"{score:.4f}"
