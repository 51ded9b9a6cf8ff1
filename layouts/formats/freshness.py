"""The sentences about how fresh the city's sources are, and how their last runs went."""

from __future__ import annotations

from datetime import datetime, timedelta

from babel.dates import format_timedelta

from layouts.formats import days, numbers
from layouts.formats.language import _, locale, ngettext
from layouts.status_view import RunStatus, SourceStatus, StatusView
from layouts.views import Edition

_SHORTEST = timedelta(minutes=1)
_LATELY = timedelta(hours=1)


def headline(view: StatusView) -> str:
    """How the sources of a city are, in one sentence that is always true."""
    count, late = len(view.sources), len(view.late)
    if not count:
        return _("{city} has no sources yet").format(city=view.city.name)
    if not late:
        return ngettext("The one source is on time", "All {count} sources are on time", count).format(
            count=numbers.count(count)
        )
    if late == count:
        return ngettext("The one source is late", "All {count} sources are late", count).format(
            count=numbers.count(count)
        )
    return ngettext("{late} of {count} sources is late", "{late} of {count} sources are late", late).format(
        late=numbers.count(late), count=numbers.count(count)
    )


def published(view: StatusView) -> str:
    """Which publication the city stands by, and since when."""
    made = view.publication
    if made is None:
        return _("Nothing has been published yet.")
    return _("Publication {number}, made {instant}: data up to {day}.").format(
        number=made.id,
        instant=days.instant(made.published_at, view.city),
        day=days.day(made.as_of - timedelta(days=1)),
    )


def failures(view: StatusView) -> str:
    """How many last runs did not come to their end; empty for none."""
    count = len(view.failed)
    if not count:
        return ""
    return ngettext(
        "The last run of {count} source did not come to its end; the others go on without it.",
        "The last runs of {count} sources did not come to their end; the others go on without them.",
        count,
    ).format(count=numbers.count(count))


def worker(view: StatusView) -> str:
    """Whether somebody sees to the sources."""
    if view.is_worked:
        return _("A worker is at work: it loads every source on its schedule and publishes.")
    return _("No worker is at work: nothing is loaded or published until one is started.")


def asked_at(view: StatusView) -> str:
    """The moment the page speaks of."""
    return _("As of {instant} · state {state}").format(
        instant=days.instant(view.now, view.city), state=view.state
    )


def standing(source: SourceStatus) -> str:
    """The word of a source's chip."""
    return _("Late") if source.is_late else _("On time")


def behind(source: SourceStatus) -> str:
    """How late a source is, in words."""
    if source.behind is None:
        return _("Nothing is known of it")
    if not source.is_late:
        return _("Everything due is here")
    return _("{time} late").format(time=length(source.behind))


def known_until(source: SourceStatus, view: StatusView) -> str:
    """How far a source is known; a dash for not at all."""
    return numbers.NOTHING if source.known_until is None else days.instant(source.known_until, view.city)


def last_run(source: SourceStatus, view: StatusView) -> str:
    """When the newest run ended, or began where it is under way; a dash where there is none."""
    run = source.run
    return numbers.NOTHING if run is None else days.instant(run.at, view.city)


def outcome(run: RunStatus | None) -> str:
    """How a run ended, in a word or two and nothing more: its own message is for those who run the city."""
    if run is None:
        return _("Has never run")
    return {
        "running": _("Running now"),
        "succeeded": _("Succeeded"),
        "unchanged": _("Nothing new"),
        "failed": _("Failed"),
        "interrupted": _("Interrupted"),
    }.get(run.outcome, _("Ended"))


def rows_read(run: RunStatus | None) -> str:
    """How many rows a run has read; a dash for no run."""
    return numbers.NOTHING if run is None else numbers.count(run.read)


def rows_rejected(run: RunStatus | None) -> str:
    """How many rows a run has set aside; a dash for no run."""
    return numbers.NOTHING if run is None else numbers.count(run.rejected)


def how_fresh(until: datetime | None, edition: Edition) -> str:
    """How far a source was known when a publication was made, and how long before that was."""
    if until is None:
        return _("Nothing of it was known.")
    told = days.instant(until, edition.city)
    behind = edition.publication.known_at - until
    if behind < _LATELY:
        return _("Known until {instant}, when the scores were made.").format(instant=told)
    return _("Known until {instant}, {time} before the scores were made.").format(
        instant=told, time=length(behind)
    )


def length(given: timedelta) -> str:
    """How long a time is, in one unit: `6 days`."""
    return format_timedelta(max(given, _SHORTEST), threshold=1.5, locale=locale())
