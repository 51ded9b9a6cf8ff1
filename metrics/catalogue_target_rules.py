"""The rules of what is expected of a metric: directions, targets, floors and what a perfect period scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from metrics import scoring
from metrics.catalogue_files import Draft
from metrics.catalogue_shapes import Mistake, error, warning
from metrics.model import Aggregation, Direction, Metric, Target

DURATIONS_HELD_SHORT = ("seconds", "minutes", "hours", "days", "weeks")
LEAST_CEILING = 1.02
"""Under this a metric that can do no better looks as if it stood still (method 5)."""

Rule = Callable[[Metric, Draft], Iterable[Mistake]]


def is_share(metric: Metric) -> bool:
    """Whether the metric's values are shares: fractions from 0 to 1, printed as percent."""
    return metric.unit == "percent"


def _neutral_is_not_scored(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.direction is not Direction.NEUTRAL:
        return
    for place, given in (
        ("scored_at", metric.scored_at),
        ("target", metric.targets),
        ("historical", metric.historical),
    ):
        if given:
            message = f"a neutral metric is shown and never scored; it has no `{place}`."
            yield error(place, message, "Leave it out, or say which direction is good.")


def _scored_has_a_target(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.direction is Direction.NEUTRAL:
        return
    if metric.scored_at and not metric.targets and not metric.historical:
        message = "nothing can be scored without a target."
        yield error("scored_at", message, "Add a [[target]], or historical = true, or leave scored_at out.")


def _historical_has_no_targets(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.historical and metric.targets:
        message = "the target is the metric's own past, and there are targets as well."
        yield error("historical", message, "Keep one of the two.")
    if metric.historical and metric.direction is Direction.WITHIN:
        message = "a band cannot come from the past."
        yield error("historical", message, "Give the band as a [[target]], or choose another direction.")


def _scored_once_per_grain(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if len(set(metric.scored_at)) < len(metric.scored_at):
        yield error("scored_at", "a grain is named twice.", "Name each once.")


def _targets_say_why(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    for place, target in _numbered(metric):
        for word, text in (("reason", target.reason), ("approved_by", target.approved_by)):
            if not text.strip():
                yield error(f"{place}, {word}", "this is empty.", "Say why, and who decided it.")


def _bands_are_for_within(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    for place, target in _numbered(metric):
        if metric.direction is Direction.WITHIN:
            yield from _band(place, target)
        elif isinstance(target.value, tuple) or isinstance(target.floor, tuple):
            message = f"a pair of numbers is for direction within; this one is {metric.direction}."
            yield error(place, message, 'Write one number, or direction = "within".')


def _band(place: str, target: Target) -> Iterator[Mistake]:
    if not isinstance(target.value, tuple):
        yield error(f"{place}, value", "within needs both ends of the band.", "Write value = [low, high].")
        return
    if not isinstance(target.floor, tuple):
        message = "a band needs both floors: where the score is 0 on either side."
        yield error(f"{place}, floor", message, "Add floor = [below the band, above the band].")
        return
    low, high = target.value
    if low > high:
        yield error(f"{place}, value", f"{low:g} is above {high:g}.", "Write value = [low, high].")
    elif not (target.floor[0] < low and target.floor[1] > high):
        message = f"the floors {target.floor[0]:g} and {target.floor[1]:g} do not lie outside the band."
        yield error(f"{place}, floor", message, f"Write one below {low:g} and one above {high:g}.")


def _shares_are_fractions(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if not is_share(metric):
        return
    for place, target in _numbered(metric):
        for word, bound in (("value", target.value), ("floor", target.floor)):
            yield from _fractions(f"{place}, {word}", bound)
    if metric.best is not None:
        yield from _fractions("best", metric.best)


def _fractions(place: str, bound: scoring.Bound | None) -> Iterator[Mistake]:
    for number in bound if isinstance(bound, tuple) else (bound,):
        if number is not None and not 0 <= number <= 1:
            fix = "Write a fraction from 0 to 1."
            if 1 < number <= 100:
                fix = f"Write {number:g} percent as {number / 100:.2f}."
            yield error(place, f"{number:g} is no share.", fix)


def _floors_fit(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    """The score runs from 0 at the floor to 1 at the target, so the floor is on the bad side (method 5)."""
    if metric.direction not in (Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER):
        return
    for place, target in _numbered(metric):
        if isinstance(target.value, tuple) or isinstance(target.floor, tuple):
            continue
        if metric.method == "cityscore":
            yield from _divisible(place, target.value)
        elif target.floor is None and target.value == 0:
            message = "a target of 0 has no floor, so nothing says how bad is bad."
            yield error(f"{place}, floor", message, "Add floor = the value at which the score is 0.")
        else:
            yield from _floor_side(metric, place, target.value, target.floor)


def _divisible(place: str, value: float) -> Iterator[Mistake]:
    if value <= 0:
        message = f"cityscore divides by its target, which is {value:g}."
        yield error(f"{place}, value", message, 'Give a target above 0, or use method = "linear".')


def _floor_side(metric: Metric, place: str, value: float, given: float | None) -> Iterator[Mistake]:
    higher = metric.direction is Direction.HIGHER_IS_BETTER
    side = "below" if higher else "above"
    floor = given
    if floor is None:
        floor = scoring.default_floor(value, metric.direction, is_share=is_share(metric))
    if (floor < value) if higher else (floor > value):
        return
    if given is not None:
        message = f"the floor {floor:g} is on the wrong side of the target {value:g}: {metric.direction}."
        yield error(f"{place}, floor", message, f"Write a floor {side} {value:g}.")
    else:
        message = f"the floor that follows from a target of {value:g} is {floor:g}, which is not {side} it."
        fix = f"Add a floor {side} {value:g}, or change the target."
        yield error(f"{place}, floor", message, fix)


def _direction_fits_the_unit(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    timed = metric.unit in DURATIONS_HELD_SHORT and metric.aggregation is not Aggregation.COUNT
    if timed and metric.direction is Direction.HIGHER_IS_BETTER:
        message = f"more {metric.unit} would score better."
        yield warning(
            "direction", message, 'Write direction = "lower_is_better", unless longer is better here.'
        )


def _perfect_is_above_target(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.direction is Direction.WITHIN or not metric.scored_at:
        return
    for place, target in _numbered(metric):
        ceiling = _ceiling(metric, target)
        if ceiling is not None and ceiling < LEAST_CEILING:
            message = f"a perfect period scores only {ceiling:.3f}: it can lose and hardly win."
            yield warning(place, message, "Choose a target that can be beaten, or a cap above 1.")


def _ceiling(metric: Metric, target: Target) -> float | None:
    """None also where another rule refuses the target."""
    if is_share(metric) and any(_fractions("", target.value)):
        return None
    try:
        return scoring.ceiling(
            target.value,
            metric.direction,
            metric.aggregation,
            is_share=is_share(metric),
            best=metric.best,
            method=metric.method,
            floor=target.floor,
            cap=metric.cap,
        )
    except ValueError:
        return None


def _cityscore_has_no_bands(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.method == "cityscore" and metric.direction is Direction.WITHIN:
        message = "Boston's arithmetic knows no bands."
        yield error("method", message, 'Write method = "linear", or another direction.')


TARGET_RULES: tuple[Rule, ...] = (
    _neutral_is_not_scored,
    _scored_has_a_target,
    _historical_has_no_targets,
    _scored_once_per_grain,
    _targets_say_why,
    _bands_are_for_within,
    _shares_are_fractions,
    _floors_fit,
    _direction_fits_the_unit,
    _perfect_is_above_target,
    _cityscore_has_no_bands,
)


def _numbered(metric: Metric) -> list[tuple[str, Target]]:
    """The targets in order of their dates, with the place a message names."""
    return [(f"target {number}", target) for number, target in enumerate(metric.targets, 1)]
