"""Small counts are withheld from the public in every publication, and what is left over makes the city."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete

from metrics.catalogue import load
from metrics.model import WHOLE_CITY, WITHHELD, Grain, Period, Score, Status
from store import publications, revisions, vintages, withheld
from store.engine import StoreError, open_engine, reading, writing
from store.explain import explain
from store.schema import withheld_cells
from store.withheld import NOTHING, Audience, Hidden
from tests.metrics.test_metric_signals import row
from tests.town import Town, case

JUNE = date(2026, 6, 1)
AREAS = {"North": (25, 12), "South": (40, 20), "East": (8, 3), "West": (60, 30)}
"""How many cases each area has, and how many of them were late."""


def districts() -> str:
    features = [
        {
            "type": "Feature",
            "geometry": None,
            "properties": {"id": name.lower(), "name": name, "aliases": [], "population": 1000},
        }
        for name in AREAS
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture
def town(any_engine_url: str, city: Path) -> Iterator[Town]:
    (city / "districts.geojson").write_text(districts())
    words = (city / "city.toml").read_text()
    (city / "city.toml").write_text(words.replace("small_counts = 0", "small_counts = 10"))
    engine = open_engine(any_engine_url)
    yield Town(engine, load(city))
    engine.dispose()


def ingest(town: Town, areas: Mapping[str, tuple[int, int]] = AREAS) -> None:
    town.ingest(
        *(
            case(f"{area}{number}", 1 + number % 28, None if number < late else 1, area=area)
            for area, (many, late) in areas.items()
            for number in range(many)
        )
    )


def found(town: Town, audience: Audience = Audience.PUBLIC, grain: Grain = Grain.MONTH) -> dict[str, Score]:
    """What an audience reads of June by district, the row of the rest included."""
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        metric = town.catalogue.metrics["on_time"]
        hidden = withheld.for_audience(connection, metric, audience)
        rows = publications.districts(connection, now.publication, "on_time", grain, JUNE, hidden)
        city = publications.series(connection, now.publication, "on_time", grain, since=JUNE)
        rest = withheld.left_over(metric, city[0], rows)
        return {one.district: one for one in [*rows, *([rest] if rest else [])]}


def hidden_in(town: Town) -> set[str]:
    return {name for name, one in found(town).items() if one.status is Status.SUPPRESSED and name != WITHHELD}


def test_a_small_count_is_hidden_together_with_the_next_smallest(town: Town) -> None:
    ingest(town)
    town.publish()
    assert hidden_in(town) == {"north", "east"}
    assert not any(one.status is Status.SUPPRESSED for one in found(town, Audience.STAFF).values())


def test_a_hidden_score_says_nothing_but_that_it_is_hidden(town: Town) -> None:
    ingest(town)
    town.publish()
    east = found(town)["east"]
    numbers = (east.value, east.n, east.numerator, east.denominator, east.score, east.low, east.high)
    assert numbers == (None,) * 7
    assert (east.status, east.verdict) == (Status.SUPPRESSED, None)
    assert east.reason == withheld.SMALL_COUNTS


def test_what_is_shown_and_what_is_left_over_make_the_city(town: Town) -> None:
    ingest(town)
    town.publish()
    rows = found(town)
    rest = rows[WITHHELD]
    assert (rest.n, rest.numerator, rest.value) == (33, 18, 18 / 33)
    for name, whole in (("numerator", 68), ("denominator", 133), ("n", 133)):
        assert sum(getattr(one, name) or 0 for one in rows.values()) == whole


def test_the_quarter_of_a_hidden_month_is_hidden(town: Town) -> None:
    ingest(town)
    town.publish()
    with reading(town.engine) as connection:
        hidden = withheld.hidden(connection, town.catalogue.metrics["on_time"])
        now = publications.current(connection)
        assert now is not None
        quarter = publications.series(
            connection, now.publication, "on_time", Grain.QUARTER, district="east", hidden=hidden
        )
    assert [one.status for one in quarter if one.period.end > JUNE] == [Status.SUPPRESSED]


def test_what_was_once_withheld_stays_so_in_every_publication(town: Town) -> None:
    ingest(town)
    town.publish()
    ingest(town, {"East": (60, 30), "South": (40, 5)})
    town.publish()
    assert hidden_in(town) == {"north", "east", "south"}
    with reading(town.engine) as connection:
        first = publications.find(connection, number=1)
        assert first is not None
        hidden = withheld.hidden(connection, town.catalogue.metrics["on_time"])
        pinned = publications.districts(connection, first.publication, "on_time", Grain.MONTH, JUNE, hidden)
    assert {one.district for one in pinned if one.status is Status.SUPPRESSED} == {"north", "east", "south"}


def test_a_lower_limit_gives_free_what_was_hidden_and_a_higher_one_hides_more(town: Town, city: Path) -> None:
    ingest(town)
    town.publish()
    path = city / "metrics" / "on_time.toml"
    words = path.read_text()
    path.write_text(f"small_counts = 0\n{words}")
    town.catalogue = load(city)
    town.publish(reason="Potholes point at nobody")
    assert hidden_in(town) == set()
    path.write_text(f"small_counts = 15\n{words}")
    town.catalogue = load(city)
    town.publish(reason="They do after all")
    assert hidden_in(town) == {"north", "east", "south"}


def test_months_published_before_there_was_a_rule_are_judged_too(town: Town) -> None:
    ingest(town)
    town.publish()
    with writing(town.engine, town.clock) as held:
        held.connection.execute(delete(withheld_cells))
    assert hidden_in(town) == set()
    town.now = town.now.replace(month=7, day=3)
    town.publish()
    assert hidden_in(town) == {"north", "east"}


def test_a_new_name_hides_what_the_old_one_hid_and_the_other_way_round(town: Town, city: Path) -> None:
    ingest(town)
    town.publish()
    words = (city / "metrics" / "on_time.toml").read_text()
    (city / "metrics" / "on_time.toml").unlink()
    renamed = words.replace('id = "on_time"', 'id = "in_time"\nrenamed_from = "on_time"')
    (city / "metrics" / "in_time.toml").write_text(renamed)
    before, town.catalogue = town.catalogue, load(city)
    ingest(town, {"East": (60, 30), "South": (40, 5)})
    town.publish(reason="A better name")
    with reading(town.engine) as connection:
        old, new = (
            withheld.hidden(connection, one)
            for one in (before.metrics["on_time"], town.catalogue.metrics["in_time"])
        )
    june = {(name, JUNE.isoformat()) for name in ("north", "east", "south")}
    assert june <= old.months and june <= new.months


def test_no_vintage_and_no_revision_tells_of_a_hidden_district(town: Town) -> None:
    ingest(town)
    town.publish()
    ingest(town, {"East": (30, 15)})
    town.publish()
    metric = town.catalogue.metrics["on_time"]
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        hidden = withheld.hidden(connection, metric)
        asked = (connection, now.publication, metric, Grain.MONTH)
        firsts = vintages.first_published(*asked, since=JUNE, district="east", hidden=hidden)
        rows = revisions.revisions(*asked, since=JUNE, district="east", hidden=hidden).rows
        shown = vintages.first_published(*asked, since=JUNE, district="west", hidden=hidden)
    assert (firsts, rows) == ({}, ())
    assert list(shown) == [JUNE]


def test_a_hidden_district_has_no_receipt_for_the_public(town: Town) -> None:
    ingest(town)
    town.publish()
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        hidden = withheld.hidden(connection, town.catalogue.metrics["on_time"])
        assert explain(connection, now, "on_time", Grain.MONTH, JUNE, "east").score.n == 8
        with pytest.raises(StoreError, match="withheld in east"):
            explain(connection, now, "on_time", Grain.MONTH, JUNE, "east", hidden)


def test_whoever_reads_a_district_has_to_say_what_is_hidden_from_them(town: Town) -> None:
    ingest(town)
    town.publish()
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        with pytest.raises(ValueError, match="hidden"):
            publications.series(connection, now.publication, "on_time", Grain.MONTH, district="east")
        rows = publications.series(
            connection, now.publication, "on_time", Grain.MONTH, district="east", hidden=NOTHING
        )
    assert rows[-1].n == 8


def test_a_city_hides_its_own_small_counts_only_where_a_metric_says_so(town: Town, city: Path) -> None:
    path = city / "metrics" / "on_time.toml"
    words = path.read_text().replace("weight = 1.0", "weight = 0")
    path.write_text(f"hide_small_city = true\n{words}")
    town.catalogue = load(city)
    ingest(town, {"North": (9, 2)})
    town.publish()
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        hidden = withheld.hidden_cities(connection, town.catalogue, Audience.PUBLIC)
        public = publications.latest_scores(connection, now.publication, hidden)["on_time"]
        staff = publications.latest_scores(connection, now.publication)["on_time"]
    assert {one.status for one in public.values()} == {Status.SUPPRESSED}
    assert staff[Grain.MONTH].n == 9


REPEATED = """
id = "repeated"
name = "Closed as duplicates"
department = "works"
theme = "streets"
family = "condition"
source = "cases"
unit = "percent"
definition = "Of the same cases those closed as duplicates."
limitations = "Invented."
owner = "The tester"
district = "area"
aggregation = "ratio"
direction = "lower_is_better"
date = "due"
numerator = "reason in ('Duplicate')"
{more}
"""


def with_duplicates(town: Town, city: Path, more: str = "") -> None:
    """Beside the metric that leaves duplicates out one that counts them: 4 in the west, 300 in the south."""
    (city / "metrics" / "repeated.toml").write_text(REPEATED.format(more=more))
    town.catalogue = load(city)
    areas = {"West": 4, "South": 300, "North": 40, "East": 0}
    ingest(town, {"North": (80, 30), "South": (90, 40), "East": (70, 30), "West": (60, 30)})
    ingest(town)
    town.ingest(
        *(
            case(f"d{area}{number}", 1 + number % 28, 1, area=area, reason="Duplicate")
            for area, many in areas.items()
            for number in range(many)
        )
    )


def shown_sizes(town: Town, metric: str) -> dict[str, int]:
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        hidden = withheld.hidden(connection, town.catalogue.metrics[metric])
        rows = publications.districts(connection, now.publication, metric, Grain.MONTH, JUNE, hidden)
    return {one.district: one.n or 0 for one in rows if one.status is not Status.SUPPRESSED}


@pytest.mark.parametrize("more", ["", "small_counts = 0"])
def test_what_one_metric_leaves_out_is_not_the_difference_of_two_that_are_shown(
    town: Town, city: Path, more: str
) -> None:
    """With 4 duplicates in the west its cases less those without duplicates are 4, whatever the limits."""
    with_duplicates(town, city, more)
    town.publish()
    kept, counted = shown_sizes(town, "on_time"), shown_sizes(town, "repeated")
    assert kept.keys() == counted.keys() and "west" not in kept
    assert not any(0 < counted[place] - kept[place] <= 10 for place in kept)
    assert len(AREAS) - len(kept) >= 2


def test_metrics_of_the_same_records_hide_the_same_districts(town: Town, city: Path) -> None:
    """Else the one that shows a companion of the other's hidden district gives that away."""
    (city / "metrics" / "repeated.toml").write_text(
        REPEATED.format(more="exclude = \"reason in ('Duplicate')\"")
    )
    town.catalogue = load(city)
    ingest(town)
    town.publish()
    assert shown_sizes(town, "on_time") == shown_sizes(town, "repeated") == {"south": 40, "west": 60}


