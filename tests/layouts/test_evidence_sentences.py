"""The golden sentences of the evidence: each can be quoted by a newspaper as it stands."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from layouts import formats
from layouts.formats import evidence
from layouts.public.site import Site
from metrics.model import Aggregation, Composite, Direction, Grain, Period, Score, Status, Verdict
from tests.builders import metric
from tests.layouts.published_city import desk_over

JULY = Period(Grain.MONTH, date(2026, 7, 1), date(2026, 8, 1))
SHARE = metric("potholes", decimals=0)
BAND = replace(SHARE, direction=Direction.WITHIN)
DELAY = metric(
    "delay", Aggregation.PERCENTILE, unit="days", percentile=0.9, direction=Direction.LOWER_IS_BETTER
)
CASES = metric("cases", Aggregation.COUNT, direction=Direction.LOWER_IS_BETTER)


def score(**changed) -> Score:
    base = Score(
        metric="potholes",
        district="",
        period=JULY,
        value=0.82,
        numerator=246.0,
        denominator=300.0,
        n=300,
        end_value=None,
        target=0.8,
        target_high=None,
        floor=0.0,
        floor_high=None,
        score=1.025,
        ceiling=1.25,
        status=Status.FINAL,
        reason=None,
        low=0.7726,
        high=0.8595,
        verdict=Verdict.CANNOT_TELL,
    )
    return replace(base, **changed)


@pytest.mark.parametrize("grain", list(Grain))
def test_a_verdict_speaks_of_periods_like_its_own(grain):
    period = replace(JULY, grain=grain)
    for verdict in Verdict:
        said = evidence.verdict(SHARE, score(verdict=verdict, period=period))
        assert f"{grain.value}s" in said and "{" not in said


def test_a_target_that_nothing_can_beat_is_said_to_be_one():
    edge = score(value=0.0, target=0.0, score=1.0, ceiling=1.0, verdict=Verdict.CANNOT_TELL)
    assert (
        evidence.verdict(CASES, edge)
        == "Nothing is better than this target: it can be missed, and never be shown to be met."
    )


def test_without_a_score_nothing_is_said_of_its_target():
    assert evidence.verdict(SHARE, score(score=None, verdict=None)) == ""


@pytest.mark.parametrize(
    ("of", "changed", "said"),
    [
        (SHARE, {}, "between 77% and 86%"),
        (SHARE, {"low": 0.8198, "high": 0.8202}, "between 81.98% and 82.02%"),
        (DELAY, {"low": 3.0, "high": None}, "at least 3.0\N{NO-BREAK SPACE}days"),
        (DELAY, {"low": None, "high": 9.5}, "at most 9.5\N{NO-BREAK SPACE}days"),
        (CASES, {"low": 4.7954, "high": 18.3904}, "between 4.8 and 18.4\N{NO-BREAK SPACE}cases"),
        (SHARE, {"low": None, "high": None}, ""),
    ],
)
def test_an_interval_is_said_with_its_ends(of, changed, said):
    assert evidence.interval(of, score(**changed)) == said


def test_a_value_is_quoted_with_its_interval():
    assert evidence.by_chance(SHARE, score()) == "82%, and between 77% and 86% when chance is allowed for."


@pytest.mark.parametrize(
    ("ceiling", "of", "sentence"),
    [
        (
            1.01,
            SHARE,
            "Even the best possible month scores 1.01: this target leaves no room to do better.",
        ),
        (1.02, SHARE, ""),
        (1.0, BAND, ""),
        (None, SHARE, ""),
    ],
)
def test_a_target_that_leaves_no_room_is_said_to(ceiling, of, sentence):
    assert evidence.ceiling(of, score(ceiling=ceiling)) == sentence


def test_a_late_metric_says_with_what_it_counts():
    silent = score(score=None, verdict=None, status=Status.LATE, seat=0.7)
    assert evidence.late_seat(silent) == (
        "While it is late it counts with 0.70, its lowest score of the year before, "
        "or with the mean of the others where that is lower."
    )
    assert evidence.late_seat(score()) == ""


def test_a_provisional_score_says_how_much_of_it_is_known(published_city):
    early = score(status=Status.PROVISIONAL, completeness=0.954)
    catalogue = published_city.catalogue
    assert (
        evidence.standing(early, catalogue)
        == "By now usually 95% of it is known, so the score may still change."
    )
    unmeasured = replace(early, completeness=None)
    assert evidence.standing(unmeasured, catalogue) == evidence.status(Status.PROVISIONAL)


def test_a_composite_counts_what_is_beyond_chance():
    counted = Composite(
        "city", "", JULY, 0.97, None, 1.0, 1.2, 9, 9, 5, (), (), meets=3, cannot_tell=4, misses=2
    )
    assert (
        evidence.verdicts(counted) == "Beyond chance: 3 meet their target, 2 miss it, 4 are too close to tell"
    )
    assert evidence.verdicts(replace(counted, meets=None, cannot_tell=None, misses=None)) == ""


def test_the_page_of_a_metric_says_interval_verdict_and_standing(published_city):
    found = published_city.score("pothole_on_time", "month")
    page = Site(desk_over(published_city.engine, published_city.catalogue)).metric(
        {"grain": "month"}, "pothole_on_time"
    )
    text = " ".join(re.sub("<[^>]+>", " ", page.body.decode()).split()).replace("&#39;", "'")
    for said in evidence.remarks(published_city.catalogue.metrics["pothole_on_time"], found):
        assert said in text
    assert formats.standing(found, published_city.catalogue) in text
    assert found.verdict is not None and formats.interval(SHARE, found)
