"""The pages of sources: how days came along, rules that let rows in, and every state a source can be in."""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dash
import pytest
from flask import Flask

import app
from layouts import access
from layouts.access import Role
from layouts.charts.strip import strip
from layouts.desk import put
from layouts.formats import sources as say
from layouts.source_fixes import fixes
from layouts.sources_view import Arrival, day_marks, sources_view
from metrics.model import Catalogue, Column
from store import quarantine, requests, runs, source_requests
from store.audit_log import BY_HAND
from store.engine import reading, writing
from store.quarantine import QuarantinedRow
from store.source_ledger import Course, Ended
from tests.layouts.published_city import catalogue_of, city_files, desk_over
from tests.people import judged_as

NOW = datetime(2026, 12, 20, 15, 0, tzinfo=UTC)
"""Ten in the morning in the city."""

HOSTILE = "<script>alert(1)</script>\u202egnp.exe"
FIFTEENTH = datetime(2026, 11, 15, 15, 0, tzinfo=UTC)
PAGES: dict[str, Any] = {}

SECRET = "no such file: /srv/city/password.txt"


@pytest.fixture(scope="module", autouse=True)
def pages(published_city):
    """The modules of the pages, which exist once there is an app."""
    app.make_server(published_city.engine, published_city.catalogue, "harbor")
    PAGES.update({name: importlib.import_module(f"layouts.pages.{name}") for name in ("source", "sources")})


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogue_of(city_files())


@pytest.fixture
def city(empty_database, catalogue):
    """Cases well and with refused rows, the library failing; of water nothing."""
    engine = empty_database(catalogue)
    load(engine, "library", NOW - timedelta(days=21), known_until=NOW - timedelta(days=21, hours=1))
    for day in range(20, 0, -1):
        at = NOW - timedelta(days=day, hours=5)
        load(engine, "cases", at, known_until=at - timedelta(minutes=30), new=3)
    load(engine, "cases", NOW - timedelta(hours=5), known_until=NOW - timedelta(hours=6), new=3, rejected=2)
    runs.fail(engine, lambda: NOW, runs.start(engine, lambda: NOW, "library", "schedule"), SECRET)
    with writing(engine, lambda: NOW) as write:
        rows = [refused("opened", "is not a day like 2026-01-31", one) for one in ("soon", HOSTILE)]
        rows.append(refused(None, "has more or fewer cells than the header", None))
        quarantine.quarantine_rows(write, 1, "cases", rows)
    return replace(desk_over(engine, catalogue), clock=lambda: NOW)


def load(engine, source, at, **counts):
    number = runs.start(engine, lambda: at, source, "schedule")
    with writing(engine, lambda: at) as write:
        runs.finish(write, number, **counts)


def refused(column, rule, value) -> QuarantinedRow:
    return QuarantinedRow(7, "K1", column, value, rule, {"id": "K1", "opened": value, "name": HOSTILE})


def asked(desk, role=Role.ADMIN, department=None):
    server = Flask("asked")
    access.admit(server, judged_as(role, department))
    put(server, desk)
    return server.test_request_context("/staff/")


def text_of(component: Any) -> str:
    return json.dumps(component, default=lambda one: one.to_plotly_json(), ensure_ascii=False)


def page(desk, source="cases", role=Role.ADMIN, department=None, **query) -> str:
    with asked(desk, role, department):
        return text_of(PAGES["source"].layout(source_id=source, **query))


# --- days ---------------------------------------------------------------------------------------------


def ended(day, hour, outcome="succeeded", until=None):
    at = datetime(2026, 11, day, hour, tzinfo=UTC)
    return Ended(at, at, outcome, until if outcome == "succeeded" else None)


