"""What the mayor's page picks from published numbers: improvements, silences, groups, parts that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from layouts.city_view import city_view
from layouts.desk import edition
from layouts.formats import PrintedPart
from layouts.formats import today as sentences
from layouts.today_query import Grouping
from layouts.today_view import grouped, improving, missed, silent, today_view
from metrics.model import Contribution, Grain, Part, Status
from store import publications
from store.engine import reading
from tests.layouts.cities import fill_days
from tests.layouts.published_city import catalogue_of, city_files

ROSE = "graffiti_on_time"


@pytest.fixture
def city(published_city):
    with reading(published_city.engine) as connection:
        yield city_view(connection, edition(connection), public_only=False)


@pytest.fixture
def risen(city):
    """The city with the one rise of the week final."""
    return with_recent(changed(city, status=Status.FINAL), Status.FINAL)


def changed(city, **fields):
    """The city with another newest score of the metric that rose."""
    services = tuple(
        replace(line, score=replace(line.score, **fields)) if line.metric.id == ROSE else line
        for line in city.services
    )
    return replace(city, services=services)


def with_recent(city, status):
    """The city with the past of the metric that rose in one status."""
    services = tuple(
        replace(line, recent=tuple(replace(score, status=status) for score in line.recent))
        if line.metric.id == ROSE
        else line
        for line in city.services
    )
    return replace(city, services=services)


def with_parts(city, *parts):
    composites = {**city.composites, Grain.WEEK: replace(city.composite, contributions=parts)}
    return replace(city, composites=composites)


def test_a_final_rise_of_performance_is_an_improvement(risen):
    [found] = improving(risen)
    assert found.line.metric.id == ROSE
    assert found.before.period == risen.composite.before
    assert found.before.score == pytest.approx(found.line.score.score - found.line.score.change)


def test_a_provisional_rise_is_none(city):
    assert improving(city) == ()


def test_a_rise_by_a_lowered_target_alone_is_none(risen):
    assert improving(with_parts(risen, Contribution(ROSE, Part.TARGET, 0.02))) == ()


def test_a_rise_that_does_not_show_in_print_is_none(risen):
    [line] = [line for line in risen.services if line.metric.id == ROSE]
    before = improving(risen)[0].before
    tiny = replace(before, score=line.score.score - 0.001)
    recent = tuple(tiny if score.period == before.period else score for score in line.recent)
    services = tuple(replace(line, recent=recent) if one is line else one for one in risen.services)
    assert improving(changed(replace(risen, services=services), status=Status.FINAL, change=0.001)) == ()


def test_a_rise_from_a_period_that_may_still_change_is_none(risen):
    assert improving(with_recent(risen, Status.PROVISIONAL)) == ()


def test_without_a_period_before_nothing_improves(risen):
    alone = replace(risen.composite, before=None, change=None, contributions=())
    assert improving(replace(risen, composites={Grain.WEEK: alone})) == ()


def test_a_silence_names_the_first_day_without_data(city):
    found = {one.line.metric.id: one for one in silent(city)}
    assert set(found) == {"library_on_time", "water_on_time"}
    assert found["library_on_time"].since == date(2026, 11, 19)
    assert found["water_on_time"].since is None


def test_what_is_late_at_another_grain_than_that_of_the_page_is_not_forgotten(city):
    [line] = [line for line in city.services if line.metric.id == "park_on_time"]
    late = replace(line.scores[Grain.DAY], score=None, status=Status.LATE)
    services = (replace(line, scores={**line.scores, Grain.DAY: late}),)
    [found] = silent(replace(city, services=services, conditions=()))
    assert found.score == late


def test_groups_hold_every_line_once_in_its_order(city):
    for by in Grouping:
        lines = [line for group in grouped(city, city.services, by) for line in group.lines]
        assert sorted(line.metric.id for line in lines) == sorted(line.metric.id for line in city.services)
    [alone] = grouped(city, city.services, Grouping.NEED)
    assert alone.lines == city.services and alone.name == ""


def test_missed_periods_are_counted_over_the_newest_with_a_score(city):
    [line] = [line for line in city.services if line.metric.id == "pothole_on_time"]
    below, of = missed(line)
    newest = [score.score for score in line.recent if score.score is not None][-8:]
    assert (below, of) == (sum(score < 1 for score in newest), 8)
    assert missed(replace(line, recent=())) == (0, 0)


@pytest.mark.parametrize("count", [3, 6, 7, 20])
def test_a_short_list_of_parts_has_the_sum_of_the_long_one(count):
    parts = [PrintedPart(None, None, Decimal(number - 3) / 100) for number in range(count)]
    short = sentences.largest_parts(parts, 5)
    assert len(short) <= 6
    assert sum(part.amount for part in short) == sum(part.amount for part in parts)


def test_the_days_around_a_day_are_those_published_for(empty_database):
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    first, second, third = fill_days(engine, catalogue).as_of
    with reading(engine) as connection:
        assert publications.days_around(connection, second) == (first, third)
        assert publications.days_around(connection, first) == (None, second)
        assert publications.days_around(connection, date.min) == (None, first)
        view = today_view(connection, edition(connection, as_of=second), second)
        assert (view.asked, view.day_before, view.day_after) == (None, first, third)
        asked = date(2026, 11, 25)
        assert today_view(connection, edition(connection, as_of=asked), asked).asked == asked
