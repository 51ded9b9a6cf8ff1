"""The page that says how fresh everything is: words for people, nothing of the machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import app
from layouts.formats import freshness
from layouts.public.status import StatusPage
from layouts.status_view import SourceStatus, StatusView, due_until
from store import lease, runs
from store.engine import writing
from tests.layouts.published_city import catalogue_of, city_files, desk_over

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""Ten in the morning in the city."""

SECRET = "no such file: /srv/city/password.txt"


@pytest.fixture
def loaded(empty_database):
    """Cases known until an hour ago with rows set aside, the library four days late and failing, no water."""
    catalogue = catalogue_of(city_files())
    engine = empty_database(catalogue)
    clock = lambda: NOW  # noqa: E731
    with_run(engine, clock, "cases", known_until=NOW - timedelta(hours=1), new=3, rejected=2)
    with_run(engine, clock, "library", known_until=datetime(2026, 11, 19, 5, tzinfo=UTC))
    runs.fail(engine, clock, runs.start(engine, clock, "library", "test"), SECRET)
    return desk_over(engine, catalogue)


def with_run(engine, clock, source, **counts):
    number = runs.start(engine, clock, source, "test")
    with writing(engine, clock) as write:
        runs.finish(write, number, **counts)


def view_of(desk, now=NOW) -> StatusView:
    return app.status_view(desk.engine, desk.catalogue, lambda: now)


def page_of(desk) -> str:
    return StatusPage(desk, lambda: view_of(desk))({}).body.decode()


def test_every_source_has_its_state_in_words(loaded):
    cases, library, water = view_of(loaded).sources
    assert [freshness.standing(one) for one in (cases, library, water)] == ["On time", "Late", "Late"]
    assert freshness.behind(cases) == "Everything due is here"
    assert freshness.behind(library) == "4 days late"
    assert freshness.behind(water) == "Nothing is known of it"
    assert [freshness.outcome(one.run) for one in (cases, library, water)] == [
        "Succeeded",
        "Failed",
        "Has never run",
    ]
    assert (freshness.rows_read(cases.run), freshness.rows_rejected(cases.run)) == ("5", "2")


def test_the_page_never_says_what_a_run_said_of_its_failure(loaded):
    shown = page_of(loaded)
    assert "Failed" in shown
    for word in ("password", "/srv", "no such file"):
        assert word not in shown


def test_the_page_says_it_all_in_one_sentence_and_names_the_publication(published_city, loaded):
    assert "<h1>2 of 3 sources are late</h1>" in page_of(loaded)
    assert "Nothing has been published yet." in page_of(loaded)
    shown = page_of(desk_over(published_city.engine, published_city.catalogue))
    assert "Publication 1, made Nov 23, 2026, 5:12" in shown and "data up to Nov 22, 2026" in shown


def test_one_failed_run_is_said_beside_the_lateness(loaded):
    assert freshness.failures(view_of(loaded)) == (
        "The last run of 1 source did not come to its end; the others go on without it."
    )


def lateness(view, *late) -> StatusView:
    known = view.sources[0]
    fresh, old = replace(known, known_until=NOW), replace(known, known_until=None)
    return replace(view, sources=tuple(old if one else fresh for one in late))


@pytest.mark.parametrize(
    ("late", "says"),
    [
        ((), "Harbor City has no sources yet"),
        ((False,), "The one source is on time"),
        ((False, False), "All 2 sources are on time"),
        ((True,), "The one source is late"),
        ((True, True), "All 2 sources are late"),
        ((True, False), "1 of 2 sources is late"),
        ((True, True, False), "2 of 3 sources are late"),
    ],
)
def test_the_sentence_is_true_whatever_the_sources(loaded, late, says):
    assert freshness.headline(lateness(view_of(loaded), *late)) == says


def test_yesterday_is_due_from_the_hour_of_publication_on(loaded):
    city, source = loaded.catalogue.city, loaded.catalogue.sources["cases"]
    early, after = datetime(2026, 11, 23, 9, 59, tzinfo=UTC), datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert due_until(city, source, early) == datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert due_until(city, source, after) == datetime(2026, 11, 23, 5, tzinfo=UTC)


def test_a_source_that_is_due_later_has_that_much_more_time(loaded):
    city = loaded.catalogue.city
    source = replace(loaded.catalogue.sources["cases"], due_after_minutes=3 * 24 * 60)
    assert due_until(city, source, NOW) == datetime(2026, 11, 20, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("missing", "said"), [(timedelta(minutes=20), "20 minutes"), (timedelta(hours=30), "30 hours")]
)
def test_lateness_is_said_in_one_unit(loaded, missing, said):
    known = view_of(loaded).sources[0]
    late = SourceStatus(known.source, known.due_until - missing, known.due_until, None)
    assert freshness.behind(late) == f"{said} late"


def test_an_outcome_nobody_knows_yet_is_still_a_word(loaded):
    run = view_of(loaded).sources[0].run
    assert freshness.outcome(replace(run, outcome="renamed")) == "Ended"


def test_the_page_says_whether_a_worker_is_at_work(loaded):
    assert "No worker is at work" in page_of(loaded)
    me = lease.this_process()
    lease.take(loaded.engine, lambda: NOW, me, lambda _other: False)
    shown = page_of(loaded)
    assert "A worker is at work" in shown
    assert me.id not in shown and me.host not in shown.replace("Harbor", "")
    assert not view_of(loaded, NOW + 2 * lease.LEASE).is_worked, "a lease that nobody renews is over"
