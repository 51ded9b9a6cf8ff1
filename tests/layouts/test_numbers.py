"""How numbers are printed: scores, changes, contributions, values and targets."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts import formats
from layouts.formats import Level, numbers

scores = st.floats(0, 1.25, allow_nan=False)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.125, "0.12"),
        (0.135, "0.14"),
        (0.975, "0.98"),
        (0.994999, "0.99"),
        (0.995, "0.99"),
        (0.9999999999, "0.99"),
        (1.0, "1.00"),
        (1.005, "1.00"),
        (1.25, "1.25"),
        (0.0, "0.00"),
        (2.8125, "2.81"),
    ],
)
def test_a_score_is_printed_with_two_digits_half_to_even_and_never_rounded_up_to_one(score, text):
    assert formats.score(score) == text


@given(scores)
def test_the_printed_score_says_on_target_exactly_when_the_score_is(score):
    assert (numbers.printed(score) >= 1) == (score >= 1)


@given(scores)
def test_the_printed_score_is_within_a_hundredth(score):
    assert abs(numbers.printed(score) - Decimal(score)) < Decimal("0.0101")


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (None, Level.NONE),
        (0.894, Level.BELOW),
        (0.8999, Level.WATCH),
        (0.999, Level.WATCH),
        (1.0, Level.ON),
        (1.0449, Level.ON),
        (1.05, Level.ABOVE),
    ],
)
def test_a_level_follows_the_number_a_reader_sees(score, level):
    assert formats.level(score) is level


def test_no_score_is_a_dash_and_not_a_zero():
    assert formats.score(None) == "–"


@given(scores, scores)
def test_the_printed_change_is_the_difference_of_the_printed_scores(now, before):
    moved = formats.movement(SimpleNamespace(score=now, change=now - before))
    assert moved is not None
    assert moved.amount == numbers.printed(now) - numbers.printed(before)


def test_a_change_without_a_score_is_no_change():
    assert formats.movement(SimpleNamespace(score=None, change=None)) is None
    assert formats.movement(SimpleNamespace(score=0.9, change=None)) is None


@given(st.lists(st.floats(-0.2, 0.2, allow_nan=False), min_size=1, max_size=30), scores)
def test_printed_contributions_add_up_to_the_printed_change(parts, before):
    moved = formats.movement(SimpleNamespace(score=before + sum(parts), change=sum(parts)))
    assert moved is not None
    assert sum(formats.contributions(moved, parts)) == moved.amount


@pytest.mark.parametrize(
    ("amount", "text"), [("0.02", "+0.02"), ("-0.03", "−0.03"), ("0.00", "0.00"), ("-0.00", "0.00")]
)
def test_a_change_carries_its_sign(amount, text):
    assert formats.signed(Decimal(amount)) == text


def test_a_share_is_shown_in_percent(published_city):
    metric = published_city.catalogue.metrics["pothole_on_time"]
    assert formats.value(metric, 206 / 688) == "29.9%"
    assert formats.target(metric, 0.8) == "80%"
    assert formats.target(replace(metric, decimals=0), 0.955) == "95.5%"


def test_a_count_is_whole_and_its_worked_out_target_has_few_digits(published_city):
    metric = published_city.catalogue.metrics["requests_opened"]
    assert formats.value(metric, 13331.0) == "13,331\N{NO-BREAK SPACE}requests"
    assert formats.target(metric, 66783.876923) == "66,784\N{NO-BREAK SPACE}requests"
    assert formats.target(metric, 0.13) == "0.13\N{NO-BREAK SPACE}requests"


def test_a_band_names_its_unit_once(published_city):
    metric = replace(published_city.catalogue.metrics["response_minutes"], unit="mg/L")
    assert formats.target(metric, 0.8, 1.2) == "0.8 to 1.2\N{NO-BREAK SPACE}mg/L"


def test_a_value_never_prints_like_the_target_it_misses(published_city):
    metric = published_city.catalogue.metrics["response_minutes"]
    score = replace(published_city.score("response_minutes", "week"), value=6.004, target=6.0)
    assert formats.value_beside_target(metric, score).startswith("6.004")
    assert formats.value_beside_target(metric, replace(score, value=6.0)).startswith("6.0\N{NO-BREAK SPACE}")


def test_coverage_is_rounded_down_so_that_too_little_never_reads_as_enough():
    assert formats.share(0.7499) == "74%"
    assert formats.share(0.75) == "75%"
    assert formats.share(0.9999) == "99%"
    assert formats.share(1.0) == "100%"


def test_numbers_follow_the_language():
    with formats.speaking(formats.language("de")):
        assert formats.score(0.97) == "0,97"
        assert formats.count(13331) == "13.331"


def test_an_unknown_language_speaks_english():
    with formats.speaking(formats.language("xx-nonsense")):
        assert formats.score(0.97) == "0.97"
