"""Proposed targets: tried first, proposed by an owner, decided once by somebody else."""

from __future__ import annotations

from datetime import date

import pytest

from metrics.model import Target
from store import audit_log, proposals, requests, target_requests, targets
from store.engine import StoreError, reading, writing
from store.people import Role
from store.proposals import State
from store.targets import Kind, Proposal
from tests.people import add_person
from tests.town import Town, case

JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)
ASKED = Proposal("on_time", Target(0.9, AUGUST, "A second crew", "Omar"))


@pytest.fixture
def june(town: Town) -> Town:
    town.ingest(case("a", 10, 5), case("b", 10, 20), case("c", 12, None, area="nowhere"))
    town.publish(JULY)
    return town


@pytest.fixture
def owner(june):
    return add_person(june.engine, Role.OWNER, "works", clock=june.clock)


@pytest.fixture
def approver(june):
    return add_person(june.engine, Role.APPROVER, clock=june.clock)


def tried(town: Town, person, asked: Proposal = ASKED) -> int:
    """The number of a request that the worker has answered."""
    with writing(town.engine, town.clock) as write:
        number = target_requests.ask(write, person.actor, town.catalogue, asked)
    found = requests.claim(town.engine, town.clock)
    assert found is not None and found.id == number
    result = target_requests.answer(town.engine, town.catalogue, found.arguments)
    requests.finish(town.engine, town.clock, number, result)
    return number


def proposed(town: Town, person, request: int | None = None) -> int:
    wanted = tried(town, person) if request is None else request
    with writing(town.engine, town.clock) as write:
        return proposals.propose(write, person, town.catalogue, wanted, "on_time")


def found(town: Town, number: int) -> proposals.Proposed:
    with reading(town.engine) as connection:
        one = proposals.get(connection, number)
    assert one is not None
    return one


def log(town: Town) -> list[str]:
    with reading(town.engine) as connection:
        return [one.act for one in audit_log.entries(connection, subject="metric on_time")][::-1]


def test_a_target_is_tried_proposed_and_approved_and_then_in_force(june, owner, approver):
    number = proposed(june, owner)
    one = found(june, number)
    assert (one.state, one.author_name, one.asked.change.value) == (State.OPEN, owner.name, 0.9)
    [month] = [trial for trial in one.preview["trials"] if trial["grain"] == "month"]
    assert (month["periods"], month["met"]) == (1, 0) and 0 <= month["likely"][0] < month["likely"][1] <= 1
    assert one.preview["effect"] is None
    with writing(june.engine, june.clock) as write:
        proposals.approve(write, approver, june.catalogue, number)
    with reading(june.engine) as connection:
        [target] = targets.merged(connection, june.catalogue).metrics["on_time"].targets[-1:]
        assert proposals.waiting(connection) == []
    assert (target.value, target.valid_from, target.approved_by) == (0.9, AUGUST, approver.name)
    assert found(june, number).state is State.APPROVED and found(june, number).decided_by == approver.name
    assert log(june) == ["target tried", "target proposed", "target approved"]


def test_a_correction_says_what_it_would_change_of_what_is_published(june, owner):
    past = Proposal("on_time", Target(0.2, date(2026, 6, 1), "Entered late", "Omar"), Kind.CORRECTION)
    june.now = june.now.replace(month=8)
    june.publish(AUGUST)
    number = tried(june, owner, past)
    with reading(june.engine) as connection:
        request = requests.get(connection, number)
    assert request is not None and request.result is not None
    assert request.result["effect"]["scores"] > 0 and request.result["outcome"] == "previewed"


def test_only_what_was_tried_and_answered_is_proposed(june, owner):
    with writing(june.engine, june.clock) as write:
        waiting = target_requests.ask(write, owner.actor, june.catalogue, ASKED)
    for number in (waiting, waiting + 1):
        with pytest.raises(StoreError, match="Try the target first"):
            proposed(june, owner, number)
    requests.claim(june.engine, june.clock)
    refused = {"outcome": "refused", "sentence": "It cannot be."}
    requests.finish(june.engine, june.clock, waiting, refused)
    with pytest.raises(StoreError, match="Try the target first"):
        proposed(june, owner, waiting)


def test_what_cannot_be_in_force_is_refused_before_anybody_waits(june, owner):
    ahead = Proposal("on_time", ASKED.change, Kind.CORRECTION)
    with pytest.raises(StoreError, match="no final"), writing(june.engine, june.clock) as write:
        target_requests.ask(write, owner.actor, june.catalogue, ahead)
    with reading(june.engine) as connection:
        assert requests.unfinished(connection, (target_requests.PREVIEW,)) == []


def test_one_target_of_a_metric_and_day_waits_at_a_time(june, owner):
    first = proposed(june, owner)
    with pytest.raises(StoreError, match="proposed already"):
        proposed(june, owner)
    with writing(june.engine, june.clock) as write:
        proposals.withdraw(write, owner, first)
    assert found(june, first).state is State.WITHDRAWN and proposed(june, owner) > first


def test_a_proposal_is_decided_once_and_not_by_its_author_where_another_may(june, owner, approver):
    admin = add_person(june.engine, Role.ADMIN, clock=june.clock)
    number = proposed(june, admin)
    with pytest.raises(StoreError, match="Somebody else"), writing(june.engine, june.clock) as write:
        proposals.approve(write, admin, june.catalogue, number)
    with pytest.raises(StoreError, match="Only who proposed"), writing(june.engine, june.clock) as write:
        proposals.withdraw(write, owner, number)
    with writing(june.engine, june.clock) as write:
        proposals.refuse(write, approver, number, "Too early.")
    assert (found(june, number).state, found(june, number).why) == (State.REFUSED, "Too early.")
    for decide in (
        lambda write: proposals.approve(write, approver, june.catalogue, number),
        lambda write: proposals.refuse(write, approver, number, "Again."),
        lambda write: proposals.withdraw(write, admin, number),
    ):
        with pytest.raises(StoreError, match="decided already"), writing(june.engine, june.clock) as write:
            decide(write)


def test_the_only_approver_may_decide_what_they_proposed(june):
    alone = add_person(june.engine, Role.ADMIN, clock=june.clock)
    number = proposed(june, alone)
    with writing(june.engine, june.clock) as write:
        proposals.approve(write, alone, june.catalogue, number)
    assert found(june, number).state is State.APPROVED
