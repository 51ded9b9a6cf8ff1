"""What whoever looks after sources reads of the ledger: how they came along, their runs, what was unusual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from store import quarantine, requests, run_profiles, runs, source_ledger, source_requests
from store.audit_log import BY_HAND
from store.engine import reading, writing
from store.quarantine import QuarantinedRow
from store.source_requests import BACKFILL, RUN

BEGAN = datetime(2026, 11, 1, 9, tzinfo=UTC)


def load(engine, source, at, **counts):
    number = runs.start(engine, lambda: at, source, "schedule")
    with writing(engine, lambda: at) as write:
        runs.finish(write, number, known_until=at - timedelta(hours=1), **counts)
    return number


def test_a_source_is_told_from_the_last_good_run_before_the_time_asked_for(engine):
    load(engine, "cases", BEGAN)
    before = load(engine, "cases", BEGAN + timedelta(days=1))
    failed = runs.start(engine, lambda: BEGAN + timedelta(days=2), "cases", "schedule")
    runs.fail(engine, lambda: BEGAN + timedelta(days=2), failed, "No answer.")
    last = load(engine, "cases", BEGAN + timedelta(days=3), new=2)
    runs.start(engine, lambda: BEGAN + timedelta(days=4), "library", "schedule")
    with reading(engine) as connection:
        found = source_ledger.courses(connection, BEGAN + timedelta(days=2, hours=-1))
        pages = [source_ledger.page(connection, "cases", 2, number) for number in (None, failed)]
    cases, library = found["cases"], found["library"]
    assert cases.first == BEGAN and [one.is_good for one in cases.ended] == [True, False, True]
    assert cases.ended[0].known_until == BEGAN + timedelta(hours=23) and cases.ended[1].known_until is None
    assert library.ended == (), "what is under way has told nothing yet"
    assert [[one.id for one in page] for page in pages] == [[last, failed], [before, before - 1]]


def test_what_was_unusual_is_given_by_run(engine, clock):
    number = load(engine, "cases", clock())
    with writing(engine, clock) as write:
        run_profiles.keep(write, number, "cases", "schedule", clock(), {}, ["9 rows were read"])
    with reading(engine) as connection:
        assert source_ledger.unusual(connection, [number, number + 1]) == {number: ["9 rows were read"]}
        assert source_ledger.is_worked(connection, clock()) is False


def test_the_rows_of_one_reason_and_their_commonest_cells_are_given(engine, clock):
    number = load(engine, "cases", clock())
    cells = ["soon", "later", "later", None]
    rows = [QuarantinedRow(n, str(n), "opened", cell, "is no day", {}) for n, cell in enumerate(cells)]
    rows.append(QuarantinedRow(9, "9", None, None, "has 2 cells", {}, rule="has more or fewer cells"))
    with writing(engine, clock) as write:
        quarantine.quarantine_rows(write, number, "cases", rows)
    with reading(engine) as connection:
        days, ragged = quarantine.reasons(connection, ["cases"])
        assert quarantine.values_of(connection, days, 5) == ["later", "soon"]
        assert quarantine.values_of(connection, ragged, 5) == []
        assert [one.line for one in quarantine.quarantined(connection, "cases", of=ragged)] == [9]
        assert [one.line for one in quarantine.quarantined(connection, "cases", 2, of=days)] == [0, 1]


def test_requests_are_found_by_their_source_and_what_went_on_is_no_loss(engine, clock):
    with writing(engine, clock) as write:
        first = source_requests.ask(write, BY_HAND, BACKFILL, "cases")
        source_requests.ask(write, BY_HAND, RUN, "cases_old")
    requests.claim(engine, clock, besides=(RUN,))
    with writing(engine, clock) as write:
        requests.release(write)
    requests.claim(engine, clock, besides=(RUN,))
    requests.put_back(engine, clock, first, so_far={"done": 1})
    with reading(engine) as connection:
        [found] = source_requests.of_source(connection, "cases")
        assert [one.kind for one in requests.unfinished(connection, (RUN, BACKFILL))] == [BACKFILL, RUN]
    assert (found.id, found.losses, found.progress, found.claimed_at) == (first, 0, {"done": 1}, None)
