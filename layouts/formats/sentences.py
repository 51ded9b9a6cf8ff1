"""The sentences of the pages: headlines with their finding, what a number carries, how a score was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from layouts.formats import days, numbers, words
from layouts.formats.language import _, ngettext
from layouts.formats.numbers import Level, Movement
from layouts.formats.reasons import reason
from layouts.views import CityView, Edition, Line, MetricView, SourceStart, StartView
from metrics.model import (
    Aggregation,
    Catalogue,
    Composite,
    Direction,
    Family,
    Grain,
    Metric,
    Part,
    Period,
    Score,
    Status,
)

NEARLY = 0.995
"""From here on up to 1 a score would round to 1.00 and does not."""

# --- the city ----------------------------------------------------------------------------------


def headline(view: CityView) -> str:
    """The finding of the city's page in one sentence: always true, whatever there is to say."""
    composite = view.composite
    if not view.services and not view.conditions:
        return _("This city has no public metrics yet")
    if composite is None or not view.services:
        return _("No service of this city is scored yet")
    if composite.score is None:
        return _withheld(composite, view.edition.catalogue)
    if composite.scored == 1:
        return _("{standing}: one is scored {daily}").format(
            standing=_standing(composite.score), daily=words.how_often(composite.period.grain)
        )
    return ngettext(
        "{standing}: {on_target} of {scored} scored {daily} met its target",
        "{standing}: {on_target} of {scored} scored {daily} met theirs",
        composite.scored,
    ).format(
        standing=_standing(composite.score),
        on_target=numbers.count(composite.on_target),
        scored=numbers.count(composite.scored),
        daily=words.how_often(composite.period.grain),
    )


def _standing(score: float) -> str:
    return {
        Level.ABOVE: _("City services are beating their targets"),
        Level.ON: _("City services are on target"),
        Level.WATCH: _("City services are just under target"),
        Level.BELOW: _("City services are below target"),
    }[numbers.level(score)]


def _withheld(composite: Composite, catalogue: Catalogue) -> str:
    if composite.late and len(composite.late) >= composite.total:
        return _("No city score: everything is late")
    if composite.reason is not None and composite.reason.id == "coverage_below_minimum":
        return _("No city score: {scored} of {total} services have one").format(
            scored=numbers.count(composite.scored), total=numbers.count(composite.total)
        )
    why = reason(composite.reason, catalogue).rstrip(".")
    return _("No city score: {why}").format(why=words.uncapital(why)) if why else _("No city score")


def on_target(composite: Composite) -> str:
    """k of n, which a composite is never shown without."""
    return _("{on_target} of {scored} on target").format(
        on_target=numbers.count(composite.on_target), scored=numbers.count(composite.scored)
    )


def coverage(composite: Composite) -> str:
    """How much of the weight has a score; empty where nothing is asked."""
    if composite.coverage is None:
        return ""
    daily = words.how_often(composite.period.grain)
    if composite.scored == composite.total:
        return ngettext(
            "The one measured {daily} has a score",
            "All {total} measured {daily} have a score",
            composite.total,
        ).format(total=numbers.count(composite.total), daily=daily)
    return _("{scored} of {total} measured {daily} have a score: {share} of the weight").format(
        scored=numbers.count(composite.scored),
        total=numbers.count(composite.total),
        daily=daily,
        share=numbers.share(composite.coverage),
    )


def late_seats(composite: Composite) -> str:
    """That late metrics keep their seats; empty where none is late."""
    count = len(composite.late)
    if not count or composite.score is None:
        return ""
    return ngettext(
        "{count} is late and counts with no more than its lowest recent score",
        "{count} are late and count with no more than their lowest recent scores",
        count,
    ).format(count=numbers.count(count))


def change(moved: Movement | None, grain: Grain, before: Period | None = None) -> str:
    """A change against the period before; says so when there is none to compare with.

    before: which period it was, where that is known: a day is compared with one on which all were open.
    """
    if moved is None:
        return _("Nothing to compare with yet")
    since = words.before_word(grain)
    if before is not None and grain is Grain.DAY:
        since = _("on {day}").format(day=days.short_period(before))
    amount = numbers.hundredths(abs(moved.amount))
    if moved.amount == 0:
        return _("Unchanged {on_the_week_before}").format(on_the_week_before=since)
    if moved.amount > 0:
        return _("Up {amount} {on_the_week_before}").format(amount=amount, on_the_week_before=since)
    return _("Down {amount} {on_the_week_before}").format(amount=amount, on_the_week_before=since)


