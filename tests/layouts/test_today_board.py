"""The scoreboard of the mayor's page: sorted by a column, cut short where it is long, as Boston shows it."""

from __future__ import annotations

import statistics

import pytest

from layouts.boston_view import boston_view
from layouts.city_view import city_view
from layouts.desk import edition as edition_of
from layouts.public.answer import Refusal
from layouts.today_board import FEW
from layouts.today_query import Asked, Column, Sort, asked_of
from metrics.company import boston_score
from metrics.model import Family, Grain
from store.engine import reading
from store.withheld import Audience
from tests.layouts.test_today import every, hrefs, mount, page, part, texts


@pytest.fixture(scope="module")
def city(published_city):
    with reading(published_city.engine) as connection:
        edition = edition_of(connection, number=None, as_of=None, audience=Audience.STAFF)
        assert edition is not None
        yield city_view(connection, edition, public_only=False)


def heads(shown):
    return {texts(head).split(" (")[0].strip(): head for head in every(shown, "Th") if head.scope == "col"}


def names(shown) -> list[str]:
    rows = [row for row in every(shown, "Tr") if "group" not in str(getattr(row, "className", ""))]
    return [texts(every(row, "Link")[0]) for row in rows if every(row, "Th")[0].scope == "row"]


def sorted_by(published_city, word):
    return part(page(mount(published_city.engine, published_city.catalogue), sort=word), "services")


# --- sorting ---------------------------------------------------------------------------------------


def test_a_heading_says_how_the_rows_stand_and_turns_them_round(published_city):
    shown = part(page(mount(published_city.engine, published_city.catalogue)), "services")
    week = heads(shown)["Week score"]
    assert getattr(week, "aria-sort") == "ascending"
    assert hrefs(week) == ["/staff/today?sort=-week#services"]
    assert hrefs(heads(shown)["Measure"]) == ["/staff/today?sort=measure#services"]
    turned = heads(sorted_by(published_city, "-week"))["Week score"]
    assert (getattr(turned, "aria-sort"), hrefs(turned)) == (
        "descending",
        ["/staff/today?sort=week#services"],
    )
    assert sum(1 for head in heads(shown).values() if getattr(head, "aria-sort", None)) == 1


def test_names_are_sorted_whatever_their_capitals(published_city):
    shown = names(sorted_by(published_city, "measure"))
    assert shown == sorted(shown, key=str.casefold) and len(shown) > 3
    assert names(sorted_by(published_city, "-measure")) == shown[::-1]


@pytest.mark.parametrize("word", ["month", "-month"])
def test_a_score_sorts_the_rows_and_those_without_one_come_last(city, published_city, word):
    score_of = {
        line.metric.name: line.scores[Grain.MONTH].score if Grain.MONTH in line.scores else None
        for line in city.services
    }
    found = [score_of[name] for name in names(sorted_by(published_city, word))]
    known = [one for one in found if one is not None]
    assert known == sorted(known, reverse=word.startswith("-")) and len(known) > 2
    assert found[: len(known)] == known


def test_every_link_keeps_what_else_is_asked(published_city):
    app = mount(published_city.engine, published_city.catalogue)
    shown = part(page(app, group="department", q="tree", sort="-month"), "services")
    assert hrefs(heads(shown)["Day"]) == ["/staff/today?group=department&sort=day&q=tree#services"]


def test_what_is_asked_comes_back_from_its_own_address():
    asked = Asked(sort=Sort(Column.DAY, is_falling=True), wanted="a b", is_all=True)
    assert asked_of(asked.words()) == asked
    with pytest.raises(Refusal):
        asked_of({"show": "some"})


# --- long tables -----------------------------------------------------------------------------------


def test_a_phone_shows_the_worst_eight_and_the_way_to_all(published_city):
    app = mount(published_city.engine, published_city.catalogue)
    shown = part(page(app), "services")
    rows = [row for row in every(shown, "Tr") if every(row, "Th") and every(row, "Th")[0].scope == "row"]
    rest = [row for row in rows if getattr(row, "className", None) == "rest"]
    assert rest == rows[FEW:] and rest
    assert "/staff/today?show=all#services" in hrefs(shown)
    whole = part(page(app, show="all"), "services")
    assert not [row for row in every(whole, "Tr") if "rest" in str(getattr(row, "className", ""))]


def test_of_a_thousand_metrics_a_hundred_are_sent_and_the_filter_looks_through_all(
    published_city, monkeypatch
):
    monkeypatch.setattr("layouts.today_board.MOST", 3)
    app = mount(published_city.engine, published_city.catalogue)
    shown = part(page(app), "services")
    assert len(names(shown)) == 3 and "The first 3 of " in texts(shown)
    last = names(part(page(app, show="all"), "services"))[-1]
    assert last not in names(shown)
    assert names(part(page(app, q=last.upper()), "services")) == [last]
    assert "No measure has “xyz” in its name or department." in texts(page(app, q="xyz"))


# --- as Boston shows it ------------------------------------------------------------------------------


def test_the_topics_of_boston_s_view_have_its_published_score_as_their_mean(city, published_city):
    with reading(published_city.engine) as connection:
        view = boston_view(connection, city)
    for grain, composite in city.composites.items():
        scores = [one.scores[grain] for one in view.topics if one.scores[grain] is not None]
        assert composite.cityscore == (pytest.approx(statistics.fmean(scores)) if scores else None)
        assert scores or grain is Grain.DAY


def test_boston_s_view_is_its_grid_with_its_rule_and_our_score_below(city, published_city):
    shown = part(page(mount(published_city.engine, published_city.catalogue), view="boston"), "services")
    assert list(heads(shown)) == ["Topic", "Day", "Week", "Month", "Quarter"]
    assert "Below 1: under target. 1: on target. Above 1: over target." in texts(shown)
    theirs, ours = every(shown, "Tr")[-2:]
    week = city.composites[Grain.WEEK]
    assert f"{week.cityscore:.2f}" in texts(theirs.children[2])
    assert f"{week.score:.2f}" in texts(ours.children[2])


def test_a_topic_is_found_by_its_name_and_the_sums_stay_those_of_all(published_city):
    app = mount(published_city.engine, published_city.catalogue)
    whole, found = (part(page(app, view="boston", q=word), "services") for word in ("", "TREES"))
    rows = every(found, "Tr")
    assert len(rows) == 4 and "Trees" in texts(rows[1])
    assert [texts(one) for one in rows[-2:]] == [texts(one) for one in every(whole, "Tr")[-2:]]


def test_what_is_not_public_adds_nothing_to_boston_s_mean(city):
    for line in (*city.services, *city.conditions):
        if not line.metric.public:
            assert all(boston_score(line.metric, one) is None for one in line.scores.values())
    assert any(line.metric.family is Family.CONDITION for line in city.conditions)
