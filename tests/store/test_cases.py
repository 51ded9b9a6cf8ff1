"""The cases behind a published number are those that it counts, whatever became of them since."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from metrics.catalogue import load
from metrics.model import UNKNOWN_DISTRICT, Aggregation, Grain, Score
from store import cases, publications, records
from store.case_versions import versions
from store.cases import Chosen, Tally
from store.engine import StoreError, open_engine, reading, writing
from store.publications import Reading
from store.withheld import NOTHING
from tests.town import SOURCE, Town, case, metric_file, write_city

HOW = {
    "reported": 'aggregation = "count"\ndate = "opened"\ndistrict = "area"\n'
    'direction = "neutral"\nunit = "count"',
    "worth": 'aggregation = "count"\ndate = "opened"\nquantity = "amount"\ndistrict = "area"\n'
    'direction = "neutral"\nunit = "count"',
    "days": 'aggregation = "median"\nvalue = "days_between(opened, closed)"\ndate = "opened"\n'
    'district = "area"\ndirection = "neutral"\nunit = "days"',
    "mean_days": 'aggregation = "mean"\nvalue = "days_between(opened, closed)"\ndate = "opened"\n'
    'district = "area"\ndirection = "neutral"\nunit = "days"',
    "paid": 'aggregation = "ratio"\nnumerator = "amount"\ndenominator = "amount + 1"\ndate = "opened"\n'
    'district = "area"\ndirection = "neutral"\nunit = "percent"',
    "waiting": 'aggregation = "stock"\ndate = "opened"\nuntil = "closed"\ndistrict = "area"\n'
    'direction = "neutral"\nunit = "count"',
}
MORE_COLUMNS = (
    '[columns.amount]\ntype = "integer"\n[columns.district]\ntype = "text"\n[columns.day]\ntype = "text"\n'
)
GAP = (
    '[[gap]]\nfrom_day = 2026-06-10\nto_day = 2026-06-11\nreason = "a test"\ndeclared = 2026-06-01\n'
    "score_known_days = true\n"
)
GRAINS = (Grain.DAY, Grain.WEEK, Grain.MONTH)


@pytest.fixture
def busy_town(any_engine_url: str, tmp_path: Path) -> Iterator[Town]:
    folder = write_city(tmp_path / "test")
    head, columns = SOURCE.split("[columns.case_id]", 1)
    (folder / "sources/cases.toml").write_text(f"{head}{GAP}[columns.case_id]{columns}{MORE_COLUMNS}")
    for name, how in HOW.items():
        (folder / f"metrics/{name}.toml").write_text(metric_file(name, how, None, family="condition"))
    engine = open_engine(any_engine_url)
    yield Town(engine, load(folder))
    engine.dispose()


def some_cases(seed: int, how_many: int = 400) -> list[dict]:
    """Cases of May and June; some are open, some were dropped, some name no district that there is."""
    chance = random.Random(seed)
    began, found = datetime(2026, 5, 1, 15, tzinfo=UTC), []
    for number in range(how_many):
        opened = began + timedelta(hours=chance.randrange(60 * 24))
        closed = opened + timedelta(hours=chance.randrange(400)) if chance.random() < 0.8 else None
        found.append(
            {
                "case_id": f"c{number:04}",
                "opened": opened,
                "due": opened + timedelta(days=chance.randrange(1, 9)),
                "closed": closed,
                "reason": chance.choice(["Done", "Duplicate", None]) if closed else None,
                "area": chance.choice(["North", " n. ", "Norte: the", "South", None]),
                "amount": chance.choice([None, 1, 2, 7]),
            }
        )
    return found


def opened(town: Town, number: int | None = None) -> Reading:
    with reading(town.engine) as connection:
        found = publications.find(connection, number=number)
        assert found is not None
        return found


def published(town: Town, now: Reading) -> Iterator[tuple[str, Score]]:
    """Every score of the publication that has a number."""
    with reading(town.engine) as connection:
        for metric in town.catalogue.metrics:
            for grain in GRAINS:
                for district in ("", "north", UNKNOWN_DISTRICT):
                    rows = publications.series(
                        connection, now.publication, metric, grain, district=district, hidden=NOTHING
                    )
                    yield from ((metric, row) for row in rows if row.value is not None)


def expected(town: Town, score: Score) -> Tally:
    """What the published row says that its cases add up to."""
    kind = town.catalogue.metrics[score.metric].aggregation
    if kind is Aggregation.STOCK:
        level = score.end_value or 0.0
        return Tally(int(level), level, 0.0)
    numerator = score.numerator or 0.0
    return Tally(score.n or 0, numerator, score.denominator or 0.0)


def test_what_the_cases_add_up_to_is_what_was_published(busy_town):
    busy_town.ingest(*some_cases(1), until=datetime(2026, 6, 28, 12, tzinfo=UTC))
    busy_town.publish()
    # Whatever comes later is no part of that number.
    busy_town.ingest(*some_cases(2, 200), until=datetime(2026, 6, 28, 12, tzinfo=UTC))
    source = busy_town.catalogue.sources["cases"]
    with writing(busy_town.engine, busy_town.clock) as write:
        records.withdraw(write, source, ["c0007", "c0300"], 1)
    now, seen = opened(busy_town), set()
    with reading(busy_town.engine) as connection:
        for metric, score in published(busy_town, now):
            chosen = Chosen(metric, score.period, score.district)
            found, said = cases.tally(connection, now, chosen), expected(busy_town, score)
            kind = busy_town.catalogue.metrics[metric].aggregation
            if kind is not Aggregation.MEDIAN:
                # The publication adds exactly; a database adds in some order.
                assert found.numerator == pytest.approx(said.numerator, rel=1e-12), score
                assert found.denominator == said.denominator, score
            if metric not in ("worth", "paid"):
                assert found.cases == said.cases, score
            seen.add((metric, score.period.grain, score.district))
    assert len(seen) >= len(busy_town.catalogue.metrics) * (len(GRAINS) + 2)


def test_cases_by_what_a_column_says_add_up_to_all_of_them(busy_town):
    busy_town.ingest(*some_cases(1))
    busy_town.publish()
    busy_town.ingest(*some_cases(2, 200))
    now = opened(busy_town)
    with reading(busy_town.engine) as connection:
        for metric, column in [("on_time", "reason"), ("mean_days", "amount"), ("worth", "reason")]:
            for chosen in (june(busy_town, metric), june(busy_town, metric, district="north")):
                parts = cases.by_value(connection, now, chosen, column)
                whole = cases.tally(connection, now, chosen)
                some = replace(chosen, values={column: ""})
                empty = sum(one.cases for one in parts if one.value is None)
                assert 0 < cases.tally(connection, now, some).cases == empty < whole.cases
                assert sum(one.cases for one in parts) == whole.cases
                assert sum(one.numerator for one in parts) == pytest.approx(whole.numerator, rel=1e-12)
        with pytest.raises(StoreError, match="cannot be told apart by opened; they can by"):
            cases.by_value(connection, now, june(busy_town), "opened")


def june(town: Town, metric: str = "on_time", **more) -> Chosen:
    return Chosen(metric, town.month().period, **more)


def test_pages_hold_every_case_once_in_order(busy_town):
    busy_town.ingest(*some_cases(3))
    busy_town.publish()
    busy_town.ingest(*some_cases(4, 100))
    now = opened(busy_town)
    with reading(busy_town.engine) as connection:
        whole = list(cases.all_cases(connection, now, june(busy_town), at_once=7))
        at_once = cases.page(connection, now, june(busy_town), most=1000)
        total = cases.tally(connection, now, june(busy_town))
    assert [one.key for one in whole] == [one.key for one in at_once.cases]
    assert at_once.after is None
    assert [(one.day, one.key) for one in whole] == sorted({(one.day, one.key) for one in whole})
    assert total == Tally(len(whole), sum(one.numerator for one in whole), float(len(whole)))


def test_pages_lead_back_the_way_they_came(busy_town):
    busy_town.ingest(*some_cases(3))
    busy_town.publish()
    busy_town.ingest(*some_cases(4, 100))
    now, asked = opened(busy_town), june(busy_town, district="north")
    with reading(busy_town.engine) as connection:
        there = [cases.page(connection, now, asked, most=7)]
        while there[-1].after:
            there.append(cases.page(connection, now, asked, there[-1].after, 7))
        back = [there[-1]]
        while back[-1].before:
            back.append(cases.page(connection, now, asked, None, 7, before=back[-1].before))
    assert there[0].before is None and len(there) > 3
    forth, home = ([key for page in way for key in keys(page)] for way in (there, reversed(back)))
    assert forth == home
    assert all(len(page.cases) == 7 for page in back[1:-1])


def keys(page) -> list:
    return [one.key for one in page.cases]


def test_cases_are_shown_as_they_read_then(busy_town):
    first, second = case("a", 3, None), case("b", 4, 4, reason="Done")
    busy_town.ingest(first, second)
    number = busy_town.publish().publication.id
    busy_town.ingest({**first, "closed": datetime(2026, 6, 3, 16, tzinfo=UTC), "reason": "Done"})
    busy_town.publish()
    with reading(busy_town.engine) as connection:
        then, now = opened(busy_town, number), opened(busy_town)
        before = cases.page(connection, then, june(busy_town)).cases
        after = cases.page(connection, now, june(busy_town)).cases
    assert [(one.key, one.numerator, one.fields["closed"]) for one in before] == [
        ("a", 0.0, None),
        ("b", 1.0, "2026-06-04T16:00:00.000000Z"),
    ]
    assert [(one.key, one.numerator, one.fields["reason"]) for one in after] == [
        ("a", 1.0, "Done"),
        ("b", 1.0, "Done"),
    ]


def test_cases_are_chosen_by_outcome_district_and_values(busy_town):
    busy_town.ingest(*some_cases(5))
    busy_town.publish()
    now = opened(busy_town)
    with reading(busy_town.engine) as connection:
        whole = list(cases.all_cases(connection, now, june(busy_town)))
        missed = list(cases.all_cases(connection, now, june(busy_town, met=False)))
        north = list(cases.all_cases(connection, now, june(busy_town, district="north")))
        done = list(
            cases.all_cases(connection, now, june(busy_town, values={"reason": "Done", "amount": "7"}))
        )
        open_ones = list(cases.all_cases(connection, now, june(busy_town, values={"reason": ""})))
    assert missed == [one for one in whole if one.numerator == 0]
    assert north == [one for one in whole if one.fields["area"] in ("North", " n. ", "Norte: the")]
    assert done == [one for one in whole if one.fields["reason"] == "Done" and one.fields["amount"] == 7]
    assert open_ones == [one for one in whole if one.fields["reason"] is None]
    assert all((missed, north, done, open_ones))


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"metric": "nothing"}, "There is no metric nothing"),
        ({"values": {"opened": "x"}}, "cannot be chosen by opened"),
        ({"values": {"1=1; drop table": "x"}}, "cannot be chosen by"),
        ({"values": {"amount": "many"}}, "a whole number"),
        ({"district": "atlantis"}, "no district atlantis"),
        ({"metric": "worth", "met": True}, "no share of cases"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused_with_the_reason(busy_town, chosen, why):
    busy_town.ingest(*some_cases(6, 20))
    busy_town.publish()
    asked = replace(june(busy_town), **chosen)
    with reading(busy_town.engine) as connection, pytest.raises(StoreError, match=why):
        cases.page(connection, opened(busy_town), asked)


def test_days_that_are_not_known_yet_have_no_cases(busy_town):
    busy_town.ingest(*some_cases(7), until=datetime(2026, 6, 20, 12, tzinfo=UTC))
    busy_town.publish()
    with reading(busy_town.engine) as connection:
        found = list(cases.all_cases(connection, opened(busy_town), june(busy_town, metric="reported")))
    assert max(one.day for one in found) == date(2026, 6, 19)
    assert not {one.day for one in found} & {date(2026, 6, 10), date(2026, 6, 11)}


def test_a_record_has_its_versions_for_the_metrics_that_ask_for_it_alone(busy_town):
    busy_town.ingest(case("a", 3, None))
    busy_town.ingest(case("a", 3, 4, reason="Done"))
    source, metric = busy_town.catalogue.sources["cases"], busy_town.catalogue.metrics["on_time"]
    with writing(busy_town.engine, busy_town.clock) as write:
        records.withdraw(write, source, ["a"], 1)
    day = date(2026, 7, 1)
    with reading(busy_town.engine) as connection:
        found = versions(connection, busy_town.catalogue, metric, "a", day)
        others = replace(metric, where="area = 'South'")
        assert versions(connection, busy_town.catalogue, others, "a", day) == ()
        assert versions(connection, busy_town.catalogue, metric, "b", day) == ()
    assert [(one.is_withdrawn, one.fields["reason"]) for one in found] == [
        (True, "Done"),
        (False, "Done"),
        (False, None),
    ]
    assert [one.until for one in found] == [None, found[0].since, found[1].since]
