"""The composites of the API: a window for each grain, with the same fields whether or not it has ended."""

from __future__ import annotations

from layouts.public.shapes import Json, period_fields, reason_id
from metrics.model import Composite, Grain


def windows(composites: dict[Grain, Composite], public: set[str]) -> Json:
    """The composite of the newest period of each grain; of metrics it names only the `public` ones."""
    return {
        grain: _window(composites[grain], public) if grain in composites else _no_window() for grain in Grain
    }


def _window(given: Composite, public: set[str]) -> Json:
    worst = [{"metric": metric, "score": score} for metric, score in given.lowest if metric in public]
    return {
        "score": given.score,
        "reason": reason_id(given.reason),
        "coverage": given.coverage,
        "ceiling": given.ceiling,
        "on_target": given.on_target,
        "geometric": given.geometric,
        "leave_one_out": _band(given.leave_one_out),
        "weight_band": _band(given.weight_band),
        "sampling_band": _band(given.sampling_band),
        "cityscore": given.cityscore,
        "meets": given.meets,
        "cannot_tell": given.cannot_tell,
        "misses": given.misses,
        "late": [metric for metric in given.late if metric in public],
        "lowest": worst[0] if worst else None,
        "worst": worst,
        "scored": given.scored,
        "total": given.total,
        "period": period_fields(given.period),
        "change": given.change,
        "change_matched": given.change_matched,
        "contributions": [
            {"metric": one.metric, "part": one.part, "contribution": one.contribution}
            for one in given.contributions
            if one.metric in public
        ],
    }


def _no_window() -> Json:
    """A grain of which no period has ended yet: every field is there, so that no reader stumbles."""
    return {
        "score": None,
        "reason": "no_period",
        "coverage": None,
        "ceiling": None,
        "on_target": 0,
        "geometric": None,
        "leave_one_out": None,
        "weight_band": None,
        "sampling_band": None,
        "cityscore": None,
        "meets": None,
        "cannot_tell": None,
        "misses": None,
        "late": [],
        "lowest": None,
        "worst": [],
        "scored": 0,
        "total": 0,
        "period": None,
        "change": None,
        "change_matched": None,
        "contributions": [],
    }


def _band(given: tuple[float, float] | None) -> list[float] | None:
    return list(given) if given else None