def test_a_day_is_on_time_late_missing_failed_or_before_the_first_run(catalogue):
    source = catalogue.sources["cases"]
    eleventh, midnight = datetime(2026, 11, 11, 9, tzinfo=UTC), datetime(2026, 11, 13, 5, tzinfo=UTC)
    course = Course(
        eleventh,
        (
            ended(11, 9, until=datetime(2026, 11, 11, 8, tzinfo=UTC)),
            ended(12, 9, "failed"),
            ended(13, 14, until=midnight),
            ended(15, 9, "failed"),
        ),
    )
    marks = {one.day.day: one for one in day_marks(catalogue.city, source, course, FIFTEENTH)}
    assert {day: str(marks[day].arrival) for day in (9, 10, 11, 12, 13, 14)} == {
        9: "before",
        10: "on_time",
        11: "late",
        12: "late",
        13: "failed",
        14: "failed",
    }
    assert marks[12].known_at == datetime(2026, 11, 13, 14, tzinfo=UTC) and marks[11].failed == 1
    well = Course(eleventh, course.ended[:3])
    assert [str(one.arrival) for one in day_marks(catalogue.city, source, well, FIFTEENTH)][-1] == "missing"
    assert max(one.day for one in marks.values()) == FIFTEENTH.date() - timedelta(days=1), (
        "the fifteenth is not over"
    )
    assert day_marks(catalogue.city, source, None, NOW) == ()


def test_every_kind_of_day_has_a_shape_and_a_word_of_its_own():
    drawn = {one: strip([(one, "a day")], "said").split("</title>")[1] for one in Arrival}
    assert len(set(drawn.values())) == len(Arrival) and strip([], "nothing") == ""
    assert len({say.arrival_word(one) for one in Arrival}) == len(Arrival)


# --- rules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "rule", "values", "means"),
    [
        (Column("c", "instant"), "is not a date and time like", ["7/4/2026 14:05"], "format empty unfit"),
        (Column("c", "day", format="%Y"), "is not a date written as %Y", ["4.7.2026"], "format empty unfit"),
        (Column("c", "number"), "is not a number", ["n/a"], "empty unfit"),
        (Column("c", "text", others="refuse"), "is none of the values declared", ["x"], "value keep"),
        (Column("c", "number", max=5), "is more than 5", ["9"], "unfit"),
        (Column("c", "instant"), "is before opened", ["2026-01-01"], "unfit"),
        (Column("c", "text", required=True), "is empty, and it is required", [], "optional"),
        (Column("c", "text"), "is empty, and it is the key", [], ""),
        (Column("c", "text"), "key stands again", ["1"], ""),
        (Column("c", "text"), "is something nobody thought of", ["1"], ""),
    ],
)  # fmt: skip
def test_a_reason_of_refusal_has_its_rules_and_each_is_toml(catalogue, column, rule, values, means):
    source = replace(catalogue.sources["cases"], columns=(column,))
    found = fixes(source, "c", rule, values)
    assert " ".join(one.means for one in found) == means
    for one in found:
        assert list(tomllib.loads(one.toml)["columns"]["c"])
        assert say.fix_words(one.means)


def test_a_rule_keeps_what_was_declared_before_and_takes_any_cell(catalogue):
    odd = 'a "b" \\ \x7f'
    column = Column("c", "text", empty=("-",), values={"x": "y"})
    source = replace(catalogue.sources["cases"], columns=(column,))
    wrong, value = (
        fixes(source, "c", "is not a number", [odd]),
        fixes(source, "c", "none of the values", [odd]),
    )
    assert tomllib.loads(wrong[0].toml)["columns"]["c"]["empty"] == ["-", odd.strip()]
    assert tomllib.loads(value[0].toml)["columns"]["c"]["values"] == {"x": "y", odd: "…"}
    assert fixes(source, None, "has 3 cells where the header has 4", []) == []


# --- the list ----------------------------------------------------------------------------------------


def listed(desk, **query) -> str:
    with asked(desk, Role.VIEWER):
        return text_of(PAGES["sources"].layout(**query))


def test_the_list_says_what_there_is_to_see_to(city):
    shown = listed(city)
    assert "2 of 3 sources are late, the last run of 1 failed, 3 refused rows wait" in shown
    assert "Has never run" in shown and "Of the last 30 days" in shown
    assert "No worker is at work" in shown and "password" not in shown


