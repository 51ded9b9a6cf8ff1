"""What `store check` prints of an unchanged city: the table, back-tests, proposals and warnings."""

from __future__ import annotations

from datetime import date

import pytest

from metrics.backtest import BackTest
from metrics.model import Grain, Reason
from metrics.selftest import GrainTest, MetricTest
from store.selftest_lines import self_test_lines
from tests.layouts.published_city import catalogue_of, city_files

CATALOGUE = catalogue_of(city_files())
DAY = GrainTest(Grain.DAY, 365, 4.0, 1.0, 0.91, 0.02, 0.6, False)
WEEK = GrainTest(Grain.WEEK, 52, 20.0, 1.2, 0.985, 0.02, 0.55, False)
MONTH = GrainTest(Grain.MONTH, 12, 90.0, 1.2, 0.999, 0.02, 0.51, True)
QUARTER = GrainTest(Grain.QUARTER, 0, None, None, None, None, None, None)


def lines(*warnings):
    back = BackTest(Grain.WEEK, date(2016, 1, 1), False, 52, 20)
    test = MetricTest("pothole_on_time", (DAY, WEEK, MONTH, QUARTER), (back,), warnings)
    return list(self_test_lines(CATALOGUE, [test]))


def test_every_grain_has_a_row_and_an_unknown_one_dashes():
    rows = [line.split() for line in lines() if line.startswith("pothole_on_time ")]
    assert rows[1] == [
        "pothole_on_time",
        "week",
        "52",
        "20.0",
        "1.20",
        "0.9850",
        "0.020",
        "0.550",
        "yes",
        "no",
    ]
    assert rows[3] == ["pothole_on_time", "quarter", "0", *"-----", "yes", "-"]
    assert rows[4][1:] == ["week", "target", "from", "2016-01-01:", "met", "in", "20", "of", "52"]


def test_a_grain_that_noise_moves_is_left_out_of_the_proposal_and_one_nobody_knows_is_kept():
    assert 'metrics/pothole_on_time.toml: write scored_at = ["month", "quarter"]' in lines()


@pytest.mark.parametrize(
    ("warning", "said"),
    [
        (Reason("target_never_met", {"grain": "week", "periods": 52}), "none of the last 52 periods (week)"),
        (Reason("target_always_met", {"grain": "week", "periods": 52}), "every one of the last 52"),
        (Reason("ceiling_is_low", {"ceiling": 1.01}), "scores only 1.01"),
        (Reason("target_cannot_be_met", {"ceiling": 0.9}), "cannot be met"),
        (Reason("target_cannot_fail"), "cannot fail"),
        (Reason("noise_moves_the_score", {"grain": "week", "expected": 0.985}), "an unchanged city 0.985"),
    ],
)
def test_every_warning_names_the_file_and_what_is_wrong(warning, said):
    assert any(line.startswith("metrics/pothole_on_time.toml") and said in line for line in lines(warning))