def test_a_district_with_many_records_is_not_hidden_for_what_another_metric_counts_among_them(
    town: Town, city: Path
) -> None:
    """How many cases there are says nothing of how many of them were late."""
    opened = REPEATED.replace('"repeated"', '"all_cases"').replace('"ratio"', '"count"')
    opened = opened.replace('"percent"', '"cases"').replace("numerator = \"reason in ('Duplicate')\"", "")
    alike = opened.format(more="exclude = \"reason in ('Duplicate')\"")
    (city / "metrics" / "all_cases.toml").write_text(alike)
    town.catalogue = load(city)
    ingest(town, {"North": (80, 30), "South": (90, 40), "East": (70, 3), "West": (60, 30)})
    town.publish()
    assert shown_sizes(town, "on_time") == {"north": 80, "south": 90}
    assert shown_sizes(town, "all_cases") == {"north": 80, "south": 90, "east": 70, "west": 60}


def test_metrics_of_other_records_hide_nothing_for_each_other(town: Town, city: Path) -> None:
    (city / "metrics" / "repeated.toml").write_text(
        REPEATED.format(more='where = "closed is not null"\nsmall_counts = 0')
    )
    town.catalogue = load(city)
    ingest(town)
    town.publish()
    assert shown_sizes(town, "on_time") == {"south": 40, "west": 60}
    assert shown_sizes(town, "repeated") == {"south": 20, "west": 30, "north": 13, "east": 5}


