"""The receipt of a published score as lines for a terminal."""

from __future__ import annotations

from store.explain import Explanation


def receipt_lines(receipt: Explanation) -> list[str]:
    """Which records counted, what they gave, the target and where it is from, the formula and the change."""
    score, metric, made = receipt.score, receipt.metric, receipt.publication
    lines = [
        f"{metric.name} ({metric.id}), {score.district or 'whole city'}",
        f"{score.period.grain}: {score.period.start} up to, not including, {score.period.end}",
        f"publication {made.id} as of {made.as_of}, published {made.published_at:%Y-%m-%d %H:%M} UTC, "
        f"facts as known at {made.known_at:%Y-%m-%d %H:%M} UTC",
    ]
    if receipt.records is not None:
        counts = receipt.records
        lines += [
            f"records dated in the period: {counts.dated}",
            f"  withdrawn by the source: {counts.withdrawn}",
            f"  not asked for (where): {counts.not_wanted}",
            f"  excluded (exclude): {counts.dropped}",
            f"  counted: {counts.kept}"
            + (f", of them meeting the test: {counts.met}" if counts.met is not None else ""),
            f"records without a date, in no period: {counts.undated}",
        ]
    lines += [
        f"numerator {score.numerator}, denominator {score.denominator}, n {score.n}",
        f"value {score.value}",
        f"target {score.target}" + (f" to {score.target_high}" if score.target_high is not None else ""),
        *_target_lines(receipt),
        f"status {score.status}" + (f" ({score.reason.id})" if score.reason else ""),
        _formula(receipt),
        *_shift_lines(receipt),
    ]
    return lines


def _shift_lines(receipt: Explanation) -> list[str]:
    if receipt.shift is None:
        return []
    return [
        f"change from the period that starts on {receipt.shift.before.start}: {receipt.shift.change:+.6f} "
        "(where it is, not why)",
        *(f"  {one.district}: rate {one.rate:+.6f}, mix {one.mix:+.6f}" for one in receipt.shift.parts),
    ]


def _target_lines(receipt: Explanation) -> list[str]:
    if receipt.metric.historical:
        ranges = ", ".join(f"{start} to {end}" for start, end in receipt.score.baseline)
        return [f"  from the metric's own past: {ranges or 'not enough of it'}"]
    return [
        f"  {one.value} since {one.valid_from}: {one.reason} (approved by {one.approved_by})"
        for one in receipt.targets
    ]


def _formula(receipt: Explanation) -> str:
    score, metric = receipt.score, receipt.metric
    if score.score is None:
        return "no score"
    if score.target_high is not None or metric.method != "linear":
        return f"score {score.score} by the method `{metric.method}`, {metric.direction}"
    return (
        f"score = 1 + (value - target) / (target - floor) = 1 + ({score.value} - {score.target}) / "
        f"({score.target} - {score.floor}), kept within 0 and {metric.cap} = {score.score}"
    )
