"""The self-test as lines for a terminal: the table, the grains it proposes, warnings and back-tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from metrics.backtest import BackTest
from metrics.model import Catalogue, Metric, Reason
from metrics.selftest import GrainTest, MetricTest

HEAD = (
    f"{'metric':32} {'grain':8} {'periods':>7} {'size':>10} {'spread':>7} {'expected':>8} {'misses':>7} "
    f"{'on target':>9} scored proposed"
)
_SAID = {
    "noise_moves_the_score": "is scored by {grain}, where noise alone gives an unchanged city {expected}",
    "ceiling_is_low": "a perfect period scores only {ceiling}; choose a target that can be beaten",
    "target_cannot_be_met": "a perfect period scores {ceiling}: the target cannot be met",
    "target_cannot_fail": "the worst there can be is on target: the target cannot fail",
    "target_always_met": "every one of the last {periods} periods ({grain}) met the target",
    "target_never_met": "none of the last {periods} periods ({grain}) met the target",
}


def self_test_lines(catalogue: Catalogue, tests: Sequence[MetricTest]) -> Iterator[str]:
    """What `store check` says of an unchanged city on target, of `scored_at` and of targets."""
    yield "\nan unchanged city exactly on target, by the model of method 5"
    yield HEAD
    for test in tests:
        yield from (_line(catalogue.metrics[test.metric], one) for one in test.grains)
    yield "\ntargets held against the last year"
    for test in tests:
        yield from (_back_test(test.metric, one) for one in test.backtests)
    yield "\nproposals and warnings"
    said = [line for test in tests for line in _advice(catalogue.metrics[test.metric], test)]
    yield from said or ["none"]


def _line(metric: Metric, one: GrainTest) -> str:
    def number(given: float | None, form: str) -> str:
        return "-" if given is None else format(given, form)

    proposed = {None: "-", True: "yes", False: "no"}[one.is_steady]
    return (
        f"{metric.id:32} {one.grain:8} {one.periods:7d} {number(one.size, '.1f'):>10} "
        f"{number(one.dispersion, '.2f'):>7} {number(one.expected, '.4f'):>8} "
        f"{number(one.misses, '.3f'):>7} {number(one.passes, '.3f'):>9} "
        f"{'yes' if one.grain in metric.scored_at else 'no':6} {proposed}"
    )


def _back_test(metric: str, one: BackTest) -> str:
    begins = f"target from {one.valid_from}" if one.valid_from else "target from its own past"
    return f"{metric:32} {one.grain:8} {begins}: met in {one.met} of {one.periods}"


def _advice(metric: Metric, test: MetricTest) -> Iterable[str]:
    known = {one.grain for one in test.grains if one.is_steady is not None}
    better = [grain for grain in metric.scored_at if grain in test.proposed or grain not in known]
    if better != list(metric.scored_at):
        names = ", ".join(f'"{grain}"' for grain in better)
        yield f"metrics/{metric.id}.toml: write scored_at = [{names}]"
    more = [grain for grain in test.proposed if grain not in metric.scored_at]
    if more:
        yield f"metrics/{metric.id}.toml: could be scored by {', '.join(more)} too"
    yield from (f"metrics/{metric.id}.toml: {_words(one)}" for one in test.warnings)


def _words(given: Reason) -> str:
    return _SAID[given.id].format(**given.arguments)
