"""The sentences of the mayor's page: what improves and since when, what is silent, which day is shown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from decimal import Decimal

from layouts.formats import days, numbers, sentences, vintages, words
from layouts.formats.language import _, ngettext
from layouts.formats.numbers import Movement
from layouts.formats.sentences import PrintedPart
from layouts.restated_view import Restated
from layouts.today_query import Grouping
from layouts.today_view import Improvement, Silence, TodayView, missed
from layouts.views import CityView, Edition, Line
from metrics.model import Composite, Grain, Metric, Score
from metrics.signals import Variation

SHORT = 30
"""How many letters of a name a line for phones holds."""

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


def published_day(day_text: str, *, is_next: bool) -> str:
    """The name of a link to the published day before or after."""
    if is_next:
        return _("Next published day: {day}").format(day=day_text)
    return _("Previous published day: {day}").format(day=day_text)


def windows_but(grain: Grain) -> str:
    """The name of the list of the windows beside the one the page opens on."""
    return _("The other windows beside {window}").format(window=words.grain_word(grain))


def grouping_word(by: Grouping) -> str:
    """The name of a way to group the rows."""
    return {
        Grouping.NEED: _("Lowest first"),
        Grouping.STATUS: _("By status"),
        Grouping.DEPARTMENT: _("By department"),
    }[by]


# --- in the few words a phone's first screen has room for -------------------------------------------


def brief_change(moved: Movement | None) -> str:
    """A change as its amount alone; its arrow stands beside it."""
    if moved is None:
        return _("no change known")
    return numbers.signed(moved.amount) if moved.amount else _("unchanged")


def covered(composite: Composite) -> str:
    """How many that are measured have a score, what of the weight that is, and that late ones keep seats."""
    late = sentences.late_seats(composite)
    said = sentences.coverage(composite)
    return f"{said}. {late}" if said and late else said or late


def briefly_covered(composite: Composite) -> str:
    """How much of the weight has a score, and how many are late."""
    if composite.coverage is None:
        return ""
    share = _("{share} covered").format(share=numbers.share(composite.coverage))
    if not composite.late:
        return share
    late = ngettext("{count} late", "{count} late", len(composite.late))
    return f"{share} · {late.format(count=numbers.count(len(composite.late)))}"


def is_real(line: Line) -> str:
    """Whether a chart of the metric shows more than its ordinary ups and downs; empty without one."""
    if line.finding is None or line.finding.variation is None:
        return ""
    return {
        Variation.COMMON_CAUSE: _("No signal: within its ordinary ups and downs."),
        Variation.CONCERN: _("Signal: worse than its ordinary ups and downs."),
        Variation.IMPROVEMENT: _("Signal: better than its ordinary ups and downs."),
        Variation.HIGH: _("Signal: higher than its ordinary ups and downs."),
        Variation.LOW: _("Signal: lower than its ordinary ups and downs."),
    }[line.finding.variation]


def moved_briefly(view: CityView, parts: Sequence[PrintedPart]) -> str:
    """The largest parts of a change and its sum in one line."""
    moved = numbers.movement(view.composite) if view.composite else None
    if moved is None or not parts:
        return sentences.why_moved(view)
    said = [
        f"{_shortened(sentences.part_text(part))} {numbers.signed(part.amount)}"
        for part in largest_parts(parts, 3)
    ]
    return _("{total} = {parts}.").format(total=numbers.signed(moved.amount), parts=", ".join(said))


def improving_briefly(view: TodayView) -> str:
    """What improves, with by how much, in one line."""
    said = []
    for one in view.improving:
        moved = numbers.movement(one.line.score) if one.line.score else None
        said.append(
            f"{_shortened(one.line.metric.name)} {numbers.signed(moved.amount) if moved else ''}".strip()
        )
    return f"{', '.join(said)}." if said else no_improvement(view.city)


def missing_briefly(view: TodayView) -> str:
    """What is silent and whose it is, in one line."""
    if not view.silent:
        return no_silence(view.city)
    first = [
        _("{metric} ({owner})").format(metric=_shortened(one.line.metric.name), owner=one.line.metric.owner)
        for one in view.silent[:2]
    ]
    more = len(view.silent) - len(first)
    if more:
        first.append(ngettext("{count} more", "{count} more", more).format(count=numbers.count(more)))
    return f"{', '.join(first)}."


def _shortened(name: str) -> str:
    """The beginning of a long name: the whole of it stands in the part below."""
    return textwrap.shorten(name, SHORT, placeholder="…")


# --- what was restated since -----------------------------------------------------------------------


def days_there_are(view: TodayView) -> str:
    """From which day on there are publications, and what a day without one is answered with."""
    return _(
        "Published from {first} to {last}. A day without a publication shows the newest before it."
    ).format(first=days.day(view.first_day), last=days.day(view.last_day))


def restated_counted(view: TodayView) -> str:
    """How many numbers of a pinned page are other ones now."""
    count = len(view.restated)
    if not count:
        return _("Every number on this page is still what is said today.")
    return ngettext(
        "{count} number on this page was restated since.",
        "{count} numbers on this page were restated since.",
        count,
    ).format(count=numbers.count(count))


def restated_caption(view: TodayView) -> str:
    """What the table of restated numbers holds."""
    return _("The page is as published for {day}; these of its numbers are other ones now").format(
        day=days.day(view.edition.publication.as_of)
    )


def more_restated(count: int) -> str:
    """How many rows the table leaves out."""
    return ngettext(
        "{count} more is on the page of its measure.",
        "{count} more are on the pages of their measures.",
        count,
    ).format(count=numbers.count(count))


def as_read(metric: Metric | None, given: Score | Composite | None) -> str:
    """A number as the page prints it: the value with its score, or the score of the city."""
    if given is None:
        return numbers.NOTHING
    score = numbers.score(given.score)
    if metric is None or not isinstance(given, Score):
        return score
    value = numbers.value(metric, given.value)
    if given.score is None:
        return value
    return _("{value} (score {score})").format(value=value, score=score)


def why_restated(one: Restated) -> str:
    """Why a number is another one now."""
    if one.metric is None:
        return _("Follows from the measures in it.")
    if one.change is not None:
        return vintages.revision_sentence(one.metric, one.change)
    if one.now is None:
        return _("Its period is not published any more.")
    return _("Its records arrived after this page was published.")
