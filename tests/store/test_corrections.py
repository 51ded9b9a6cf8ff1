"""A record flagged as wrong: what it changes, for how long, who decides, and that history is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from metrics.catalogue import load
from metrics.model import Grain
from store import audit_log, corrections, erasures, publications, requests, revisions
from store.case_versions import versions
from store.corrections import Correction, State
from store.engine import StoreError, open_engine, reading, writing
from store.people import Person, Role
from store.revisions import Kind
from tests.people import add_person
from tests.town import Town, case, write_city

AS_OF = date(2026, 7, 1)
WRONG, RIGHT = case("a", 10, 20), case("a", 10, 9)
OTHERS = [case(f"o{number}", 12, 11) for number in range(9)]
CELLS = {"closed": "2026-06-09T16:00:00.000000Z", "closed_day": "2026-06-09"}
NOTE = "The crew wrote down the wrong day"


@dataclass(frozen=True)
class Desk:
    """A town, somebody who flags and somebody who decides."""

    town: Town
    editor: Person
    owner: Person

    def flag(self, *, whole: bool = False, key: str = "a", by: Person | None = None) -> int:
        column, cells = (None, None) if whole else ("closed", CELLS)
        source = self.town.catalogue.sources["cases"]
        with writing(self.town.engine, self.town.clock) as write:
            return corrections.flag(write, by or self.editor, source, "on_time", key, column, cells, NOTE)

    def accept(self, number: int, by: Person | None = None) -> None:
        with writing(self.town.engine, self.town.clock) as write:
            corrections.accept(write, by or self.owner, number, "works")

    def apply(self, number: int) -> Correction:
        with writing(self.town.engine, self.town.clock) as write:
            return corrections.apply(write, self.town.catalogue.sources["cases"], number)

    def correct(self, *, whole: bool = False) -> int:
        number = self.flag(whole=whole)
        self.accept(number)
        self.apply(number)
        return number

    def state(self, number: int) -> tuple[State, str | None]:
        with reading(self.town.engine) as connection:
            found = corrections.get(connection, number)
        assert found is not None
        return found.state, found.why

    def counted(self) -> tuple[float | None, float | None]:
        self.town.publish(AS_OF)
        score = self.town.month()
        return score.numerator, score.denominator


@pytest.fixture
def desk(any_engine_url: str, tmp_path: Path) -> Iterator[Desk]:
    """Nine cases were closed in time; a tenth was too, and is written down as late."""
    engine = open_engine(any_engine_url)
    town = Town(engine, load(write_city(tmp_path / "test")))
    town.ingest(WRONG, *OTHERS)
    # June is then a month that was published when it ended, and no backfill.
    town.publish(date(2026, 6, 5))
    town.publish(AS_OF)
    people = [add_person(engine, role, "works", clock=town.clock) for role in (Role.EDITOR, Role.OWNER)]
    yield Desk(town, *people)
    engine.dispose()


def test_a_correction_holds_while_the_source_repeats_itself_and_no_longer(desk):
    assert desk.counted() == (9, 10)
    number = desk.correct()
    assert desk.counted() == (10, 10)
    desk.town.ingest(WRONG, *OTHERS)
    assert desk.counted() == (10, 10)
    assert desk.state(number) == (State.ACCEPTED, None)
    desk.town.ingest(RIGHT, *OTHERS)
    assert desk.counted() == (10, 10)
    assert desk.state(number) == (State.LAPSED, corrections.MENDED)
    # It has had its say: what comes now counts, even what was wrong once.
    desk.town.ingest(WRONG)
    assert desk.counted() == (9, 10)


def test_something_new_of_the_source_wins(desk):
    number = desk.correct()
    desk.town.ingest(case("a", 10, 25), *OTHERS)
    assert desk.counted() == (9, 10)
    assert desk.state(number) == (State.LAPSED, corrections.NEWER)


def test_a_record_that_does_not_belong_stays_out_until_the_source_says_something_new(desk):
    number = desk.correct(whole=True)
    assert desk.counted() == (9, 9)
    desk.town.ingest(WRONG, *OTHERS)
    assert desk.counted() == (9, 9)
    assert desk.state(number) == (State.ACCEPTED, None)
    desk.town.ingest(RIGHT)
    assert desk.counted() == (10, 10)
    assert desk.state(number) == (State.LAPSED, corrections.NEWER)


def test_a_final_score_is_restated_as_a_correction_with_authors_and_reason(desk):
    town = desk.town
    desk.correct()
    report = town.publish(AS_OF)
    assert report.restated > 0
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        metric = town.catalogue.metrics["on_time"]
        found = revisions.revisions(connection, now.publication, metric, Grain.MONTH).rows
    assert [(one.kind, one.before_value, one.value) for one in found] == [(Kind.CORRECTION, 0.9, 1.0)]
    said = f"1 record corrected: {NOTE} ({desk.editor.name} and {desk.owner.name})"
    assert found[0].reason == now.publication.reason == said
    assert town.verified() == []
    # What changes later by later records is a revision again.
    town.ingest(case("o1", 12, 20))
    town.publish(AS_OF)
    with reading(town.engine) as connection:
        later = publications.current(connection)
    assert later is not None and later.publication.reason == "revision"


def test_every_version_of_the_record_is_kept(desk):
    desk.correct()
    desk.town.ingest(RIGHT)
    metric = desk.town.catalogue.metrics["on_time"]
    with reading(desk.town.engine) as connection:
        found = versions(connection, desk.town.catalogue, metric, "a", AS_OF)
    assert [one.fields["closed"] for one in found] == [CELLS["closed"], "2026-06-20T16:00:00.000000Z"]


def test_what_is_killed_between_accepting_and_publishing_is_done_by_the_next(desk):
    number = desk.flag()
    desk.accept(number)
    with pytest.raises(KeyboardInterrupt), writing(desk.town.engine, desk.town.clock) as write:
        corrections.apply(write, desk.town.catalogue.sources["cases"], number)
        raise KeyboardInterrupt
    assert desk.counted() == (9, 10)
    desk.apply(number)
    # Killed again: the record is right, and nobody has published it. The same request comes once more.
    first = desk.apply(number).applied_at
    assert desk.counted() == (10, 10)
    assert desk.apply(number).applied_at == first
    assert desk.town.publish(AS_OF).publication is None


def test_accepting_asks_the_worker(desk):
    number = desk.flag()
    desk.accept(number)
    asked = requests.claim(desk.town.engine, desk.town.clock)
    assert asked is not None
    assert (asked.kind, asked.arguments) == (corrections.KIND, {"correction": number, "source": "cases"})


def test_what_changes_before_it_is_done_is_not_overwritten(desk):
    number = desk.flag()
    desk.accept(number)
    desk.town.ingest(case("a", 10, 25))
    assert desk.apply(number).state is State.LAPSED
    assert desk.counted() == (9, 10)


def test_somebody_else_decides_where_there_is_somebody_else(desk):
    number = desk.flag(by=desk.owner)
    add_person(desk.town.engine, Role.ADMIN, clock=desk.town.clock)
    with pytest.raises(StoreError, match="Somebody else must decide"):
        desk.accept(number, by=desk.owner)


def test_the_only_one_who_may_decide_does(desk):
    number = desk.flag(by=desk.owner)
    desk.accept(number, by=desk.owner)
    assert desk.state(number) == (State.ACCEPTED, None)


def test_what_is_refused_or_taken_back_changes_nothing_and_says_why(desk):
    first = desk.flag()
    with pytest.raises(StoreError, match="flagged already"):
        desk.flag()
    with writing(desk.town.engine, desk.town.clock) as write:
        corrections.refuse(write, desk.owner, first, "works", "The photograph says the 20th")
    second = desk.flag()
    with (
        pytest.raises(StoreError, match="Only who flagged it"),
        writing(desk.town.engine, desk.town.clock) as write,
    ):
        corrections.withdraw(write, desk.owner, second)
    with writing(desk.town.engine, desk.town.clock) as write:
        corrections.withdraw(write, desk.editor, second)
    assert desk.state(first) == (State.REFUSED, "The photograph says the 20th")
    assert desk.state(second) == (State.WITHDRAWN, None)
    with pytest.raises(StoreError, match="decided already"):
        desk.accept(first)
    assert desk.counted() == (9, 10)


def test_an_erased_record_takes_its_corrections_along_and_the_log_names_none(desk):
    number = desk.correct()
    source = desk.town.catalogue.sources["cases"]
    with writing(desk.town.engine, desk.town.clock) as write:
        erasures.erase(write, source, "a", "a test", "asked for", ["on_time"])
    with reading(desk.town.engine) as connection:
        assert corrections.get(connection, number) is None
        said = [str(one) for one in audit_log.entries(connection, most=50)]
    assert any("record flagged" in one for one in said)
    assert not any(NOTE in one or CELLS["closed"] in one for one in said)
