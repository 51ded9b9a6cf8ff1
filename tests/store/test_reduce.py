"""The sum of a day is the same in whichever order its records came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from metrics.catalogue import load
from store import schema
from store.engine import open_engine, reading
from tests.town import SOURCE, Town, case, metric_file, write_city

HOW = (
    'aggregation = "ratio"\nnumerator = "grams"\ndenominator = "litres"\ndate = "opened"\n'
    'direction = "neutral"\nunit = "percent"'
)
GRAMS = (1e16, 1.0, -1e16, 0.1, 0.2, 0.3)
"""Added from left to right these are 0.6; a little otherwise, 1.6."""


@pytest.fixture
def dosed_town(any_engine_url, tmp_path):
    folder = write_city(tmp_path / "test")
    amounts = '[columns.grams]\ntype = "number"\n[columns.litres]\ntype = "number"\n'
    (folder / "sources/cases.toml").write_text(SOURCE + amounts)
    (folder / "metrics/dose.toml").write_text(metric_file("dose", HOW, None, family="condition"))
    engine = open_engine(any_engine_url)
    yield Town(engine, load(folder))
    engine.dispose()


def test_the_amounts_of_a_day_are_added_exactly(dosed_town):
    opened = datetime(2026, 6, 3, 16, tzinfo=UTC)
    rows = [
        case(f"c{number}", 5, 5, opened=opened + timedelta(minutes=number), grams=grams, litres=0.1)
        for number, grams in enumerate(GRAMS)
    ]
    dosed_town.ingest(*rows)
    dosed_town.publish()
    with reading(dosed_town.engine) as connection:
        table = schema.observations
        found = connection.execute(
            select(table.c.numerator, table.c.denominator).where(
                table.c.metric == "dose", table.c.day == "2026-06-03"
            )
        ).all()
    # math.fsum of the same amounts: no order of adding shows in them.
    assert [tuple(row) for row in found] == [(1.6, 0.6000000000000001)]
