"""How far districts lie apart over time, and that the rows of a metric's table make the whole city."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from layouts.charts.course import WIDE
from layouts.charts.gap import gap_chart
from layouts.desk import edition
from layouts.district_view import districts_view, gap_view
from layouts.formats import district_tables, gaps
from layouts.formats import districts as say
from metrics.district_facts import spread
from metrics.model import Grain
from store.engine import reading
from store.withheld import Audience

PATH = "tree_on_time"


def shown(engine, grain=Grain.MONTH, metric=PATH):
    with reading(engine) as connection:
        now = edition(connection, audience=Audience.STAFF)
        view = districts_view(connection, now, now.catalogue.metrics[metric], grain)
        return view, gap_view(connection, view)


@pytest.fixture(scope="module")
def monthly(published_city):
    return shown(published_city.engine)


def test_the_distance_is_between_levels_drawn_to_the_city_s(monthly):
    view, points = monthly
    levels = [row.comparison.shrunken for row in view.by.compared]
    found = spread(view.by)
    assert points[-1].spread == found
    assert found.widest == pytest.approx(max(levels) - min(levels)) and found.count == len(levels)
    low, high = np.quantile(levels, (0.1, 0.9), method="hazen")
    assert found.inner == pytest.approx(high - low) and found.inner <= found.widest


def test_the_periods_end_with_the_one_shown_and_do_not_overlap(published_city):
    for grain in (Grain.MONTH, Grain.QUARTER):
        view, points = shown(published_city.engine, grain)
        assert points[-1].period == view.period and len(points) > 1
        assert all(one.period.end <= other.period.start for one, other in pairwise(points))


def test_two_districts_are_the_fewest_that_lie_apart(monthly):
    view, _points = monthly
    assert spread(replace(view.by, rows=view.by.rows[:1])) is None


def test_the_chart_says_its_finding_in_words_too(monthly):
    view, points = monthly
    drawn = gap_chart(view, points, WIDE)
    assert drawn.count("<path") == 2 and gaps.headline(view, points).split(" differs")[0] in drawn
    assert not gap_chart(view, points[:1], WIDE)
    grown = (replace(points[0], spread=replace(points[0].spread, widest=0.001)), points[-1])
    assert ", more than in" in gaps.headline(view, grown)
    assert ", less than in" in gaps.headline(view, (points[-1], replace(grown[0], period=points[-1].period)))
    none = replace(points[-1], spread=replace(points[-1].spread, widest=0.0))
    assert "by more than chance" in gaps.headline(view, (points[0], none))
    assert ", much as in" in gaps.headline(view, (points[-1], points[-1]))


def test_the_rows_make_the_city_and_it_is_said_only_where_they_do(monthly):
    view, _points = monthly
    city = view.by.city
    for part in ("numerator", "denominator", "n"):
        assert sum(getattr(row.score, part) for row in view.by.rows) == getattr(city, part)
    assert f"make the city: {city.numerator:.0f} of {city.denominator:.0f}." in say.adds_up(view)
    assert say.adds_up(replace(view, by=replace(view.by, rows=view.by.rows[1:]))) == ""


def test_the_city_s_row_has_a_cell_for_each_heading(monthly):
    view, _points = monthly
    cells = district_tables.city_cells(view)
    assert len(cells) == len(district_tables.heads(view)) - 1
    assert cells[0].beneath == (f"{view.by.city.numerator:.0f} of {view.by.city.denominator:.0f}",)
