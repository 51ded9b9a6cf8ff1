"""A control chart as the API gives it: its limits, its signals, what they mean, what chance would do."""

from __future__ import annotations

from layouts.public.shapes import Json
from metrics.signals import Chart, Point, Proposal

NOTHING_TO_CHART, NO_LIMITS = "nothing_to_chart", "too_few_points"
"""Why a chart says nothing: no period has a value, or too few are settled for limits."""


def charted(chart: Chart | None) -> Json:
    """The fields of a chart. center, lower and upper are those of its last point that has limits."""
    points = chart.points if chart else ()
    last = next((one for one in reversed(points) if one.lower is not None and one.upper is not None), None)
    is_judged = chart is not None and chart.judged is not None
    return {
        "chart": chart.kind if chart else None,
        "reason": None if is_judged else NO_LIMITS if chart else NOTHING_TO_CHART,
        "center": last.center if last else None,
        "lower": last.lower if last else None,
        "upper": last.upper if last else None,
        "judged": chart.judged.isoformat() if chart and chart.judged else None,
        "signal": chart.signal if chart else None,
        "variation": chart.variation if chart else None,
        "assurance": chart.assurance if chart else None,
        "expected": chart.false_alarms.last if chart and is_judged else None,
        "trial": chart.trial if chart else None,
        "warnings": list(chart.warnings) if chart else [],
        "autocorrelation": chart.autocorrelation if chart else None,
        "borders": [
            {"start": one.day.isoformat(), "kind": "rebase", "reason": one.reason or None}
            for one in (chart.borders if chart else ())
        ],
        "proposal": _proposal(chart.proposal) if chart and chart.proposal else None,
        "points": [_point(one) for one in points],
    }


def _proposal(given: Proposal) -> Json:
    return {
        "start": given.start.isoformat(),
        "points": given.points,
        "side": "high" if given.is_high else "low",
    }


def _point(given: Point) -> Json:
    return {
        "start": given.start.isoformat(),
        "value": given.value,
        "center": given.center,
        "lower": given.lower,
        "upper": given.upper,
        "signal": given.signal,
        "provisional": given.provisional,
        "reason": given.reason,
    }
