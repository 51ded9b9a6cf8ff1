"""Chance that repeats: the same seed, source and day throw the same numbers for ever.

What this relies on: the raw 64-bit stream of numpy's Philox for a given key, which numpy promises not
to change (NEP 19; its Generator methods carry no such promise and are not used), BLAKE2b for the key,
and our own arithmetic from there. Results are rounded to whole seconds and counts before they are
seen, so that the last bit of a logarithm does not matter.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from hashlib import blake2b
from itertools import accumulate
from statistics import NormalDist

import numpy

BLOCK = 256
STANDARD_NORMAL = NormalDist()
SMALL_TRIALS = 60
SMALL_MEAN = 200.0


class Dice:
    """The numbers of one source on one day, thrown one after the other."""

    def __init__(self, seed: int, source: str, day: date) -> None:
        key = blake2b(f"{seed}/{source}/{day.isoformat()}".encode(), digest_size=16).digest()
        self._numbers = _numbers(int.from_bytes(key, "big"))

    def uniform(self) -> float:
        """A number strictly between 0 and 1."""
        return next(self._numbers)

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return next(self._numbers) < probability

    def between(self, low: float, high: float) -> float:
        """A number evenly spread from low to high."""
        return low + (high - low) * next(self._numbers)

    def normal(self) -> float:
        """A standard normal number."""
        return STANDARD_NORMAL.inv_cdf(next(self._numbers))

    def lognormal(self, median: float, sigma: float) -> float:
        """A positive number whose logarithm is normal around log(median)."""
        return median * math.exp(sigma * self.normal())

    def poisson(self, mean: float) -> int:
        """A count with this mean: by inversion, or rounded normal where the mean is large."""
        if mean > SMALL_MEAN:
            return max(0, round(mean + math.sqrt(mean) * self.normal()))
        left = next(self._numbers)
        count, term = 0, math.exp(-mean)
        while left > term and term > 0.0:
            left -= term
            count += 1
            term *= mean / count
        return count

    def binomial(self, trials: int, probability: float) -> int:
        """How many of the trials succeed: counted one by one, or rounded normal where there are many."""
        if trials <= SMALL_TRIALS:
            return sum(next(self._numbers) < probability for _ in range(trials))
        spread = math.sqrt(trials * probability * (1.0 - probability))
        return min(trials, max(0, round(trials * probability + spread * self.normal())))

    def pick(self, wheel: Wheel) -> int:
        """The number of the sector on which the wheel stops."""
        return wheel.sector(next(self._numbers))


class Wheel:
    """Sectors of given weights."""

    def __init__(self, weights: Sequence[float]) -> None:
        total = math.fsum(weights)
        self._ends = [end / total for end in accumulate(weights)]

    def sector(self, turn: float) -> int:
        """The sector at this part of a turn (0 to 1)."""
        return min(bisect_right(self._ends, turn), len(self._ends) - 1)

    def point(self, turn: float) -> float:
        """The sector and, after the point, how far into it: weights of hours give a time of day."""
        sector = self.sector(turn)
        start = self._ends[sector - 1] if sector else 0.0
        return sector + min((turn - start) / (self._ends[sector] - start), 1.0 - 2.0**-20)


def _numbers(key: int) -> Iterator[float]:
    stream = numpy.random.Philox(key=key)
    while True:
        raw = stream.random_raw(BLOCK) >> numpy.uint64(11)
        yield from ((raw + 0.5) * 2.0**-53).tolist()
