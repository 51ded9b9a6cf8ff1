"""One act of publishing: bring observations up to now, ask the plan, save what is new, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select

from metrics import periods
from metrics.catalogue import from_text
from metrics.model import Catalogue, Knowledge, Publication
from metrics.plan import Inputs, Plan, is_open_for_publication, plan
from store import (
    corrections,
    heaps,
    maturities,
    publication_rows,
    publications,
    rebases,
    runs,
    selftests,
    signals,
    targets,
    withholding,
)
from store.bulk import insert_rows
from store.definitions import REVISION, scoring_parts
from store.differences import Difference, difference, mismatches
from store.engine import Clock, StoreError, Writing, bump_state, instant_text, writing
from store.engine import from_text as instant_from_text
from store.inputs import Asked
from store.reduce import Reduction, reduce
from store.schema import catalogues, composites, scores
from store.schema import publications as publications_table
from store.standing import arithmetic

_FOR_EVER = "9999"
"""Later than any instant, as texts of instants are compared."""


@dataclass(frozen=True)
class PublishReport:
    """What publishing did. publication is None when nothing differed from the current one."""

    publication: Publication | None
    as_of: date
    scores: int
    composites: int
    restated: int
    facts: int

    def line(self, city: str) -> str:
        """What publishing did, in one line of counts."""
        if self.publication is None:
            return f"{city}: nothing has changed since the last publication as of {self.as_of}"
        rank = "" if self.publication.is_current else " (kept beside the current one, for a later date)"
        return (
            f"{city}: publication {self.publication.id} as of {self.as_of}{rank}: "
            f"{self.facts} facts new or changed, {self.scores} scores and {self.composites} composites "
            f"new or changed, {self.restated} final scores restated"
        )

    def words(self, city: str) -> dict[str, Any]:
        """The same as a JSON object; outcome is `published` or `unchanged`."""
        return {
            "outcome": "unchanged" if self.publication is None else "published",
            "publication": None if self.publication is None else self.publication.id,
            "as_of": self.as_of.isoformat(),
            "scores": self.scores,
            "composites": self.composites,
            "restated": self.restated,
            "facts": self.facts,
            "sentence": self.line(city),
        }


def publish(
    engine: Engine,
    catalogue: Catalogue,
    clock: Clock,
    *,
    as_of: date | None = None,
    reason: str | None = None,
) -> PublishReport:
    """Publishes the scores of every period that has ended by as_of, in one transaction.

    catalogue: as it is in the files; what was approved in the store is merged in.
    as_of None is today once the publication hour has come or all sources are known, else yesterday.
    Writes only what is new or changed; where nothing is, no definition changed and no rebase was approved,
    there is no publication. One for an older date than the current is stored whole and never becomes current.
    Raises StoreError for an as_of that lies ahead or is not open yet, where no source was ever loaded, for a
    clock before the last publication, and where final scores change because definitions did and no reason is
    given.
    """
    with writing(engine, clock) as held:
        return publish_within(held, catalogue, as_of=as_of, reason=reason)


def publish_within(
    held: Writing,
    catalogue: Catalogue,
    *,
    as_of: date | None = None,
    reason: str | None = None,
    watches: bool = True,
) -> PublishReport:
    """Publishes as `publish` does, in the caller's transaction.

    watches: whether what is found beside the scores (charts, heaps, self-tests) is found and kept, too.
    """
    _refuse_a_clock_before_the_last_publication(held)
    catalogue = targets.merged(held.connection, catalogue)
    now = publications.current(held.connection)
    knowledge = _never_less(runs.knowledge(held.connection, catalogue.sources), catalogue, now)
    day = _as_of(catalogue, knowledge, held, as_of)
    _refuse_where_nothing_was_ever_loaded(catalogue, knowledge, now)
    _remember_catalogue(held, catalogue)
    reduced = reduce(held, catalogue, day)
    rebased = now is not None and rebases.decided_since(held.connection, now.publication)
    if now and not rebased and _follows_from_the_same(catalogue, day, knowledge, now, reduced):
        return PublishReport(None, day, 0, 0, 0, 0)
    is_current = now is None or day >= now.publication.as_of
    tests_itself = is_current and watches and selftests.is_due(held.connection, day, catalogue.hash)
    fresh = {one.metric: one.facts for one in reduced if one.facts is not None}
    asked = Asked(held.connection, catalogue, day, held.now, knowledge, now, fresh, tests_itself)
    inputs, matured = asked.matured()
    planned = plan(inputs)
    differs = difference(held.connection, planned, now if is_current else None, inputs.standing)
    report = _save(held, catalogue, day, knowledge, now, is_current, differs, reduced, reason, rebased)
    if report.publication:
        maturities.save(held.connection, report.publication, matured)
    if report.publication and watches:
        withholding.remember(held.connection, catalogue, report.publication)
        heaps.remember(held.connection, catalogue, report.publication, knowledge)
        signals.remember(held.connection, catalogue, report.publication)
        if tests_itself:
            selftests.remember(held.connection, report.publication, replace(inputs, standing=None))
    return report


def inputs_now(connection: Connection, catalogue: Catalogue, now: publications.Reading) -> Inputs:
    """The facts as known now for the date of the current publication, to be judged by a catalogue."""
    knowledge = runs.knowledge(connection, catalogue.sources)
    inputs = Asked(connection, catalogue, now.publication.as_of, _FOR_EVER, knowledge, now).inputs(None)
    return replace(inputs, curves=maturities.read_curves(connection, now.publication))


def recompute(
    connection: Connection, reading: publications.Reading, catalogue: Catalogue | None = None
) -> Plan:
    """What a publication must have said, from the catalogue, facts and knowledge it was made with.

    catalogue: another to judge the same facts by.
    """
    catalogue = catalogue or from_text(reading.catalogue_text)
    known_at = instant_text(reading.publication.known_at)
    as_of = reading.publication.as_of
    inputs = Asked(connection, catalogue, as_of, known_at, reading.knowledge, reading).inputs(None)
    return plan(replace(inputs, curves=maturities.read_curves(connection, reading.publication)))


def verify(connection: Connection) -> Iterable[tuple[Publication, list[str]]]:
    """Each publication, oldest first, with a line for every score that does not recompute."""
    for publication in reversed(publications.history(connection)):
        reading = publications.find(connection, number=publication.id)
        assert reading is not None, "it was just listed"
        planned = recompute(connection, reading)
        yield publication, mismatches(connection, publication, planned)


# --- what is asked for --------------------------------------------------------------------------


def _never_less(
    knowledge: Mapping[str, Knowledge], catalogue: Catalogue, now: publications.Reading | None
) -> dict[str, Knowledge]:
    """A source once known from a day stays known from it, whatever records it has lost since."""

    def kept(name: str, known: Knowledge) -> Knowledge:
        before = now.knowledge.get(name) if now else None
        if before is None or before.first_day is None or catalogue.sources[name].begins is not None:
            return known
        return replace(known, first_day=min(before.first_day, known.first_day or before.first_day))

    return {name: kept(name, known) for name, known in knowledge.items()}


def _follows_from_the_same(
    catalogue: Catalogue,
    as_of: date,
    knowledge: Mapping[str, Knowledge],
    now: publications.Reading,
    reduced: list[Reduction],
) -> bool:
    """Whether nothing that scores follow from differs from when the current publication was made."""
    if any(one.changed or one.days is None for one in reduced) or as_of != now.publication.as_of:
        return False
    if catalogue.hash != now.publication.catalogue_hash:
        return False
    midnight = periods.local_midnight(catalogue.city, as_of)
    return all(
        _as_far(one, midnight) == _as_far(now.knowledge.get(name), midnight)
        for name, one in knowledge.items()
    )


def _as_far(known: Knowledge | None, midnight: datetime) -> tuple[date | None, datetime | None] | None:
    """How far a source is known for a date: all the same once it is known to the midnight that begins it."""
    if known is None or known.known_until is None:
        return None
    return known.first_day, min(known.known_until, midnight)


def _as_of(
    catalogue: Catalogue, knowledge: Mapping[str, Knowledge], held: Writing, wanted: date | None
) -> date:
    city = catalogue.city
    now = instant_from_text(held.now)
    today = periods.local_day(city, now)
    if wanted is not None and wanted > today:
        raise StoreError(
            f"--as-of {wanted} lies ahead; today is {today} in {city.name}. Give a date up to it."
        )
    day = wanted or today
    past_hour = now >= periods.instant_at(city, day, city.publication_hour)
    if is_open_for_publication(catalogue, day, knowledge, past_hour):
        return day
    if wanted is None:
        return day - timedelta(days=1)
    raise StoreError(
        f"{day} is not open yet: the publication hour is {city.publication_hour}:00 and not every source "
        f"is known to midnight. Publish --as-of {day - timedelta(days=1)}, or wait."
    )


def _refuse_a_clock_before_the_last_publication(held: Writing) -> None:
    last = held.connection.execute(select(func.max(publications_table.c.published_at))).scalar_one()
    if last is not None and held.now < last:
        raise StoreError(
            f"The machine's clock says {held.now}, before the last publication at {last}; "
            "set the clock right."
        )


def _refuse_where_nothing_was_ever_loaded(
    catalogue: Catalogue, knowledge: Mapping[str, Knowledge], now: publications.Reading | None
) -> None:
    """A first publication of nothing but reasons would hide from a new city what it still has to do."""
    is_unknown = all(one.known_until is None for one in knowledge.values())
    if now is None and catalogue.live_metrics() and is_unknown:
        raise StoreError(
            f"No source of {catalogue.city.name} has ever been loaded, so there is nothing to publish; "
            "run `python -m ingest run` first."
        )


def _remember_catalogue(held: Writing, catalogue: Catalogue) -> None:
    known = select(catalogues.c.hash).where(catalogues.c.hash == catalogue.hash)
    if held.connection.execute(known).one_or_none() is None:
        row = {"hash": catalogue.hash, "text": catalogue.text, "first_seen": held.now}
        held.connection.execute(insert(catalogues), row)


# --- what is saved ------------------------------------------------------------------------------


def _save(
    held: Writing,
    catalogue: Catalogue,
    as_of: date,
    knowledge: Mapping[str, Knowledge],
    now: publications.Reading | None,
    is_current: bool,
    difference: Difference,
    reduced: list[Reduction],
    reason: str | None,
    rebased: bool,
) -> PublishReport:
    facts = sum(one.changed for one in reduced)
    moved = now is None or not is_current or as_of != now.publication.as_of or rebased
    # Definitions are public too: a metric taken off the public pages must be off at once.
    moved = moved or (now is not None and catalogue.hash != now.publication.catalogue_hash)
    if not (difference.scores or difference.composites or moved):
        return PublishReport(None, as_of, 0, 0, 0, facts)
    why = reason or _why(held.connection, catalogue, now, difference, as_of)
    publication = _insert_publication(held, catalogue, as_of, knowledge, is_current, why)
    _insert(
        held.connection, scores, [publication_rows.score_to_row(s, publication.id) for s in difference.scores]
    )
    rows = [publication_rows.composite_to_row(c, publication.id) for c in difference.composites]
    _insert(held.connection, composites, rows)
    if is_current:
        bump_state(held)
    counts = len(difference.scores), len(difference.composites), len(difference.restated)
    return PublishReport(publication, as_of, *counts, facts)


def _why(
    connection: Connection,
    catalogue: Catalogue,
    now: publications.Reading | None,
    difference: Difference,
    as_of: date,
) -> str | None:
    """The reason a publication carries; a person must give it where definitions moved final scores.

    Those who approved targets, and those who corrected records, have given theirs with them.
    """
    if not difference.restated:
        return None
    assert now is not None, "what was never said cannot be restated"
    before = from_text(now.catalogue_text)
    if scoring_parts(before) == scoring_parts(catalogue):
        return corrections.reason_since(connection, now.publication.known_at) or REVISION
    given = targets.reason_for(connection, before, catalogue, as_of)
    if given is not None:
        return given
    names = sorted(set(difference.restated))
    named = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    raise StoreError(
        f"{len(difference.restated)} final scores would change ({named}) and definitions have changed since "
        f"publication {now.publication.id}; say why with --reason."
    )


def _insert_publication(
    held: Writing,
    catalogue: Catalogue,
    as_of: date,
    knowledge: Mapping[str, Knowledge],
    is_current: bool,
    reason: str | None,
) -> Publication:
    row = {
        "as_of": as_of.isoformat(),
        "known_at": held.now,
        "published_at": held.now,
        "catalogue": catalogue.hash,
        "knowledge": publication_rows.knowledge_to_json(knowledge),
        "is_current": int(is_current),
        "reason": reason,
        "arithmetic": arithmetic(),
    }
    inserted = held.connection.execute(insert(publications_table).values(row))
    key = inserted.inserted_primary_key
    assert key is not None, "the table has a number of its own"
    instant = instant_from_text(held.now)
    return Publication(key[0], as_of, instant, instant, catalogue.hash, is_current, reason)


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        insert_rows(connection, table, names, (tuple(row.values()) for row in rows))
