"""Publishing: all or nothing, only what is new, and every published score recomputes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from metrics.catalogue import load
from metrics.model import Grain, Status
from store import publications, records
from store.engine import StoreError, reading, writing
from store.explain import clauses, explain
from store.schema import observations
from store.schema import publications as publications_table
from tests.town import Town, all_scores, case

JULY = date(2026, 7, 1)
THREE = (case("a", 10, 5), case("b", 10, 20), case("c", 12, None, area="nowhere"))


def test_a_month_is_pooled_from_its_cases_and_districts_make_the_city(town: Town) -> None:
    town.ingest(*THREE)
    town.publish(JULY)
    june, north, unknown = town.month(), town.month(district="north"), town.month(district="unknown")
    assert (june.numerator, june.denominator, june.status) == (1, 3, Status.FINAL)
    assert (north.numerator, north.denominator) == (1, 2)
    assert (unknown.numerator, unknown.denominator) == (0, 1)


def test_a_spelling_with_a_colon_finds_its_district(town: Town) -> None:
    town.ingest(case("a", 10, 5, area=" norte: THE "))
    town.publish(JULY)
    assert town.month(district="north").denominator == 1


def test_publishing_twice_changes_nothing(town: Town) -> None:
    town.ingest(*THREE)
    town.publish(JULY)
    again = town.publish(JULY)
    assert (again.publication, again.facts) == (None, 0)


def test_a_later_closing_is_still_open_as_of_an_earlier_date(town: Town) -> None:
    town.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    town.ingest(case("a", 10, 5), case("b", 25, 35, reason="Duplicate"))
    town.publish(JULY)
    assert (town.month().numerator, town.month().denominator) == (1, 2)
    town.publish(date(2026, 8, 1))
    june = town.month(back=1)
    assert (june.period.start, june.numerator, june.denominator) == (date(2026, 6, 1), 1, 1)


def test_a_late_record_restates_a_final_score_and_the_first_number_stays(town: Town) -> None:
    town.ingest(*THREE)
    first = town.publish(JULY).publication
    town.ingest(*THREE, case("d", 11, 9))
    report = town.publish(JULY)
    assert first is not None and report.publication is not None
    assert report.publication.reason == "revision"
    assert report.restated > 0
    assert (town.month(first.id).denominator, town.month().denominator) == (3, 4)
    assert town.verified() == []


def test_a_changed_definition_needs_a_reason(town: Town, city: Path) -> None:
    town.ingest(*THREE)
    town.publish(JULY)
    path = city / "metrics" / "on_time.toml"
    path.write_text(path.read_text().replace("value = 0.8", "value = 0.5"))
    town.catalogue = load(city)
    with pytest.raises(StoreError, match="--reason"):
        town.publish(JULY)
    assert town.publish(JULY, reason="the council lowered the target").restated > 0
    assert town.verified() == []


def test_a_publication_for_an_older_date_is_kept_whole_and_never_becomes_current(town: Town) -> None:
    town.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    town.ingest(*THREE, case("e", 10, 5, month=7))
    current = town.publish(date(2026, 8, 1)).publication
    older = town.publish(JULY).publication
    assert current is not None and older is not None and not older.is_current
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        assert opened is not None and opened.publication.id == current.id
    assert town.month(older.id).period.start == date(2026, 6, 1)
    assert town.month().period.start == JULY
    assert town.verified() == []


def test_reducing_after_an_older_date_still_finds_the_newest_facts(town: Town) -> None:
    town.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    town.ingest(case("b", 25, 35, reason="Duplicate"), case("a", 10, 5))
    town.publish(date(2026, 8, 1))
    town.publish(JULY)
    again = town.publish(date(2026, 8, 1))
    assert again.publication is None
    assert town.verified() == []


def test_a_changed_definition_is_published_though_no_number_changes(town: Town) -> None:
    town.ingest(*THREE)
    first = town.publish(JULY)
    name, metric = next(iter(town.catalogue.metrics.items()))
    metrics = {**town.catalogue.metrics, name: replace(metric, owner="Somebody else")}
    text = town.catalogue.text + "\n"
    town.catalogue = replace(town.catalogue, metrics=metrics, text=text, hash="another")
    second = town.publish(JULY)
    assert first.publication is not None and second.publication is not None
    assert second.publication.catalogue_hash == "another" and second.scores == second.composites == 0
    assert town.publish(JULY).publication is None


def test_only_touched_days_are_reduced_and_equal_a_reduction_of_all(town: Town) -> None:
    town.ingest(*THREE)
    town.publish(JULY)
    town.now = datetime(2026, 7, 3, 12, tzinfo=UTC)
    town.ingest(case("a", 10, 5), case("b", 13, 20), case("c", 12, 31, area="nowhere"), case("d", 29, 30))
    town.publish(date(2026, 7, 3))

    def now() -> set[tuple[Any, ...]]:
        with reading(town.engine) as connection:
            found = publications.current(connection)
            assert found is not None
            rows = all_scores(connection, found.publication).values()
            return {(row.district, row.period, row.numerator, row.denominator) for row in rows if row.n}

    incremental = now()
    with writing(town.engine, town.clock) as held:
        held.connection.exec_driver_sql("DELETE FROM reductions")
    assert town.publish(date(2026, 7, 3)).facts == 0
    assert now() == incremental
    assert town.month().denominator == 4


def test_a_date_that_lies_ahead_is_refused(town: Town) -> None:
    with pytest.raises(StoreError, match="lies ahead"):
        town.publish(date(2026, 7, 9))


def test_before_the_publication_hour_a_half_loaded_day_is_not_published(town: Town) -> None:
    town.now = datetime(2026, 7, 1, 5, tzinfo=UTC)
    town.ingest(*THREE, until=datetime(2026, 6, 30, 20, tzinfo=UTC))
    assert town.publish().as_of == date(2026, 6, 30)
    with pytest.raises(StoreError, match="not open yet"):
        town.publish(JULY)


def test_before_the_publication_hour_a_wholly_known_day_is_published(town: Town) -> None:
    town.now = datetime(2026, 7, 1, 5, tzinfo=UTC)
    town.ingest(*THREE)
    assert town.publish().as_of == JULY


def test_a_clock_before_the_last_publication_is_refused(town: Town) -> None:
    town.ingest(*THREE)
    town.publish(JULY)
    town.now -= timedelta(days=1)
    with pytest.raises(StoreError, match="clock"):
        town.publish(date(2026, 6, 30))


def test_a_city_that_has_never_loaded_anything_is_told_so(town: Town) -> None:
    with pytest.raises(StoreError, match="has ever been loaded"):
        town.publish(JULY)


def test_a_city_without_metrics_publishes_an_empty_page(town: Town, city: Path) -> None:
    (city / "metrics" / "on_time.toml").unlink()
    town.catalogue = load(city)
    assert town.publish(JULY).publication is not None
    assert town.verified() == []


def test_an_empty_source_is_late_until_it_speaks_and_takes_nothing_back(town: Town) -> None:
    town.ingest(until=datetime(2026, 6, 15, tzinfo=UTC))
    town.publish(date(2026, 6, 29))
    town.publish(JULY)
    june = town.month()
    assert (june.value, june.score, june.status) == (None, None, Status.LATE)
    town.ingest(*THREE)
    town.publish(JULY)
    assert town.month().denominator == 3
    assert town.verified() == []


def test_the_receipt_counts_every_record_of_the_period(town: Town) -> None:
    town.ingest(*THREE, case("d", 11, 9, reason="Duplicate"))
    town.publish(JULY)
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        assert opened is not None
        receipt = explain(connection, opened, "on_time", Grain.MONTH)
        there = list(clauses(connection, town.catalogue, JULY))
    counts = receipt.records
    assert counts is not None
    assert (counts.dated, counts.dropped, counts.kept, counts.met) == (4, 1, 3, 1)
    assert counts.kept == receipt.score.denominator
    assert [(one.clause, one.kept, one.excluded) for one in there] == [("exclude", 3, 1), ("numerator", 2, 2)]


def test_a_failed_publication_leaves_nothing_behind(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.ingest(*THREE)

    def fails(*_: Any) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr("store.publish.bump_state", fails)
    with pytest.raises(RuntimeError):
        town.publish(JULY)
    with reading(town.engine) as connection:
        for table in (observations, publications_table):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


# --- what a hostile reader found ----------------------------------------------------------------


def test_what_was_ingested_before_an_older_publication_is_not_missed_by_the_next(town: Town) -> None:
    town.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    town.ingest(*THREE)
    town.publish(date(2026, 8, 1))
    town.ingest(*THREE, case("d", 11, 9))
    town.publish(JULY)
    assert town.publish(date(2026, 8, 1)).publication is not None
    assert town.month(back=1).denominator == 4
    assert town.verified() == []


def test_a_publication_for_an_older_date_is_found_by_that_date(town: Town) -> None:
    town.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    town.ingest(*THREE)
    town.publish(date(2026, 8, 1))
    older = town.publish(JULY).publication
    with reading(town.engine) as connection:
        found = publications.find(connection, as_of=date(2026, 7, 15))
    assert older is not None and found is not None and found.publication.id == older.id


def test_a_new_weight_moves_the_headline_only_with_a_reason(town: Town, city: Path) -> None:
    path = city / "metrics" / "on_time.toml"
    second = path.read_text().replace('id = "on_time"', 'id = "second"').replace("value = 0.8", "value = 0.4")
    (city / "metrics" / "second.toml").write_text(second)
    town.catalogue = load(city)
    town.ingest(*THREE)
    town.publish(JULY)
    path.write_text(path.read_text().replace("weight = 1.0", "weight = 9.0"))
    town.catalogue = load(city)
    with pytest.raises(StoreError, match="--reason"):
        town.publish(JULY)
    assert town.publish(JULY, reason="it matters more").restated > 0


def test_a_mended_word_and_a_late_record_are_a_revision(town: Town, city: Path) -> None:
    town.ingest(*THREE)
    town.publish(JULY)
    path = city / "metrics" / "on_time.toml"
    path.write_text(path.read_text().replace("Invented.", "Invented, all of it."))
    town.catalogue = load(city)
    town.ingest(*THREE, case("d", 11, 9))
    report = town.publish(JULY)
    assert report.publication is not None and report.publication.reason == "revision"


def test_a_source_that_lost_its_oldest_record_stays_known_from_its_day(town: Town) -> None:
    town.ingest(case("old", 3, 2, month=5), *THREE)
    town.publish(JULY)
    source = town.catalogue.sources["cases"]
    with writing(town.engine, town.clock) as held:
        records.withdraw(held, source, ["old"], 1)
    town.publish(JULY)
    assert town.month().status is Status.FINAL
    assert town.verified() == []


def test_a_metric_moved_to_another_source_forgets_the_facts_of_the_first(town: Town, city: Path) -> None:
    town.ingest(*THREE)
    town.publish(JULY)
    other = (city / "sources" / "cases.toml").read_text().replace('id = "cases"', 'id = "other"')
    (city / "sources" / "other.toml").write_text(other)
    path = city / "metrics" / "on_time.toml"
    path.write_text(path.read_text().replace('source = "cases"', 'source = "other"'))
    town.catalogue = load(city)
    town.ingest(case("x", 10, 5), case("y", 11, 5), source="other")
    town.publish(JULY, reason="a new system")
    assert (town.month().numerator, town.month().denominator) == (2, 2)
    assert town.verified() == []


def test_a_stock_does_not_count_what_left_by_the_day_it_entered(town: Town, city: Path) -> None:
    path = city / "metrics" / "on_time.toml"
    stock = path.read_text().replace('id = "on_time"', 'id = "overdue"').replace('"percent"', '"cases"')
    stock = stock.replace('aggregation = "ratio"', 'aggregation = "stock"\nuntil = "closed"')
    stock = stock.replace("numerator = ", "# numerator = ").replace('"higher_is_better"', '"lower_is_better"')
    (city / "metrics" / "overdue.toml").write_text(stock.replace("value = 0.8", "value = 3.0"))
    town.catalogue = load(city)
    town.ingest(case("late", 10, None), case("early", 10, 5), case("once", 10, 10))
    town.publish(JULY)
    with reading(town.engine) as connection:
        current = publications.current(connection)
        assert current is not None
        days = publications.series(connection, current.publication, "overdue", Grain.DAY)
    assert {row.value for row in days if row.period.start >= date(2026, 6, 10)} == {1.0}
    assert town.verified() == []
