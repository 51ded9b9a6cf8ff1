"""A source that stops is never good news: the demonstration with each of its sources stopped in turn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from metrics import periods
from metrics.catalogue import find_city, load
from metrics.composite import composite
from metrics.facts import Fact, arrange
from metrics.model import WHOLE_CITY, Catalogue, Composite, Family, Knowledge, Period, Score
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


@dataclass(frozen=True)
class Demonstration:
    """The demonstration's definitions without districts, and its daily facts up to `last`."""

    catalogue: Catalogue
    facts: Mapping[str, Mapping[tuple[str, date], Fact]]
    last: date

    def plan(self, as_of: date, known: Mapping[str, date]) -> Plan:
        """What is said as of a date, each source known up to its own date in `known`."""
        knowledge = {
            source: Knowledge(source, self._first(source), periods.local_midnight(self.catalogue.city, until))
            for source, until in known.items()
        }
        facts = {}
        for one in self.catalogue.live_metrics():
            end = min(as_of, known[one.source])
            cells = ((place, day, fact) for (place, day), fact in self.facts[one.id].items() if day < end)
            facts[one.id] = arrange(cells, self._first(one.source), as_of)
        return plan(Inputs(self.catalogue, as_of, facts, knowledge, {}))

    def going(self, as_of: date) -> Plan:
        """What is said where no source has stopped."""
        return self.plan(as_of, dict.fromkeys(self.catalogue.sources, as_of))

    def without(self, source: str, since: date, as_of: date) -> Plan:
        """What is said where one source has stopped."""
        return self.plan(as_of, {**dict.fromkeys(self.catalogue.sources, as_of), source: since})

    def _first(self, source: str) -> date:
        metrics = [one for one in self.catalogue.live_metrics() if one.source == source]
        first = min(day for one in metrics for _, day in self.facts[one.id])
        return first if any(one.historical for one in metrics) else max(first, self.last - HISTORY)


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
        metrics = {one.id: replace(one, district=None) for one in catalogue.live_metrics()}
        facts = {name: observations.facts(connection, name, as_of, known_at) for name in metrics}
    return Demonstration(replace(catalogue, metrics=metrics), facts, as_of)


@dataclass(frozen=True)
class Judged:
    """How many composites were judged, and how many stand above their twin for a new low nobody knew."""

    composites: int
    new_lows: int


def scores_of(made: Plan, period: Period) -> dict[str, Score]:
    return {one.metric: one for one in made.scores if one.period == period and one.district == WHOLE_CITY}


def composites_of(made: Plan) -> dict[tuple[str, str, Period], Composite]:
    return {(one.scope, one.scope_id, one.period): one for one in made.composites}


def last_known(made: Plan, metric: str, period: Period) -> float | None:
    """The metric's last score at the grain before a period."""
    scores = [
        one
        for one in made.scores
        if one.metric == metric and one.period.grain is period.grain and one.period.start < period.start
    ]
    known = [one.score for one in sorted(scores, key=lambda one: one.period.start) if one.score is not None]
    return known[-1] if known else None


def assert_no_good_news(town: Demonstration, source: str, stopped: Plan, going: Plan, since: date) -> Judged:
    """Judges every composite with a number that the stop touches."""
    twins, judged, new_lows = composites_of(going), 0, 0
    silent = {one.id for one in town.catalogue.live_metrics() if one.source == source}
    for key, one in composites_of(stopped).items():
        if one.period.end <= since or one.score is None or not silent & set(one.late):
            continue
        rows = scores_of(stopped, one.period)
        members = [name for name, row in rows.items() if is_member(town, name, one) and row.weight]
        weights = {name: rows[name].weight or 0.0 for name in members}
        own = {name: rows[name].score for name in members}
        mean_of_others, _ = composite(own, weights)
        at_last = {
            name: last_known(stopped, name, one.period) if name in silent else own[name] for name in members
        }
        with_last_known, _ = composite(at_last, weights)
        assert mean_of_others is not None and with_last_known is not None
        assert one.score <= min(mean_of_others, with_last_known) + ROUNDING, key
        twin = twins[key]
        if twin.score is not None and one.score > twin.score + ROUNDING:
            truth = scores_of(going, one.period)
            assert any(is_new_low(stopped, truth[name], one.period) for name in silent & set(one.late)), key
            new_lows += 1
        judged += 1
    return Judged(judged, new_lows)


def is_member(town: Demonstration, name: str, one: Composite) -> bool:
    metric = town.catalogue.metrics[name]
    in_scope = {"city": True, "department": metric.department == one.scope_id}.get(
        one.scope, metric.theme == one.scope_id
    )
    return in_scope and metric.family is Family.SERVICE and one.period.grain in metric.scored_at


def is_new_low(stopped: Plan, truth: Score, period: Period) -> bool:
    """Whether what really happened was worse than all that was known of the year before."""
    known = [
        one.score
        for one in stopped.scores
        if one.metric == truth.metric and one.period.grain is period.grain and one.score is not None
        if one.period.end > period.start - timedelta(days=366)
    ]
    return truth.score is not None and truth.score < min(known) + ROUNDING


def judge(town: Demonstration, source: str, days: range) -> int:
    since = town.last - timedelta(days=DAYS_AFTER)
    found = []
    for after in days:
        as_of = since + timedelta(days=after)
        stopped = town.without(source, since, as_of)
        found.append(assert_no_good_news(town, source, stopped, town.going(as_of), since))
    count, lows = sum(one.composites for one in found), sum(one.new_lows for one in found)
    print(f"{source}: {count} composites judged, {lows} above their twin for a new low nobody could know")
    return count


def test_a_stopped_source_never_raises_a_composite(demonstration: Demonstration) -> None:
    assert judge(demonstration, STOPPED, range(3, DAYS_AFTER + 1, 18)) > 0


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
    with pytest.raises(AssertionError):
        assert_no_good_news(demonstration, STOPPED, raised, demonstration.going(demonstration.last), since)


@pytest.mark.matrix
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("source", sorted(load(find_city("demo")).sources))
def test_no_stopped_source_ever_raises_a_composite(demonstration: Demonstration, source: str) -> None:
    judge(demonstration, source, range(1, DAYS_AFTER + 1))
