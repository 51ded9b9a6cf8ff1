"""The example of districts in docs/methodology.md, computed again by the code it explains."""

from __future__ import annotations

import re

import numpy as np
import pytest

from metrics import fairness
from metrics.fairness import Index, Rule
from metrics.model import Direction
from tests.methodology_page import TEXT, fraction, number, table

ROWS = table(
    "district",
    "on time",
    "value",
    "chance explains",
    "place",
    "drawn to the city",
    "against the rest",
    "residents",
    "need",
)
X, N = (np.array([fraction(row[1])[part] for row in ROWS]) for part in (0, 1))
PEOPLE, NEED = ([float(row[column]) for row in ROWS] for column in (7, 8))
BASE = float(X.sum() / N.sum())
PHI = fairness.overdispersion(fairness.share_z(X, N, BASE))
ERROR = np.sqrt(BASE * (1 - BASE) / N)
ON_TIME = Rule(0.85, 0.0, Direction.HIGHER_IS_BETTER)


def percents(text: str) -> list[float]:
    return [float(one.replace("−", "-")) for one in re.findall(r"−?\d+\.\d", text)]


def said(pattern: str) -> float:
    [found] = re.findall(pattern, TEXT)
    return number(found)


def test_the_districts_of_the_example_have_the_numbers_printed():
    low, high = fairness.funnel_limits(BASE, N, fairness.Z * np.sqrt(PHI))
    drawn_in, gaps = fairness.shrunken_shares(X, N), fairness.gap(X, N)
    places = fairness.places(fairness.share_z(X, N, BASE), PHI)
    for index, row in enumerate(ROWS):
        assert percents(row[2]) == [round(100 * X[index] / N[index], 1)]
        assert percents(row[3]) == pytest.approx([100 * low[index], 100 * high[index]], abs=0.051)
        assert row[4] == places[index]
        assert percents(row[5]) == pytest.approx([100 * drawn_in[index]], abs=0.051)
        assert percents(row[6]) == pytest.approx([100 * float(one[index]) for one in gaps], abs=0.051)


def test_rows_stand_in_the_order_of_what_is_drawn_to_the_city():
    drawn_in = fairness.shrunken_shares(X, N).tolist()
    assert drawn_in == sorted(drawn_in)
    values = (X / N).tolist()
    assert values != sorted(values)


def test_the_base_and_the_spread_of_the_example_are_as_said():
    assert said(r"All districts together: ([\d.]+)%") == round(100 * BASE, 1)
    assert said(r"here φ = ([\d.]+)\.") == round(PHI, 2)
    assert said(r"Of 14 districts ([\d.]+) would") == pytest.approx(0.05 * len(ROWS))


@pytest.mark.parametrize(
    ("index", "scale", "value", "reach", "digits"),
    [
        (
            fairness.slope(X / N, PEOPLE, NEED, ERROR),
            100,
            r"The slope index, (\S+) points here",
            r"stays within ([\d.]+) points 95 times",
            1,
        ),
        (
            fairness.concentration(X / N, PEOPLE, NEED, ERROR),
            1,
            r"/ μ, (\S+) here",
            r"\(equal service: within ([\d.]+)\)",
            3,
        ),
    ],
)
def test_the_indices_of_the_example_are_as_said(index: Index, scale, value, reach, digits):
    assert said(value) == round(scale * index.value, digits)
    assert said(reach) == round(scale * index.reach, digits)


def test_the_equity_score_of_the_example_stands_beside_its_expectation():
    found = fairness.equity(X / N, PEOPLE, ON_TIME)
    expected = fairness.equity_of_shares(BASE, N, PEOPLE, ON_TIME)
    assert said(r"none above 1\.00: ([\d.]+)\. It") == round(found, 3)
    assert said(r"shows on average, ([\d.]+);") == round(expected, 3)
    assert found < expected < 1
