"""The sentences of the pages: each is true, whatever there is to say."""

from __future__ import annotations

import gettext
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from layouts import formats
from layouts.city_view import city_view
from layouts.desk import edition
from layouts.formats.language import Language
from layouts.metric_view import metric_view
from layouts.public.site import Site
from layouts.views import CityView, SourceStart, StartView
from metrics.model import Composite, Grain, Period, Reason, Status
from store.engine import reading
from tests.layouts.published_city import PublishedCity, desk_over

WEEK = Period(Grain.WEEK, date(2026, 11, 16), date(2026, 11, 23))
PROJECT = Path(__file__).resolve().parents[2]


def view_of(city: PublishedCity) -> CityView:
    with reading(city.engine) as connection:
        now = edition(connection)
        assert now is not None
        return city_view(connection, now)


def composite(**changed) -> Composite:
    base = Composite(
        scope="city",
        scope_id="",
        period=WEEK,
        score=0.97,
        reason=None,
        coverage=1.0,
        ceiling=1.2,
        total=21,
        scored=21,
        on_target=14,
        late=(),
        lowest=(),
    )
    return replace(base, **changed)


def with_composite(view: CityView, **changed) -> CityView:
    return replace(view, opening=Grain.WEEK, composites={Grain.WEEK: composite(**changed)})


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "City services are just under target: 14 of 21 scored weekly met theirs"),
        ({"score": 1.01}, "City services are on target: 14 of 21 scored weekly met theirs"),
        ({"score": 1.1}, "City services are beating their targets: 14 of 21 scored weekly met theirs"),
        ({"score": 0.8}, "City services are below target: 14 of 21 scored weekly met theirs"),
        ({"scored": 1, "on_target": 0}, "City services are just under target: one is scored weekly"),
        (
            {
                "score": None,
                "reason": Reason("coverage_below_minimum", {"coverage": 0.6, "minimum": 0.75}),
                "scored": 9,
            },
            "No city score: 9 of 21 services have one",
        ),
        (
            {
                "score": None,
                "reason": Reason("coverage_below_minimum", {"coverage": 0.0, "minimum": 0.75}),
                "scored": 0,
                "late": tuple("abc"),
                "total": 3,
            },
            "No city score: everything is late",
        ),
        ({"score": None, "reason": Reason("all_closed")}, "No city score: every service was closed"),
        (
            {"score": None, "reason": Reason("nothing_scored_at_this_grain")},
            "No city score: no service is scored for periods of this length",
        ),
        (
            {"score": None, "reason": Reason("from_another_age")},
            "No city score: there is no score for this period",
        ),
    ],
)
def test_the_headline_says_the_finding(published_city, changed, sentence):
    assert formats.headline(with_composite(view_of(published_city), **changed)) == sentence


def test_a_city_without_metrics_says_so(published_city):
    view = replace(view_of(published_city), services=(), conditions=(), composites={}, opening=None)
    assert formats.headline(view) == "This city has no public metrics yet"


def test_a_city_with_conditions_alone_says_that_no_service_is_scored(published_city):
    view = replace(view_of(published_city), services=(), composites={}, opening=None)
    assert formats.headline(view) == "No service of this city is scored yet"


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_word(status):
    assert formats.status_word(status)


def test_the_parts_of_a_change_are_printed_so_that_they_add_up(published_city):
    view = view_of(published_city)
    moved = formats.movement(view.composite)
    parts = formats.printed_parts(view)
    assert moved is not None and parts
    assert sum(part.amount for part in parts) == moved.amount


def test_a_page_without_a_period_before_has_no_parts(published_city):
    view = with_composite(view_of(published_city))
    assert formats.printed_parts(view) == []
    assert formats.why_moved(view) == "There is no period before to compare with."