def test_a_lower_limit_for_all_metrics_of_the_same_records_gives_them_free(town: Town, city: Path) -> None:
    with_duplicates(town, city)
    town.publish()
    for path in (city / "metrics").glob("*.toml"):
        path.write_text("small_counts = 0\n" + path.read_text())
    town.catalogue = load(city)
    town.publish(reason="They point at nobody")
    assert len(shown_sizes(town, "on_time")) == len(shown_sizes(town, "repeated")) == len(AREAS)


def test_the_change_of_a_city_that_is_hidden_at_times_does_not_tell_of_the_period_before() -> None:
    july = row(0, 0.9, period=Period(Grain.MONTH, date(2026, 7, 1), date(2026, 8, 1)), change=0.25)
    at_times = Hidden(frozenset({(WHOLE_CITY, JUNE.isoformat())}), is_city_by_month=True)
    assert at_times.shown([july])[0].change is None
    assert NOTHING.shown([july])[0].change == 0.25


def test_days_of_a_city_that_is_hidden_are_never_shown() -> None:
    hidden = Hidden(is_city_by_month=True)
    day, month = Period(Grain.DAY, JUNE, date(2026, 6, 2)), Period(Grain.MONTH, JUNE, date(2026, 7, 1))
    assert hidden.hides(WHOLE_CITY, day)
    assert not hidden.hides(WHOLE_CITY, month)
