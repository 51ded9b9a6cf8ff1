"""Reads what people wrote about metrics out of the store, as the reader of a page may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from layouts.access import Need, Role, is_allowed
from layouts.views import Edition
from metrics.model import Metric, Period
from store import notes
from store.notes import Note
from store.withheld import Audience

if TYPE_CHECKING:
    from store.engine import Connection

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class NotesView:
    """The notes on a metric. period: the one a new note would be about; None where there is none.

    may_write: whether whoever asks may write about it, which is never so on a pinned page.
    """

    edition: Edition
    metric: Metric
    period: Period | None
    notes: tuple[Note, ...]
    may_write: bool


def notes_view(connection: Connection, edition: Edition, metric: Metric, period: Period | None) -> NotesView:
    """The notes on a metric that a reader of this edition may see."""
    is_public = edition.audience is Audience.PUBLIC
    found = notes.of_metrics(connection, [metric.id], public_only=is_public, until=written_until(edition))
    may = not is_public and not edition.is_pinned and is_allowed(Need(Role.EDITOR, metric.department))
    return NotesView(edition, metric, period, tuple(found), may)


def written_until(edition: Edition) -> datetime | None:
    """Up to when something was written that a page shows; None for a page of now.

    A pinned page shows what was there on its day: until one day after its publication.
    """
    return edition.publication.published_at + A_DAY if edition.is_pinned else None
