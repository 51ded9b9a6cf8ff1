"""Where every page reads: it opens a publication with its definitions, and finds public metrics in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from flask import Flask, current_app

from layouts.views import Edition, StartView
from metrics import catalogue as catalogues
from metrics.model import Catalogue, Metric
from store import publications, releases
from store.engine import Clock, Connection, Engine, reading, system_clock
from store.withheld import Audience

_KEY = "desk"


@dataclass(frozen=True)
class Desk:
    """A city's database, its definitions as they are on disk, and how far its first loading is.

    build names this version of the code and its style sheet. base_url is the public address of the site,
    which absolute links begin with; empty where there is none, and then there are none. clock tells what
    is late by now, on pages that speak of the moment and not of a publication. Pages read
    `catalogue` only before the first publication; afterwards every page uses the definitions of its
    publication.
    """

    engine: Engine
    catalogue: Catalogue
    start: Callable[[], StartView]
    build: str
    base_url: str = ""
    clock: Clock = system_clock

    @contextmanager
    def open(
        self,
        *,
        number: int | None = None,
        as_of: date | None = None,
        audience: Audience = Audience.PUBLIC,
    ) -> Iterator[tuple[Connection, Edition | None]]:
        """A reading of the database and the publication wanted: by number, by date or the current one.

        The edition is None where there is none such. audience: who is shown what is read.
        """
        with reading(self.engine) as connection:
            yield connection, edition(connection, number=number, as_of=as_of, audience=audience)

    def find_metric(self, metric: str) -> Metric | None:
        """A metric of the current publication, public or not; None where there is none."""
        with self.open(audience=Audience.STAFF) as (_connection, now):
            return now.catalogue.metrics.get(metric) if now else None


def edition(
    connection: Connection,
    *,
    number: int | None = None,
    as_of: date | None = None,
    audience: Audience = Audience.PUBLIC,
) -> Edition | None:
    """The publication by number, by date or the current one, with its definitions; None for none."""
    found = publications.find(connection, number=number, as_of=as_of)
    if found is None:
        return None
    definitions = _catalogue(found.catalogue_text)
    standing = definitions
    if found.publication.id != found.newest:
        newest = publications.find(connection, number=found.newest)
        standing = _catalogue(newest.catalogue_text) if newest else definitions
        definitions = _hiding_as_now(definitions, standing)
    if audience is Audience.PUBLIC and standing.city.approve_first:
        waiting = unreleased(connection, standing)
        definitions, standing = _without(definitions, waiting), _without(standing, waiting)
    return Edition(
        found.publication,
        definitions,
        found.knowledge,
        found.newest,
        found.state,
        standing=standing,
        audience=audience,
    )


def unreleased(connection: Connection, standing: Catalogue) -> frozenset[str]:
    """The public metrics that the public has never seen and that are not approved, by id, old and new.

    Seen is what was public in a publication made before the city began to approve first. None in a city that
    does not.
    """
    if not standing.city.approve_first:
        return frozenset()
    seen = set(releases.approved(connection))
    for text in releases.catalogue_texts(connection):
        before = _catalogue(text)
        if not before.city.approve_first:
            seen |= {one.id for one in before.metrics.values() if one.public}
    waiting = [
        one for one in standing.metrics.values() if one.public and not seen & {one.id, one.renamed_from}
    ]
    return frozenset(name for one in waiting for name in (one.id, one.renamed_from) if name)


def _without(definitions: Catalogue, waiting: frozenset[str]) -> Catalogue:
    """Definitions in which what waits for its first publication is not public."""
    if not waiting:
        return definitions
    metrics = {
        name: replace(one, public=False) if name in waiting else one
        for name, one in definitions.metrics.items()
    }
    return replace(definitions, metrics=metrics)


def _hiding_as_now(definitions: Catalogue, standing: Catalogue) -> Catalogue:
    """Older definitions that hide small counts of the whole city where the newest do: it outranks pins."""
    hides = {
        name
        for one in standing.metrics.values()
        if one.hide_small_city
        for name in (one.id, one.renamed_from)
    }
    if not hides & definitions.metrics.keys():
        return definitions
    return replace(
        definitions,
        metrics={
            name: replace(one, hide_small_city=True) if name in hides else one
            for name, one in definitions.metrics.items()
        },
    )


def public_metric(edition: Edition, metric: str) -> Metric | None:
    """The metric of this id if it is published to everybody; None otherwise."""
    found = edition.catalogue.metrics.get(metric)
    return found if found is not None and found.public else None


@lru_cache(maxsize=64)
def _catalogue(text: str) -> Catalogue:
    return catalogues.from_text(text)


def put(server: Flask, desk: Desk) -> None:
    """Gives a server its desk."""
    server.extensions[_KEY] = desk


def at_hand() -> Desk:
    """The desk of the server that answers right now."""
    desk: Desk = current_app.extensions[_KEY]
    return desk
