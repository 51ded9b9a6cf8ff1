"""The ten requests of the reference from records to a published score, and to Kaplan and Meier's waits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from metrics.catalogue import load
from metrics.model import Grain
from store import maturities, publications, questions
from store.engine import open_engine, reading
from tests.town import METRIC, Town, write_city

# Opened, due and closed on these days of January 2026, 32 and more being February; None was open on the 31st.
REQUESTS = {
    "A": (2, 10, 5),
    "B": (3, 11, 20),
    "C": (5, 13, None),
    "D": (10, 18, 18),
    "E": (20, 28, None),
    "F": (22, 30, 23),
    "G": (26, 34, 27),
    "H": (28, 36, None),
    "I": (29, 37, None),
    "J": (30, 38, 30),
}
BEFORE = (0, 50, 1)
"""A duplicate of the day before, left out everywhere: the month is known from its first day on."""

NOON_BEFORE = datetime(2025, 12, 31, 17, tzinfo=UTC)
AS_OF = date(2026, 2, 1)

OTHER_WAYS = {
    "closed_only": METRIC.replace('date = "due"', 'date = "closed"\nwhere = "closed is not null"'),
    "all_opened": METRIC.replace('date = "due"', 'date = "opened"'),
}
"""The two flattering ways of the reference that can be said as a metric, to be told from the right one."""


IN_WORKDAYS = (
    METRIC.replace('aggregation = "ratio"', 'aggregation = "median"')
    .replace('unit = "percent"', 'unit = "days"')
    .replace('direction = "higher_is_better"', 'direction = "lower_is_better"')
    .replace('date = "due"', 'date = "closed"\nwhere = "closed is not null"')
    .replace('numerator = "closed <= due"', 'value = "workdays_between(opened, closed)"')
)


@pytest.fixture
def town(tmp_path, new_database):
    folder = write_city(tmp_path / "city")
    for name, text in {**OTHER_WAYS, "workdays": IN_WORKDAYS}.items():
        (folder / "metrics" / f"{name}.toml").write_text(text.replace('"on_time"', f'"{name}"'))
    found = Town(open_engine(new_database("sqlite")), load(folder))
    found.ingest(
        *(
            {
                "case_id": name,
                "opened": NOON_BEFORE + timedelta(days=opened),
                "due": NOON_BEFORE + timedelta(days=due),
                "closed": NOON_BEFORE + timedelta(days=closed) if closed else None,
                "reason": "Duplicate" if name == "before" else None,
                "area": "North",
            }
            for name, (opened, due, closed) in {**REQUESTS, "before": BEFORE}.items()
        )
    )
    found.publish(AS_OF)
    yield found
    found.engine.dispose()


def waiting(town: Town, metric: str):
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        return maturities.read(connection, opened.publication, metric)[metric].waiting


def january(town: Town, metric: str):
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        return publications.series(connection, opened.publication, metric, Grain.MONTH)[-1]


@pytest.mark.parametrize(
    ("metric", "in_time", "of"), [("on_time", 3, 6), ("closed_only", 5, 6), ("all_opened", 5, 10)]
)
def test_what_was_due_is_counted_on_the_day_it_was_due_and_what_is_late_is_late(town, metric, in_time, of):
    row = january(town, metric)
    assert (row.numerator, row.denominator) == (in_time, of)
    assert row.value == pytest.approx(in_time / of, abs=1e-12)


def test_the_cohort_s_score_is_that_of_half_in_time(town):
    assert january(town, "on_time").score == pytest.approx(0.5 / 0.8, abs=1e-12)


@pytest.mark.parametrize(("monday", "in_time", "of"), [(5, 1, 2), (12, 1, 2), (19, 0, 0)])
def test_each_week_has_those_that_were_due_in_it(town, monday, in_time, of):
    """A and B, C and D, none: C is open and late."""
    with reading(town.engine) as connection:
        opened = publications.current(connection)
        weeks = publications.series(connection, opened.publication, "on_time", Grain.WEEK)
    [week] = [one for one in weeks if one.period.start == date(2026, 1, monday)]
    assert (week.numerator, week.denominator) == (in_time, of)


def test_how_long_they_wait_is_the_published_estimate_with_open_ones_censored(town):
    found = waiting(town, "on_time")
    assert (found.cases, found.closed, found.open) == (10, 6, 4)
    assert (found.median, found.closed_only_median) == (8.0, 2.0)
    assert found.p90 is None
    assert found.reached == pytest.approx(0.78125, abs=1e-12)


@pytest.mark.parametrize(("numbered_from", "oldest"), [(date(1990, 1, 1), 19), (date(2026, 1, 12), 14)])
def test_a_case_from_before_business_days_are_numbered_has_waited_since_then(
    request, monkeypatch, numbered_from, oldest
):
    """C was opened on Monday the 5th, 19 business days before; E, H and I have waited 8, 2 and 1."""
    whole = questions._workdays
    begin = numbered_from.isoformat()
    monkeypatch.setattr(questions, "_workdays", lambda city: [one for one in whole(city) if one[0] >= begin])
    assert waiting(request.getfixturevalue("town"), "workdays").age_p90 == oldest
