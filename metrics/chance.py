"""What chance alone does: distributions of counts and shares that spread more than chance, as sums to take.

A distribution is exact where it has few enough outcomes and a grid of equally likely quantiles where not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Numbers = NDArray[np.float64]

_MOST_OUTCOMES = 6000
_GRID = 2001
_REACH = 12.0
"""How many standard deviations around the mean are summed, beside thirty outcomes for small means."""


@dataclass(frozen=True)
class Chance:
    """Outcomes and how likely each is; the likelihoods add up to 1."""

    values: Numbers
    weights: Numbers

    def quantiles(self, many: int) -> Numbers:
        """Equally likely values in rising order, shape (many,): the middles of as many slices."""
        reached = np.cumsum(self.weights)
        wanted = (np.arange(many) + 0.5) / many
        return self.values[np.minimum(np.searchsorted(reached, wanted), len(self.values) - 1)]


def counted(mean: float, dispersion: float = 1.0) -> Chance:
    """A count with this mean and variance dispersion x mean.

    Poisson; negative binomial where the dispersion is above 1; drawn together around the mean where it is
    below. A mean of 0 or less has one outcome, 0.
    """
    if mean <= 0:
        return Chance(np.zeros(1), np.ones(1))
    outcomes = _outcomes(mean, dispersion * mean, np.inf)
    if outcomes is None:
        return _grid(mean, dispersion * mean, np.inf)
    if dispersion <= 1:
        logs = outcomes * np.log(mean) - mean - special.gammaln(outcomes + 1)
        return _drawn_together(outcomes, logs, mean, dispersion)
    size = mean / (dispersion - 1)
    logs = special.gammaln(outcomes + size) - special.gammaln(outcomes + 1)
    return _of(outcomes, logs + outcomes * np.log1p(-1 / dispersion))


def shared(trials: int, share: float, dispersion: float = 1.0) -> Chance:
    """How many of so many trials succeed, with mean trials x share and that dispersion, as a share of them.

    Binomial; beta-binomial where the dispersion is above 1, which is at most nine tenths of the trials;
    drawn together around the mean where it is below.
    """
    if trials < 1 or not 0 < share < 1:
        return Chance(np.array([float(share)]), np.ones(1))
    spread = min(dispersion, max(1.0, 0.9 * trials))
    mean = trials * share
    variance = spread * mean * (1 - share)
    outcomes = _outcomes(mean, variance, trials)
    if outcomes is None:
        found = _grid(mean, variance, trials)
    elif spread <= 1:
        logs = _choose(trials, outcomes) + special.xlogy(outcomes, share)
        logs += special.xlog1py(trials - outcomes, -share)
        found = _drawn_together(outcomes, logs, mean, spread)
    else:
        rest = (trials - 1) / (spread - 1) - 1
        good, bad = share * rest, (1 - share) * rest
        found = _of(
            outcomes, _choose(trials, outcomes) + special.betaln(outcomes + good, trials - outcomes + bad)
        )
    return Chance(found.values / trials, found.weights)


def dispersion(apart: Numbers) -> float | None:
    """How much more than chance numbers spread, from the differences of standardised neighbours.

    apart: shape (pairs,), z - z' of neighbours, where z = (x - expected) / the deviation of chance. Half the
    mean square is 1 by chance alone, and a slow drift or a season hardly adds to it. None under four pairs.
    """
    return float(np.mean(apart**2) / 2) if len(apart) >= 4 else None


def _outcomes(mean: float, variance: float, most: float) -> Numbers | None:
    """All whole numbers that matter; None for too many."""
    reach = _REACH * np.sqrt(variance) + 30
    low, high = max(0.0, np.floor(mean - reach)), min(most, np.ceil(mean + reach))
    return np.arange(low, high + 1) if high - low < _MOST_OUTCOMES else None


def _grid(mean: float, variance: float, most: float) -> Chance:
    z = special.ndtri((np.arange(_GRID) + 0.5) / _GRID)
    return Chance(np.clip(mean + np.sqrt(variance) * z, 0.0, most), np.full(_GRID, 1 / _GRID))


def _of(values: Numbers, logs: Numbers) -> Chance:
    weights = np.exp(logs - logs.max())
    return Chance(values, weights / weights.sum())


def _drawn_together(values: Numbers, logs: Numbers, mean: float, dispersion: float) -> Chance:
    found = _of(values, logs)
    return found if dispersion == 1 else Chance(mean + np.sqrt(dispersion) * (values - mean), found.weights)


def _choose(trials: int, outcomes: Numbers) -> Numbers:
    return -special.betaln(outcomes + 1, trials - outcomes + 1) - np.log(trials + 1)
