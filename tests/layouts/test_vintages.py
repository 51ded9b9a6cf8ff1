"""First published and now, on pages and in embeds: golden sentences, tables, and where they stay silent."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape

import dash
import pytest
from flask import Flask

from layouts import formats, staff
from layouts.city_view import city_view
from layouts.desk import edition
from layouts.formats import captions, vintages
from layouts.metric_view import metric_view
from layouts.public.site import Site
from layouts.vintage_view import vintage_view
from metrics.model import Grain, Period
from metrics.plan import Plan
from store.engine import reading
from store.revisions import DefinitionChange, Kind, Revision, Summary
from store.vintages import BACKFILLED, FirstPublished
from tests.layouts.published_city import AS_OF, NOW, catalogue_of, city_files, desk_over, fill, plan_of
from tests.people import an_admin

JUNE = Period(Grain.MONTH, date(2026, 6, 1), date(2026, 7, 1))


@pytest.fixture(scope="module")
def potholes():
    return catalogue_of(city_files()).metrics["pothole_on_time"]


def changed(kind, **more):
    base = Revision(JUNE, 7, datetime(2026, 7, 9, tzinfo=UTC), kind, 0.5, 0.625, 1 / 3, 1 / 2.4, None)
    return replace(base, **more)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (changed(Kind.UPDATE), "Not settled when it was published: 33.3% then, 50.0% with more known."),
        (
            changed(Kind.REVISION),
            "Revised from 33.3% to 50.0%: records came or changed afterwards.",
        ),
        (
            changed(Kind.CORRECTION, reason="a truck's log had been lost."),
            "Corrected from 33.3% to 50.0%: a truck's log had been lost.",
        ),
        (
            changed(Kind.CORRECTION, value=1 / 3, reason="the council had voted for more"),
            "Corrected from a score of 0.42 to 0.62: the council had voted for more.",
        ),
        (
            changed(Kind.DEFINITION, reason="the charter counts what was closed at all"),
            "Counted by another definition: 33.3% by the old one, 50.0% by the new. "
            "The reason given: the charter counts what was closed at all.",
        ),
        (
            changed(Kind.DEFINITION),
            "Counted by another definition: 33.3% by the old one, 50.0% by the new.",
        ),
        (
            changed(Kind.WITHDRAWN, value=None, score=None),
            "Withdrawn: the records behind 33.3% are gone from the source.",
        ),
    ],
)
def test_each_kind_of_change_is_said_so_that_it_can_be_quoted(potholes, row, sentence):
    assert vintages.revision_sentence(potholes, row) == sentence


def summary(**more):
    base = Summary(16, 0.0156, 0.0625, 0, None, None, 0, dict.fromkeys(Kind, 0))
    return replace(base, **more)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            summary(),
            "16 periods were published at their time. Since then their values moved by 1.56 percentage "
            "points on average, with a standard deviation of 6.25 percentage points.",
        ),
        (
            summary(periods=1, mean=-0.02, sd=None),
            "One period was published at its time; its value has since moved by −2 percentage points.",
        ),
        (summary(periods=0, mean=None, sd=None), ""),
    ],
)
def test_the_summary_is_said_in_the_words_of_the_unit(potholes, given, sentence):
    assert vintages.revision_summary(potholes, given) == sentence


def test_the_kinds_are_counted_in_words():
    counts = {**dict.fromkeys(Kind, 0), Kind.UPDATE: 1, Kind.REVISION: 3}
    assert vintages.revision_counts(summary(counts=counts)) == "1 update, 3 revisions."
    assert vintages.revision_counts(summary()) == "No published number has changed."


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        (FirstPublished(0.94, 1.175, 3), "First published 94.0%, now 91.0%."),
        (FirstPublished(0.91, 1.2, 3), "First published with a score of 1.20, now 1.14."),
        (FirstPublished(0.9101, 1.1375, 3), ""),
        (BACKFILLED, ""),
    ],
)
def test_first_published_is_said_where_a_reader_sees_a_difference(published_city, potholes, first, sentence):
    score = replace(published_city.score("pothole_on_time", "month"), value=0.91, score=1.1375)
    assert vintages.first_and_now(potholes, score, first) == sentence


def test_a_change_of_definition_says_when_and_why():
    change = DefinitionChange(
        7, date(2026, 7, 9), datetime(2026, 7, 9, tzinfo=UTC), "the charter says so.", ()
    )
    assert vintages.definition_change(change) == (
        "The definition changed with publication 7 for Jul 9, 2026: the charter says so."
    )
    assert vintages.definition_change(replace(change, reason=None)) == (
        "The definition changed with publication 7 for Jul 9, 2026; no final score moved."
    )


# --- pages --------------------------------------------------------------------------------------


@pytest.fixture
def restated(empty_database):
    """A city published for two days, whose newest day of a metric was then revised."""
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    old = tuple(one for one in planned.scores if one.period.end < AS_OF)
    new = tuple(one for one in planned.scores if one.period.end >= AS_OF)
    fill(engine, catalogue, Plan(old, ()), knowledge, as_of=AS_OF - timedelta(days=1))
    fill(engine, catalogue, Plan(new, planned.composites), knowledge, now=NOW + timedelta(hours=1))
    day = next(
        one for one in new if (one.metric, one.period.grain, one.district) == ("park_on_time", Grain.DAY, "")
    )
    week = next(
        one
        for one in planned.composites
        if (one.scope, one.period.grain, one.period.end) == ("city", Grain.WEEK, AS_OF)
    )
    again = Plan((replace(day, value=0.5, score=0.625),), (replace(week, score=0.5),))
    fill(engine, catalogue, again, knowledge, now=NOW + timedelta(hours=2))
    return desk_over(engine, catalogue), day


def words(answer):
    assert answer.status == 200
    return re.sub(r"\s+", " ", unescape(answer.body.decode()))


def test_the_public_page_says_first_published_and_now_with_the_table_of_changes(restated):
    desk, day = restated
    first = formats.value(desk.catalogue.metrics["park_on_time"], day.value)
    html = words(Site(desk).metric({"grain": "day"}, "park_on_time"))
    assert f"First published {first}, now 50.0%." in html
    assert f"first published {first}" in html
    assert f"Revised from {first} to 50.0%: records came or changed afterwards." in html
    assert "1 revision. One period was published at its time" in html
    assert "Nov 23, 2026, 7:12 AM, publication 3" in html


def test_a_page_of_what_was_filled_in_afterwards_says_nothing_of_it(desk):
    html = words(Site(desk).metric({}, "pothole_on_time"))
    assert "First published" not in html and 'id="vintages"' not in html


def written(one):
    return one.to_plotly_json() if hasattr(one, "to_plotly_json") else str(one)


def test_the_staff_page_says_the_same(restated):
    desk, day = restated
    server = Flask("restated")
    app = staff.mount(server, desk, an_admin, "assets")
    server.test_client().get("/staff/today")
    page = next(one for one in dash.page_registry.values() if one["module"].endswith("metric"))
    with app.server.test_request_context("/staff/"):
        shown = page["layout"]("park_on_time", grain="day")
    said = json.dumps(shown, default=written, ensure_ascii=False)
    first = formats.value(desk.catalogue.metrics["park_on_time"], day.value)
    for sentence in (
        f"First published {first}, now 50.0%.",
        f"Revised from {first} to 50.0%: records came or changed afterwards.",
    ):
        assert sentence in said


def views(desk, number):
    with reading(desk.engine) as connection:
        now = edition(connection, number=number)
        assert now is not None
        view = metric_view(connection, now, now.catalogue.metrics["park_on_time"], Grain.DAY)
        return view, city_view(connection, now, Grain.WEEK), vintage_view(connection, view)


def test_a_pinned_embed_says_that_its_number_was_restated_since(restated):
    desk, _day = restated
    metric, city, _told = views(desk, 2)
    assert "Restated since: 50.0% is said of this period now." in captions.metric_notes(metric)
    assert "Restated since: the score of this period is 0.50 now." in captions.city_notes(city)


def test_an_embed_that_is_not_pinned_or_still_stands_says_nothing(restated):
    desk, _day = restated
    metric, city, _told = views(desk, 3)
    assert not any("since" in note for note in captions.metric_notes(metric) + captions.city_notes(city))
    metric, _city, _told = views(desk, 1)
    assert not any("Restated" in note for note in captions.metric_notes(metric))


def test_a_definition_change_is_a_table_of_both_ways(empty_database):
    files = city_files()
    catalogue = catalogue_of(files)
    engine = empty_database(catalogue)
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    name = "metrics/pothole_on_time.toml"
    later = catalogue_of({**files, name: files[name].replace("closed <= due", "closed is not null")})
    month = max(
        (
            one
            for one in planned.scores
            if (one.metric, one.period.grain, one.district) == ("pothole_on_time", Grain.MONTH, "")
        ),
        key=lambda one: one.period.start,
    )
    changed_to = replace(month, value=0.875, score=1.0938)
    fill(engine, later, Plan((changed_to,), ()), knowledge, as_of=AS_OF, now=NOW + timedelta(hours=1))
    html = words(Site(desk_over(engine, later)).metric({"grain": "month"}, "pothole_on_time"))
    assert "The definition changed with publication 2 for Nov 23, 2026; no final score moved." in html
    old = formats.value(catalogue.metrics["pothole_on_time"], month.value)
    assert f'Oct 2026</th><td class="number-cell">{old}</td><td class="number-cell">87.5%</td>' in html


def test_the_home_page_lists_what_is_no_longer_published(empty_database):
    files = city_files()
    name = "metrics/pothole_on_time.toml"
    retired = 'retired = { on = 2026-10-01, reason = "Counted by the state now" }\n'
    catalogue = catalogue_of({**files, name: retired + files[name]})
    engine = empty_database(catalogue)
    fill(engine, catalogue, Plan((), ()), {})
    html = words(Site(desk_over(engine, catalogue)).home({}))
    assert "No longer published" in html
    assert "Withdrawn on Oct 1, 2026: Counted by the state now." in html
