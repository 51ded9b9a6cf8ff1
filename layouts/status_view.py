"""How the city's numbers are kept up, as data: the publication, and every source with its last run.

What a run says of its failure names files and addresses of the machine; it is not taken up here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics.model import City, Publication, Source
from metrics.periods import instant_at, local_day, local_midnight

BROKEN = ("failed", "interrupted")
"""Outcomes of runs that did not come to their end."""


@dataclass(frozen=True)
class RunStatus:
    """The newest run of a source. at: when it ended, or began where it is under way."""

    outcome: str
    at: datetime
    read: int
    rejected: int


@dataclass(frozen=True)
class SourceStatus:
    """One source at a moment.

    due_until: the instant up to which it should be known by now. run: None where it never ran.
    """

    source: Source
    known_until: datetime | None
    due_until: datetime
    run: RunStatus | None

    @property
    def behind(self) -> timedelta | None:
        """How much is missing of what should be known; None where nothing is known at all."""
        if self.known_until is None:
            return None
        return max(self.due_until - self.known_until, timedelta(0))

    @property
    def is_late(self) -> bool:
        """Whether something is missing that should be known."""
        return self.behind is None or self.behind > timedelta(0)


@dataclass(frozen=True)
class StatusView:
    """A city's sources at `now`, and the publication it stands by; None before the first.

    is_worked: whether a worker is there that loads sources and publishes.
    """

    city: City
    now: datetime
    state: int
    is_worked: bool
    publication: Publication | None
    sources: tuple[SourceStatus, ...]

    @property
    def late(self) -> tuple[SourceStatus, ...]:
        """The sources of which something is missing."""
        return tuple(one for one in self.sources if one.is_late)

    @property
    def failed(self) -> tuple[SourceStatus, ...]:
        """The sources whose last run did not come to its end."""
        return tuple(one for one in self.sources if one.run and one.run.outcome in BROKEN)


def due_until(city: City, source: Source, now: datetime) -> datetime:
    """The end of the last day that should be known by `now` (method 6: when a period's last day is due)."""
    if source.due_after_minutes is not None:
        return local_midnight(city, local_day(city, now - timedelta(minutes=source.due_after_minutes)))
    today = local_day(city, now)
    is_open = now >= instant_at(city, today, city.publication_hour)
    return local_midnight(city, today if is_open else today - timedelta(days=1))
