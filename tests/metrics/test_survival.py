"""How long cases wait while some are still open."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from metrics.survival import closed_only_median, kaplan_meier

# The ten requests of the reference, looked at when day 31 ended; None is still open.
OPENED = [2, 3, 5, 10, 20, 22, 26, 28, 29, 30]
CLOSED = [5, 20, None, 18, None, 23, 27, None, None, 30]
WAITED = [(31 if closed is None else closed) - opened for opened, closed in zip(OPENED, CLOSED, strict=True)]
IS_CLOSED = [closed is not None for closed in CLOSED]


@pytest.fixture(scope="module")
def trial(shared_data):
    """The 6-MP trial of Freireich and others (1963), as Gehan gave it: weeks in remission, 1 for relapse."""
    with shared_data("evaluation/gehan.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {
        arm: (
            [float(row["time"]) for row in rows if row["treat"] == arm],
            [row["cens"] == "1" for row in rows if row["treat"] == arm],
        )
        for arm in {row["treat"] for row in rows}
    }


def test_the_published_medians_of_the_6_mp_trial_are_found(trial):
    assert sorted(kaplan_meier(*arm).quantile(0.5) for arm in trial.values()) == [8, 23]


def test_the_published_curve_of_the_6_mp_arm_is_found(trial):
    treated = max((kaplan_meier(*arm) for arm in trial.values()), key=lambda one: one.quantile(0.5))
    expected = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert 1 - treated.closed == pytest.approx(expected, abs=6e-5)


def test_the_reference_cohort_gives_the_printed_shares():
    found = kaplan_meier(WAITED, IS_CLOSED)
    expected = {0: 0.1, 1: 0.3, 3: 5 / 12, 8: 0.5625, 17: 0.78125}
    assert {wait: found.by(wait) for wait in expected} == pytest.approx(expected, abs=1e-12)
    assert found.by(2) == found.by(1)


def test_leaving_out_open_cases_makes_the_median_a_quarter_of_what_it_is():
    assert kaplan_meier(WAITED, IS_CLOSED).quantile(0.5) == 8
    assert closed_only_median(WAITED, IS_CLOSED) == 2


def test_a_share_that_the_closed_cases_never_come_to_is_not_reached():
    found = kaplan_meier(WAITED, IS_CLOSED)
    assert found.quantile(0.9) is None
    assert found.reached == pytest.approx(0.78125)


def test_without_open_cases_the_estimate_is_the_share_closed():
    found = kaplan_meier([1, 2, 3, 4], [True] * 4)
    assert found.closed == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert found.quantile(0.5) == 2
    assert found.reached == pytest.approx(1.0)


def test_nothing_closed_reaches_nothing_and_has_no_median():
    found = kaplan_meier([5.0, 9.0], [False, False])
    assert (found.reached, found.by(100), found.quantile(0.5)) == (0.0, 0.0, None)
    assert closed_only_median([5.0, 9.0], [False, False]) is None


def test_a_case_opened_before_the_window_is_at_risk_only_from_its_start_on():
    # At wait 2 only the case seen from its opening is at risk; at 6 the one that had waited 4 already is too.
    found = kaplan_meier([2, 6, 8], [True, True, False], entered=[0, 4, 0])
    assert found.by(2) == pytest.approx(1 / 2)
    assert found.by(6) == pytest.approx(3 / 4)


def test_sampling_by_period_without_truncation_would_overstate_the_wait():
    rng = np.random.default_rng(7)
    opened, waits = rng.uniform(0, 400, 8000), rng.exponential(20, 8000)
    start, end = 300.0, 400.0
    seen = opened + waits > start
    ends = np.minimum(opened + waits, end)[seen]
    waited, is_closed = ends - opened[seen], (opened + waits <= end)[seen]
    truncated = kaplan_meier(waited, is_closed, np.maximum(start - opened[seen], 0))
    naive = kaplan_meier(waited, is_closed)
    true_median = 20 * np.log(2)
    assert truncated.quantile(0.5) == pytest.approx(true_median, rel=0.06)
    assert naive.quantile(0.5) > 1.15 * true_median