def change_of_department(moved: Movement | None) -> str:
    """A change in a table's cell."""
    return numbers.NOTHING if moved is None else numbers.signed(moved.amount)


def why_moved(view: CityView) -> str:
    """The heading over the parts of a change; it quotes performance only as a cause (method 8)."""
    composite = view.composite
    if composite is None or composite.score is None:
        return _("There is no score, so there is no change to explain.")
    moved = numbers.movement(composite)
    if moved is None or composite.before is None:
        return _("There is no period before to compare with.")
    now, before = numbers.score(composite.score), _score_before(composite)
    amounts = {"before": before, "now": now, "period": days.short_period(composite.before)}
    if moved.amount == 0:
        return _("The score stayed at {now} ({period}: {before}).").format(**amounts)
    if moved.amount > 0:
        return _("The score rose from {before} ({period}) to {now}.").format(**amounts)
    return _("The score fell from {before} ({period}) to {now}.").format(**amounts)


def _score_before(composite: Composite) -> str:
    moved = numbers.movement(composite)
    assert moved is not None and composite.score is not None, "asked only where there is a change"
    return numbers.hundredths(numbers.printed(composite.score) - moved.amount)


@dataclass(frozen=True)
class PrintedPart:
    """One printed row of a change: metric is None for the sum of rows that are not printed by themselves.

    others: they are rows that a short list leaves out, not only rows too small to print.
    """

    metric: Metric | None
    part: Part | None
    amount: Decimal
    others: bool = False


def printed_parts(view: CityView) -> list[PrintedPart]:
    """The parts of the change as printed: they add up to the printed change (method 8).

    Rows that print as 0.00 are one row at the end. Empty where there is no change to explain.
    """
    composite = view.composite
    moved = numbers.movement(composite) if composite else None
    if moved is None or not view.contributions:
        return []
    amounts = numbers.contributions(moved, [part.contribution for part in view.contributions])
    metrics = view.edition.catalogue.metrics
    shown = [
        PrintedPart(metrics.get(part.metric), part.part, amount)
        for part, amount in zip(view.contributions, amounts, strict=True)
        if amount != 0
    ]
    hidden = len(amounts) - len(shown)
    return [*shown, PrintedPart(None, None, Decimal("0.00"))] if hidden else shown


def part_text(part: PrintedPart) -> str:
    """What a printed row is about."""
    if part.others:
        return _("Everything else together")
    if part.metric is None or part.part is None:
        return _("Everything else, each less than a hundredth")
    if part.part is Part.PERFORMANCE:
        return part.metric.name
    return _("{metric}: {part}").format(metric=part.metric.name, part=words.part_word(part.part))


# --- editions ----------------------------------------------------------------------------------


def edition(given: Edition) -> str:
    """As of when and by which publication: on every page."""
    return _("Data up to {day} · publication {number}, {instant}").format(
        day=days.day(given.last_day),
        number=given.publication.id,
        instant=days.instant(given.publication.published_at, given.city),
    )


def pinned(given: Edition) -> str:
    """That the page is not the newest; empty where it is."""
    if not given.is_pinned:
        return ""
    if not given.publication.is_current:
        return _("You are reading publication {number}, made afterwards for {day}.").format(
            number=given.publication.id, day=days.day(given.last_day)
        )
    return _("You are reading publication {number}. A newer one, {newest}, has been made since.").format(
        number=given.publication.id, newest=given.newest
    )


def provisional(count: int) -> str:
    """How many scores may still change; empty for none."""
    if not count:
        return ""
    return ngettext(
        "Provisional: {count} score may still change",
        "Provisional: {count} scores may still change",
        count,
    ).format(count=numbers.count(count))


# --- metrics -----------------------------------------------------------------------------------


def metric_headline(view: MetricView) -> str:
    """The finding of a metric's page in one sentence."""
    metric, score = view.metric, view.score
    if metric.retired is not None:
        return _("{metric} is no longer measured since {day}").format(
            metric=metric.name, day=days.day(metric.retired.on)
        )
    if score is None:
        return _("{metric}: nothing is known yet").format(metric=metric.name)
    if score.value is None or score.score is None:
        return _without_score(metric, score)
    return _("{metric}: {value}, {standing}").format(
        metric=metric.name,
        value=numbers.value_beside_target(metric, score),
        standing=against_target(metric, score),
    )


