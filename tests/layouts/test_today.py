"""The mayor's page: every published day by its address, and a true sentence in every state of a city."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import dash
import pytest
from flask import Flask

from layouts import staff
from layouts.desk import Desk
from metrics.model import Status
from store.engine import open_engine
from store.migrations import migrate
from tests.layouts.cities import LONG, STATES, fill_days
from tests.layouts.published_city import NOW, catalogue_of, city_files, fill, plan_of
from tests.people import an_admin

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def mount(engine, catalogue):
    server = Flask("today")
    app = staff.mount(server, Desk(engine, catalogue, lambda: None, "build"), an_admin, ASSETS)
    server.test_client().get("/staff/today")
    return app


def page(app, **query):
    [found] = [one for one in dash.page_registry.values() if one["module"].endswith("pages.today")]
    with app.server.test_request_context("/staff/"):
        return found["layout"](**query)


def texts(component) -> str:
    """What a reader reads, without the markup."""
    if isinstance(component, list | tuple):
        return " ".join(texts(child) for child in component)
    if hasattr(component, "to_plotly_json"):
        return texts(getattr(component, "children", None))
    return str(component or "")


def every(component, kind):
    found = [component] if type(component).__name__ == kind else []
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list | tuple) else [children]:
        if hasattr(child, "to_plotly_json"):
            found += every(child, kind)
    return found


def hrefs(component) -> list[str]:
    return [link.href for link in every(component, "Link")]


def part(component, id):
    [found] = [one for one in every(component, "Section") if getattr(one, "aria-labelledby") == id]
    return found


@pytest.fixture(scope="module")
def now(published_city):
    return page(mount(published_city.engine, published_city.catalogue))


@pytest.fixture(scope="module")
def published_days(tmp_path_factory):
    catalogue = catalogue_of(city_files())
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('days') / 'city.db'}")
    migrate(engine, catalogue.city, lambda: NOW)
    yield engine, catalogue, fill_days(engine, catalogue)
    engine.dispose()


@pytest.fixture
def days(published_days):
    engine, catalogue, made = published_days
    return made, mount(engine, catalogue)


# --- one screen ----------------------------------------------------------------------------------


def test_the_opening_window_and_what_needs_attention_come_first(now):
    [overview] = [one for one in every(now, "Div") if getattr(one, "className", "") == "overview"]
    kinds = [getattr(one, "className", None) or getattr(one, "aria-labelledby") for one in overview.children]
    assert kinds == ["tiles", "attention", "briefly card", "moved", "side"]
    windows = [texts(tile).split()[0] for tile in overview.children[0].children]
    assert windows == ["Week", "Day", "Month", "Quarter"]


def test_each_window_has_its_change_and_its_coverage_in_full_and_in_brief(now):
    for tile in every(now, "Ul")[0].children:
        told = [one for one in every(tile, "Span") if getattr(one, "className", "") in ("full", "brief")]
        assert len(told) == 4 and all(texts(one) for one in told)
    week = texts(every(now, "Ul")[0].children[0])
    assert "on target" in week and "% covered" in week and "of the weight" in week


def test_the_few_lines_for_a_phone_add_up_and_lead_to_the_whole(now):
    [brief] = [one for one in every(now, "Div") if getattr(one, "className", "") == "briefly card"]
    assert [link.href for link in every(brief, "A")] == ["#moved", "#improving", "#missing"]
    moved = texts(brief.children[0]).replace("−", "-")
    amounts = [float(one) for one in re.findall(r"[+-]?\d\.\d\d", moved)]
    assert 2 <= len(amounts) <= 5 and sum(amounts[1:]) == pytest.approx(amounts[0], abs=1e-9)


def test_at_most_three_need_attention_and_each_has_its_rule_owner_and_record(now):
    shown = part(now, "attention")
    assert "The three lowest scores below target" in texts(shown)
    rows = every(shown, "Li")
    assert len(rows) == 3
    for row in rows:
        assert "Director of" in texts(row) and "of the last 8 weeks with a score." in texts(row)


def test_what_is_missing_says_since_when_whose_it_is_and_why(now):
    shown = texts(part(now, "missing"))
    assert "since Nov 19, 2026 · Director of parks" in shown
    assert "Library system is known only until Nov 19, 2026, 4:30" in shown
    assert "Director of health answers for it" in shown
    assert "Water utility has never been loaded." in shown


def test_a_rise_that_may_still_change_is_no_improvement_yet(now):
    assert "No service did better than in the period before with both of them final." in texts(
        part(now, "improving")
    )


def test_what_improves_says_from_where_to_where(empty_database):
    catalogue = catalogue_of(city_files())
    planned, knowledge = plan_of(catalogue)
    final = tuple(
        replace(one, status=Status.FINAL) if one.status is Status.PROVISIONAL else one
        for one in planned.scores
    )
    engine = empty_database(catalogue)
    fill(engine, catalogue, replace(planned, scores=final), knowledge)
    [row] = every(part(page(mount(engine, catalogue)), "improving"), "Li")
    assert "Graffiti removed on time 1.01 to 1.10: up 0.09 on the week before" in texts(row)


def test_a_short_list_of_parts_adds_up_like_the_long_one(now):
    tables = every(part(now, "moved"), "Table")
    for table in tables:
        amounts = [float(texts(row.children[1]).replace("−", "-")) for row in every(table, "Tr")[1:]]
        assert sum(amounts[:-1]) == pytest.approx(amounts[-1], abs=1e-9)
    assert len(every(tables[0], "Tr")) <= 8


# --- the scoreboard ------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["need", "status", "department"])
def test_every_metric_is_a_row_however_they_are_grouped(published_city, group):
    shown = page(mount(published_city.engine, published_city.catalogue), group=group)
    rows = {
        link.href
        for table in every(shown, "Table")
        if table.className == "board"
        for link in every(table, "Link")
    }
    assert {f"/staff/metric/{metric}" for metric in published_city.catalogue.metrics} <= rows


def test_groups_carry_their_names_and_the_chosen_one_is_marked(published_city):
    app = mount(published_city.engine, published_city.catalogue)
    heads = [
        texts(row)
        for row in every(page(app, group="department"), "Tr")
        if str(getattr(row, "className", "")).startswith("group")
    ]
    assert heads[:3] == ["Public Works", "Parks & <Recreation>", "Health"]
    shown = page(app, group="status")
    heads = [
        texts(row) for row in every(shown, "Tr") if str(getattr(row, "className", "")).startswith("group")
    ]
    assert heads[0] == "Below target" and "Late" in heads
    [chosen] = [link for link in every(shown, "Link") if getattr(link, "className", "") == "chosen"]
    assert texts(chosen) == "By status"


def test_a_row_says_what_its_value_stands_on_and_how_much_of_it_is_known(now):
    shown = texts(part(now, "services"))
    assert "3 of 7 days known" in shown
    assert "records" in shown and " of " in shown


def test_a_value_of_which_no_records_are_told_has_a_row_like_any_other(empty_database):
    catalogue = catalogue_of(city_files())
    planned, knowledge = plan_of(catalogue)
    bare = tuple(replace(one, numerator=None, denominator=None, n=None) for one in planned.scores)
    engine = empty_database(catalogue)
    fill(engine, catalogue, replace(planned, scores=bare), knowledge)
    shown = part(page(mount(engine, catalogue)), "services")
    assert "3 of 7 days known" in texts(shown) and "records" not in texts(shown)


def test_a_filter_in_the_address_is_in_the_field(published_city):
    shown = page(mount(published_city.engine, published_city.catalogue), q="<tree>")
    [form] = [one.drawing for one in every(shown, "Svg") if 'type="search"' in one.drawing]
    assert 'name="q" value="&lt;tree&gt;"' in form and 'action="/staff/today#services"' in form


# --- any published day -----------------------------------------------------------------------------


def potholes(shown) -> str:
    [row] = [
        row
        for row in every(part(shown, "services"), "Tr")
        if any("/metric/pothole_on_time" in href for href in hrefs(row))
    ]
    return texts(row)


def test_a_published_day_is_shown_as_it_was_published_then(days):
    made, app = days
    for day, score in zip(made.as_of, made.potholes, strict=True):
        assert f"{score:.2f}" in potholes(page(app, as_of=day.isoformat()))
        number = made.as_of.index(day) + 1
        assert f"{score:.2f}" in potholes(page(app, publication=str(number)))


def test_an_older_day_says_so_and_leads_to_now_and_to_its_neighbours(days):
    made, app = days
    shown = page(app, as_of=made.as_of[1].isoformat())
    assert "Published Nov 24, 2026, 5:12" in texts(shown).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "A newer publication exists." in texts(shown)
    links = hrefs(shown)
    assert "/staff/today" in links
    assert f"/staff/today?as_of={made.as_of[0]}" in links and f"/staff/today?as_of={made.as_of[2]}" in links


def test_the_newest_day_says_nothing_of_the_kind_and_has_no_day_after(days):
    made, app = days
    shown = page(app)
    assert "newer publication" not in texts(shown)
    assert [href for href in hrefs(shown) if "as_of" in href] == [f"/staff/today?as_of={made.as_of[1]}"]


def test_every_link_of_a_pinned_page_keeps_its_publication(days):
    made, app = days
    shown = page(app, as_of=made.as_of[0].isoformat(), group="status")
    free = [href for href in hrefs(shown) if "publication=1" not in href and "as_of=" not in href]
    assert set(free) == {"/staff/today"}


def test_a_date_never_published_shows_the_nearest_earlier_one_and_says_so(days):
    made, app = days
    shown = page(app, as_of="2026-11-25")
    assert "Nothing was published for Nov 25, 2026; this is the newest before it." in texts(shown)
    assert f"{made.potholes[1]:.2f}" in potholes(shown)


def test_any_day_can_be_picked_between_the_first_and_the_last_published(days):
    made, app = days
    shown = page(app, as_of=made.as_of[0].isoformat(), group="status")
    [form] = [one.drawing for one in every(shown, "Svg") if 'type="date"' in one.drawing]
    first, last = made.as_of[0], made.as_of[-1]
    assert f'value="{first}" min="{first}" max="{last}"' in form
    assert '<input type="hidden" name="group" value="status">' in form
    assert "A day without a publication shows the newest before it." in texts(shown)


def test_a_field_for_the_day_left_empty_asks_for_now(days):
    assert "newer publication" not in texts(page(days[1], as_of=""))


def test_what_was_restated_since_stands_beside_what_was_published_then(days):
    made, app = days
    shown = part(page(app, as_of=made.as_of[0].isoformat()), "restated")
    rows = [one for one in every(shown, "Tr") if "Potholes filled on time" in texts(one)]
    assert rows
    for row in rows:
        then, now, why = (texts(cell) for cell in row.children[2:5])
        assert f"(score {made.potholes[0]:.2f})" in then and f"(score {made.potholes[-1]:.2f})" in now and why
    assert f"{len(rows)} numbers on this page were restated since." in texts(page(app, publication="1"))


def test_a_page_of_now_has_nothing_that_was_restated(days):
    assert not [
        one for one in every(page(days[1]), "Section") if getattr(one, "aria-labelledby") == "restated"
    ]


def test_a_date_to_come_shows_the_newest_and_says_so(days):
    shown = page(days[1], as_of="2031-01-01")
    assert "Nothing has been published for Jan 1, 2031 yet; this is the newest." in texts(shown)
    assert "newer publication" not in texts(shown)


def test_a_date_before_the_first_leads_to_the_first(days):
    made, app = days
    shown = page(app, as_of="2020-01-01")
    assert "There is no such publication" in texts(shown)
    assert f"/staff/today?as_of={made.as_of[0]}" in hrefs(shown)


@pytest.mark.parametrize(
    ("query", "fix"),
    [
        ({"as_of": "yesterday"}, "give a date like as_of=2026-01-31"),
        ({"as_of": "2026-02-30"}, "give a date like as_of=2026-01-31"),
        ({"publication": "one"}, "for example publication=1"),
        ({"publication": "1", "as_of": "2026-11-20"}, "Give either publication or as_of, not both."),
        ({"group": "colour"}, "give one of need, status, department"),
        ({"sort": "colour"}, "give one of measure, -measure, day, -day"),
        ({"view": "berlin"}, "give one of boston"),
    ],
)
def test_a_bad_value_gives_the_fix_and_a_way_on(days, query, fix):
    shown = page(days[1], **query)
    assert fix in texts(shown)
    assert hrefs(shown) == ["/staff/today"]


# --- states ----------------------------------------------------------------------------------------

SENTENCES = {
    "empty": ("This city has no public metrics yet", "A measure is one file in the city's folder of metrics"),
    "one_metric": ("one is scored weekly", "Everything that was due has arrived."),
    "late": ("No city score: everything is late", "No service has a score, so none can be singled out."),
    "never_loaded": ("No city score", "Water utility has never been loaded."),
    "withheld": (
        "No city score: 1 of 3 services have one",
        "There is no score, so there is no change to explain.",
    ),
    "long_names": ("City services are", LONG[:60]),
    "few_records": ("City services are", " of "),
    "from_the_right": ("City services are", "Needs attention"),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_city_has_a_true_sentence(empty_database, state):
    catalogue, planned, knowledge = STATES[state]()
    engine = empty_database(catalogue)
    fill(engine, catalogue, planned, knowledge)
    shown = texts(page(mount(engine, catalogue)))
    for sentence in SENTENCES[state]:
        assert sentence in shown
    assert "None" not in shown and "nan" not in shown.lower().split()


def test_many_silent_metrics_are_three_and_a_way_to_the_others(empty_database):
    catalogue, planned, knowledge = STATES["late"]()
    engine = empty_database(catalogue)
    fill(engine, catalogue, planned, knowledge)
    shown = part(page(mount(engine, catalogue)), "missing")
    assert len(every(shown, "Li")) == 4
    assert "/staff/today?group=status#services" in hrefs(shown)
