"""An unchanged city exactly on target scores 1.00 on average and is rarely called wrong (method 5 and 6)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import pytest

from metrics import intervals
from metrics.intervals import SIDE
from metrics.model import Direction, Grain
from tests.unchanged_city import ALIKE, HIGHER, KINDS, LOWER, WITHIN, Cell, Tally, tally

HALF_A_POINT = 0.005
MOVED = 0.01
"""By how much the mean score of a scored grain may be off."""

LUCK = 1e-5
"""How unlikely a count has to be, were the rate just allowed, to be held against the method."""

ERRORS = 4.0
"""By how many standard errors a simulated mean may be off besides."""

LARGE = 20
LARGE_WAITS = 5
"""How many times the limit a large city has; more waits tell the same and take longer to draw."""
GRAINS = {Grain.DAY: 1.0, Grain.WEEK: 7.0, Grain.MONTH: 30.4, Grain.QUARTER: 91.3}
YEARS = {Grain.DAY: 12, Grain.WEEK: 12, Grain.MONTH: 48, Grain.QUARTER: 48}
SEEDS = {Grain.DAY: 2, Grain.WEEK: 12, Grain.MONTH: 8, Grain.QUARTER: 12}
EXACT = frozenset({"share", "count", "median", "percentile"})
STOCK = "stock"

# How many independent records a period must have just so that noise moves the mean score by no more than a
# hundredth (of a stock: how far it may stray), by direction and whether the target is the past. Of counts and
# shares it is what `metrics.selftest.unchanged` says; of the others it was found by simulation.
LIMITS = {
    ("share", HIGHER, False): 3,
    ("share", LOWER, False): 3,
    ("share", HIGHER, True): 9,
    ("share", LOWER, True): 9,
    ("ratio of sums", HIGHER, False): 6,
    ("ratio of sums", LOWER, False): 6,
    ("ratio of sums", HIGHER, True): 6,
    ("ratio of sums", LOWER, True): 6,
    ("count", HIGHER, False): 28,
    ("count", LOWER, False): 24,
    ("count", HIGHER, True): 28,
    ("count", LOWER, True): 48,
    ("sum", HIGHER, False): 56,
    ("sum", LOWER, False): 56,
    ("sum", HIGHER, True): 50,
    ("sum", LOWER, True): 84,
    ("mean", HIGHER, False): 36,
    ("mean", LOWER, False): 28,
    ("mean", HIGHER, True): 32,
    ("mean", LOWER, True): 48,
    ("median", HIGHER, False): 14,
    ("median", LOWER, False): 56,
    ("median", HIGHER, True): 24,
    ("median", LOWER, True): 100,
    ("percentile", HIGHER, False): 32,
    ("percentile", LOWER, False): 90,
    ("percentile", HIGHER, True): 42,
    ("percentile", LOWER, True): 130,
    ("stock", HIGHER, False): 0.2,
    ("stock", LOWER, False): 0.2,
    ("stock", HIGHER, True): 0.2,
    ("stock", LOWER, True): 0.15,
}

HEAD = (
    f"{'kind':13} {'direction':9} {'target':6} {'clump':>5} {'size':>8} {'grain':5} {'periods':>7} "
    f"{'score':>7} {'meets':>7} {'misses':>7} {'allowed':>7}"
)


def cells(kind: str, *, is_large: bool, grains: Iterable[Grain] = GRAINS) -> list[Cell]:
    """All cells of a kind just at the limit of what is scored, or far above it."""
    return [
        Cell(
            kind,
            direction,
            is_historical,
            clump,
            rate(kind, direction, is_historical, grain, clump, is_large),
            grain,
        )
        for direction in (HIGHER, LOWER)
        for is_historical in (False, True)
        for clump in (1, 2)
        for grain in grains
    ]


def rate(
    kind: str, direction: Direction, is_historical: bool, grain: Grain, clump: int, is_large: bool
) -> float:
    limit = LIMITS[kind, direction, is_historical]
    if kind == STOCK:
        return limit / 5 if is_large else limit
    large = LARGE_WAITS if kind in ("median", "percentile") else LARGE
    return limit * clump * (large if is_large else 1) / GRAINS[grain]


def allowed(cell: Cell) -> float:
    """How often each of the two wrong verdicts may come (method 6)."""
    is_by_chance_alone = cell.kind in EXACT and not cell.is_historical and cell.clump == 1
    return SIDE if is_by_chance_alone else SIDE + HALF_A_POINT


def alike(cell: Cell) -> float:
    """How much a period resembles the one before it: so much fewer are as good as all."""
    days = {Grain.DAY: 1, Grain.WEEK: 4, Grain.MONTH: 12, Grain.QUARTER: 36}[cell.grain]
    return ALIKE[cell.clump] ** days if cell.kind == STOCK else 0.0


def worth(cell: Cell, periods: int) -> float:
    return periods * (1 - alike(cell)) / (1 + alike(cell))


def is_too_often(count: int, periods: int, most: float, independent: float) -> bool:
    """Whether a count is hardly possible at the rate that is allowed, by the exact binomial tail."""
    share = independent / periods
    _, at_least = intervals.binomial_tails(count * share, independent, most)
    return count > periods * most and float(at_least) < LUCK


def wrongs(cell: Cell, found: Tally) -> list[str]:
    """What a cell breaks."""
    independent = worth(cell, found.periods)
    said = [
        name
        for name, count in (("meets", found.meets), ("misses", found.misses))
        if is_too_often(count, found.periods, allowed(cell), independent)
    ]
    off = abs(found.mean - 1) - ERRORS * found.error * math.sqrt(found.periods / independent)
    return said + (["score"] if off > MOVED else [])


def line(cell: Cell, found: Tally) -> str:
    size = cell.rate if cell.kind == STOCK else cell.rate * GRAINS[cell.grain]
    return (
        f"{cell.kind:13} {cell.direction.split('_')[0]:9} {'past' if cell.is_historical else 'fixed':6} "
        f"{cell.clump:5d} {size:8.2f} {cell.grain:5} {found.periods:7d} {found.mean:7.4f} "
        f"{found.meets / found.periods:7.4f} {found.misses / found.periods:7.4f} {allowed(cell):7.3f}"
    )


def judged(chosen: Iterable[Cell], seeds: dict[Grain, int]) -> dict[Cell, Tally]:
    """What was said of each cell, printed; AssertionError with the lines that break something."""
    found = {cell: tally(cell, YEARS[cell.grain], range(seeds[cell.grain])) for cell in chosen}
    broken = {cell: wrongs(cell, one) for cell, one in found.items()}
    print(HEAD)
    for cell, one in found.items():
        print(line(cell, one), *broken[cell])
    assert not any(broken.values()), "\n".join(
        f"{line(cell, found[cell])} {words}" for cell, words in broken.items() if words
    )
    return found


def assert_together(found: dict[Cell, Tally]) -> None:
    """Holds the cells of a kind and a target together: many small excesses would be one."""
    together: dict[tuple[bool, float], list[float]] = defaultdict(lambda: [0.0] * 4)
    for cell, one in found.items():
        numbers = (one.meets, one.misses, one.periods, worth(cell, one.periods))
        sums = together[cell.is_historical, allowed(cell)]
        sums[:] = [so_far + more for so_far, more in zip(sums, numbers, strict=True)]
    for (is_historical, most), (meets, misses, periods, independent) in together.items():
        print(
            f"{'past' if is_historical else 'fixed'}: {periods:.0f} periods, meets {meets / periods:.4f},"
            f" misses {misses / periods:.4f}, allowed {most:.3f}"
        )
        assert not is_too_often(round(meets), round(periods), most, independent)
        assert not is_too_often(round(misses), round(periods), most, independent)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unchanged_city_just_large_enough_to_be_scored_is_rarely_called_wrong(kind):
    chosen = [one for one in cells(kind, is_large=False, grains=[Grain.WEEK]) if one.direction is LOWER]
    judged(chosen, {Grain.WEEK: 1})


def test_a_method_that_is_wrong_too_often_would_be_noticed():
    cell = Cell("count", LOWER, False, 1, 4.0, Grain.WEEK)
    assert wrongs(cell, Tally(7500, 1.0, 0.002, 188, 188)) == []
    assert wrongs(cell, Tally(7500, 1.0, 0.002, 188, 260)) == ["misses"]
    assert wrongs(cell, Tally(7500, 0.98, 0.002, 0, 0)) == ["score"]


@pytest.mark.parametrize(("rate", "expected"), [(5.0, 1.289), (20.0, 1.056), (100.0, 1.010)])
def test_bostons_arithmetic_is_exempt_and_gives_an_unchanged_city_more_than_one(rate, expected):
    """The figures of the reference for counts of which fewer are better, periods of none left out."""
    cell = Cell("count", LOWER, False, 1, rate, Grain.DAY, "cityscore")
    found = tally(cell, YEARS[cell.grain], range(2))
    print(line(cell, found))
    assert found.mean == pytest.approx(expected, abs=ERRORS * found.error)


@pytest.mark.parametrize("kind", ["count", "mean", "stock"])
def test_a_band_is_exempt_and_an_unchanged_city_in_its_middle_is_rarely_called_outside(kind):
    cell = Cell(kind, WITHIN, False, 1, 0.1 if kind == STOCK else 40.0, Grain.WEEK)
    found = tally(cell, YEARS[cell.grain], range(2))
    print(line(cell, found))
    assert 0.9 < found.mean < 1
    assert found.misses < found.periods * SIDE


@pytest.mark.matrix
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("is_large", [False, True], ids=["at the limit", "large"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_scored_grain_of_every_kind_direction_and_size_is_rarely_called_wrong_and_scores_one(
    kind, is_large
):
    assert_together(judged(cells(kind, is_large=is_large), SEEDS))