def _without_score(metric: Metric, score: Score) -> str:
    if score.value is None or score.status in (Status.LATE, Status.MISSING):
        return _("{metric}: {status}").format(
            metric=metric.name, status=words.uncapital(words.status_word(score.status))
        )
    return _("{metric}: {value}").format(metric=metric.name, value=numbers.value(metric, score.value))


def against_target(metric: Metric, score: Score) -> str:
    """Where a value lies beside its target: what the score says, in the metric's own words."""
    assert score.score is not None, "asked only for a score"
    aim = numbers.target(metric, score.target, score.target_high)
    if metric.direction is Direction.WITHIN:
        inside = _("inside its band of {target}") if score.score >= 1 else _("outside its band of {target}")
        return inside.format(target=aim)
    if score.value == score.target:
        return _("exactly its target of {target}").format(target=aim)
    if metric.historical:
        return _against_past(metric, score).format(target=aim)
    if score.score >= 1:
        return _("better than its target of {target}").format(target=aim)
    if metric.direction is Direction.LOWER_IS_BETTER:
        return _("above its target of {target}").format(target=aim)
    return _("below its target of {target}").format(target=aim)


def _against_past(metric: Metric, score: Score) -> str:
    assert score.score is not None, "asked only for a score"
    if score.score >= 1:
        return _("better than the {target} of its own past")
    if metric.direction is Direction.LOWER_IS_BETTER:
        return _("above the {target} of its own past")
    return _("below the {target} of its own past")


def finding(line: Line, catalogue: Catalogue) -> str:
    """One metric's finding on a card: value against target, or why there is none."""
    score = line.score
    if score is None or score.score is None:
        return reason(score.reason, catalogue) if score else ""
    return _("{value}, {standing}.").format(
        value=numbers.value_beside_target(line.metric, score), standing=against_target(line.metric, score)
    )


def parts(metric: Metric, score: Score) -> str:
    """What a value is made of: the records behind it; empty where nothing is known of them."""
    if score.numerator is not None and score.denominator is not None:
        if metric.aggregation is Aggregation.RATIO and metric.denominator is not None:
            return _("{numerator} ÷ {denominator}").format(
                numerator=numbers.plain(score.numerator, 2), denominator=numbers.plain(score.denominator, 2)
            )
        if metric.aggregation is Aggregation.RATIO:
            return _("{numerator} of {denominator}").format(
                numerator=numbers.count(score.numerator), denominator=numbers.count(score.denominator)
            )
        if metric.aggregation is Aggregation.MEAN:
            return ngettext("{count} record", "{count} records", int(score.denominator)).format(
                count=numbers.count(score.denominator)
            )
    if score.n is None:
        return ""
    if metric.aggregation is not Aggregation.STOCK and not counts_records(metric):
        return ""
    if metric.aggregation is Aggregation.STOCK:
        return ngettext("{count} day", "{count} days", score.n).format(count=numbers.count(score.n))
    return ngettext("{count} record", "{count} records", score.n).format(count=numbers.count(score.n))


def counts_records(metric: Metric) -> bool:
    """Whether the n of a score is how many records stand behind it: not days, visits, stops or litres."""
    added_up = metric.quantity is not None or metric.denominator is not None
    return metric.aggregation is not Aggregation.STOCK and not added_up


def not_in_headline(metric: Metric) -> str:
    """That a condition stands beside the city's score; empty for a service."""
    if metric.family is Family.SERVICE:
        return ""
    return _("A condition of the city: shown beside the city's score, never inside it.")


def worked_example(metric: Metric, score: Score) -> list[str]:
    """How this score was made, step by step with its own numbers (method 5); empty without a score."""
    if score.score is None or score.value is None or score.target is None:
        return []
    steps = [_value_step(metric, score)]
    if metric.method == "cityscore":
        steps.append(_cityscore_step(metric, score))
    elif metric.direction is Direction.WITHIN:
        steps.extend(_within_steps(metric, score))
    else:
        steps.extend(_linear_steps(metric, score))
    steps.append(_("Printed with two digits: {score}.").format(score=numbers.score(score.score)))
    if score.score < 1 and numbers.printed(score.score) == Decimal("0.99") and score.score >= NEARLY:
        steps.append(_("What is below 1 is never printed as 1.00."))
    return steps


