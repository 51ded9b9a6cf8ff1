"""The sentences of a receipt: which records a score was made of, and which were not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from layouts.formats import days, numbers, sentences, words
from layouts.formats.language import _, ngettext
from metrics.attribution import apportion
from metrics.model import Aggregation, Catalogue, City, Grain, Metric, Period, Target
from store.explain import Explanation, Shift


@dataclass(frozen=True)
class Count:
    """One row of what became of the records: `test` is the clause that decided, empty for none."""

    said: str
    records: int
    test: str = ""


@dataclass(frozen=True)
class Shifted:
    """One row of a change by district: what its own rate did, and what its share of the cases did."""

    said: str
    rate: str
    mix: str


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


def missing(grain: Grain) -> str:
    """That no such period was published."""
    return _("No {grain} like this was published; give the first day of a period that had ended.").format(
        grain=words.grain_word(grain).lower()
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
    if found is None and receipt.metric.aggregation is not Aggregation.STOCK:
        return [_("How many records were left out here is not shown: so few would point at people.")]
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
    if differs(receipt):
        said.append(
            _(
                "Of the {kept} records counted here {used} made the score: the others have no usable value "
                "or lie on days that are not known."
            ).format(kept=numbers.count(found.kept), used=numbers.count(receipt.score.n or 0))
        )
    return said


def differs(receipt: Explanation) -> bool:
    """Whether other records were counted than the score was made of, where its n counts records."""
    found, n = receipt.records, receipt.score.n
    if found is None or n is None or not sentences.counts_records(receipt.metric):
        return False
    return n != found.kept


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


def shifted(receipt: Explanation, catalogue: Catalogue) -> list[Shifted]:
    """What each district did to the change, printed so that all parts add up to the printed change."""
    shift = receipt.shift
    if shift is None:
        return []
    printed = [numbers.signed(amount) for amount in _points(receipt.metric, shift)]
    named = catalogue.districts
    return [
        Shifted(
            words.place(one.district, named[one.district].name if one.district in named else None),
            printed[2 * index],
            printed[2 * index + 1],
        )
        for index, one in enumerate(shift.parts)
    ]


def change_by_district(receipt: Explanation) -> str:
    """How much of the change lies in what districts did and how much in where the cases were."""
    shift = receipt.shift
    if shift is None:
        return ""
    amounts = _points(receipt.metric, shift)
    rate, mix = (sum(amounts[side::2], Decimal(0)) for side in (0, 1))
    return _(
        "Since {period} the value moved by {change} {unit}: {rate} because districts did better or worse, "
        "{mix} because more or less of the work lay where it always goes better or worse."
    ).format(
        period=days.period(shift.before),
        change=numbers.signed(rate + mix),
        unit=_("points") if receipt.metric.unit == numbers.PERCENT else numbers.unit(receipt.metric),
        rate=numbers.signed(rate),
        mix=numbers.signed(mix),
    )


def _points(metric: Metric, shift: Shift) -> tuple[Decimal, ...]:
    """Rate and mix of each district in turn, in hundredths that add up to the printed change."""
    scale = 100 if metric.unit == numbers.PERCENT else 1
    amounts = [scale * amount for one in shift.parts for amount in (one.rate, one.mix)]
    return apportion(round(scale * shift.change, 2), amounts)


def _approval(receipt: Explanation, given: Target) -> str:
    return _("{target} since {day}, approved by {person}: {reason}").format(
        target=numbers.target_set(receipt.metric, given),
        day=days.day(given.valid_from),
        person=given.approved_by,
        reason=given.reason,
    )
