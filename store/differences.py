"""What a plan says that a publication did not, what it takes back, and what does not recompute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from metrics.model import Composite, Grain, Publication, Reason, Score, Status
from metrics.plan import Plan
from store import publications

NO_LONGER_KNOWN = Reason("no_longer_known")
"""Why a score that was published has none any more: the records it was made of are gone."""


@dataclass(frozen=True)
class Difference:
    """What a plan says that the publication before it did not; restated names the final scores it changes."""

    scores: tuple[Score, ...]
    composites: tuple[Composite, ...]
    restated: tuple[str, ...]


def difference(connection: Connection, planned: Plan, now: publications.Reading | None) -> Difference:
    """What a plan adds to the publication `now`, with what it takes back; everything where that is None."""
    if now is None:
        return Difference(planned.scores, planned.composites, ())
    said = publications.all_scores(connection, now.publication)
    says = {_key(one): one for one in planned.scores}
    live = {one.metric for one in planned.scores}
    gone = [
        one for key, one in said.items() if key not in says and one.metric in live and _said_a_number(one)
    ]
    says |= {_key(one): _tombstone(one) for one in gone}
    said_of_all = publications.all_composites(connection, now.publication)
    says_of_all = {_scope_key(one): one for one in planned.composites}
    fallen = [one for key, one in said_of_all.items() if key not in says_of_all and one.score is not None]
    says_of_all |= {_scope_key(one): _composite_tombstone(one) for one in fallen}
    restated = [one.metric for key, one in says.items() if _was_final(said.get(key), one)]
    restated += [key[1] or key[0] for key, one in says_of_all.items() if _stood(said_of_all.get(key), one)]
    return Difference(
        tuple(one for key, one in says.items() if said.get(key) != one),
        tuple(one for key, one in says_of_all.items() if said_of_all.get(key) != one),
        tuple(restated),
    )


def mismatches(connection: Connection, publication: Publication, planned: Plan) -> list[str]:
    """A line for every score and composite that a publication says and its plan does not, or otherwise."""
    said = publications.all_scores(connection, publication)
    live = {score.metric for score in planned.scores}
    says = {_key(score): score for score in planned.scores}
    lines = [
        f"{metric} {district or 'city'} {grain} {start}: published {_told(said.get(key))}, "
        f"recomputed {_told(says.get(key))}"
        for key in sorted(said.keys() | says.keys())
        for metric, district, grain, start in [key]
        if metric in live and said.get(key) != says.get(key) and not _is_settled(said.get(key), key in says)
    ]
    said_of_all = publications.all_composites(connection, publication)
    says_of_all = {_scope_key(one): one for one in planned.composites}
    for key in sorted(said_of_all.keys() | says_of_all.keys()):
        stands, is_planned = said_of_all.get(key), key in says_of_all
        is_settled = not is_planned and stands is not None and stands.score is None
        if stands != says_of_all.get(key) and not is_settled:
            lines.append(f"{key[0]} {key[1]} {key[2]} {key[3]}: the composite differs")
    return lines


def _key(score: Score) -> tuple[str, str, Grain, date]:
    return score.metric, score.district, score.period.grain, score.period.start


def _scope_key(one: Composite) -> tuple[str, str, Grain, date]:
    return one.scope, one.scope_id, one.period.grain, one.period.start


def _was_final(said: Score | None, says: Score) -> bool:
    return said is not None and said.status is Status.FINAL and said.score != says.score


def _said_a_number(one: Score) -> bool:
    """Whether a row that is not said any more leaves something to take back."""
    return one.value is not None or one.score is not None


def _stood(said: Composite | None, says: Composite) -> bool:
    """Whether a composite of known parts changes; one with a late seat in it was never final."""
    return said is not None and said.score is not None and not said.late and said.score != says.score


def _composite_tombstone(said: Composite) -> Composite:
    return replace(
        said,
        score=None,
        reason=NO_LONGER_KNOWN,
        coverage=None,
        ceiling=None,
        total=0,
        scored=0,
        on_target=0,
        late=(),
        lowest=(),
        before=None,
        change=None,
        change_matched=None,
        contributions=(),
    )


def _tombstone(said: Score) -> Score:
    """A score that the records no longer give, said out loud rather than left standing."""
    return replace(
        said,
        value=None,
        numerator=None,
        denominator=None,
        n=None,
        end_value=None,
        score=None,
        status=Status.MISSING,
        reason=NO_LONGER_KNOWN,
        seat=None,
        change=None,
        baseline=(),
    )


def _is_settled(said: Score | None, is_planned: bool) -> bool:
    """A row without a number that is not said any more: there was nothing to take back, or it was."""
    return not is_planned and said is not None and not _said_a_number(said)


def _told(score: Score | None) -> str:
    if score is None:
        return "nothing"
    return f"{score.value} scored {score.score} ({score.status.value})"
