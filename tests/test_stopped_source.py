"""A source that stops is never good news: the demonstration with each of its sources stopped in turn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import metrics.plan
from metrics import periods
from metrics.catalogue import find_city, load
from metrics.composite import composite
from metrics.facts import Facts, arrange
from metrics.history import History
from metrics.metric_scores import metric_scores
from metrics.model import (
    WHOLE_CITY,
    Catalogue,
    Composite,
    Family,
    Grain,
    Knowledge,
    Metric,
    Period,
    Score,
    Status,
)
from metrics.plan import Inputs, Plan, plan
from store import observations, publications
from store.engine import instant_text, open_engine, reading

PROJECT = Path(__file__).parents[1]
DAYS_AFTER = 40
HISTORY = timedelta(days=430)
"""How far back metrics with a target of their own are planned: seats look back twelve months."""

STOPPED = "ambulance_calls"
"""The source that is stopped in `make test`: without it the city still has a number for all."""

ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Demonstration:
    """The demonstration's definitions without districts, and its daily facts up to `last`.

    A metric whose source has not stopped is scored once for all plans of a date. What is older than `HISTORY`
    enters scores and seats, and no composite.
    """

    catalogue: Catalogue
    facts: Mapping[str, Facts]
    last: date
    _scores: dict[tuple[str, date, Knowledge], list[Score]] = field(default_factory=dict)

    def plan(self, as_of: date, known: Mapping[str, date]) -> Plan:
        """What is said as of a date, each source known up to its own date in `known`."""
        knowledge = {
            source: Knowledge(source, self._first(source), periods.local_midnight(self.catalogue.city, until))
            for source, until in known.items()
        }
        facts = {
            one.id: self._up_to(one.id, as_of, min(as_of, known[one.source]))
            for one in self.catalogue.live_metrics()
        }
        with mock.patch.object(metrics.plan, "metric_scores", self._scored):
            return plan(Inputs(self.catalogue, as_of, facts, knowledge, {}))

    def going(self, as_of: date) -> Plan:
        """What is said where no source has stopped."""
        return self.plan(as_of, dict.fromkeys(self.catalogue.sources, as_of))

    def without(self, source: str, since: date, as_of: date) -> Plan:
        """What is said where one source has stopped."""
        return self.plan(as_of, {**dict.fromkeys(self.catalogue.sources, as_of), source: since})

    def forget(self) -> None:
        """Lets go of the scores of earlier plans."""
        self._scores.clear()

    def _scored(self, history: History) -> list[Score]:
        key = (history.metric.id, history.as_of, history.knowledge)
        if key not in self._scores:
            found = metric_scores(history)
            self._scores[key] = [one for one in found if one.period.end > self.last - HISTORY]
        return self._scores[key]

    def _up_to(self, name: str, as_of: date, known: date) -> Facts:
        """The facts of the days before `known`, over all days before as_of."""
        whole, first = self.facts[name], self._first(self.catalogue.metrics[name].source)
        begin, end, last = ((day - whole.first).days for day in (first, as_of, known))
        is_known = np.arange(begin, end) < last
        here = (whole.entry_day >= begin) & (whole.entry_day < last)
        return Facts(
            first,
            whole.districts,
            np.where(is_known, whole.numerator[:, begin:end], 0.0),
            np.where(is_known, whole.denominator[:, begin:end], 0.0),
            whole.entry_day[here] - begin,
            whole.entry_district[here],
            whole.entry_value[here],
            whole.entry_count[here],
        )

    def _first(self, source: str) -> date:
        chosen = [one for one in self.catalogue.live_metrics() if one.source == source]
        first = min(self.facts[one.id].first for one in chosen)
        return first if any(one.historical for one in chosen) else max(first, self.last - HISTORY)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    folder = tmp_path_factory.mktemp("stopped")
    settings = {**os.environ, "CITY": "demo", "DATA_DIR": str(folder), "DATABASE_URL": ""}
    for command in (("ingest", "run"), ("store", "publish")):
        subprocess.run([sys.executable, "-m", *command], cwd=PROJECT, env=settings, check=True)
    catalogue = load(find_city("demo"))
    with reading(open_engine(f"sqlite:///{folder / 'demo' / 'cityscore.db'}")) as connection:
        now = publications.current(connection)
        assert now is not None
        as_of, known_at = now.publication.as_of, instant_text(now.publication.known_at)
        chosen = {one.id: replace(one, district=None) for one in catalogue.live_metrics()}
        facts = {name: observations.facts(connection, name, as_of, known_at) for name in chosen}
    first = {one.id: _first_day(chosen, facts, one.source) for one in chosen.values()}
    arranged = {
        name: arrange(((place, day, fact) for (place, day), fact in found.items()), first[name], as_of)
        for name, found in facts.items()
    }
    return Demonstration(replace(catalogue, metrics=chosen), arranged, as_of)


def _first_day(chosen: Mapping[str, Metric], facts: Mapping[str, object], source: str) -> date:
    return min(day for one in chosen.values() if one.source == source for _, day in facts[one.id])


@dataclass(frozen=True)
class Judged:
    """What was found of the composites that a stop touches.

    judged: with a number. withheld: without one. new_lows: above their twin for a new low nobody could know.
    not_due: of the judged those that lack the metric while nobody waits for it yet.
    """

    judged: int = 0
    withheld: int = 0
    new_lows: int = 0
    not_due: int = 0

    def __add__(self, other: Judged) -> Judged:
        return Judged(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))


class Rows:
    """The city's scores of a plan, by period and by metric and grain, and its composites."""

    def __init__(self, made: Plan) -> None:
        self._composites = {(one.scope, one.scope_id, one.period): one for one in made.composites}
        self.of: dict[Period, dict[str, Score]] = defaultdict(dict)
        self._in_order: dict[tuple[str, Grain], list[Score]] = defaultdict(list)
        for one in made.scores:
            if one.district == WHOLE_CITY:
                self.of[one.period][one.metric] = one
                self._in_order[one.metric, one.period.grain].append(one)

    def twin(self, one: Composite) -> Composite:
        """The same composite here."""
        return self._composites[one.scope, one.scope_id, one.period]

    def before(self, metric: str, period: Period) -> list[Score]:
        """The scored rows of a metric at the grain of a period and before it, in order of time."""
        rows = self._in_order[metric, period.grain]
        return [one for one in rows if one.score is not None and one.period.start < period.start]

    def last_known(self, metric: str, period: Period) -> float | None:
        """The metric's last score at the grain before a period."""
        known = self.before(metric, period)
        return known[-1].score if known else None

    def is_new_low(self, truth: Score) -> bool:
        """Whether what really happened was worse than all that was known of the year before."""
        since = truth.period.start - timedelta(days=366)
        known = [one.score for one in self.before(truth.metric, truth.period) if one.period.end > since]
        return truth.score is not None and truth.score < min(known) + ROUNDING