@pytest.mark.parametrize("metric", ["pothole_on_time", "response_minutes", "flu_shots", "library_on_time"])
def test_a_worked_example_ends_in_the_printed_score(published_city, metric):
    score = published_city.score(metric, "month")
    steps = formats.worked_example(published_city.catalogue.metrics[metric], score)
    assert steps[-1] == f"Printed with two digits: {formats.score(score.score)}."
    line = float(re.search(r"= (−?[\d.]+)\.$", steps[2]).group(1).replace("−", "-"))
    assert min(max(line, 0), 1.25) == pytest.approx(score.score, abs=1e-6)


def test_a_score_just_below_one_is_explained(published_city):
    score = replace(published_city.score("pothole_on_time", "month"), score=0.997)
    steps = formats.worked_example(published_city.catalogue.metrics["pothole_on_time"], score)
    assert steps[-1] == "What is below 1 is never printed as 1.00."


def test_nothing_is_worked_out_for_a_score_that_is_not_there(published_city):
    score = published_city.score("library_on_time", "week")
    assert formats.worked_example(published_city.catalogue.metrics["library_on_time"], score) == []


def test_the_finding_of_a_metric_names_value_and_target(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        view = metric_view(connection, now, now.catalogue.metrics["pothole_on_time"], Grain.MONTH)
    value = formats.value(view.metric, view.score.value)
    assert formats.metric_headline(view) == f"Potholes filled on time: {value}, below its target of 80%"


def test_periods_are_written_with_their_last_day():
    assert formats.period(WEEK) == "Nov 16 – 22, 2026"
    assert formats.period(Period(Grain.DAY, date(2026, 11, 22), date(2026, 11, 23))).startswith("Sunday")
    assert formats.period(Period(Grain.MONTH, date(2026, 7, 1), date(2026, 8, 1))) == "July 2026"
    assert formats.period(Period(Grain.QUARTER, date(2026, 5, 1), date(2026, 8, 1))) == "May – Jul 2026"


@pytest.mark.parametrize(
    ("outcome", "loaded", "words"),
    [
        (None, False, "Has never run"),
        ("failed", False, "Has never run to its end; the last try failed"),
        ("running", False, "Has never run to its end; loading now"),
        ("running", True, "Loading what is new"),
        ("succeeded", True, "Loaded"),
    ],
)
def test_the_first_loading_says_how_far_each_source_is(outcome, loaded, words):
    assert formats.source_start(SourceStart("a", "A", loaded, outcome, "command")) == words


def test_a_city_that_has_loaded_nothing_says_so(published_city):
    sources = (SourceStart("a", "A", False, None, "command"),)
    view = StartView(published_city.catalogue.city, 3, sources, None)
    expected = "Harbor City has published nothing yet: 1 source holds no records"
    assert formats.start_headline(view) == expected
    assert formats.start_headline(replace(view, metrics=0)) == "Harbor City has no metrics yet"


# --- translation -------------------------------------------------------------------------------


class Marked(gettext.NullTranslations):
    """A language in which every translated sentence stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


class Texts(HTMLParser):
    """The texts of a page that a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag, attributes):
        self._depth += tag in ("script", "style", "title")

    def handle_endtag(self, tag):
        self._depth -= tag in ("script", "style", "title")

    def handle_data(self, data):
        if not self._depth and data.strip():
            self.found.append(data.strip())


@pytest.mark.parametrize("path", ["home", "metric"])
def test_every_word_on_a_page_comes_from_the_catalogue_or_through_gettext(published_city, monkeypatch, path):
    marked = Language("en", formats.language("en").locale, Marked())
    monkeypatch.setattr(formats, "language", lambda _tag: marked)
    site = Site(desk_over(published_city.engine, published_city.catalogue))
    answer = site.home({}) if path == "home" else site.metric({}, "pothole_on_time")
    texts = Texts()
    texts.feed(answer.body.decode())
    known = words_of(published_city.catalogue.text)
    strange = [text for text in texts.found if "⟦" not in text and not words_of(text) <= known | DAYS]
    assert strange == []


def words_of(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[^\W\d_]{3,}", text.replace("\\n", " "))}


DAYS = words_of(" ".join(f"{date(2026, month, 1):%b %B}" for month in range(1, 13)) + " Sun Sunday")
"""Days and months come from the locale."""
