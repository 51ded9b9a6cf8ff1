"""The sentences about open cases: what is due, what will be late, and how far forecasts were off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from metrics.model import City
from store.breaches import Breaches, OpenCase

if TYPE_CHECKING:
    from layouts.breach_view import BreachView


def title() -> str:
    """The name of the part of a page."""
    return _("What is due, and what is about to be late")


def summary(view: BreachView) -> str:
    """Open, expected to miss, and overdue, in one sentence each."""
    first = ngettext(
        "{count} open case is due within 14 days.", "{count} open cases are due within 14 days.", view.open
    ).format(count=numbers.count(view.open))
    expected = "" if view.misses is None else _("About {count} of them will miss it.").format(
        count=expected_count(view.misses)
    )  # fmt: skip
    late = ngettext("{count} is overdue already.", "{count} are overdue already.", view.overdue).format(
        count=numbers.count(view.overdue)
    )
    return " ".join(text for text in (first, expected, late) if text)


def accuracy(found: Breaches) -> str:
    """How far such forecasts were off in the weeks behind; that nothing is forecast, where it is so."""
    if found.error is None or found.came is None:
        return _("Too few cases were due in the weeks behind to say how many will be late.")
    return ngettext(
        "A week ahead the forecast of the last week was off by {error} cases; {came} came.",
        "A week ahead the forecasts of the last {weeks} weeks were off by {error} cases on average; "
        "{came} a week came.",
        found.weeks,
    ).format(weeks=found.weeks, error=numbers.plain(found.error, 1), came=numbers.plain(found.came, 1))


def expected_count(misses: float | None) -> str:
    """How many are expected to miss their deadline, to whole cases."""
    if misses is None:
        return numbers.NOTHING
    return _("under 1") if 0 < misses < 0.5 else numbers.count(round(misses))


def age_classes(last_days: tuple[int, ...]) -> list[str]:
    """The names of the classes of age, of which the last has no end."""
    firsts = (1, *(last + 1 for last in last_days))
    closed = [
        _("{first} to {last} days").format(first=first, last=last)
        for first, last in zip(firsts, last_days, strict=False)
    ]
    return [*closed, _("More than {last} days").format(last=last_days[-1])]


def overdue_by(case: OpenCase, found: Breaches) -> str:
    """How long an open case has been overdue, or when it is due."""
    late = (found.as_of - case.due).days
    if late <= 0:
        return _("due {day}").format(day=days.day(case.due))
    return ngettext("{count} day overdue", "{count} days overdue", late).format(count=late)


def as_of(found: Breaches) -> str:
    """As of which morning it was counted."""
    return _("Counted from the records as of the morning of {day}.").format(day=days.day(found.as_of))


def known(since_and_until: tuple[object, object], city: City) -> str:
    """From when until when a version of a record was known."""
    since, until = since_and_until
    began = days.instant(since, city)  # type: ignore[arg-type]
    if until is None:
        return _("since {instant}").format(instant=began)
    return _("{since} to {until}").format(since=began, until=days.instant(until, city))  # type: ignore[arg-type]