def assert_no_good_news(town: Demonstration, source: str, stopped: Plan, truth: Rows, since: date) -> Judged:
    """Judges every composite that the stop touches."""
    rows = Rows(stopped)
    silent = {one.id for one in town.catalogue.live_metrics() if one.source == source}
    found = Judged()
    for one in stopped.composites:
        lost = {name for name in silent if one.period.end > since and is_lost(town, name, one, rows)}
        if lost:
            found += judge(town, one, truth.twin(one), lost, rows, truth)
    return found


def is_lost(town: Demonstration, name: str, one: Composite, rows: Rows) -> bool:
    """Whether a metric belongs to a composite and nobody knows what it did."""
    row = rows.of[one.period].get(name)
    return row is not None and is_member(town, name, one) and row.status in (Status.LATE, Status.MISSING)


def judge(
    town: Demonstration, one: Composite, twin: Composite, lost: set[str], rows: Rows, truth: Rows
) -> Judged:
    """Holds one composite against the mean of the others, against last known scores and against its twin."""
    if one.score is None:
        return Judged(withheld=1)
    here = rows.of[one.period]
    members = [name for name, row in here.items() if is_member(town, name, one) and row.weight]
    weights = {name: here[name].weight or 0.0 for name in members}
    own = {name: here[name].score for name in members}
    mean_of_others, _ = composite(own, weights)
    assert mean_of_others is not None and one.score <= mean_of_others + ROUNDING, one
    if not lost & set(one.late):
        assert all(row.reason and row.reason.id == "not_due_yet" for row in map(here.get, lost) if row), one
        return Judged(judged=1, not_due=1)
    at_last = {name: rows.last_known(name, one.period) if name in lost else own[name] for name in members}
    with_last_known, _ = composite(at_last, weights)
    assert with_last_known is not None and one.score <= with_last_known + ROUNDING, one
    if twin.score is None or one.score <= twin.score + ROUNDING:
        return Judged(judged=1)
    assert any(rows.is_new_low(truth.of[one.period][name]) for name in lost & set(one.late)), one
    return Judged(judged=1, new_lows=1)


def is_member(town: Demonstration, name: str, one: Composite) -> bool:
    metric = town.catalogue.metrics[name]
    in_scope = {"city": True, "department": metric.department == one.scope_id}.get(
        one.scope, metric.theme == one.scope_id
    )
    return in_scope and metric.family is Family.SERVICE and one.period.grain in metric.scored_at


def judge_all(town: Demonstration, sources: Iterable[str], days: range) -> dict[str, Judged]:
    """Judges each source stopped alone, day by day: the others are scored once a day for all of them."""
    since = town.last - timedelta(days=DAYS_AFTER)
    found = dict.fromkeys(sources, Judged())
    for after in days:
        as_of = since + timedelta(days=after)
        truth = Rows(town.going(as_of))
        for source in found:
            stopped = town.without(source, since, as_of)
            found[source] += assert_no_good_news(town, source, stopped, truth, since)
        town.forget()
    for source, one in found.items():
        print(
            f"{source}: {one.judged} composites judged, {one.withheld} withheld, {one.new_lows} above their"
            f" twin for a new low nobody could know, {one.not_due} without a metric that was not due yet"
        )
    return found


@pytest.mark.matrix
def test_a_stopped_source_never_raises_a_composite(demonstration: Demonstration) -> None:
    assert judge_all(demonstration, [STOPPED], range(3, DAYS_AFTER + 1, 18))[STOPPED].judged > 0


@pytest.mark.matrix
def test_the_judge_would_notice_good_news(demonstration: Demonstration) -> None:
    since = demonstration.last - timedelta(days=DAYS_AFTER)
    stopped = demonstration.without(STOPPED, since, demonstration.last)
    raised = replace(
        stopped,
        composites=tuple(
            replace(one, score=1.25) if one.score is not None and one.late else one
            for one in stopped.composites
        ),
    )
    truth = Rows(demonstration.going(demonstration.last))
    with pytest.raises(AssertionError):
        assert_no_good_news(demonstration, STOPPED, raised, truth, since)


@pytest.mark.matrix
@pytest.mark.timeout(3600)
def test_no_stopped_source_ever_raises_a_composite(demonstration: Demonstration) -> None:
    found = judge_all(demonstration, sorted(demonstration.catalogue.sources), range(1, DAYS_AFTER + 1))
    assert all(one.judged + one.withheld > 0 for one in found.values())
