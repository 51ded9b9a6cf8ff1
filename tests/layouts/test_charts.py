"""The drawings: well-formed, escaped, honest about what is missing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from layouts.charts.course import NARROW, WIDE
from layouts.charts.drawing import element, path
from layouts.charts.embedded import Svg
from layouts.charts.glyphs import arrow, glyph
from layouts.charts.graph import CONFIG, graph
from layouts.charts.line import line_with_target
from layouts.charts.plotly_line import line_figure
from layouts.charts.scale import Scale, digits_of, span, spread, ticks
from layouts.charts.small import score_bar, sparkline
from layouts.desk import edition
from layouts.formats import Level
from layouts.metric_view import metric_view
from metrics.model import Grain
from store.engine import reading

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawing))


@pytest.fixture
def view(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        yield metric_view(connection, now, now.catalogue.metrics["trash_on_time"], Grain.MONTH)


def test_text_in_a_drawing_is_escaped():
    assert element("text", "<b>&", title='"x"') == '<text title="&#34;x&#34;">&lt;b&gt;&amp;</text>'


def test_a_line_breaks_where_something_is_missing():
    assert path([(0, 1), (1, 2), None, (3, 4)]) == "M0 1L1 2M3 4"


@pytest.mark.parametrize("level", list(Level))
def test_every_level_has_a_glyph_of_its_own(level):
    others = {str(glyph(other)) for other in Level if other is not level}
    assert str(glyph(level)) not in others and parsed(glyph(level)).tag == f"{SVG}svg"


@pytest.mark.parametrize("direction", ["up", "down", "same"])
def test_a_change_has_an_arrow(direction):
    assert parsed(arrow(direction)).get("aria-hidden") == "true"


def test_a_sparkline_is_not_drawn_from_one_value(view):
    assert sparkline(view.past[:1]) == ""
    assert sparkline([replace(view.past[0], value=None)] * 5) == ""


def test_a_sparkline_says_what_it_shows_and_skips_what_is_missing(view):
    past = [view.past[0], replace(view.past[1], value=None), *view.past[2:6]]
    drawn = parsed(sparkline(past, "From <a> to b"))
    assert (drawn.get("role"), drawn.get("aria-label")) == ("img", "From <a> to b")
    assert drawn.find(f"{SVG}path[@class='line']").get("d").count("M") == 2


@pytest.mark.parametrize(
    ("score", "begins", "width"), [(0.75, 40.0, 40.0), (1.0, 80.0, 0.0), (1.25, 80.0, 40.0)]
)
def test_a_bar_is_as_long_as_the_distance_from_target(score, begins, width):
    bar = next(r for r in parsed(score_bar(score, Level.ON)).iter(f"{SVG}rect") if "bar" in r.get("class"))
    assert (float(bar.get("x")), float(bar.get("width"))) == (begins, width)


def test_a_bar_that_is_cut_says_so_and_no_score_has_none():
    assert "notch" in score_bar(0.2, Level.BELOW)
    assert "notch" not in score_bar(0.8, Level.BELOW)
    assert "bar level" not in score_bar(None, Level.NONE)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_chart_of_a_metric_lies_inside_its_picture(view, size):
    drawn = parsed(line_with_target(view, size))
    for text in drawn.iter(f"{SVG}text"):
        length = len(text.text) * 7.4
        anchor = text.get("text-anchor", "start")
        place = float(text.get("x"))
        left = place - {"start": 0, "middle": length / 2, "end": length}[anchor]
        assert left >= 0 and left + length <= size.width + 1, text.text


def test_the_chart_shows_a_target_that_changed_as_steps(view):
    drawn = parsed(line_with_target(view, WIDE))
    line = drawn.find(f"{SVG}path[@class='target']").get("d")
    heights = {point.split(" ")[1] for point in line.replace("M", "L").split("L") if point}
    assert len(heights) == 2


def test_the_chart_says_in_words_what_it_shows(view):
    text = parsed(line_with_target(view, WIDE)).get("aria-label")
    assert text.startswith("Line of Missed trash picked up on time monthly: from ")
    assert text.endswith("target 85%.")


def test_nothing_is_drawn_of_a_metric_with_one_value(view):
    assert line_with_target(replace(view, past=view.past[:1]), WIDE) == ""


def test_a_plotly_figure_shows_the_same_numbers_and_no_button_of_the_cloud(view):
    shown = graph("g", line_figure(view))
    values = next(trace for trace in shown.figure.data if trace.name == "Value")
    assert list(values.y) == [score.value for score in view.past]
    assert CONFIG["showSendToCloud"] is False and CONFIG["displaylogo"] is False
    assert shown.config == CONFIG
    assert shown.figure.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_only_drawings_get_into_a_dash_page():
    assert Svg(glyph(Level.ON)).to_plotly_json()["namespace"] == "city_drawings"
    with pytest.raises(TypeError):
        Svg("<img src=x onerror=alert(1)>")


def test_a_scale_maps_both_ends():
    scale = Scale(0.5, 1.25, 0, 120)
    assert (scale.at(0.5), scale.at(1.25), scale.at(1.0)) == (0, 120, 80)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.43, 0.83, [0.5, 0.6, 0.7, 0.8]), (0, 2.4, [0, 0.5, 1, 1.5, 2])],
)
def test_ticks_are_round(low, high, found):
    assert ticks(low, high, 6 if len(found) > 5 else 5) == found


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_inside_and_are_few(low, width):
    found = ticks(low, low + width)
    assert len(found) <= 6
    step = width * 1e-6
    assert all(low - step <= tick <= low + width + step for tick in found)


@pytest.mark.parametrize(("step", "digits"), [(1, 0), (0.5, 1), (0.25, 2), (2.5, 1), (20, 0), (0.02, 2)])
def test_a_tick_has_the_digits_its_step_needs(step, digits):
    assert digits_of(step) == digits


def test_a_span_is_never_empty_nor_below_zero_without_need():
    assert span([]) == (0.0, 1.0)
    low, high = span([5, 5])
    assert low < 5 < high
    assert span([0.0, 1.0])[0] == 0.0
    assert span([-1.0, 1.0])[0] < -1


@given(st.lists(st.floats(0, 300), min_size=1, max_size=5))
def test_labels_never_lie_on_each_other(places):
    moved = spread(places, 17, 0, 300)
    ordered = sorted(moved)
    assert all(b - a >= 17 - 1e-6 for a, b in pairwise(ordered))
    assert max(moved) <= 300 + 1e-6
