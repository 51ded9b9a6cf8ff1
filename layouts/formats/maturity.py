"""How late records come and how long cases wait, as sentences and as facts with their names."""

from __future__ import annotations

from datetime import date, timedelta

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from metrics.closure import WaitUnit
from metrics.waiting import Waiting

Fact = tuple[str, str]


def last_mature_day(given: date | None) -> str:
    """Up to which day a metric is complete; empty where that is not measured."""
    if given is None:
        return ""
    return _("Complete up to {day}: of later days, less than 98% is usually known by now.").format(
        day=days.day(given)
    )


def time_to_close(given: Waiting) -> str:
    """How long cases wait, the open ones included; what was not reached is said to be so."""
    if not given.cases:
        return _("No case was opened in the last thirteen weeks.")
    opened = _("Of the {cases} opened from {start} to {end}").format(
        cases=_cases(given.cases),
        start=days.day(given.cohort_start),
        end=days.day(given.cohort_end - timedelta(days=1)),
    )
    if given.median is None:
        return _("{opened}, fewer than half are closed, so no time to close can be given yet.").format(
            opened=opened
        )
    half = _wait(given.unit, given.median)
    if given.p90 is None:
        sentence = _("{opened}, half were closed within {half}; nine in ten are not reached yet.")
        return sentence.format(opened=opened, half=half)
    sentence = _("{opened}, half were closed within {half} and nine in ten within {most}.")
    return sentence.format(opened=opened, half=half, most=_wait(given.unit, given.p90))


def open_cases_count(given: Waiting) -> str:
    """Why this is another median than that of the closed cases; empty where none of the cohort is open."""
    still_open = given.cases - given.closed
    if not still_open or given.closed_only_median is None:
        return ""
    return ngettext(
        "The {count} case still open counts with the time it has waited; without it the median would be "
        "{half}.",
        "The {count} cases still open count with the time they have waited; without them the median would be "
        "{half}.",
        still_open,
    ).format(count=numbers.count(still_open), half=_wait(given.unit, given.closed_only_median))


def backlog(given: Waiting) -> str:
    """How many cases are open, of any age, and how long they have been."""
    if given.age_median is None or given.age_p90 is None:
        return _("No case is open now.")
    return ngettext(
        "{count} case is open now; it has waited {half}.",
        "{count} cases are open now; half of them have waited more than {half}, one in ten more than {most}.",
        given.open,
    ).format(
        count=numbers.count(given.open),
        half=_wait(given.unit, given.age_median),
        most=_wait(given.unit, given.age_p90),
    )


def waiting_facts(given: Waiting) -> list[Fact]:
    """The numbers of a metric's waits by name, for a list."""
    return [
        (_("Median time to close"), _wait_or(given, given.median)),
        (_("Nine in ten closed within"), _wait_or(given, given.p90)),
        (_("Median of the closed ones alone"), _wait_or(given, given.closed_only_median)),
        (_("Open now"), numbers.count(given.open)),
        (_("Median age of the open ones"), _age(given, given.age_median)),
        (_("One in ten is older than"), _age(given, given.age_p90)),
    ]


def _wait_or(given: Waiting, wait: float | None) -> str:
    return _("not reached") if wait is None else _wait(given.unit, wait)


def _age(given: Waiting, age: float | None) -> str:
    return numbers.NOTHING if age is None else _wait(given.unit, age)


def _wait(unit: WaitUnit, wait: float) -> str:
    shown = round(wait, 1)
    if unit is WaitUnit.HOURS:
        words = ngettext("{count} hour", "{count} hours", _plural(shown))
    elif unit is WaitUnit.DAYS:
        words = ngettext("{count} day", "{count} days", _plural(shown))
    else:
        words = ngettext("{count} working day", "{count} working days", _plural(shown))
    return words.format(count=numbers.plain(shown, 1))


def _plural(shown: float) -> int:
    return 1 if shown == 1 else 2


def _cases(count: int) -> str:
    return ngettext("{count} case", "{count} cases", count).format(count=numbers.count(count))