def test_what_is_shown_and_its_order_are_in_the_address(city):
    assert "Library system" not in listed(city, show="refused") and "City cases" in listed(
        city, show="refused"
    )
    assert "None of them." in listed(city, show="nothing") or "City cases" in listed(city, show="nothing")
    by_name = listed(city, sort="name")
    assert by_name.index("City cases") < by_name.index("Library system") < by_name.index("Water utility")
    assert '"aria-sort": "ascending"' in by_name and '"aria-sort": "descending"' in listed(
        city, sort="refused"
    )
    for sort in PAGES["sources"].ORDERS:
        listed(city, sort=sort)


def test_a_city_without_sources_and_one_whose_sources_never_ran_say_so(empty_database, catalogue):
    never = replace(desk_over(empty_database(catalogue), catalogue), clock=lambda: NOW)
    assert "No source has run yet" in listed(never)
    bare = replace(never, catalogue=replace(catalogue, sources={}))
    assert "has no sources yet" in listed(bare) and "docs/adding_a_source.md" in listed(bare)


def test_a_city_whose_sources_are_well_says_that(city):
    well = replace(city.catalogue, sources={"cases": city.catalogue.sources["cases"]})
    with reading(city.engine) as connection:
        view = sources_view(connection, well, NOW)
    fine = replace(view, lines=tuple(replace(one, refused=0) for one in view.lines))
    assert say.headline(fine) == "The one source is on time"


# --- one source --------------------------------------------------------------------------------------


def test_who_works_with_a_source_sees_its_rows_and_what_may_be_done(city):
    shown = page(city)
    assert "City cases: it is on time, 3 refused rows wait" in shown
    assert "soon" in shown and "Run now" in shown and "Read 3 refused rows again" in shown
    assert (
        "No rule can mend" not in shown and "format" not in shown.split("A rule that lets them in")[0][-50:]
    )
    broken = page(city, column="", rule="has more or fewer cells than the header")
    assert "No rule can mend" in broken


@pytest.mark.parametrize("role", [(Role.VIEWER, None), (Role.APPROVER, None), (Role.EDITOR, "elsewhere")])
def test_who_does_not_sees_counts_alone(city, role):
    shown = page(city, "cases", *role)
    assert "is not a day like 2026-01-31" in shown and "Editors and owners of" in shown
    assert "soon" not in shown and "Run now" not in shown and "again" not in shown
    assert "password" not in page(city, "library", *role)


def test_an_editor_of_any_department_with_a_metric_on_it_works_with_a_source(city):
    assert "Run now" in page(city, "library", Role.EDITOR, "parks")
    assert "Run now" not in page(city, "library", Role.EDITOR, "health")
    assert SECRET in page(city, "library", Role.EDITOR, "parks")


def test_a_source_that_never_ran_and_one_that_is_not_there_say_so(city):
    shown = page(city, "water")
    assert "Water utility has never run" in shown and "there is nothing to show" in shown
    assert "No row is refused." in shown and "There is no run." in shown
    assert "There is no such source" in page(city, "nowhere")


def test_hostile_text_of_a_row_is_text(city):
    shown = page(city)
    at = shown.find("\u202e")
    assert at < 0, shown[at - 200 : at + 50]
    assert "<script>" in shown and not re.search(r'"drawing": "[^"]*<script', shown)


def test_runs_are_shown_a_page_at_a_time(city):
    first = page(city)
    assert "Older runs" in first
    older = page(city, before="5")
    assert "Older runs" not in older and "Dec 2, 2026" in older
    for wrong in ("x", "9" * 30, "-1"):
        page(city, before=wrong, request=wrong)


def test_rows_that_are_sent_in_cannot_be_fetched(city):
    pushed = replace(city.catalogue.sources["cases"], kind="push")
    desk = replace(city, catalogue=replace(city.catalogue, sources={"cases": pushed}))
    shown = page(desk)
    assert "sent in; nothing can be fetched" in shown and "Run now" not in shown