def _value_step(metric: Metric, score: Score) -> str:
    if metric.aggregation is Aggregation.RATIO and score.numerator is not None and score.denominator:
        return _("Value: {numerator} ÷ {denominator} = {value}.").format(
            numerator=numbers.plain(score.numerator),
            denominator=numbers.plain(score.denominator),
            value=numbers.plain(score.value or 0.0, 6),
        )
    return _("Value: {value}.").format(value=numbers.plain(score.value or 0.0, 6))


def _linear_steps(metric: Metric, score: Score) -> list[str]:
    assert score.value is not None and score.target is not None, "checked by worked_example"
    floor = score.floor if score.floor is not None else 0.0
    line = 1 + (score.value - score.target) / (score.target - floor)
    steps = [
        _("Target {target}; the score reaches 0 at {floor}.").format(
            target=numbers.plain(score.target, 6), floor=numbers.plain(floor, 6)
        ),
        _("Score: 1 + ({value} − {target}) ÷ ({target} − {floor}) = {line}.").format(
            value=numbers.plain(score.value, 6),
            target=numbers.plain(score.target, 6),
            floor=numbers.plain(floor, 6),
            line=numbers.plain(line, 6),
        ),
    ]
    if line < 0:
        steps.append(_("A score is never below 0."))
    elif line > metric.cap:
        steps.append(_("A score is never above {cap}.").format(cap=numbers.plain(metric.cap)))
    return steps


def _within_steps(metric: Metric, score: Score) -> list[str]:
    band = _("The band is {band}: inside it the score is 1.").format(
        band=numbers.target(metric, score.target, score.target_high)
    )
    if score.score is not None and score.score >= 1:
        return [band]
    floors = _("Outside it falls in a straight line to 0 at {low} and {high}.").format(
        low=numbers.plain(score.floor or 0.0, 6), high=numbers.plain(score.floor_high or 0.0, 6)
    )
    return [band, floors]


def _cityscore_step(metric: Metric, score: Score) -> str:
    over, under = score.value, score.target
    if metric.direction is Direction.LOWER_IS_BETTER:
        over, under = under, over
    return _("Boston's arithmetic: {over} ÷ {under} = {score}.").format(
        over=numbers.plain(over or 0.0, 6),
        under=numbers.plain(under or 0.0, 6),
        score=numbers.plain(score.score or 0.0, 6),
    )


def chart_text(view: MetricView, points: Sequence[Score]) -> str:
    """What a chart shows, for those who do not see it: kind, range, last value and target."""
    known = [(point, point.value) for point in points if point.value is not None]
    if not known:
        return _("No values to draw for {metric}.").format(metric=view.metric.name)
    amounts = [amount for _point, amount in known]
    last = known[-1][0]
    return _(
        "Line of {metric} {daily}: from {lowest} to {highest}; last {last} in {period}, target {target}."
    ).format(
        metric=view.metric.name,
        daily=words.how_often(view.grain),
        lowest=numbers.value(view.metric, min(amounts)),
        highest=numbers.value(view.metric, max(amounts)),
        last=numbers.value(view.metric, last.value),
        period=days.short_period(last.period),
        target=numbers.target(view.metric, last.target, last.target_high),
    )


def sparkline_text(line: Line) -> str:
    """What a small graphic shows; empty where nothing is drawn."""
    values = [score.value for score in line.recent if score.value is not None]
    if len(values) < 2:
        return ""
    return _("From {first} to {last} over {count} periods").format(
        first=numbers.value(line.metric, values[0]),
        last=numbers.value(line.metric, values[-1]),
        count=numbers.count(len(values)),
    )


# --- before the first publication ----------------------------------------------------------------


def start_headline(view: StartView) -> str:
    """What a city that has not published yet is waiting for."""
    if not view.metrics:
        return _("{city} has no metrics yet").format(city=view.city.name)
    if any(source.outcome == "running" for source in view.sources):
        return _("Loading the records of {city}").format(city=view.city.name)
    if view.never_ran:
        return ngettext(
            "{city} has published nothing yet: {count} source holds no records",
            "{city} has published nothing yet: {count} sources hold no records",
            len(view.never_ran),
        ).format(city=view.city.name, count=numbers.count(len(view.never_ran)))
    return _("{city} is about to publish its first scores").format(city=view.city.name)


def source_start(source: SourceStart) -> str:
    """How far one source has come."""
    if source.has_ever_succeeded:
        return _("Loading what is new") if source.outcome == "running" else _("Loaded")
    if source.outcome is None:
        return _("Has never run")
    if source.outcome == "running":
        return _("Has never run to its end; loading now")
    return _("Has never run to its end; the last try failed")
