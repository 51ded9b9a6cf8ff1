"""The sentences of a receipt: which records a score was made of, and which were not."""

from __future__ import annotations

from dataclasses import dataclass

from layouts.formats import days, numbers, sentences, words
from layouts.formats.language import _, ngettext
from metrics.model import City, Period, Target
from store.explain import Explanation


@dataclass(frozen=True)
class Count:
    """One row of what became of the records: `test` is the clause that decided, empty for none."""

    said: str
    records: int
    test: str = ""


def period(receipt: Explanation) -> str:
    """The period with its bounds: its end does not belong to it."""
    given = receipt.score.period
    return _("{period}: from {start} up to, not including, {end}").format(
        period=days.period(given), start=days.day(given.start), end=days.day(given.end)
    )


def publication(receipt: Explanation, city: City) -> str:
    """Which publication said so, and what was known to it."""
    made = receipt.publication
    return _("Number {number} for {day}, made {instant} from the facts known at {known}").format(
        number=made.id,
        day=days.day(made.as_of),
        instant=days.instant(made.published_at, city),
        known=days.instant(made.known_at, city),
    )


def counts(receipt: Explanation) -> list[Count]:
    """What became of the records dated in the period: the rows add up to the first; empty for a stock."""
    found, metric = receipt.records, receipt.metric
    if found is None:
        return []
    rest = found.dated - found.withdrawn - found.not_wanted - found.dropped - found.kept
    rows = [
        Count(_("Withdrawn by the source"), found.withdrawn),
        Count(_("Not asked for"), found.not_wanted, metric.where or ""),
        Count(_("Excluded"), found.dropped, metric.exclude or ""),
        Count(_("Without a usable value"), rest),
    ]
    return [Count(_("Dated in the period"), found.dated), *(row for row in rows if row.records or row.test)]


def counted(receipt: Explanation) -> Count | None:
    """The records that counted; None for a stock."""
    return Count(_("Counted"), receipt.records.kept) if receipt.records else None


def met(receipt: Explanation) -> Count | None:
    """Of those that counted the ones that count as good; None where the metric asks no such thing."""
    found = receipt.records
    if found is None or found.met is None:
        return None
    return Count(_("of them meeting the test"), found.met, receipt.metric.numerator or "")


def remarks(receipt: Explanation) -> list[str]:
    """What must be known to read the counts: undated records, and what changed since the publication."""
    found = receipt.records
    if found is None:
        return [_("This counts how many were open on each day, so no record belongs to one period alone.")]
    said = []
    if found.undated:
        said.append(
            ngettext(
                "{count} record has no date and is in no period.",
                "{count} records have no date and are in no period.",
                found.undated,
            ).format(count=numbers.count(found.undated))
        )
    if _has_changed(receipt):
        said.append(
            _(
                "The records are counted as they are known now, {now}; the publication knew {then}. "
                "The score is the one published then."
            ).format(now=numbers.count(found.kept), then=numbers.count(receipt.score.n or 0))
        )
    return said


def made_of(receipt: Explanation) -> str:
    """Numerator, denominator and how many records or days stand behind the value; empty for none."""
    score = receipt.score
    said = []
    if score.numerator is not None:
        said.append(_("Numerator {number}").format(number=numbers.plain(score.numerator)))
    if score.denominator is not None:
        said.append(_("denominator {number}").format(number=numbers.plain(score.denominator)))
    if score.n is not None:
        said.append(_("n {number}").format(number=numbers.count(score.n)))
    return ", ".join(said)


def value(receipt: Explanation) -> str:
    """The value, whole."""
    score = receipt.score
    if score.value is None:
        return numbers.NOTHING
    return f"{numbers.value_beside_target(receipt.metric, score)} ({numbers.plain(score.value, 6)})"


def target(receipt: Explanation) -> str:
    """The target the value was held against; a dash for none."""
    score = receipt.score
    return numbers.target(receipt.metric, score.target, score.target_high)


def approvals(receipt: Explanation) -> list[str]:
    """Where the target comes from: who approved it, since when and why; or which days of the past."""
    metric = receipt.metric
    if metric.historical:
        grain = receipt.score.period.grain
        ranges = [days.short_period(Period(grain, start, end)) for start, end in receipt.score.baseline]
        if not ranges:
            return [_("The city's own past, of which too little is known.")]
        return [_("The city's own past: {ranges}").format(ranges=", ".join(ranges))]
    return [_approval(receipt, one) for one in receipt.targets]


def floor(receipt: Explanation) -> str:
    """Where the score reaches 0; empty where nothing is scored."""
    score = receipt.score
    if score.floor is None:
        return ""
    if score.floor_high is not None and score.floor_high != score.floor:
        return _("The score reaches 0 at {low} and at {high}").format(
            low=numbers.plain(score.floor, 6), high=numbers.plain(score.floor_high, 6)
        )
    return _("The score reaches 0 at {floor}").format(floor=numbers.plain(score.floor, 6))


def score(receipt: Explanation) -> str:
    """The score with its digits and its status."""
    given = receipt.score
    word = words.status_word(given.status)
    if given.score is None:
        return word
    return _("{score} ({digits}), {status}").format(
        score=numbers.score(given.score), digits=numbers.plain(given.score, 6), status=word
    )


def formula(receipt: Explanation) -> list[str]:
    """The arithmetic, step by step with these numbers; empty without a score."""
    return sentences.worked_example(receipt.metric, receipt.score)


def _approval(receipt: Explanation, given: Target) -> str:
    low, high = given.value if isinstance(given.value, tuple) else (given.value, None)
    return _("{target} since {day}, approved by {person}: {reason}").format(
        target=numbers.target(receipt.metric, low, high),
        day=days.day(given.valid_from),
        person=given.approved_by,
        reason=given.reason,
    )


def _has_changed(receipt: Explanation) -> bool:
    """Whether the records counted now are others than those of the publication, where n counts records."""
    found, n = receipt.records, receipt.score.n
    if found is None or n is None or not sentences.counts_records(receipt.metric):
        return False
    return n != found.kept
