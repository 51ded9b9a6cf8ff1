"""The sentences of the scoreboard: what its rows stand on, how they are found, sorted and left out."""

from __future__ import annotations

from collections.abc import Sequence

from layouts.formats import days, evidence, numbers, sentences, words
from layouts.formats.language import _, ngettext
from layouts.views import CityView
from metrics.model import Grain, Metric, Score

SPANS = {Grain.DAY: 90, Grain.WEEK: 13}
"""How many periods ninety days are; of longer periods all that are at hand are drawn."""


def partly_known(score: Score | None) -> str:
    """That a value stands on a part of its period's days; empty where it stands on all."""
    if score is None or score.value is None or score.known_days is None:
        return ""
    length = (score.period.end - score.period.start).days
    if score.known_days >= length:
        return ""
    return _("{known} of {length} days known").format(
        known=numbers.count(score.known_days), length=numbers.count(length)
    )


def based_on(metric: Metric, score: Score | None) -> str:
    """What a value in a row stands on: its interval, its parts, that only a part of the days is known."""
    if score is None or score.value is None:
        return ""
    said = (evidence.interval(metric, score), sentences.parts(metric, score), partly_known(score))
    return " · ".join(text for text in said if text)


def matching() -> str:
    """How many rows the filter leaves; the browser puts the number in."""
    return _("Measures that match: {count}")


def empty_city() -> str:
    """What to do where nothing is measured."""
    return _(
        "A measure is one file in the city's folder of metrics; scores follow with the next publication."
    )


def one_of(known: Sequence[str], word: str, given: str) -> str:
    """That a word of the address has a value that means nothing, with the fix."""
    return _("{word} is {given!r}; give one of {known}.").format(
        word=word, given=given, known=", ".join(known)
    )


def recent_head(grain: Grain) -> str:
    """The heading of the small graphics of a table."""
    return _("90 days") if grain in SPANS else _("Recent")


def sort_name(column: str, *, is_falling: bool) -> str:
    """What a heading that sorts will do, for those who do not see its arrow."""
    if is_falling:
        return _("{column}: sort from the highest on").format(column=column)
    return _("{column}: sort from the lowest on").format(column=column)


def show_all(count: int) -> str:
    """The way to every row."""
    return ngettext("Show the one", "Show all {count}", count).format(count=numbers.count(count))


def left_out(shown: int, count: int) -> str:
    """That a table holds only a part of its rows, and which."""
    return _("The first {shown} of {count} in this order.").format(
        shown=numbers.count(shown), count=numbers.count(count)
    )


def no_match(wanted: str) -> str:
    """That no measure holds what was typed."""
    return _("No measure has “{wanted}” in its name or department.").format(wanted=wanted)


# --- as Boston shows it ----------------------------------------------------------------------------


def boston_rule() -> str:
    """How Boston's scores are read."""
    return _("Below 1: under target. 1: on target. Above 1: over target.")


def boston_difference() -> str:
    """In what Boston's arithmetic differs from ours."""
    return _(
        "Each number is value ÷ target, or target ÷ value where less is better, without a cap; the last but "
        "one row is their plain mean, of services and conditions alike. Our score in the last row has "
        "weights, a cap and a minimum of coverage, and counts what is late."
    )


def boston_caption(view: CityView) -> str:
    """Of which periods the four windows are."""
    said = [
        _("{window}: {period}").format(
            window=words.grain_word(grain), period=days.short_period(view.composites[grain].period)
        )
        for grain in Grain
        if grain in view.composites
    ]
    return " · ".join(said)


def boston_score(number: float) -> str:
    """A score by Boston's arithmetic; one of hardly less than nothing is nothing."""
    return numbers.score(number if numbers.printed(number) else 0.0)


def boston_side(number: float) -> tuple[str, str]:
    """The sign and the words of Boston's rule for a score; judged as it is printed."""
    shown = numbers.printed(number)
    if shown == 1:
        return "\N{BLACK CIRCLE}", _("on target")
    if shown < 1:
        return "\N{BLACK DOWN-POINTING TRIANGLE}", _("under target")
    return "\N{BLACK UP-POINTING TRIANGLE}", _("over target")
