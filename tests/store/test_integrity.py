"""What speaks for a number being worked on: pairs are judged by the charts that everybody is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from metrics.catalogue import load
from metrics.model import Grain
from store import publications, rebases
from store.engine import reading
from store.integrity import Pair, integrity
from store.rebases import Rebase
from store.withheld import Audience
from tests.town import METRIC, Town

FIRST = datetime(2025, 5, 1, 16, tzinfo=UTC)
BETTER = date(2026, 4, 1)
DAYS = 425


def cases():
    """Four cases a day: in one of two closed in time, and in three of four from BETTER on."""
    for day in range(DAYS):
        noon = FIRST + timedelta(days=day)
        good = 2 + (noon.date() >= BETTER) + (day % 3 == 0) - (day % 3 == 1)
        for number in range(4):
            closed = noon if number < good else noon + timedelta(days=2)
            due = noon + timedelta(minutes=1)
            yield {"case_id": f"{day}-{number}", "opened": noon, "due": due, "closed": closed, "area": "N."}


@pytest.fixture
def paired(town: Town, city) -> Town:
    """The town with a counter-metric that counts the same cases against it."""
    counter = METRIC.replace('"on_time"', '"hurried"').replace('"higher_is_better"', '"lower_is_better"')
    (city / "metrics" / "hurried.toml").write_text(counter)
    town.catalogue = load(city)
    town.ingest(*cases())
    town.publish()
    return town


def pair_of(town: Town) -> Pair:
    metrics = town.catalogue.metrics
    with reading(town.engine) as connection:
        now = publications.current(connection).publication
        found = integrity(connection, now, metrics["on_time"], Audience.PUBLIC, [metrics["hurried"]])
    [pair] = found.pairs
    return pair


def test_a_pair_is_judged_by_charts_that_begin_anew_where_they_are_shown_to(paired):
    before = pair_of(paired)
    assert before.is_warning and before.judged == (date(2026, 6, 1), date(2026, 6, 1))
    given = Rebase("on_time", Grain.MONTH, BETTER, "A second crew, and more cases looked at", "The council")
    rebases.approve(paired.engine, paired.catalogue, paired.clock, given)
    assert pair_of(paired) == before
    paired.publish()
    after = pair_of(paired)
    assert (after.is_warning, after.judged) == (False, None)
