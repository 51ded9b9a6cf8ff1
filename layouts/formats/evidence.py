"""The sentences about what the evidence says: verdict, interval, status, what a target leaves."""

from __future__ import annotations

from layouts.formats import numbers
from layouts.formats.language import _
from layouts.formats.reasons import reason
from metrics.catalogue_target_rules import LEAST_CEILING
from metrics.model import Catalogue, Composite, Direction, Grain, Metric, Score, Status, Verdict


def verdict(metric: Metric, score: Score) -> str:
    """Whether the target was met, and how sure that is; empty without a score."""
    if score.verdict is None:
        return ""
    if score.verdict is Verdict.CANNOT_TELL and _is_at_the_edge(metric, score):
        return _("Nothing is better than this target: it can be missed, and never be shown to be met.")
    grain = score.period.grain
    return _verdicts(metric)[score.verdict].format(rarely=_rarely(grain), such_months=_such(grain))


def interval(metric: Metric, score: Score) -> str:
    """Where a value lies by chance, inside a sentence: `between 78% and 86%`; empty without interval."""
    if score.low is not None and score.high is not None:
        low, high = numbers.apart(metric, score.low, score.high)
        return _("between {low} and {high}").format(low=low, high=high)
    if score.low is not None:
        return _("at least {low}").format(low=numbers.value(metric, score.low))
    if score.high is not None:
        return _("at most {high}").format(high=numbers.value(metric, score.high))
    return ""


def by_chance(metric: Metric, score: Score) -> str:
    """A value with its interval, as a sentence; empty without interval."""
    around = interval(metric, score)
    if not around or score.value is None:
        return ""
    return _("{value}, and {between_them} when chance is allowed for.").format(
        value=numbers.value_beside_target(metric, score), between_them=around
    )


def ceiling(metric: Metric, score: Score) -> str:
    """That even a perfect period scores hardly more than 1.00; empty where there is room."""
    if score.ceiling is None or score.ceiling >= LEAST_CEILING or metric.direction is Direction.WITHIN:
        return ""
    return _(
        "Even the best possible {month} scores {ceiling}: this target leaves no room to do better."
    ).format(month=_one(score.period.grain), ceiling=numbers.score(score.ceiling))


def late_seat(score: Score) -> str:
    """With what a late metric counts while it is late; empty for one that has no seat."""
    if score.score is not None or score.seat is None:
        return ""
    return _(
        "While it is late it counts with {seat}, its lowest score of the year before, "
        "or with the mean of the others where that is lower."
    ).format(seat=numbers.score(score.seat))


def remarks(metric: Metric, score: Score) -> list[str]:
    """All that the evidence says of a metric in a period, for its page: none of it is empty."""
    said = (by_chance(metric, score), verdict(metric, score), ceiling(metric, score), late_seat(score))
    return [text for text in said if text]


def verdicts(composite: Composite) -> str:
    """How many metrics meet, miss and leave it open beyond chance; empty where none has a verdict."""
    if not composite.meets and not composite.misses and not composite.cannot_tell:
        return ""
    return _(
        "Beyond chance: {meets} meet their target, {misses} miss it, {open} are too close to tell"
    ).format(
        meets=numbers.count(composite.meets or 0),
        misses=numbers.count(composite.misses or 0),
        open=numbers.count(composite.cannot_tell or 0),
    )


def standing(score: Score, catalogue: Catalogue) -> str:
    """Why there is no score, else what the status of a score means: always a sentence."""
    return reason(score.reason, catalogue) or _so_far(score) or status(score.status)


def _so_far(score: Score) -> str:
    """How much of a provisional score is known; empty for any other, and where it was not measured."""
    if score.status is not Status.PROVISIONAL or score.completeness is None:
        return ""
    return _("By now usually {share} of it is known, so the score may still change.").format(
        share=numbers.share(score.completeness)
    )


def status(given: Status) -> str:
    """What a status means, in one sentence."""
    return {
        Status.SUPPRESSED: _("Hidden: so few people stand behind it that they could be recognised."),
        Status.CLOSED: _("The service was closed, so there is nothing to score."),
        Status.LATE: _("The data should be here by now and are not."),
        Status.MISSING: _("The data are not here yet, or are known to be incomplete."),
        Status.NO_OPPORTUNITY: _("The service was open and had nothing to do."),
        Status.NOT_SCORED: _("The value is shown and not scored."),
        Status.INSUFFICIENT: _("Too little is known to form the value or its target."),
        Status.IMMATURE: _("Too much of it is still to be reported, so it does not count yet."),
        Status.PROVISIONAL: _("Some of it is still to be reported, so the score may still change."),
        Status.FINAL: _("All that was expected is here."),
    }[given]


def _verdicts(metric: Metric) -> dict[Verdict, str]:
    if metric.direction is Direction.WITHIN:
        meets = _("It was inside its band, and not by luck: at either end of it that happens {rarely}.")
        misses = _("It was outside its band, and not by bad luck: within it that happens {rarely}.")
        either = _("Too close to tell: by chance a service at the end of its band has {such_months} too.")
    elif metric.historical:
        meets = _("It did better than its own past, and not by luck: unchanged it does so {rarely}.")
        misses = _("It did worse than its own past, and not by bad luck: unchanged it does so {rarely}.")
        either = _("Too close to tell: by chance an unchanged service has {such_months} too.")
    else:
        meets = _("It met its target, and not by luck: just on target that happens {rarely}.")
        misses = _("It missed its target, and not by bad luck: just on target that happens {rarely}.")
        either = _("Too close to tell: by chance a service just on target has {such_months} too.")
    return {Verdict.MEETS: meets, Verdict.MISSES: misses, Verdict.CANNOT_TELL: either}


def _rarely(grain: Grain) -> str:
    return {
        Grain.DAY: _("in at most 1 of 40 days"),
        Grain.WEEK: _("in at most 1 of 40 weeks"),
        Grain.MONTH: _("in at most 1 of 40 months"),
        Grain.QUARTER: _("in at most 1 of 40 quarters"),
    }[grain]


def _such(grain: Grain) -> str:
    return {
        Grain.DAY: _("such days"),
        Grain.WEEK: _("such weeks"),
        Grain.MONTH: _("such months"),
        Grain.QUARTER: _("such quarters"),
    }[grain]


def _is_at_the_edge(metric: Metric, score: Score) -> bool:
    return metric.direction is not Direction.WITHIN and score.ceiling is not None and score.ceiling <= 1


def _one(grain: Grain) -> str:
    return {
        Grain.DAY: _("day"),
        Grain.WEEK: _("week"),
        Grain.MONTH: _("month"),
        Grain.QUARTER: _("quarter"),
    }[grain]
