"""How long cases wait when some are still waiting: the product-limit estimate of Kaplan and Meier (1958)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics.facts import MEDIAN, hazen

P90 = 0.9
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Survival:
    """The share of cases closed by each of the waits at which one was closed, both in rising order."""

    waits: NDArray[np.float64]
    closed: NDArray[np.float64]

    @property
    def reached(self) -> float:
        """The greatest share the estimate comes to; below 1 where an open case waits longest."""
        return float(self.closed[-1]) if len(self.closed) else 0.0

    def by(self, wait: float) -> float:
        """The share of cases closed after waiting `wait` or less."""
        place = int(np.searchsorted(self.waits, wait, side="right"))
        return float(self.closed[place - 1]) if place else 0.0

    def quantile(self, share: float) -> float | None:
        """The shortest wait by which `share` of the cases were closed; None where it is not reached."""
        reached = np.flatnonzero(self.closed >= share - _ROUNDING)
        return float(self.waits[reached[0]]) if len(reached) else None


def kaplan_meier(
    waited: Sequence[float] | NDArray[np.float64],
    is_closed: Sequence[bool] | NDArray[np.bool_],
    entered: Sequence[float] | NDArray[np.float64] | None = None,
) -> Survival:
    """How long cases wait, those still open censored at the wait they have reached.

    waited: how long each case waited until it was closed or is waiting by now. entered: the wait each had
    behind it when it came under observation (left truncation), for cases sampled by a period and not by when
    they were opened: one opened before the window is at risk only from the window's start on. A case closed
    at the wait at which another is censored was closed first; one that comes under observation at a wait is
    at risk after it.
    """
    waits, closings = np.asarray(waited, dtype=np.float64), np.asarray(is_closed, dtype=bool)
    starts = np.zeros(len(waits)) if entered is None else np.asarray(entered, dtype=np.float64)
    was_seen = (starts <= 0) | (starts < waits)
    waits, closings = waits[was_seen], closings[was_seen]
    starts = np.where(starts[was_seen] > 0, starts[was_seen], -np.inf)
    times, closed = np.unique(waits[closings], return_counts=True)
    at_risk = _reaching(waits, times) - _reaching(starts, times)
    still_open: NDArray[np.float64] = np.cumprod(1.0 - closed / at_risk, dtype=np.float64)
    return Survival(times, 1.0 - still_open)


def closed_only_median(
    waited: Sequence[float] | NDArray[np.float64], is_closed: Sequence[bool] | NDArray[np.bool_]
) -> float | None:
    """The median wait of the closed cases alone: what leaving out the open ones makes of it."""
    waits = np.asarray(waited, dtype=np.float64)[np.asarray(is_closed, dtype=bool)]
    return hazen(waits, np.ones(len(waits), dtype=np.int64), MEDIAN)


def _reaching(values: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of `values` are at or above each of `times`."""
    return len(values) - np.searchsorted(np.sort(values), times, side="left")
