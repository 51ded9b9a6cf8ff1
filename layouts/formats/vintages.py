"""The sentences of vintages: first published against now, what a revision was, definitions both ways."""

from __future__ import annotations

from layouts.formats import days, numbers, words
from layouts.formats.language import _, ngettext
from layouts.views import CityView, Edition, MetricView
from layouts.vintage_view import VintageView
from metrics.model import Metric, Score
from store.revisions import DefinitionChange, Kind, Revision, Summary
from store.vintages import FirstPublished


def kind_word(given: Kind) -> str:
    """One word for why a published number changed."""
    return {
        Kind.UPDATE: _("Update"),
        Kind.REVISION: _("Revision"),
        Kind.CORRECTION: _("Correction"),
        Kind.DEFINITION: _("Definition"),
        Kind.WITHDRAWN: _("Withdrawn"),
    }[given]


def first_and_now(metric: Metric, score: Score, first: FirstPublished) -> str:
    """What was first published beside what is said now; empty where a reader sees no difference."""
    if first.value is None:
        return ""
    before, now = numbers.value(metric, first.value), numbers.value(metric, score.value)
    if before != now:
        return _("First published {first}, now {now}.").format(first=before, now=now)
    was, is_now = numbers.score(first.score), numbers.score(score.score)
    if first.score is not None and was != is_now:
        return _("First published with a score of {first}, now {now}.").format(first=was, now=is_now)
    return ""


def first_beside(metric: Metric, score: Score, first: FirstPublished) -> str:
    """What was first published, for a cell beside the value of now; empty where it looks the same."""
    if not first_and_now(metric, score, first):
        return ""
    before = numbers.value(metric, first.value)
    if before != numbers.value(metric, score.value):
        return _("first published {first}").format(first=before)
    return _("first published with {first}").format(first=numbers.score(first.score))


def revision_sentence(metric: Metric, row: Revision) -> str:
    """What a revision was, as a newspaper could quote it."""
    before, now = _both(metric, row)
    words = {"before": before, "now": now, "reason": (row.reason or "").rstrip(".")}
    if row.kind is Kind.WITHDRAWN:
        return _("Withdrawn: the records behind {before} are gone from the source.").format(**words)
    if row.kind is Kind.UPDATE:
        return _("Not settled when it was published: {before} then, {now} with more known.").format(**words)
    if row.kind is Kind.REVISION:
        return _("Revised from {before} to {now}: records came or changed afterwards.").format(**words)
    if row.kind is Kind.CORRECTION:
        return _("Corrected from {before} to {now}: {reason}.").format(**words)
    told = _("Counted by another definition: {before} by the old one, {now} by the new.").format(**words)
    return f"{told} {_('The reason given: {reason}.').format(**words)}" if row.reason else told


def _both(metric: Metric, row: Revision) -> tuple[str, str]:
    """The two numbers that a reader can tell apart: values, else scores."""
    before, now = numbers.value(metric, row.before_value), numbers.value(metric, row.value)
    if before != now or row.before_score == row.score:
        return before, now
    told = _("a score of {score}")
    return (
        told.format(score=numbers.score(row.before_score)),
        numbers.score(row.score) if row.score is not None else _("no score"),
    )


def revision_counts(summary: Summary) -> str:
    """How many changes of each kind there were; that there were none."""
    texts = {
        Kind.UPDATE: ngettext("{count} update", "{count} updates", summary.counts[Kind.UPDATE]),
        Kind.REVISION: ngettext("{count} revision", "{count} revisions", summary.counts[Kind.REVISION]),
        Kind.CORRECTION: ngettext(
            "{count} correction", "{count} corrections", summary.counts[Kind.CORRECTION]
        ),
        Kind.DEFINITION: ngettext(
            "{count} by another definition",
            "{count} by another definition",
            summary.counts[Kind.DEFINITION],
        ),
        Kind.WITHDRAWN: ngettext("{count} withdrawn", "{count} withdrawn", summary.counts[Kind.WITHDRAWN]),
    }
    said = [
        text.format(count=numbers.count(summary.counts[kind]))
        for kind, text in texts.items()
        if summary.counts[kind]
    ]
    return f"{', '.join(said)}." if said else _("No published number has changed.")


