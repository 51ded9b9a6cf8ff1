"""Which records a source no longer has, and when what it gives is too little to be believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.contract import SourceError
from ingest.staging import Filling
from store.records import Stage

FEWEST_LEFT = 0.5
"""A reading that lost more than this share of a source's records is a fault of the reading."""

FEWEST_JUDGED = 20
"""A place that gave fewer rows than this may shrink to any number unasked."""

ACCEPT = "--accept-fewer"


@dataclass(frozen=True)
class Gone:
    """The keys to withdraw, and notes on why there are none. known: the reading told every key."""

    keys: Sequence[str] = ()
    notes: Sequence[str] = ()
    known: bool = False


def refuse_fewer(source: str, sizes: Mapping[str, int], before: Mapping[str, int]) -> None:
    """Raises SourceError when a place gives less than half of the rows it gave when last read whole."""
    for place, size in sizes.items():
        usual = before.get(place, 0)
        if usual >= FEWEST_JUDGED and size < FEWEST_LEFT * usual:
            named = f", {place}," if place else ""
            raise SourceError(
                f"{source}{named} gave {size} rows where it gave {usual} before, and nothing was kept; if "
                f"that is right, run it again with {ACCEPT}."
            )


def missing_from_rows(filling: Filling, stage: Stage, *, accepted: bool) -> Gone:
    """What a complete reading lacks, as its rows tell. Asked inside `Stage.writing`."""
    lost = filling.lost(stage.missing())
    if lost is None:
        return Gone(notes=["nothing was withdrawn, as some refused rows have no key"])
    return _believed(lost, filling.staged, accepted)


def missing_from_ids(ids: Iterable[object], stage: Stage, *, accepted: bool) -> Gone:
    """What is neither among the ids a source still has nor among its rows. Asked inside `Stage.writing`."""
    there = set(ids)
    return _believed([key for key in stage.missing() if key not in there], len(there), accepted)


def _believed(lost: list[str], left: int, accepted: bool) -> Gone:
    if len(lost) > FEWEST_LEFT * (len(lost) + left) and not accepted:
        many = f"{len(lost)} records are no longer at the source; so many are not withdrawn unasked"
        return Gone(notes=[f"{many} (if that is right, run it again with {ACCEPT})"])
    return Gone(lost, known=True)
