"""A target on trial: as if it had always been in force, beside those that were, at scored grains alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from metrics.facts import Fact
from metrics.model import Direction, Grain
from metrics.trial import trials
from tests.builders import catalogue, inputs, known, metric, target

AS_OF = date(2026, 7, 1)
FIRST = date(2025, 1, 1)
SHARES = metric("on_time", scored_at=(Grain.MONTH,), district=None)


def held(definition):
    """A metric of ten cases a day: in even months nine are on time, in odd ones seven."""
    days = [FIRST + timedelta(days=number) for number in range((AS_OF - FIRST).days)]
    facts = {("unknown", day): Fact(9.0 if day.month % 2 == 0 else 7.0, 10.0) for day in days}
    until = datetime(2026, 7, 1, 9, tzinfo=UTC)
    return inputs(catalogue(definition), AS_OF, {"on_time": facts}, {"cases": known(FIRST, until)})


def test_a_target_is_held_against_the_last_year_whenever_it_begins():
    [found] = trials(held(SHARES), SHARES, target(0.65, since=date(2030, 1, 1)))
    assert (found.grain, found.periods, found.met, found.met_so_far) == (Grain.MONTH, 12, 12, 6)
    assert (found.newest.start, found.value) == (date(2026, 6, 1), 0.9)
    assert found.score == 1.25 and found.score_so_far == 1.125


def test_a_metric_that_had_no_target_is_tried_for_the_first_time():
    bare = replace(SHARES, targets=())
    [found] = trials(held(bare), bare, target(0.8))
    assert (found.periods, found.met, found.periods_so_far, found.score_so_far) == (12, 6, 0, None)


def test_a_target_that_began_within_the_year_is_one_of_those_so_far():
    raised = replace(SHARES, targets=(target(0.6), target(0.8, since=date(2026, 1, 1))))
    [found] = trials(held(raised), raised, target(0.95))
    assert (found.met, found.met_so_far) == (0, 6 + 3)


def test_a_band_is_met_inside_it():
    band = target((0.65, 0.75), floor=(0.1, 0.95))
    within = replace(SHARES, direction=Direction.WITHIN, targets=(band,))
    [found] = trials(held(within), within, target((0.85, 0.95), floor=(0.1, 1.0)))
    assert (found.met, found.met_so_far) == (6, 6)


def test_what_is_not_scored_is_not_tried():
    shown = replace(SHARES, scored_at=())
    assert trials(held(shown), shown, target(0.5)) == ()