def revision_summary(metric: Metric, summary: Summary) -> str:
    """How far values are from those first published; empty where none was published at its time."""
    if summary.mean is None:
        return ""
    moved = _difference(metric, summary.mean)
    if summary.sd is None:
        return _("One period was published at its time; its value has since moved by {mean}.").format(
            mean=moved
        )
    return _(
        "{count} periods were published at their time. "
        "Since then their values moved by {mean} on average, with a standard deviation of {sd}."
    ).format(
        count=numbers.count(summary.periods),
        mean=moved,
        sd=_difference(metric, summary.sd),
    )


def _difference(metric: Metric, amount: float) -> str:
    """A difference of two values: of shares in percentage points."""
    if metric.unit == numbers.PERCENT:
        points = round(amount * 100, 2)
        return _("{number} percentage points").format(number=_signless_zero(points))
    unit = numbers.unit(metric)
    text = _signless_zero(round(amount, metric.decimals + 1))
    return f"{text}\N{NO-BREAK SPACE}{unit}" if unit else text


def _signless_zero(number: float) -> str:
    return numbers.plain(number or 0.0).replace("-", numbers.MINUS)


def definition_change(change: DefinitionChange) -> str:
    """When and why a definition changed."""
    day = days.day(change.as_of)
    if change.reason is None:
        return _("The definition changed with publication {number} for {day}; no final score moved.").format(
            number=change.publication, day=day
        )
    return _("The definition changed with publication {number} for {day}: {reason}.").format(
        number=change.publication, day=day, reason=change.reason.rstrip(".")
    )


def revisions_caption(view: VintageView) -> str:
    """What the table of revisions holds."""
    return _("{metric}, {daily}: changes after the first publication").format(
        metric=view.metric.name, daily=words.how_often(view.grain)
    )


def published_on(row: Revision, edition: Edition) -> str:
    """When a change was published, and by which publication."""
    return _("{instant}, publication {number}").format(
        instant=days.instant(row.published_at, edition.city), number=row.publication
    )


def older_revisions(view: VintageView) -> str:
    """How many revisions a page leaves out; empty for none."""
    if not view.more:
        return ""
    return ngettext(
        "{count} older one is in the data.", "{count} older ones are in the data.", view.more
    ).format(count=numbers.count(view.more))


def restated(view: MetricView, told: VintageView) -> list[str]:
    """What a metric's page says above its numbers: first published against now, and since a pin."""
    first = first_and_now(view.metric, view.score, told.first(view.score)) if view.score else ""
    return [text for text in (first, restated_since(view)) if text]


def restated_since(view: MetricView) -> str:
    """That a pinned value is another one now; empty where it still stands."""
    now = view.restated
    if now is None or view.score is None:
        return ""
    if now.value is None and view.score.value is not None:
        return _("Withdrawn since: this period has no value now.")
    value, mark = numbers.value(view.metric, now.value), numbers.score(now.score)
    if value == numbers.value(view.metric, view.score.value):
        if mark == numbers.score(view.score.score):
            return ""
        return _("Restated since: this period's score is {score} now.").format(score=mark)
    return _("Restated since: {value} is said of this period now.").format(value=value)


def city_restated_since(view: CityView) -> str:
    """That a pinned composite is another one now; empty where it still stands."""
    now = view.restated
    if now is None or view.composite is None:
        return ""
    if now.score is None:
        return _("Withheld since: this period has no city score now.")
    mark = numbers.score(now.score)
    if mark == numbers.score(view.composite.score):
        return ""
    return _("Restated since: the score of this period is {score} now.").format(score=mark)
