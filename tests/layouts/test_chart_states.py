"""Every drawing in every state: nothing, one point, gaps, provisional, few, long, from the right."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from layouts import formats
from layouts.charts import multiples
from layouts.charts.cards import scoreboard_card
from layouts.charts.course import LABEL_APART, NARROW, WIDE
from layouts.charts.drawing import lone, stepped
from layouts.charts.lettering import width
from layouts.charts.line import line_with_target
from layouts.charts.multiples import multiple
from layouts.charts.palette import Theme
from layouts.charts.scale import spread
from layouts.charts.small import score_bar, sparkline
from layouts.city_view import city_view
from layouts.desk import edition
from layouts.formats import Level, departments
from layouts.metric_view import metric_view
from metrics.model import Grain, Period, Score, Status
from store.engine import reading

SVG = "{http://www.w3.org/2000/svg}"
ARABIC = "الحفر التي رُدمت في موعدها"
EXTREME = 1e9


@pytest.fixture(scope="module")
def view(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        return metric_view(connection, now, now.catalogue.metrics["pothole_on_time"], Grain.WEEK)


@pytest.fixture(scope="module")
def whole(published_city):
    with reading(published_city.engine) as connection:
        return city_view(connection, edition(connection))


def parsed(drawing: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawing))


def weeks(like: Score, values, targets=None) -> tuple[Score, ...]:
    """Scores of one week after the other with these values; targets are all 0.8 unless given."""
    start = date(2026, 3, 2)
    aims = targets or [0.8] * len(values)
    return tuple(
        replace(
            like,
            value=value,
            target=aim,
            status=Status.FINAL,
            period=Period(Grain.WEEK, start + timedelta(weeks=number), start + timedelta(weeks=number + 1)),
        )
        for number, (value, aim) in enumerate(zip(values, aims, strict=True))
    )


DRAWINGS = {
    "sparkline": lambda view, past: sparkline(past, "text"),
    "multiple": lambda view, past: multiple(view.metric, past, "text"),
    "line": lambda view, past: line_with_target(replace(view, past=past), WIDE),
    "narrow line": lambda view, past: line_with_target(replace(view, past=past), NARROW),
}


@pytest.fixture(params=DRAWINGS)
def draw(request, view):
    return lambda past: DRAWINGS[request.param](view, past)


def found(drawing: Markup, kind: str, word: str) -> list[ElementTree.Element]:
    return [one for one in parsed(drawing).iter(f"{SVG}{kind}") if word in one.get("class", "").split()]


# --- nothing, one, gaps --------------------------------------------------------------------------


def test_without_values_nothing_is_drawn_as_if_it_were_one(draw, view):
    drawn = draw(weeks(view.score, [None, None, None]))
    assert not drawn or (found(drawn, "rect", "empty") and "No values yet" in drawn)
    assert not drawn or not found(drawn, "path", "line")


def test_no_periods_at_all_are_no_values_either(view):
    assert "No values yet" in multiple(view.metric, (), "text")
    assert sparkline((), "text") == ""


def test_one_value_is_a_dot_with_its_target_and_no_line(view):
    drawn = multiple(view.metric, weeks(view.score, [0.5]), "text")
    assert "L" not in found(drawn, "path", "line")[0].get("d")
    assert len(found(drawn, "circle", "last")) == 1
    assert "L" in found(drawn, "path", "target")[0].get("d"), "the target of one period is a level too"
    assert [one.text for one in found(drawn, "text", "value-label")] == ["50.0%"]


def test_a_gap_breaks_the_line_and_a_value_alone_in_it_is_a_dot(draw, view):
    drawn = draw(weeks(view.score, [0.5, 0.6, None, 0.7, None, 0.8, 0.9]))
    assert found(drawn, "path", "line")[0].get("d").count("M") == 3
    assert found(drawn, "circle", "dot"), "the value between two gaps is seen"


def test_a_value_alone_in_a_long_line_is_seen_too(view):
    values = [0.5] * 50 + [None, 0.9, None] + [0.6] * 50
    drawn = line_with_target(replace(view, past=weeks(view.score, values)), WIDE)
    assert len(found(drawn, "circle", "dot")) == 1


def test_the_last_known_value_is_marked_where_it_lies_though_later_ones_are_missing(draw, view):
    with_end = draw(weeks(view.score, [0.5, 0.6, 0.7]))
    missing = draw(weeks(view.score, [0.5, 0.6, None]))
    ends = [float(found(one, "circle", "last")[0].get("cx")) for one in (with_end, missing)]
    assert ends[1] < ends[0]


# --- provisional, few ----------------------------------------------------------------------------


def test_a_last_value_that_may_change_is_hollow(draw, view):
    past = weeks(view.score, [0.5, 0.6, 0.7])
    open_end = (*past[:-1], replace(past[-1], status=Status.PROVISIONAL))
    assert not found(draw(past), "circle", "hollow")
    assert found(draw(open_end), "circle", "hollow")


def test_few_records_are_said_in_words_beside_the_picture(view):
    few = replace(view.score, n=3)
    assert departments.few_records(view.metric, few) == "Only 3 behind it, so one moves it a lot"
    assert departments.few_records(view.metric, replace(view.score, n=1)) == "Only 1 record behind it"
    stops = replace(view.metric, denominator="stops")
    assert departments.few_records(stops, few) == "", "its n counts stops, not records"


# --- scores --------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [None, 0.0, 0.49, 0.5, 0.999, 1.0, 1.25, 9.0])
def test_a_bar_never_leaves_its_picture(score):
    for bar in parsed(score_bar(score, Level.ON)).iter(f"{SVG}rect"):
        left, wide = float(bar.get("x")), float(bar.get("width"))
        assert left >= 0 and left + wide <= 120.0 and wide >= 0


# --- long, and from the right ----------------------------------------------------------------------


def test_a_name_of_200_letters_is_cut_on_a_picture_and_whole_in_its_title(whole):
    name = "Sidewalk panels " * 13
    first = whole.services[0]
    long = replace(first, metric=replace(first.metric, name=name.strip()))
    drawn = parsed(scoreboard_card(replace(whole, services=(long,)), Theme.LIGHT))
    [text] = [one for one in drawn.iter(f"{SVG}text") if (one.text or "").startswith("Sidewalk")]
    assert text.text.endswith("…") and len(text.text) < 60
    assert text.find(f"{SVG}title").text == name.strip()


def test_a_long_name_is_whole_for_those_who_do_not_see_the_picture(view):
    name = "x" * 200
    line = type("Line", (), {"metric": replace(view.metric, name=name), "recent": view.past})
    assert name in departments.multiple_text(line, Grain.WEEK)


def test_a_name_written_from_the_right_stays_as_it_is_and_numbers_run_from_the_left(whole, view):
    first = whole.services[0]
    arabic = replace(first, metric=replace(first.metric, name=ARABIC))
    drawn = parsed(scoreboard_card(replace(whole, services=(arabic,)), Theme.LIGHT))
    assert ARABIC in [one.text for one in drawn.iter(f"{SVG}text")]
    for made in (multiple(view.metric, view.past, ARABIC), sparkline(view.past, ARABIC)):
        root = parsed(made)
        assert (root.get("direction"), root.get("aria-label")) == ("ltr", ARABIC)


@pytest.mark.parametrize("value", [EXTREME, -EXTREME, 1e-9, 0.0])
def test_a_number_of_any_size_stays_inside_its_picture(view, value):
    metric = replace(view.metric, unit="cases", decimals=1)
    drawn = multiple(metric, weeks(view.score, [value, value * 2, value], [1.0] * 3), "text")
    for left, right, _place in boxes(drawn):
        assert left >= -1 and right <= multiples.WIDTH + 1


@pytest.mark.parametrize(("value", "said"), [(70_590.0, "70,590"), (1_206_490.0, "1.2M"), (0.25, "25.0%")])
def test_a_number_that_is_too_long_is_said_in_few_letters(view, value, said):
    is_share = value < 1
    metric = view.metric if is_share else replace(view.metric, unit="visits", decimals=0)
    drawn = multiple(metric, weeks(view.score, [value, value], [None, None]), "text")
    assert [one.text for one in found(drawn, "text", "value-label")] == [said]


# --- labels ----------------------------------------------------------------------------------------


def boxes(drawing: Markup) -> list[tuple[float, float, float]]:
    """Left end, right end and height of every text, rather too wide than too narrow."""
    made = []
    for text in parsed(drawing).iter(f"{SVG}text"):
        is_value = "value-label" in text.get("class")
        long = width(text.text, multiples.VALUE_LETTER if is_value else multiples.LETTER, bold=is_value)
        x = float(text.get("x"))
        left = x - {"start": 0, "middle": long / 2, "end": long}[text.get("text-anchor", "start")]
        made.append((left, left + long, float(text.get("y"))))
    return made


numbers = st.floats(0, 1).map(lambda number: round(number, 3))
series = st.lists(st.one_of(st.none(), numbers), min_size=1, max_size=26).filter(lambda s: any(s))


@settings(deadline=None, max_examples=60)
@given(values=series, target=numbers, high=st.one_of(st.none(), numbers))
def test_no_two_labels_of_a_small_picture_lie_on_each_other(view, values, target, high):
    past = tuple(replace(one, target_high=high) for one in weeks(view.score, values, [target] * len(values)))
    texts = boxes(multiple(view.metric, past, "text"))
    for index, (left, right, place) in enumerate(texts):
        assert left >= -1 and right <= multiples.WIDTH + 1 and 0 < place <= multiples.HEIGHT
        for other_left, other_right, other_place in texts[index + 1 :]:
            is_beside = right <= other_left + 1 or other_right <= left + 1
            assert is_beside or abs(place - other_place) >= multiples.LETTER


@settings(deadline=None, max_examples=60)
@given(
    values=series, target=numbers, high=st.one_of(st.none(), numbers), size=st.sampled_from([WIDE, NARROW])
)
def test_no_two_end_labels_of_a_chart_lie_on_each_other(view, values, target, high, size):
    past = tuple(replace(one, target_high=high) for one in weeks(view.score, values, [target] * len(values)))
    drawn = line_with_target(replace(view, past=past), size)
    if not drawn:
        return
    right = float(found(drawn, "text", "value-label")[0].get("x"))
    ends = [float(one.get("y")) for one in parsed(drawn).iter(f"{SVG}text") if float(one.get("x")) == right]
    assert len(ends) == (2 if high is None else 3)
    assert all(below - above >= LABEL_APART - 1e-6 for above, below in pairwise(sorted(ends)))
    assert min(ends) >= 0 and max(ends) <= size.height


@given(st.lists(st.floats(-50, 350), min_size=1, max_size=6))
def test_labels_keep_their_order_and_stay_inside(places):
    moved = spread(places, 17, 0, 300)
    assert min(moved) >= -1e-6 and max(moved) <= 300 + 1e-6
    assert all(
        moved[one] <= moved[other] + 1e-6
        for one in range(len(places))
        for other in range(len(places))
        if places[one] < places[other]
    )


@settings(deadline=None)
@given(st.integers(2, 140), st.sampled_from([WIDE, NARROW]))
def test_dates_under_a_chart_stand_apart(view, count, size):
    past = weeks(view.score, [0.5, 0.7] * (count // 2) + [0.6] * (count % 2))
    drawn = parsed(line_with_target(replace(view, past=past), size))
    dates = sorted(
        (float(one.get("x")), len(one.text))
        for one in drawn.iter(f"{SVG}text")
        if one.get("text-anchor") == "middle"
    )
    assert dates
    for (left, letters), (right, others) in pairwise(dates):
        assert right - left >= (letters + others) / 2 * 6


# --- the pieces ------------------------------------------------------------------------------------


def test_what_has_no_neighbour_is_alone():
    assert lone([(0, 0), None, (2, 1), None, (4, 1), (5, 1)]) == [(0, 0), (2, 1)]
    assert lone([]) == [] and lone([(1, 1)]) == [(1, 1)]


def test_a_level_steps_where_it_changes_and_starts_anew_after_a_gap():
    assert stepped([(0, 1), (1, 1), (2, 5), None, (4, 9)]) == [(0, 1), (1, 1), (2, 1), (2, 5), None, (4, 9)]


def test_small_pictures_share_their_width_and_each_has_its_own_axis(view):
    low = parsed(multiple(view.metric, weeks(view.score, [0.1, 0.2]), "text"))
    high = parsed(multiple(view.metric, weeks(view.score, [0.8, 0.9]), "text"))
    assert low.get("viewBox") == high.get("viewBox")
    ends = [[one.text for one in drawn.iter(f"{SVG}text")] for drawn in (low, high)]
    assert ends[0] != ends[1]
    starts = {found_one.get("x1") for drawn in (low, high) for found_one in drawn.iter(f"{SVG}line")}
    assert len(starts) == 1


def test_a_small_picture_says_what_it_shows(view, published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        line = city_view(connection, now).services[0]
    text = departments.multiple_text(line, Grain.WEEK)
    assert text.startswith(f"{line.metric.name} weekly: from ") and "in the week to Nov 22, 2026." in text
    assert formats.value(line.metric, line.score.value) in text
    empty = replace(line, recent=())
    assert departments.multiple_text(empty, Grain.WEEK) == f"No values to draw for {line.metric.name}."
