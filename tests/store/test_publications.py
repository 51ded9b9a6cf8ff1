"""Reading a publication costs the same however many were made before it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, insert, select

from metrics.model import Grain
from store import publications, schema
from store.engine import Engine, reading, writing
from store.publication_rows import Key
from store.withheld import NOTHING
from tests.town import Town, all_composites, all_scores, case

EMPTY = 400
"""So many publications that changed no score: a year of quiet nights."""


def steps(engine: Engine) -> int:
    """How many hundreds of steps SQLite takes to read all of the current publication."""
    with reading(engine) as connection:
        raw = connection.connection.driver_connection
        count = [0]

        def tick() -> int:
            count[0] += 1
            return 0

        now = publications.current(connection)
        assert now is not None
        raw.set_progress_handler(tick, 100)
        publications.score_rows(connection, now.publication)
        publications.composite_rows(connection, now.publication)
        raw.set_progress_handler(None, 0)
    return count[0]


def add_quiet_nights(town: Town) -> None:
    """Publications that say what the newest says."""
    with writing(town.engine, town.clock) as write:
        table = schema.publications
        newest = write.connection.execute(select(func.max(table.c.id))).scalar_one()
        row = write.connection.execute(select(table).where(table.c.id == newest)).one()._asdict()
        rows = [{**row, "id": newest + number} for number in range(1, EMPTY + 1)]
        write.connection.execute(insert(table), rows)


def said(town: Town) -> dict[Key, object]:
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None
        return {**all_scores(connection, now.publication), **all_composites(connection, now.publication)}


def test_a_year_of_quiet_nights_makes_no_reading_slower(town):
    if town.engine.dialect.name != "sqlite":
        pytest.skip("steps are counted by SQLite; the statement is the same")
    town.ingest(*(case(f"c{day}", day, day) for day in range(2, 28)))
    town.publish()
    before, told = steps(town.engine), said(town)
    add_quiet_nights(town)
    assert said(town) == told
    assert steps(town.engine) < 1.5 * before


def test_a_publication_beside_the_current_one_is_no_part_of_what_is_read(town):
    town.ingest(*(case(f"c{day}", day, day) for day in range(2, 20)))
    first = town.publish().publication
    town.ingest(case("c2", 2, None))
    # It is made for an earlier date, so that it never becomes current.
    beside = town.publish(as_of=date(2026, 6, 20)).publication
    assert (first.is_current, beside.is_current) == (True, False)
    with reading(town.engine) as connection:
        now = publications.current(connection)
        assert now is not None and now.publication.id == first.id
        rows = publications.series(connection, now.publication, "on_time", Grain.MONTH, hidden=NOTHING)
        other = publications.series(connection, beside, "on_time", Grain.MONTH, hidden=NOTHING)
    assert [row.numerator for row in rows] == [18.0]
    assert [row.numerator for row in other] != [18.0]
