"""The sentences about whether a number can be trusted: each asks a question and accuses nobody."""

from __future__ import annotations

from datetime import timedelta

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from metrics.gaming import Bunching, Eased, Heaping
from metrics.model import Grain, Metric
from store.integrity import Audit, Bunched, Heap, Integrity, Pair

_DAY = timedelta(days=1)


def sentences(metric: Metric, given: Integrity) -> list[str]:
    """All that is to be said of a metric, questions first; empty where there is nothing."""
    heaping = given.heap.heaping if given.heap else None
    heaped = [heap_sentence(given.heap, heaping)] if given.heap and heaping else []
    is_alarm = heaping is not None and heaping.is_alarm
    return [
        *(heaped if is_alarm else _bunched(given)),
        *(pair_sentence(metric, one) for one in given.pairs if one.is_warning),
        *(eased_sentence(metric, one) for one in given.eased),
        *(audit_sentence(one) for one in given.audits),
        *([] if is_alarm else heaped),
        *quiet_pairs(given),
    ]


def quiet_pairs(given: Integrity) -> list[str]:
    """That no counter-metric warns, where there are some."""
    quiet = [one for one in given.pairs if not one.is_warning]
    if not quiet or len(quiet) < len(given.pairs):
        return []
    return [
        ngettext(
            "The metric that would get worse if only the number were worked on shows nothing of the kind.",
            "The {count} metrics that would get worse if only the number were worked on show nothing of the "
            "kind.",
            len(quiet),
        ).format(count=numbers.count(len(quiet)))
    ]


def heap_sentence(given: Heap, found: Heaping) -> str:
    """How many cases were closed just before their deadline and just after it, and whether that is usual."""
    said = {
        "start": days.day(given.since),
        "end": days.day(given.until - _DAY),
        "before": numbers.count(found.before),
        "after": numbers.count(found.after),
        "usual_before": numbers.count(found.usual_before),
        "usual_after": numbers.count(found.usual_after),
        "usual_start": days.day(given.usual_since),
        "usual_end": days.day(given.usual_until - _DAY),
        "times": _times(found.times),
        "low": _times(found.times_low),
        "high": _times(found.times_high),
    }
    counted = _(
        "Closed in the last hour before their deadline: {before} of the cases due from {start} to {end}; in "
        "the first hour after it: {after}. Of those due from {usual_start} to {usual_end}, the first on "
        "record: {usual_before} and {usual_after}."
    )
    if found.is_alarm:
        verdict = _(
            "That is {times} times the usual ratio (99.7% interval {low} to {high}) and hardly chance: ask "
            "whether the work is done in time or only the case closed."
        )
    else:
        verdict = _(
            "That is {times} times the usual ratio (99.7% interval {low} to {high}), which chance alone "
            "can do."
        )
    return f"{counted} {verdict}".format(**said)


def bunch_sentence(given: Bunched, found: Bunching) -> str:
    """That more cases are closed just before their deadline than at that time on the days beside it."""
    return _(
        "Closed in the last hour before their deadline: {before} of the cases due from {start} to {end}; in "
        "the first hour after it: {after}. At the same time on the seven days before and after the deadline: "
        "{near_before} and {near_after}. That is {times} times their ratio (99.7% interval {low} to {high}) "
        "and hardly chance: ask whether the work is done in time or only the case closed."
    ).format(
        start=days.day(given.since),
        end=days.day(given.until - _DAY),
        before=numbers.count(found.before),
        after=numbers.count(found.after),
        near_before=numbers.count(found.near_before),
        near_after=numbers.count(found.near_after),
        times=_times(found.times),
        low=_times(found.times_low),
        high=_times(found.times_high),
    )


def pair_sentence(metric: Metric, given: Pair) -> str:
    """That the metric improves as its counter-metric gets worse."""
    return _(
        "“{metric}” improves beyond chance by month while “{pair}” gets worse beyond chance: ask whether the "
        "service has improved or only the number."
    ).format(metric=metric.name, pair=given.metric.name)


def eased_sentence(metric: Metric, given: Eased) -> str:
    """That a target was made easier and what met only the easier one, with the score by both."""
    met = _PERIODS[given.score.period.grain](given.judged).format(count=numbers.count(given.judged))
    said = _(
        "The target was made easier on {day}, from {old} to {new} ({reason}; {by}). Of the {met} right after "
        "it, {only} met only the easier target, the last of them {period}, with a score of {score}"
    ).format(
        day=days.day(given.target.valid_from),
        old=numbers.target_set(metric, given.before),
        new=numbers.target_set(metric, given.target),
        reason=given.target.reason,
        by=given.target.approved_by,
        met=met,
        only=numbers.count(given.met_only_new),
        period=days.short_period(given.score.period),
        score=numbers.score(given.score.score),
    )
    if given.score_by_old is None:
        return f"{said}."
    return _("{said} that by the target before would be {old}.").format(
        said=said, old=numbers.score(given.score_by_old)
    )


def audit_sentence(given: Audit) -> str:
    """What was found of the cases that were looked at again."""
    sample, found = given.sample, given.verified
    drawn = _(
        "Drawn at random to be looked at again: {size} of {closed} cases closed from {start} to {end}"
    ).format(
        closed=numbers.count(sample.closed),
        start=days.day(sample.since),
        end=days.day(sample.until - _DAY),
        size=numbers.count(found.size),
    )
    if found.rate is None or found.low is None or found.high is None:
        return _("{drawn}. None was checked yet.").format(drawn=drawn)
    words = {
        "drawn": drawn,
        "checked": numbers.count(found.checked),
        "done": numbers.count(found.done),
        "rate": numbers.share(found.rate),
        "low": numbers.share(found.low),
        "high": numbers.share(found.high),
    }
    if found.is_complete:
        return _("{drawn}. Really done: {done}, {rate} (95% interval {low} to {high}).").format(**words)
    return _(
        "{drawn}. So far {checked} checked, really done: {done}, {rate} so far (95% interval {low} to "
        "{high})."
    ).format(**words)


def _bunched(given: Integrity) -> list[str]:
    """What the days beside the deadline say where the past says nothing: a habit older than the records."""
    found = given.bunched.bunching if given.bunched else None
    return [bunch_sentence(given.bunched, found)] if given.bunched and found and found.is_alarm else []


def _times(number: float) -> str:
    return numbers.plain(round(number, 0 if number >= 10 else 1 if number >= 1 else 2))


_PERIODS = {
    Grain.WEEK: lambda n: ngettext("{count} week", "{count} weeks", n),
    Grain.MONTH: lambda n: ngettext("{count} month", "{count} months", n),
    Grain.QUARTER: lambda n: ngettext("{count} quarter", "{count} quarters", n),
    Grain.DAY: lambda n: ngettext("{count} day", "{count} days", n),
}
