"""The words of the runs of a source, as the page of a metric lists them."""

from __future__ import annotations

from layouts.formats import days, numbers
from metrics.model import City
from store.source_ledger import Run


def began(run: Run, city: City) -> str:
    """When a run began."""
    return days.instant(run.started_at, city)


def counts(run: Run) -> tuple[str, str, str, str]:
    """How many rows it read, and of these brought as new, found changed and refused."""
    return (
        numbers.count(run.read),
        numbers.count(run.new),
        numbers.count(run.changed),
        numbers.count(run.rejected),
    )


def known_until(run: Run, city: City) -> str:
    """How far the source is known after it; a dash for a run that came to nothing."""
    return days.instant(run.known_until, city) if run.known_until else numbers.NOTHING
