"""The sentences of the page of the method: what a metric is held to, and what chance does to its score."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from layouts.formats import company, days, numbers, words
from layouts.formats.language import _, ngettext
from metrics.backtest import BackTest
from metrics.model import Grain, Metric, Reason, Target, Weight
from metrics.selftest import GrainTest, MetricTest

Arguments = Mapping[str, str | int | float]


def target(metric: Metric, given: Target) -> str:
    """A target with its date, who approved it and why."""
    return _("{target} from {day}, approved by {person}: {reason}").format(
        target=numbers.target_set(metric, given),
        day=days.day(given.valid_from),
        person=given.approved_by,
        reason=given.reason,
    )


def weight(given: Weight) -> str:
    """A weight with the day it begins and why."""
    since, reason = company.weight_since(given), company.weight_reason(given)
    return f"{since}: {reason}" if reason else since


def own_past() -> str:
    """What a metric is held to whose target nobody set."""
    return _(
        "The target is the city's own past: the same periods of earlier years, or the same weekdays before."
    )


def grains(metric: Metric) -> str:
    """At which lengths of a period a metric is scored."""
    if not metric.scored_at:
        return _("Shown and never scored")
    return ", ".join(words.grain_word(grain) for grain in metric.scored_at)


def clock(metric: Metric) -> str:
    """From when to when is measured; empty where nothing is."""
    if not metric.clock_start:
        return ""
    return _("from {start} to {stop}").format(start=metric.clock_start, stop=metric.clock_stop)


def expected(one: GrainTest) -> str:
    """The mean score of an unchanged city on target."""
    return numbers.NOTHING if one.expected is None else numbers.plain(one.expected, 3)


def rate(share: float | None) -> str:
    """How often, in percent with one digit."""
    return (
        numbers.NOTHING if share is None else f"{numbers.plain(100 * round(share, 3), 1)}\N{NO-BREAK SPACE}%"
    )


def tested(test: MetricTest) -> list[GrainTest]:
    """The grains that last year says something of."""
    return [one for one in test.grains if one.expected is not None]


def back_test(one: BackTest) -> str:
    """How many of last year's periods would have met a target."""
    held = _("the city's own past")
    if one.valid_from is not None:
        held = _("the target from {day}").format(day=days.day(one.valid_from))
    return _("{grain}: {met} of {periods} met {target}").format(
        grain=words.grain_word(one.grain), met=one.met, periods=one.periods, target=held
    )


def warning(given: Reason) -> str:
    """What is wrong with a target or a grain, as a sentence."""
    sentence = _WARNINGS.get(given.id)
    return sentence(given.arguments) if sentence else ""


def _noise(arguments: Arguments) -> str:
    return _(
        "Scored {daily}, an unchanged city exactly on target would by chance get {score} instead of 1.00."
    ).format(daily=_daily(arguments), score=numbers.plain(float(arguments["expected"]), 3))


def _low(arguments: Arguments) -> str:
    return _(
        "Even a perfect period scores only {score}: this target can be missed and hardly be beaten."
    ).format(score=numbers.plain(float(arguments["ceiling"]), 3))


def _unreachable(arguments: Arguments) -> str:
    return _("This target cannot be met: even a perfect period scores only {score}.").format(
        score=numbers.plain(float(arguments["ceiling"]), 3)
    )


def _failsafe(_arguments: Arguments) -> str:
    return _("This target cannot be missed: the worst possible period is still on target.")


def _always(arguments: Arguments) -> str:
    return _("The target was met in all of the last {months}: it may ask too little.").format(
        months=_periods(arguments)
    )


def _never(arguments: Arguments) -> str:
    return _("The target was missed in all of the last {months}: it may ask too much.").format(
        months=_periods(arguments)
    )


def _periods(arguments: Arguments) -> str:
    count = int(arguments["periods"])
    return {
        Grain.DAY: ngettext("{count} day", "{count} days", count),
        Grain.WEEK: ngettext("{count} week", "{count} weeks", count),
        Grain.MONTH: ngettext("{count} month", "{count} months", count),
        Grain.QUARTER: ngettext("{count} quarter", "{count} quarters", count),
    }[Grain(str(arguments["grain"]))].format(count=numbers.count(count))


def _daily(arguments: Arguments) -> str:
    return words.how_often(Grain(str(arguments["grain"])))


_WARNINGS: dict[str, Callable[[Arguments], str]] = {
    "noise_moves_the_score": _noise,
    "ceiling_is_low": _low,
    "target_cannot_be_met": _unreachable,
    "target_cannot_fail": _failsafe,
    "target_always_met": _always,
    "target_never_met": _never,
}
