"""What people write about metrics, on both engines: notes, marks, actions, problems, first publications."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from metrics.model import Grain
from store import actions, attempts, audit_log, notes, problems, releases
from store.audit_log import BY_HAND
from store.engine import StoreError, reading, writing
from store.notes import MarkKind, NoteKind
from store.people import Role, add, grant, rename
from store.problems import About
from store.releases import Step
from tests.bare_store import bare_engine, clock, engine, home

__all__ = ["bare_engine", "clock", "engine", "home"]

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MONDAY = date(2026, 11, 16)


@pytest.fixture
def ada(engine, clock):
    with writing(engine, clock) as write:
        made = add(write, BY_HAND, "Ada", "ada@city.example")
        return grant(write, BY_HAND, made.id, Role.OWNER, "works")


def state(engine):
    with reading(engine) as connection:
        return connection.exec_driver_sql("SELECT state FROM house").scalar_one()


def log(engine, metric="potholes"):
    with reading(engine) as connection:
        return [one.act for one in audit_log.entries(connection, subject=f"metric {metric}")][::-1]


def test_notes_stand_until_they_are_taken_back_and_are_shown_as_of_an_instant(engine, ada, clock):
    with writing(engine, clock) as write:
        for start, public in ((MONDAY - WEEK, True), (MONDAY, False)):
            notes.add(
                write, ada, "potholes", Grain.WEEK, start, NoteKind.REPLY, f"of {start}", is_public=public
            )
    with reading(engine) as connection:
        both = notes.of_metrics(connection, ["potholes", "other"])
        assert [one.start for one in both] == [MONDAY, MONDAY - WEEK]
        [public] = notes.of_metrics(connection, ["potholes"], public_only=True)
        assert (public.words, public.writer_name, public.kind) == (
            f"of {MONDAY - WEEK}",
            "Ada",
            NoteKind.REPLY,
        )
        before = both[0].written_at - timedelta(seconds=1)
        assert notes.of_metrics(connection, ["potholes"], until=before) == []
    known = state(engine)
    with writing(engine, clock) as write:
        assert notes.withdraw(write, ada, public.id, "Another street.") == "potholes"
        with pytest.raises(StoreError, match="not there"):
            notes.withdraw(write, ada, public.id, "Again.")
    with reading(engine) as connection:
        assert notes.of_metrics(connection, ["potholes"], public_only=True) == []
        assert notes.metric_of_note(connection, public.id) == "potholes"
        assert notes.metric_of_note(connection, 99) is None
    assert state(engine) == known + 1 and log(engine) == ["note added", "note added", "note withdrawn"]


def test_marks_are_in_the_order_of_their_days(engine, ada, clock):
    with writing(engine, clock) as write:
        for day, public in ((MONDAY, False), (MONDAY - DAY, True)):
            notes.add_mark(write, ada, "potholes", day, MarkKind.EVENT, "Snow", is_public=public)
    with reading(engine) as connection:
        found = notes.marks_of(connection, "potholes")
        assert [one.day for one in found] == [MONDAY - DAY, MONDAY]
        assert [one.day for one in notes.marks_of(connection, "potholes", public_only=True)] == [MONDAY - DAY]
    with writing(engine, clock) as write:
        assert notes.withdraw_mark(write, ada, found[0].id, "It did not snow.") == "potholes"
    with reading(engine) as connection:
        assert [one.id for one in notes.marks_of(connection, "potholes")] == [found[1].id]
    assert log(engine)[-1] == "mark withdrawn"


def begin(write, person, words, due, *, is_public=False):
    return actions.begin(
        write, person, "potholes", words, owner=person.id, due=due, promise=f"{words}!", is_public=is_public
    )


def test_what_is_overdue_comes_first_and_every_turn_of_an_action_is_kept(engine, ada, clock):
    with writing(engine, clock) as write:
        later, first = begin(write, ada, "later", MONDAY + WEEK), begin(write, ada, "first", MONDAY - DAY)
        ended = begin(write, ada, "ended", MONDAY - WEEK, is_public=True)
    before = state(engine)
    with writing(engine, clock) as write:
        gone = actions.turn(
            write, ada, ended, actions.State.DROPPED, owner=ada.id, due=MONDAY, words="No money."
        )
        put_off = actions.turn(
            write, ada, first, actions.State.OPEN, owner=ada.id, due=MONDAY, words="Next week."
        )
        rename(write, BY_HAND, ada.id, "Ada Lovelace")
    assert (gone.is_open, gone.promise.words, gone.now.words) == (False, "ended!", "No money.")
    assert [turn.due for turn in put_off.turns] == [MONDAY - DAY, MONDAY]
    assert put_off.is_overdue(MONDAY + DAY) and not put_off.is_overdue(MONDAY)
    assert state(engine) == before + 1
    with reading(engine) as connection:
        found = actions.of_metrics(connection, ["potholes"])
        assert [one.id for one in found] == [first, later, ended]
        assert {one.now.owner_name for one in found} == {"Ada Lovelace"}
        assert [one.id for one in actions.of_metrics(connection, ["potholes"], public_only=True)] == [ended]
        then = found[2].opened_at
        assert [one.is_open for one in actions.of_metrics(connection, ["potholes"], until=then)][-1]
        assert actions.metric_of(connection, ended) == "potholes" and actions.get(connection, 99) is None
        assert [one.id for one in actions.owners(connection, "works")] == [ada.id]
        assert actions.owners(connection, "parks") == []
    assert log(engine).count("action begun") == 3 and "action dropped" in log(engine)


def test_a_problem_is_new_until_it_is_answered_and_the_public_tells_nothing_of_itself(engine, ada, clock):
    with writing(engine, clock) as write:
        asked = problems.report(write, About("potholes"), "Too good.", None, "198.51.100.7")
        problems.report(write, About("potholes", "week"), "Odd.", ada)
    with reading(engine) as connection:
        odd, good = problems.of_metrics(connection, ["potholes"])
        assert (odd.writer_name, good.writer_name, good.state) == ("Ada", "", problems.State.NEW)
        rows = connection.exec_driver_sql("SELECT * FROM problems").all()
        entries = audit_log.entries(connection, subject="metric potholes")
    assert "198.51.100.7" not in f"{rows} {entries}"
    before = state(engine)
    with writing(engine, clock) as write:
        answered = problems.answer(
            write, ada, asked, problems.State.ANSWERED, "Counted twice.", is_public=True
        )
    assert (answered.answer, answered.is_public, answered.answered_by) == ("Counted twice.", True, "Ada")
    assert state(engine) == before + 1
    with reading(engine) as connection:
        assert [one.id for one in problems.of_metrics(connection, ["potholes"])] == [odd.id, asked]


def test_one_address_may_report_a_few_problems_and_no_more(engine, ada, clock):
    with writing(engine, clock) as write:
        for _number in range(attempts.REPORTS_OF_AN_ADDRESS):
            assert problems.report(write, About("potholes"), "Odd.", None, "2001:db8::1") is not None
        assert problems.report(write, About("potholes"), "Odd.", None, "2001:db8::2") is None
        assert problems.report(write, About("potholes"), "Odd.", None, "198.51.100.7") is not None
        assert problems.report(write, About("potholes"), "Odd.", ada) is not None
    with reading(engine) as connection:
        assert len(problems.of_metrics(connection, ["potholes"])) == attempts.REPORTS_OF_AN_ADDRESS + 2


def test_a_first_publication_is_seen_then_approved_and_a_refusal_has_a_reason(engine, ada, clock):
    before = state(engine)
    with writing(engine, clock) as write:
        with pytest.raises(StoreError, match="owner has to look"):
            releases.take(write, ada, "potholes", Step.APPROVED, "")
        releases.take(write, ada, "potholes", Step.SEEN, "Holes of winter.")
        with pytest.raises(StoreError, match="Say why"):
            releases.take(write, ada, "potholes", Step.REFUSED, "")
        releases.take(write, ada, "potholes", Step.REFUSED, "The source is not complete.")
        with pytest.raises(StoreError, match="owner has to look"):
            releases.take(write, ada, "potholes", Step.APPROVED, "")
    with reading(engine) as connection:
        assert releases.approved(connection) == frozenset()
        said = releases.steps(connection, "potholes")
        assert releases.steps(connection, "trees") == ()
    assert [one.step for one in said] == [Step.SEEN, Step.REFUSED]
    assert state(engine) == before
    with writing(engine, clock) as write:
        releases.take(write, ada, "potholes", Step.SEEN, "")
        releases.take(write, ada, "potholes", Step.APPROVED, "")
        with pytest.raises(StoreError, match="approved already"):
            releases.take(write, ada, "potholes", Step.SEEN, "")
    with reading(engine) as connection:
        assert releases.approved(connection) == {"potholes"}
    assert state(engine) == before + 1 and log(engine)[-1] == "first publication approved"
