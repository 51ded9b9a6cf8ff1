"""The sentences of the mayor's page: what improves and since when, what is silent, which day is shown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from layouts.formats import days, evidence, numbers, sentences, words
from layouts.formats.language import _, ngettext
from layouts.formats.sentences import PrintedPart
from layouts.today_view import Grouping, Improvement, Silence, TodayView, missed
from layouts.views import CityView, Edition, Line
from metrics.model import Grain, Metric, Score

# --- which day ---------------------------------------------------------------------------------


def asked_day(view: TodayView) -> str:
    """That nothing was published for the date in the address; empty where it was."""
    if view.asked is None:
        return ""
    asked = days.day(view.asked)
    if view.edition.is_pinned or view.asked < view.edition.publication.as_of:
        return _("Nothing was published for {asked}; this is the newest before it.").format(asked=asked)
    return _("Nothing has been published for {asked} yet; this is the newest.").format(asked=asked)


def published(edition: Edition) -> str:
    """When a pinned page was published and that a newer one exists; empty for the newest itself."""
    if not edition.is_pinned:
        return ""
    instant = days.instant(edition.publication.published_at, edition.city)
    if not edition.publication.is_current:
        return _(
            "Published {instant}, afterwards, for {day}. The city stands by another publication."
        ).format(instant=instant, day=days.day(edition.publication.as_of))
    return _("Published {instant}. A newer publication exists.").format(instant=instant)


# --- what to look at ---------------------------------------------------------------------------


def attention_rule() -> str:
    """By which rule a metric is on the list of those that need attention."""
    return _("The three lowest scores below target")


def no_attention(view: CityView) -> str:
    """Why nothing is on the list: all is well, or nothing is known."""
    if any(line.score is not None and line.score.score is not None for line in view.services):
        return _("Every service with a score is on target.")
    return _("No service has a score, so none can be singled out.")


def how_often_missed(line: Line, grain: Grain) -> str:
    """How often a metric missed its target of late; empty where there is nothing to count."""
    below, of = missed(line)
    if of < 2:
        return ""
    return {
        Grain.DAY: _("Missed on {below} of the last {of} days with a score."),
        Grain.WEEK: _("Missed in {below} of the last {of} weeks with a score."),
        Grain.MONTH: _("Missed in {below} of the last {of} months with a score."),
        Grain.QUARTER: _("Missed in {below} of the last {of} quarters with a score."),
    }[grain].format(below=numbers.count(below), of=numbers.count(of))


def improving_rule() -> str:
    """By which rule a metric is on the list of those that improve."""
    return _("Largest rises, both periods final")


def no_improvement(view: CityView) -> str:
    """Why nothing is on the list of what improves."""
    composite = view.composite
    if composite is None or composite.before is None:
        return _("There is no period before to compare with.")
    return _("No service did better than in the period before with both of them final.")


def risen(one: Improvement) -> str:
    """From which score to which, and since when."""
    now = one.line.score
    moved = numbers.movement(now) if now else None
    assert now is not None and now.score is not None and moved is not None, "only what rose is on the list"
    before = numbers.hundredths(numbers.printed(now.score) - moved.amount)
    return _("{before} to {now}: {change}").format(
        before=before,
        now=numbers.score(now.score),
        change=words.uncapital(sentences.change(moved, now.period.grain, one.before.period)),
    )


def who(line: Line) -> str:
    """Whose metric it is and who answers for it."""
    return _("{department} · {owner}").format(department=line.department, owner=line.metric.owner)


def silence(one: Silence) -> str:
    """Since when a metric is silent and who answers for it."""
    if one.since is None:
        return _("{owner} answers for it").format(owner=one.line.metric.owner)
    return _("since {day} · {owner}").format(day=days.day(one.since), owner=one.line.metric.owner)


def no_silence(view: CityView) -> str:
    """That nothing is missing, or that nothing is asked for."""
    if not view.services and not view.conditions:
        return _("Nothing is measured yet, so nothing is missing.")
    return _("Everything that was due has arrived.")


def more_silent(count: int) -> str:
    """How many silent metrics a list leaves out."""
    return ngettext(
        "And {count} more: see it by status", "And {count} more: see them by status", count
    ).format(count=numbers.count(count))


def largest_parts(parts: Sequence[PrintedPart], most: int) -> list[PrintedPart]:
    """The first rows of a change and one with the sum of all others: they still add up to the change."""
    if len(parts) <= most + 1:
        return list(parts)
    others = sum((part.amount for part in parts[most:]), Decimal(0))
    return [*parts[:most], PrintedPart(None, None, others, others=True)]


# --- the scoreboard ------------------------------------------------------------------------------


def grouping_word(by: Grouping) -> str:
    """The name of a way to group the rows."""
    return {
        Grouping.NEED: _("Lowest first"),
        Grouping.STATUS: _("By status"),
        Grouping.DEPARTMENT: _("By department"),
    }[by]


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


def published_day(day_text: str, *, is_next: bool) -> str:
    """The name of a link to the published day before or after."""
    if is_next:
        return _("Next published day: {day}").format(day=day_text)
    return _("Previous published day: {day}").format(day=day_text)


def windows_but(grain: Grain) -> str:
    """The name of the list of the windows beside the one the page opens on."""
    return _("The other windows beside {window}").format(window=words.grain_word(grain))
