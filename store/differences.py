"""What a plan says that a publication did not, what it takes back, and what does not recompute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row

from metrics.catalogue import from_text
from metrics.model import WHOLE_CITY, Composite, Publication, Reason, Score, Status
from metrics.plan import Plan
from metrics.standing import Standing
from store import publication_rows, publications
from store.publication_rows import Key

NO_LONGER_KNOWN = Reason("no_longer_known")
"""Why a score that was published has none any more: the records it was made of are gone."""


@dataclass(frozen=True)
class Difference:
    """What a plan says that the publication before it did not; restated names the final scores it changes."""

    scores: tuple[Score, ...]
    composites: tuple[Composite, ...]
    restated: tuple[str, ...]


def difference(
    connection: Connection,
    planned: Plan,
    now: publications.Reading | None,
    standing: Standing | None = None,
) -> Difference:
    """What a plan adds to the publication `now`, with what it takes back; everything where that is None.

    standing: what of `now` the plan left as it stands, which is not read.
    """
    if now is None:
        return Difference(planned.scores, planned.composites, ())
    said, said_of_all = _said(connection, planned, now, standing)
    says = {publication_rows.key_of(one): one for one in planned.scores}
    live = {one.metric for one in planned.scores}
    gone = [
        publication_rows.as_score(row)
        for key, row in said.items()
        if key not in says and row.metric in live and (_said_a_number(row) or row.n is not None)
    ]
    says |= {publication_rows.key_of(one): _tombstone(one) for one in gone}
    says_of_all = {publication_rows.composite_key_of(one): one for one in planned.composites}
    fallen = [
        publication_rows.as_composite(row)
        for key, row in said_of_all.items()
        if key not in says_of_all and row.score is not None
    ]
    says_of_all |= {publication_rows.composite_key_of(one): _composite_tombstone(one) for one in fallen}
    scores = {key: one for key, one in says.items() if not publication_rows.holds_score(said.get(key), one)}
    composites = {
        key: one
        for key, one in says_of_all.items()
        if not publication_rows.holds_composite(said_of_all.get(key), one)
    }
    restated = [one.metric for key, one in scores.items() if _was_final(said.get(key), one)]
    moving = _unsettled(said, now)
    restated += [
        one.scope_id or one.scope
        for key, one in composites.items()
        if key not in moving and _stood(said_of_all.get(key), one)
    ]
    return Difference(tuple(scores.values()), tuple(composites.values()), tuple(restated))


def _said(
    connection: Connection, planned: Plan, now: publications.Reading, standing: Standing | None
) -> tuple[dict[Key, Row[Any]], dict[Key, Row[Any]]]:
    """The scores and composites of a publication that a plan is compared with."""
    publication = now.publication
    if standing is None:
        return publications.score_rows(connection, publication), publications.composite_rows(
            connection, publication
        )
    said = publications.score_rows(connection, publication, standing.day)
    for metric in standing.moved:
        said |= publications.score_rows(connection, publication, metric=metric)
    scopes = {(one.scope, one.scope_id) for one in planned.composites}
    return said, publications.composite_rows(connection, publication, standing.day, scopes)


def mismatches(connection: Connection, publication: Publication, planned: Plan) -> list[str]:
    """A line for every score and composite that a publication says and its plan does not, or otherwise."""
    said = publications.score_rows(connection, publication)
    live = {score.metric for score in planned.scores}
    says = {publication_rows.key_of(score): score for score in planned.scores}
    lines = []
    for key in sorted(said.keys() | says.keys()):
        row, one = said.get(key), says.get(key)
        is_settled = one is None and row is not None and not _said_a_number(row)
        if key[0] in live and not is_settled and not (one and publication_rows.holds_score(row, one)):
            metric, district, grain, start = key
            published = publication_rows.as_score(row) if row is not None else None
            lines.append(
                f"{metric} {district or 'city'} {grain} {start}: published {_told(published)}, "
                f"recomputed {_told(one)}"
            )
    said_of_all = publications.composite_rows(connection, publication)
    says_of_all = {publication_rows.composite_key_of(one): one for one in planned.composites}
    for key in sorted(said_of_all.keys() | says_of_all.keys()):
        stands, whole = said_of_all.get(key), says_of_all.get(key)
        is_settled = whole is None and stands is not None and stands.score is None
        if not is_settled and not (whole and publication_rows.holds_composite(stands, whole)):
            lines.append(f"{key[0]} {key[1]} {key[2]} {key[3]}: the composite differs")
    return lines


def _was_final(said: Row[Any] | None, says: Score) -> bool:
    return said is not None and said.status == Status.FINAL and said.score != says.score


def _said_a_number(row: Row[Any]) -> bool:
    """Whether a row that is not said any more leaves something to take back: otherwise it is settled."""
    return row.value is not None or row.score is not None


def _stood(said: Row[Any] | None, says: Composite) -> bool:
    """Whether a composite of known parts changes; one with a late seat in it was never final."""
    return (
        said is not None
        and said.score is not None
        and said.score != says.score
        and not publication_rows.as_composite(said).late
    )


def _unsettled(said: Mapping[Key, Row[Any]], now: publications.Reading) -> set[Key]:
    """The composites of which a part was provisional or immature: they were said to change."""
    moving = [
        key
        for key, row in said.items()
        if key[1] == WHOLE_CITY and row.status in (Status.PROVISIONAL, Status.IMMATURE)
    ]
    if not moving:
        return set()
    metrics = from_text(now.catalogue_text).metrics
    return {
        (scope, name, grain, start)
        for metric, _, grain, start in moving
        if metric in metrics
        for scope, name in (
            ("city", ""),
            ("department", metrics[metric].department),
            ("theme", metrics[metric].theme),
        )
    }


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
        meets=None,
        cannot_tell=None,
        misses=None,
        geometric=None,
        leave_one_out=None,
        weight_band=None,
        sampling_band=None,
        cityscore=None,
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
        low=None,
        high=None,
        verdict=None,
    )


def _told(score: Score | None) -> str:
    if score is None:
        return "nothing"
    return f"{score.value} scored {score.score} ({score.status.value})"