# --- following a request ---------------------------------------------------------------------------


def ask(desk, kind, source="cases", **words) -> int:
    with writing(desk.engine, lambda: NOW) as write:
        return source_requests.ask(write, BY_HAND, kind, source, **words)


def follow(desk, number, source="cases"):
    with asked(desk):
        shown, is_over = PAGES["source"].follow(1, source, number)
    return text_of(shown), is_over


def test_a_request_is_followed_from_waiting_to_its_result(city):
    number = ask(city, source_requests.RUN)
    assert "Run: waiting for the worker" in page(city)
    assert follow(city, number)[1] is False
    requests.claim(city.engine, lambda: NOW)
    requests.progress(city.engine, lambda: NOW, number, {"sentence": "cases: 1200 rows read"})
    shown, is_over = follow(city, number)
    assert "Run: under way" in shown and "1200 rows read" in shown and not is_over
    words = {
        "outcome": "succeeded",
        "sentence": "cases: 5 new",
        "read": 5,
        "new": 5,
        "notes": "an old header",
    }
    requests.finish(city.engine, lambda: NOW, number, words)
    shown, is_over = follow(city, number)
    assert "Run: done" in shown and "an old header" in shown and is_over
    assert "as it is now" in shown and '"disabled": true' in page(city, request=str(number))


def test_a_request_of_another_source_is_not_followed(city):
    number = ask(city, source_requests.RUN, "library")
    with pytest.raises(dash.exceptions.PreventUpdate):
        follow(city, number)
    with pytest.raises(dash.exceptions.PreventUpdate):
        follow(city, "1")
    assert "What was asked for" not in page(city, request=str(number))
    assert "What was asked for" not in page(city, "library", Role.VIEWER)


def test_a_backfill_shows_its_steps_and_can_be_stopped(city):
    number = ask(city, source_requests.BACKFILL)
    requests.claim(city.engine, lambda: NOW)
    requests.put_back(city.engine, lambda: NOW, number, so_far={"done": 2, "of": 9, "sentence": "2 of 9"})
    shown, _over = follow(city, number)
    assert "2 of 9 steps" in shown and "Stop it" in shown and "Backfill: under way" in shown


def test_a_dry_run_shows_its_difference_and_offers_the_run(city):
    number = ask(city, source_requests.DRY_RUN)
    requests.claim(city.engine, lambda: NOW)
    moved = {
        "metric": "pothole_on_time",
        "grain": "week",
        "start": "2026-11-16",
        "before": 0.9,
        "after": None,
    }
    effect = {
        "why_not": "",
        "scores": 3,
        "composites": 1,
        "restated": 2,
        "moved": [moved, {**moved, "metric": ""}],
    }
    words = {
        "outcome": "succeeded",
        "read": 3,
        "new": 1,
        "withdrawn": 1,
        "examples": {"new": ["new 9: area North"], "changed": [], "vanished": ["vanished 2: area South"]},
        "rejections": ["1 rejected"],
        "effect": effect,
    }
    requests.finish(city.engine, lambda: NOW, number, words)
    shown, _over = follow(city, number)
    assert "new 9: area North" in shown and "vanished 2" in shown and "Some that change" not in shown
    assert "2 final scores would be restated" in shown and "Potholes filled on time" in shown
    assert "The whole city" in shown and "Do this run, and keep what it reads" in shown


@pytest.mark.parametrize(
    ("effect", "says"),
    [
        (None, "not known, as the run would fail"),
        ({"why_not": "no target"}, "Nothing would be published: no target"),
        ({"why_not": "", "scores": 0, "composites": 0, "restated": 0}, "No score would change."),
    ],
)
def test_what_a_dry_run_does_to_the_scores_is_a_sentence(effect, says):
    assert says in say.effect_sentence(effect)


def test_the_app_tells_its_pages_the_time(city):
    made = app.make_server(city.engine, city.catalogue, "harbor", clock=lambda: NOW)
    assert made.extensions["desk"].clock() == NOW
