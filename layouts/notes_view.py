"""Reads what people wrote about metrics out of the store, as the reader of a page may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from layouts.access import Need, Role, is_allowed
from layouts.desk import unreleased
from layouts.views import Edition, Line
from metrics.model import Grain, Metric, Period, Score, Verdict
from metrics.periods import periods
from metrics.signals import Variation
from store import actions, notes, problems, releases, signals
from store.actions import Action
from store.notes import Mark, Note
from store.problems import Problem
from store.releases import Taken
from store.signals import Finding
from store.withheld import Audience

if TYPE_CHECKING:
    from store.engine import Connection

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class NotesView:
    """What was written about a metric. period: the one a new note would be about; None for none.

    owed: the week for which a note is owed; None for none. owners: who may own an action. may_write: whether
    whoever asks may write for its department, which is never so on a pinned page. release: what was decided
    of its first publication, for which it waits; None where it does not.
    """

    edition: Edition
    metric: Metric
    period: Period | None
    notes: tuple[Note, ...]
    marks: tuple[Mark, ...]
    actions: tuple[Action, ...]
    problems: tuple[Problem, ...]
    owed: Period | None
    owners: tuple[tuple[int, str], ...]
    may_write: bool
    release: tuple[Taken, ...] | None = None

    @property
    def today(self) -> date:
        """The day that due days are held against: that of the publication."""
        return self.edition.publication.as_of


@dataclass(frozen=True)
class WrittenView:
    """What was written about the metrics of a department, and what is owed.

    lines: by the id of each metric. owed: the metrics without a note on a week that asks for one.
    """

    edition: Edition
    lines: Mapping[str, Line]
    notes: tuple[Note, ...]
    actions: tuple[Action, ...]
    problems: tuple[Problem, ...]
    owed: tuple[tuple[Metric, Period], ...]

    @property
    def today(self) -> date:
        """The day that due days are held against: that of the publication."""
        return self.edition.publication.as_of

    def last_note(self, metric: str) -> Note | None:
        """The newest note on a metric; None for none."""
        return next((one for one in self.notes if one.metric == metric), None)

    def last_promise(self, metric: str) -> Action | None:
        """The open action of a metric that is due first, whose promise counts; None for none."""
        return next((one for one in self.open_actions if one.metric == metric), None)

    @property
    def new_problems(self) -> tuple[Problem, ...]:
        """What readers reported and nobody has answered."""
        return tuple(one for one in self.problems if one.state is problems.State.NEW)

    @property
    def open_actions(self) -> tuple[Action, ...]:
        """What is still to be done, what is overdue first."""
        return tuple(one for one in self.actions if one.is_open)


def notes_view(
    connection: Connection,
    edition: Edition,
    metric: Metric,
    period: Period | None,
    scores: Mapping[Grain, Score],
) -> NotesView:
    """What a reader of this edition may see of what was written about a metric; scores: its newest ones."""
    is_public, until = edition.audience is Audience.PUBLIC, written_until(edition)
    found = notes.of_metrics(connection, [metric.id], public_only=is_public, until=until)
    may = not is_public and not edition.is_pinned and is_allowed(Need(Role.EDITOR, metric.department))
    finding = signals.findings(connection, edition.publication, Grain.WEEK).get(metric.id)
    people = actions.owners(connection, metric.department) if may else []
    told = problems.of_metrics(connection, [metric.id])
    return NotesView(
        edition,
        metric,
        period,
        tuple(found),
        tuple(notes.marks_of(connection, metric.id, public_only=is_public, until=until)),
        tuple(actions.of_metrics(connection, [metric.id], public_only=is_public, until=until)),
        tuple(one for one in told if one.is_public) if is_public else tuple(told),
        owed(edition, finding, scores, found),
        tuple((one.id, one.name) for one in people),
        may,
        _release(connection, edition, metric),
    )


def _release(connection: Connection, edition: Edition, metric: Metric) -> tuple[Taken, ...] | None:
    if metric.id not in unreleased(connection, edition.standing):
        return None
    return releases.steps(connection, metric.id)


def written_view(connection: Connection, edition: Edition, lines: Sequence[Line]) -> WrittenView:
    """What was written about some metrics, for staff."""
    until, by_id = written_until(edition), {line.metric.id: line for line in lines}
    found = notes.of_metrics(connection, by_id, until=until)
    asked = [
        (line.metric, period)
        for line in lines
        if (
            period := owed(
                edition, line.finding, line.scores, [one for one in found if one.metric == line.metric.id]
            )
        )
    ]
    return WrittenView(
        edition,
        by_id,
        tuple(found),
        tuple(actions.of_metrics(connection, by_id, until=until)),
        tuple(problems.of_metrics(connection, by_id)),
        tuple(asked),
    )


def owed(
    edition: Edition, finding: Finding | None, scores: Mapping[Grain, Score], written: Sequence[Note]
) -> Period | None:
    """The week for which a note is owed: its chart shows a change for the worse and its target was missed.

    Any note on a period that holds the first day of that week, or a later one, is enough.
    """
    week = scores.get(Grain.WEEK)
    if finding is None or finding.variation is not Variation.CONCERN or week is None:
        return None
    is_missed = week.verdict is Verdict.MISSES or (week.score is not None and week.score < 1)
    if not is_missed or finding.judged != week.period.start:
        return None
    if any(one.start >= week.period.start or _holds(edition, one, week.period.start) for one in written):
        return None
    return week.period


def period_of_note(edition: Edition, note: Note) -> Period | None:
    """The period that a note is about; None where the calendar has none that begins then."""
    found = periods(edition.city, note.grain, note.start, note.start + timedelta(days=93))
    return found[0] if found and found[0].start == note.start else None


def written_until(edition: Edition) -> datetime | None:
    """Up to when something was written that a page shows; None for a page of now.

    A pinned page shows what was there on its day: until one day after its publication.
    """
    return edition.publication.published_at + A_DAY if edition.is_pinned else None


def _holds(edition: Edition, note: Note, day: date) -> bool:
    period = period_of_note(edition, note)
    return period is not None and period.start <= day < period.end
