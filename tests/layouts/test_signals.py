"""Charts on pages, scoreboards, embeds and in the API: what they say, in which words, and that it is one."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from html import unescape
from xml.etree import ElementTree

import pytest

import app
from layouts.charts.control import control_chart, spans
from layouts.charts.course import NARROW, WIDE
from layouts.charts.glyphs import sign
from layouts.charts.plotly_control import control_figure
from layouts.city_view import city_view
from layouts.desk import edition
from layouts.formats import signals as said
from layouts.metric_view import metric_view
from layouts.public import png
from layouts.signal_view import MEANINGS, control_of
from metrics.limits import ChartKind
from metrics.model import Direction, Grain, Status
from metrics.segments import Series
from metrics.signal_rules import Signal
from metrics.signals import Assurance, Border, Caution, Chart, Tally, Variation, chart
from store import signals
from store.engine import reading
from tests.builders import metric
from tests.layouts.published_city import SKETCHES, public_pairs

SHARE = metric("potholes", decimals=0)
WEEKS = [date.fromordinal(date(2026, 1, 5).toordinal() + 7 * number) for number in range(26)]
STEADY = [0.6, 0.64, 0.62, 0.66, 0.61, 0.65, 0.63, 0.6, 0.66, 0.62, 0.64, 0.61, 0.63] * 2


def made(values=STEADY, *, kind=ChartKind.XMR, target=0.8, **given) -> Chart:
    series = Series.of(WEEKS[: len(values)], values)
    return chart(kind, series, direction=Direction.HIGHER_IS_BETTER, target=target, **given)


# --- golden sentences ----------------------------------------------------------------------------

VARIATION = {
    "improvement": "Improvement",
    "concern": "Concern",
    "neutral_high": "Unusually high",
    "neutral_low": "Unusually low",
    "common_cause": "No signal",
}
ASSURANCE = {
    "consistent_pass": "Reliably on target",
    "consistent_fail": "Reliably off target",
    "hit_or_miss": "Hit or miss",
}
SIGNAL = {
    "above_limit": "above the upper limit",
    "below_limit": "below the lower limit",
    "rising": "one of seven that rise in a row",
    "falling": "one of seven that fall in a row",
    "two_of_three_high": "one of two near the upper limit within three",
    "two_of_three_low": "one of two near the lower limit within three",
    "shift_high": "one of seven or more in a row above the centre",
    "shift_low": "one of seven or more in a row below the centre",
}
CAUTION = {
    "trial_limits": "The limits are on trial: they come from fewer than 12 periods.",
    "autocorrelated": (
        "Neighbouring periods resemble each other, so there are more false signals than stated."
    ),
    "trend": "It rises or falls all along, so one pair of limits does not fit it.",
    "seasonal": "Years resemble each other, so a season can look like a signal.",
    "weekday_pattern": "Weekdays differ, so each has a centre of its own.",
    "weekdays_not_adjusted": (
        "There are too few days to tell weekdays apart, so an ordinary weekday can look like a signal."
    ),
    "overdispersed": (
        "Periods differ by more than chance among their records, so false signals are more than stated."
    ),
}
TALLY = [
    (Tally(32, 3, 0.604), "3 of 32 measures show a signal this week; about 0.6 would by chance alone."),
    (Tally(32, 1, 0.604), "1 of 32 measures shows a signal this week; about 0.6 would by chance alone."),
    (Tally(1, 0, 0.018), "0 of 1 measures show a signal this week; fewer than 0.1 would by chance alone."),
    (Tally(0, 0, 0.0), ""),
]


def test_every_word_of_a_chart_has_its_golden_words():
    assert {one.value: said.variation_word(one) for one in Variation} == VARIATION
    assert {one.value: said.assurance_word(one) for one in Assurance} == ASSURANCE
    assert {one.value: said.signal_words(one) for one in Signal} == SIGNAL
    assert {one.value: said.caution(one) for one in Caution} == CAUTION
    for words in (VARIATION, ASSURANCE, SIGNAL, CAUTION):
        assert len(set(words.values())) == len(words)


@pytest.mark.parametrize(("given", "sentence"), TALLY)
def test_the_count_of_signals_is_never_said_without_what_chance_would_give(given, sentence):
    assert said.tally(given) == sentence


def test_an_older_publication_speaks_of_that_week():
    sentence = "3 of 32 measures showed a signal that week; about 0.6 would by chance alone."
    assert said.tally(TALLY[0][0], is_pinned=True) == sentence


def test_a_steady_chart_in_sentences():
    assert said.findings(SHARE, Grain.WEEK, made()) == [
        "The week from Jun 29, 2026, the newest that is settled, is no signal: "
        "it lies within the usual ups and downs.",
        "While nothing changes nearly all weeks lie between 54% and 72%, around 63%.",
        "The target lies beyond the limits on the bad side: as things are it is missed every time, "
        "and only another way of working will meet it.",
        "By chance alone the newest point of such a chart is a signal about once in 60.",
    ]
    assert said.remarks(Grain.WEEK, made()) == []


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (0.5, "The target lies beyond the limits on the good side: as things are it is met every time."),
        (0.63, "The target lies between the limits: as things are it is met or missed by chance."),
    ],
)
def test_what_the_limits_say_of_the_target(target, sentence):
    assert sentence in said.findings(SHARE, Grain.WEEK, made(target=target))


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (0.95, "is above the upper limit: a change for the better that chance seldom makes."),
        (0.2, "is below the lower limit: a change for the worse that chance seldom makes."),
    ],
)
def test_a_signal_says_its_rule_and_whether_it_is_good(last, words):
    assert said.findings(SHARE, Grain.WEEK, made([*STEADY[:-1], last]))[0].endswith(words)


def test_a_new_base_is_proposed_in_words_and_an_approved_one_named():
    shifted = made([*STEADY[:16], *(0.75 for _ in range(10))])
    [proposal] = [text for text in said.remarks(Grain.WEEK, shifted) if "in a row" in text]
    assert proposal == (
        "10 values in a row, since the week from Apr 27, 2026, lie above the centre. "
        "Once the cause is named new limits can be approved; until then these stay."
    )
    parted = made(borders=[Border(WEEKS[16], "A second crew.")])
    assert said.remarks(Grain.WEEK, parted) == [
        CAUTION["trial_limits"],
        "New limits from Apr 27, 2026, approved: A second crew.",
    ]


def test_a_chart_of_days_between_events_speaks_of_days():
    rare = made([float(number % 9) for number in range(26)], kind=ChartKind.G, target=None)
    text = " ".join(said.findings(SHARE, Grain.WEEK, rare))
    assert "The event of Jun 29, 2026" in text and re.search(r"0 days to \d+ days pass between two", text)
    assert said.amount(SHARE, rare, 1.0) == "1 day"


def test_a_chart_that_says_nothing_says_why():
    assert said.why_nothing(None) == "There is nothing to chart: no period of this length has a value."
    few = made([0.6])
    assert said.findings(SHARE, Grain.WEEK, few) == [said.why_nothing(few)] and few.judged is None
    assert said.why_nothing(few).startswith("There are too few settled periods for limits")


# --- drawings ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def view(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        return metric_view(connection, now, now.catalogue.metrics["pothole_on_time"], Grain.WEEK)


def drawn(view, found, size=WIDE):
    return control_chart(control_of(replace(view, chart=found)), size)


def test_no_two_meanings_have_one_shape():
    assert len({str(sign(one)) for one in MEANINGS}) == len(MEANINGS)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=lambda one: one.name)
def test_a_drawing_says_what_it_shows_and_marks_each_signal_by_its_shape(view, size):
    found = made([*STEADY[:-2], 0.2, 0.95])
    picture = ElementTree.fromstring(str(drawn(view, found, size)))
    assert picture.get("role") == "img"
    assert picture.get("aria-label") == said.chart_alt(view.metric, Grain.WEEK, found)
    shapes = [one.get("class") for one in picture.iter() if (one.get("class") or "").startswith("sign-")]
    assert shapes == ["sign-concern", "sign-improvement"]


def test_limits_end_where_a_border_lies_and_where_a_point_has_none(view):
    parted = made(borders=[Border(WEEKS[13], "x")])
    assert [len(one) for one in spans(parted)] == [13, 13]
    assert str(drawn(view, parted)).count('class="band"') == 2
    assert [len(one) for one in spans(made([0.6, 0.7, None, *STEADY[:5]]))] == [8]


@pytest.mark.parametrize("found", [None, made([0.6]), made([None, None])])
def test_without_limits_nothing_is_drawn(view, found):
    assert drawn(view, found) == ""


def test_the_figure_for_staff_draws_the_same_points_and_limits(view):
    found = made([*STEADY[:-1], 0.95])
    figure = control_figure(control_of(replace(view, chart=found)), found)
    assert list(figure.data[-1].y) == [one.value for one in found.points]
    assert list(figure.data[0].y) == list(found.lower) and list(figure.data[1].y) == list(found.upper)
    assert figure.data[-1].marker.symbol[-1] == "square"


# --- one number everywhere -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(published_city):
    return app.make_server(published_city.engine, published_city.catalogue, "harbor").test_client()


def ask(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.text[:300])
    return answer


def words(markup: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))).strip()


@pytest.mark.parametrize(("id", "grain"), public_pairs())
def test_page_embed_picture_texts_and_api_say_one_variation_and_assurance(client, published_city, id, grain):
    found = ask(client, f"/api/v1/metrics/{id}/signals?grain={grain}").get_json()
    with reading(published_city.engine) as connection:
        kept = signals.findings(connection, edition(connection).publication, grain).get(id)
    assert (kept.variation if kept else None, kept.assurance if kept else None) == (
        found["variation"],
        found["assurance"],
    )
    texts = png.texts(ask(client, f"/embed/metric/{id}.png?grain={grain}").data)
    assert (texts.get("Variation", ""), texts.get("Assurance", "")) == (
        found["variation"] or "",
        found["assurance"] or "",
    )
    page = words(ask(client, f"/metric/{id}?grain={grain}").text)
    frame = words(ask(client, f"/embed/metric/{id}?grain={grain}").text)
    if found["variation"] is None:
        assert found["reason"] in ("too_few_points", "nothing_to_chart") and found["expected"] is None
        return
    both = [VARIATION[found["variation"]], *([ASSURANCE[found["assurance"]]] if found["assurance"] else [])]
    assert " · ".join(both) in frame and " · ".join(both) in texts["Description"]
    assert " ".join(both) in page


def test_rows_of_scoreboards_say_what_the_weekly_chart_says(client):
    home = ask(client, "/").text
    boards = [row for row in home.split("<tr") if "value-cell" in row]
    rows = {id: row for row in boards for id in re.findall(r'href="/metric/(\w+)"', row)}
    assert len(rows) == sum(one.public for one in SKETCHES)
    for id, row in rows.items():
        found = ask(client, f"/api/v1/metrics/{id}/signals").get_json()
        spoken = [VARIATION[found["variation"]]] if found["variation"] else []
        spoken += [ASSURANCE[found["assurance"]]] if found["assurance"] else []
        if spoken:
            assert f"Weekly chart: {' · '.join(spoken)}" in words(row)


def test_the_front_page_counts_the_signals_of_its_rows(client, published_city):
    with reading(published_city.engine) as connection:
        view = city_view(connection, edition(connection))
    lines = (*view.services, *view.conditions)
    weeks = (line.scores[Grain.WEEK].period for line in lines if Grain.WEEK in line.scores)
    week = max(weeks, key=lambda period: period.start)
    judged = [one.finding for one in lines if one.finding and one.finding.judged]
    asked = [one for one in judged if week.start <= one.judged < week.end]
    assert (view.tally.charts, view.tally.signals) == (
        len(asked),
        sum(one.signal is not None for one in asked),
    )
    assert view.tally.expected == pytest.approx(sum(one.expected for one in asked)) and asked
    assert said.tally(view.tally) in words(ask(client, "/").text)


# --- the API -------------------------------------------------------------------------------------

FIELDS = [
    *("metric", "grain", "unit", "publication", "chart", "reason", "center", "lower", "upper", "judged"),
    *("signal", "variation", "assurance", "expected", "trial", "warnings", "autocorrelation", "borders"),
    *("proposal", "points"),
]


def test_a_chart_has_its_fields_by_week_unless_another_grain_is_asked_for(client):
    found = ask(client, "/api/v1/metrics/pothole_on_time/signals").get_json()
    assert list(found) == FIELDS and found["grain"] == "week"
    assert set(found["points"][-1]) == {
        *("start", "value", "center", "lower", "upper", "signal", "provisional", "reason")
    }
    last = found["points"][-1]
    assert [found[name] for name in ("center", "lower", "upper")] == [
        last[name] for name in ("center", "lower", "upper")
    ]
    assert ask(client, "/api/v1/metrics/pothole_on_time/signals?grain=day").get_json()["grain"] == "day"


def test_a_metric_that_was_never_heard_of_says_why_it_has_no_chart(client):
    found = ask(client, "/api/v1/metrics/water_on_time/signals").get_json()
    assert (found["variation"], found["center"]) == (None, None)
    assert found["reason"] in ("nothing_to_chart", "too_few_points")


@pytest.mark.parametrize("grain", ["week", "month"])
def test_a_series_has_the_signals_of_its_chart_as_json_and_as_csv(client, grain):
    asked, given = "/api/v1/metrics/pothole_on_time", f"grain={grain}"
    chart = {one["start"]: one["signal"] for one in ask(client, f"{asked}/signals?{given}").json["points"]}
    points = ask(client, f"{asked}/series.json?{given}").json["points"]
    rows = list(csv.DictReader(io.StringIO(ask(client, f"{asked}/series.csv?{given}").text)))
    signs = {one["start"]: one["signal"] for one in points}
    assert grain != "week" or any(chart.values())
    assert {start: sign for start, sign in signs.items() if start in chart} == chart
    assert not any(sign for start, sign in signs.items() if start not in chart)
    assert {row["start"]: row["signal"] or None for row in rows} == signs
    latest = ask(client, asked).json["latest"][grain]
    assert latest["signal"] == signs[latest["start"]]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("pothole_on_time/signals?grain=year", 400),
        ("pothole_on_time/signals?since=2026-01-01", 400),
        ("pothole_on_time/signals?publication=9", 404),
        ("secret_on_time/signals", 404),
    ],
)
def test_what_cannot_be_answered_is_refused(client, path, status):
    assert client.get(f"/api/v1/metrics/{path}").status_code == status


def test_provisional_points_are_said_to_be_not_judged(published_city):
    newest = published_city.score("graffiti_on_time", "week")
    assert newest.status is Status.PROVISIONAL
    with reading(published_city.engine) as connection:
        now = edition(connection)
        found = signals.chart_of(
            connection, now.publication, now.catalogue.metrics["graffiti_on_time"], Grain.WEEK
        )
    assert (
        found.points[-1].provisional and said.point_note(found.points[-1]) == "Not judged: may still change"
    )
    assert "Hollow: may still change and is not judged." in said.caption(found)
