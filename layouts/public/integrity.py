"""What the API says of whether a metric's number can be trusted: pairs, deadlines, targets and audits."""

from __future__ import annotations

from layouts.public.explained import target_words
from layouts.public.shapes import Json, period_fields
from metrics.gaming import Eased
from store.engine import instant_text
from store.integrity import Audit, Bunched, Heap, Integrity, Pair


def integrity_fields(given: Integrity) -> Json:
    """Every finding with its numbers; `alarms` is how many of them ask a question."""
    warned = sum(one.is_warning for one in given.pairs) + len(given.eased)
    return {
        "alarms": warned + given.is_heaped,
        "pairs": [_pair(one) for one in given.pairs],
        "heaping": _heap(given.heap) if given.heap else None,
        "bunching": _bunched(given.bunched) if given.bunched else None,
        "eased_targets": [_eased(one) for one in given.eased],
        "audits": [_audit(one) for one in given.audits],
    }


def _pair(given: Pair) -> Json:
    return {
        "metric": given.metric.id,
        "name": given.metric.name,
        "warning": given.is_warning,
        "judged": [day.isoformat() for day in given.judged] if given.judged else None,
    }


def _heap(given: Heap) -> Json:
    found = given.heaping
    return {
        "since": given.since.isoformat(),
        "until": given.until.isoformat(),
        "before": given.before,
        "after": given.after,
        "ratio": found.ratio if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "usual": {
            "since": given.usual_since.isoformat(),
            "until": given.usual_until.isoformat(),
            "before": given.usual_before,
            "after": given.usual_after,
            "ratio": found.usual_ratio if found else None,
        },
        "times": found.times if found else None,
        "times_low": found.times_low if found else None,
        "times_high": found.times_high if found else None,
        "alarm": found.is_alarm if found else False,
    }


def _bunched(given: Bunched) -> Json:
    found = given.bunching
    return {
        "since": given.since.isoformat(),
        "until": given.until.isoformat(),
        "before": given.before,
        "after": given.after,
        "near_before": sum(before for before, _after in given.days),
        "near_after": sum(after for _before, after in given.days),
        "dispersion": found.dispersion if found else None,
        "times": found.times if found else None,
        "times_low": found.times_low if found else None,
        "times_high": found.times_high if found else None,
        "alarm": found.is_alarm if found else False,
    }


def _eased(given: Eased) -> Json:
    period = given.score.period
    return {
        "target": target_words(given.target),
        "before": target_words(given.before),
        "met_only_new": given.met_only_new,
        "judged": given.judged,
        "newest": {
            "grain": period.grain,
            **period_fields(period),
            "value": given.score.value,
            "score": given.score.score,
            "score_by_old": given.score_by_old,
        },
    }


def _audit(given: Audit) -> Json:
    sample, found = given.sample, given.verified
    return {
        "sample": sample.id,
        "since": sample.since.isoformat(),
        "until": sample.until.isoformat(),
        "drawn_at": instant_text(sample.drawn_at),
        "closed": sample.closed,
        "size": found.size,
        "checked": found.checked,
        "done": found.done,
        "rate": found.rate,
        "low": found.low,
        "high": found.high,
        "complete": found.is_complete,
    }
