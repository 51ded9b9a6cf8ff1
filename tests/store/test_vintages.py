"""Vintages: what was first published stays true, and every change of it is called what it was."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from metrics.catalogue import load
from metrics.model import Grain, Metric, Publication, Score
from store import publications, records, revisions, vintages
from store.engine import reading, writing
from store.revisions import DefinitionChange, Kind, Revisions
from store.vintages import FirstPublished
from tests.town import Town, all_scores, case

JUNE = date(2026, 6, 1)
JULY = date(2026, 7, 1)
THREE = (case("a", 10, 5), case("b", 10, 20), case("c", 12, None, area="nowhere"))


def metric_of(town: Town) -> Metric:
    return town.catalogue.metrics["on_time"]


def firsts(
    town: Town, grain: Grain, number: int | None = None, district: str = ""
) -> dict[date, FirstPublished]:
    with reading(town.engine) as connection:
        opened = publications.find(connection, number=number)
        assert opened is not None
        return vintages.first_published(
            connection, opened.publication, metric_of(town), grain, district=district
        )


def changes(town: Town, grain: Grain = Grain.MONTH, number: int | None = None) -> Revisions:
    with reading(town.engine) as connection:
        opened = publications.find(connection, number=number)
        assert opened is not None
        return revisions.revisions(connection, opened.publication, metric_of(town), grain)


def redefined(town: Town, grain: Grain = Grain.MONTH) -> list[DefinitionChange]:
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        assert opened is not None
        return revisions.definition_changes(connection, opened.publication, metric_of(town), grain)


def kinds(town: Town) -> list[Kind]:
    return [row.kind for row in changes(town).rows]


def rewrite(town: Town, city: Path, old: str, new: str, file: str = "metrics/on_time.toml") -> None:
    path = city / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    town.catalogue = load(city)


def began_in_may(town: Town) -> None:
    """A first publication before June ends, then June as first published: one of three on time."""
    town.ingest(case("old", 3, 2, month=5), *THREE)
    town.publish(date(2026, 6, 15))
    town.publish(JULY)


# --- first published ----------------------------------------------------------------------------


def day_by_day(town: Town) -> Iterator[tuple[Publication, dict[tuple[Grain, str, date], Score]]]:
    """Publishes every day of five weeks while cases come in, some of them late, and gives what each said."""
    chance = random.Random(4)
    cases: dict[str, dict] = {}
    for number in range(35):
        day = JUNE + timedelta(days=number)
        town.now = datetime(day.year, day.month, day.day, 14, tzinfo=UTC)
        for one in range(3):
            due = datetime(2026, 6, 1, 16, tzinfo=UTC) + timedelta(days=number - chance.randrange(4))
            closed = due + timedelta(days=chance.randrange(-2, 4))
            cases[f"{number}-{one}"] = {
                "case_id": f"{number}-{one}",
                "opened": due - timedelta(days=5),
                "due": due,
                "closed": closed if closed < town.now else None,
                "area": chance.choice(["North", "elsewhere"]),
            }
        town.ingest(*cases.values())
        said = town.publish(day).publication
        assert said is not None
        with reading(town.engine) as connection:
            rows = all_scores(connection, said).values()
        yield said, {(row.period.grain, row.district, row.period.start): row for row in rows}


def test_first_published_is_what_the_publication_then_said_for_every_period(town: Town) -> None:
    told: dict[tuple[Grain, str, date], tuple[int, float | None, float | None]] = {}
    began: date | None = None
    periods: dict[tuple[Grain, str, date], date] = {}
    for said, rows in day_by_day(town):
        began = began or said.as_of
        for key, row in rows.items():
            periods[key] = row.period.end
            if row.value is not None:
                told.setdefault(key, (said.id, row.value, row.score))
    compared = 0
    for (grain, district, start), end in periods.items():
        found = firsts(town, grain, district=district)[start]
        assert began is not None
        if end <= began:
            assert found == vintages.BACKFILLED
            continue
        expected = told.get((grain, district, start), (None, None, None))
        assert (found.publication, found.value, found.score) == expected
        compared += 1
    restated = sum(len(changes(town, grain).rows) for grain in Grain)
    assert compared > 40 and restated > 10


def test_a_pinned_publication_answers_as_of_itself(town: Town) -> None:
    acts = [said for said, _rows in day_by_day(town)]
    early = acts[10]
    now, then = firsts(town, Grain.DAY), firsts(town, Grain.DAY, early.id)
    assert then and then.keys() < now.keys()
    assert all(now[day] == first for day, first in then.items() if first.publication is not None)
    assert all(row.publication <= early.id for row in changes(town, Grain.DAY, early.id).rows)


def test_what_was_filled_in_afterwards_was_never_first_published(town: Town) -> None:
    town.ingest(case("old", 3, 2, month=5), *THREE)
    town.publish(JULY)
    for grain in Grain:
        found = firsts(town, grain)
        assert found and set(found.values()) == {vintages.BACKFILLED}
    town.ingest(*THREE, case("d", 11, 9))
    town.publish(JULY)
    assert set(firsts(town, Grain.MONTH).values()) == {vintages.BACKFILLED}
    assert changes(town).rows == ()
    assert changes(town).summary.mean is None


def test_a_publication_kept_beside_the_current_one_first_publishes_nothing(town: Town) -> None:
    town.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    town.ingest(*THREE, case("e", 10, 5, month=7))
    town.publish(date(2026, 8, 1))
    older = town.publish(JULY).publication
    assert older is not None
    assert set(firsts(town, Grain.MONTH, older.id).values()) == {vintages.BACKFILLED}


def test_a_late_period_is_first_published_when_its_value_is(town: Town) -> None:
    town.ingest(case("old", 3, 2, month=5), until=datetime(2026, 6, 2, tzinfo=UTC))
    town.publish(date(2026, 6, 2))
    town.publish(JULY)
    assert firsts(town, Grain.MONTH)[JUNE] == vintages.NOT_PUBLISHED
    town.ingest(case("old", 3, 2, month=5), *THREE)
    spoke = town.publish(JULY).publication
    assert spoke is not None
    assert firsts(town, Grain.MONTH)[JUNE] == FirstPublished(1 / 3, pytest.approx(1 / 3 / 0.8), spoke.id)
    assert kinds(town) == []


def test_a_new_name_does_not_wipe_out_what_was_first_published(town: Town, city: Path) -> None:
    began_in_may(town)
    before = firsts(town, Grain.MONTH)[JUNE]
    text = (city / "metrics" / "on_time.toml").read_text()
    (city / "metrics" / "on_time.toml").unlink()
    renamed = text.replace('id = "on_time"', 'id = "in_time"\nrenamed_from = "on_time"')
    (city / "metrics" / "in_time.toml").write_text(renamed)
    town.catalogue = load(city)
    town.publish(JULY)
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        assert opened is not None
        metric = town.catalogue.metrics["in_time"]
        found = vintages.first_published(connection, opened.publication, metric, Grain.MONTH)
        assert revisions.definition_changes(connection, opened.publication, metric, Grain.MONTH) == []
    assert before.value is not None and found[JUNE] == before


# --- kinds --------------------------------------------------------------------------------------


def test_later_records_of_a_final_period_are_a_revision(town: Town) -> None:
    began_in_may(town)
    town.ingest(case("old", 3, 2, month=5), *THREE, case("d", 11, 9))
    act = town.publish(JULY).publication
    assert act is not None
    [row] = changes(town).rows
    assert (row.kind, row.publication, row.reason) == (Kind.REVISION, act.id, None)
    assert (row.period.start, row.before_value, row.value) == (JUNE, 1 / 3, 2 / 4)
    assert row.before_score == pytest.approx(1 / 3 / 0.8) and row.score == pytest.approx(0.5 / 0.8)
    assert row.published_at == act.published_at


def test_what_followed_a_value_of_a_part_of_its_days_is_an_update(town: Town) -> None:
    town.ingest(case("old", 3, 2, month=5), case("a", 10, 5), until=datetime(2026, 6, 20, tzinfo=UTC))
    town.publish(date(2026, 6, 20))
    town.publish(JULY)
    town.ingest(case("old", 3, 2, month=5), *THREE)
    town.publish(JULY)
    found = changes(town)
    assert [row.kind for row in found.rows] == [Kind.UPDATE]
    assert firsts(town, Grain.MONTH)[JUNE].is_partial
    assert (found.summary.partial, found.summary.periods, found.summary.mean) == (1, 0, None)


def test_a_reason_given_by_a_person_is_a_correction(town: Town) -> None:
    began_in_may(town)
    town.ingest(case("old", 3, 2, month=5), *THREE, case("d", 11, 9))
    town.publish(JULY, reason="the vendor had lost a truck's log")
    [row] = changes(town).rows
    assert (row.kind, row.reason) == (Kind.CORRECTION, "the vendor had lost a truck's log")


def test_another_target_for_the_past_is_a_correction(town: Town, city: Path) -> None:
    began_in_may(town)
    rewrite(town, city, "value = 0.8", "value = 0.5")
    town.publish(JULY, reason="the council had voted for half")
    [row] = changes(town).rows
    assert (row.kind, row.before_value, row.value) == (Kind.CORRECTION, 1 / 3, 1 / 3)
    assert row.score == pytest.approx(1 / 3 / 0.5)
    assert redefined(town) == []


def test_another_definition_is_a_definition_and_its_year_is_scored_both_ways(town: Town, city: Path) -> None:
    began_in_may(town)
    rewrite(town, city, "closed <= due", "closed is not null")
    act = town.publish(JULY, reason="the charter counts what was closed at all").publication
    assert act is not None
    [row] = changes(town).rows
    assert (row.kind, row.reason) == (Kind.DEFINITION, "the charter counts what was closed at all")
    [change] = redefined(town)
    assert (change.publication, change.as_of, change.reason) == (act.id, JULY, row.reason)
    old_and_new = {one.period.start: (one.old_value, one.new_value) for one in change.periods}
    assert old_and_new == {date(2026, 5, 1): (1.0, 1.0), JUNE: (1 / 3, 2 / 3)}
    assert change.periods[-1].old_score == pytest.approx(1 / 3 / 0.8)
    town.ingest(case("old", 3, 2, month=5), *THREE, case("d", 11, 9))
    town.publish(JULY)
    assert redefined(town)[0].periods[-1].new_value == 3 / 4
    assert kinds(town) == [Kind.DEFINITION, Kind.REVISION]


def test_of_two_changes_each_is_shown_by_its_own_definitions(town: Town, city: Path) -> None:
    began_in_may(town)
    rewrite(town, city, "closed <= due", "closed is not null")
    town.publish(JULY, reason="once")
    rewrite(town, city, "closed is not null", "closed is null")
    town.publish(JULY, reason="twice")
    second, first = redefined(town)
    assert (first.reason, second.reason) == ("once", "twice")
    june = [(one.periods[-1].old_value, one.periods[-1].new_value) for one in (first, second)]
    assert june == [(1 / 3, 2 / 3), (2 / 3, 1 / 3)]


def test_only_the_twelve_months_before_a_change_are_scored_both_ways(town: Town, city: Path) -> None:
    early = datetime(2025, 3, 10, 16, tzinfo=UTC)
    town.ingest({"case_id": "old", "opened": early, "due": early, "closed": early}, *THREE)
    town.publish(JULY)
    rewrite(town, city, "closed <= due", "closed is not null")
    town.publish(JULY, reason="another count")
    [change] = redefined(town)
    assert [change.periods[0].period.start, change.periods[-1].period.start] == [date(2025, 7, 1), JUNE]


def test_the_definition_of_another_metric_does_not_explain_this_one(town: Town, city: Path) -> None:
    path = city / "metrics" / "on_time.toml"
    second = path.read_text().replace('id = "on_time"', 'id = "second"')
    (city / "metrics" / "second.toml").write_text(second)
    town.catalogue = load(city)
    began_in_may(town)
    rewrite(town, city, "closed <= due", "closed is not null", "metrics/second.toml")
    town.ingest(case("old", 3, 2, month=5), *THREE, case("d", 11, 9))
    town.publish(JULY, reason="the second counts what was closed at all")
    [row] = changes(town).rows
    assert (row.kind, row.reason) == (Kind.REVISION, None)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("metrics/on_time.toml", "Invented.", "Invented, all of it."),
        ("metrics/on_time.toml", "weight = 1.0", "weight = 2.0"),
        ("sources/cases.toml", 'name = "Cases"', 'name = "All cases"'),
    ],
)
def test_a_mended_word_or_a_weight_is_no_definition(
    town: Town, city: Path, file: str, old: str, new: str
) -> None:
    began_in_may(town)
    rewrite(town, city, old, new, file)
    town.ingest(case("old", 3, 2, month=5), *THREE, case("d", 11, 9))
    town.publish(JULY, reason=None if "weight" not in old else "it matters more")
    assert kinds(town) == [Kind.REVISION]
    assert redefined(town) == []


def test_a_period_that_lost_all_its_cases_is_revised_to_nothing(town: Town) -> None:
    began_in_may(town)
    source = town.catalogue.sources["cases"]
    with writing(town.engine, town.clock) as held:
        records.withdraw(held, source, ["a", "b", "c"], 1)
    town.publish(JULY)
    assert town.month().value is None
    assert kinds(town) == [Kind.REVISION]


def test_a_tombstone_says_withdrawn(town: Town) -> None:
    began_in_may(town)
    source = town.catalogue.sources["cases"]
    with writing(town.engine, town.clock) as held:
        records.withdraw(held, source, ["c"], 1)
    town.publish(JULY)
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        assert opened is not None
        found = revisions.revisions(
            connection, opened.publication, metric_of(town), Grain.MONTH, district="unknown"
        )
    [row] = found.rows
    assert (row.kind, row.before_value, row.value) == (Kind.WITHDRAWN, 0.0, None)
    assert found.summary.counts[Kind.WITHDRAWN] == 1


# --- summaries ----------------------------------------------------------------------------------


def test_the_summary_is_the_mean_and_spread_of_now_less_first(town: Town) -> None:
    for _said, _rows in day_by_day(town):
        pass
    found = changes(town, Grain.DAY)
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        assert opened is not None
        now = publications.series(connection, opened.publication, "on_time", Grain.DAY)
    first = firsts(town, Grain.DAY)
    moved = [
        one.value - known.value
        for one in now
        if (known := first[one.period.start]).value is not None and one.value is not None
    ]
    mean = math.fsum(moved) / len(moved)
    sd = math.sqrt(math.fsum((one - mean) ** 2 for one in moved) / (len(moved) - 1))
    assert len(moved) > 20 and any(moved)
    assert (found.summary.periods, found.summary.mean) == (len(moved), pytest.approx(mean, abs=1e-15))
    assert found.summary.sd == pytest.approx(sd)
    assert sum(found.summary.counts.values()) == len(found.rows)
