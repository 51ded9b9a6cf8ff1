"""The kind `ckan`: tables in the datastore of an open-data portal that speaks the CKAN Action API.

Options of a source:

    url        the portal, https://data.example.gov
    resources  a list of resource ids; or, as ids change when a city starts a new year's table,
    dataset    the dataset's name, and
    pattern    a pattern like "*NEW SYSTEM*" that the names of its resources fit (default: all)
    page_size  rows asked for at a time (default 10000; portals may give fewer)
    whole      true when the resources always hold every record there ever was: records that are no
               longer in them are withdrawn

A resource whose dates and hash are as they were at the last run is not read again. One that is read is
read whole: a portal rewrites its row numbers (`_id`) when it reloads a file, so that nothing older than
the whole tells which rows are new. All pages are on disk and complete before the first row is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field

from ingest import http
from ingest.ahead import ahead
from ingest.answers import objects, parsed, short, table
from ingest.contract import Cell, Extract, Page, Progress, ReadRequest, SourceError
from ingest.sources.options import options_of
from ingest.spool import Decoded, Spool
from metrics.model import Source

READINGS = 2
"""How often a resource is read from the beginning when its rows move meanwhile."""

FINGERPRINT = ("last_modified", "metadata_modified", "hash")
"""What tells that a resource changed."""

Json = dict[str, Any]


class Options(BaseModel):
    """The words of a CKAN source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(pattern=r"^https?://")
    resources: list[str] = Field(default_factory=list)
    dataset: str = ""
    pattern: str = "*"
    page_size: int = Field(default=10_000, ge=1, le=32_000)
    whole: bool = False


@dataclass(frozen=True)
class _Resource:
    """A table of the portal. fingerprint is empty, changed None, where the portal says nothing of it."""

    id: str
    name: str
    fingerprint: str = ""
    changed: datetime | None = None


@dataclass(frozen=True)
class _Answer:
    """A page of a resource: its rows from `offset` on, and how many there are in all, None where unknown."""

    body: bytes
    rows: list[list[Cell]]
    offset: int
    total: int | None


class _MovedError(Exception):
    """The rows of a resource changed, or came in other numbers than promised, while they were read."""


def read(source: Source, request: ReadRequest) -> Extract:
    """The rows of the resources that changed since the request's cursor.

    Raises SourceError when the portal does not answer, answers something else, or lacks the resources.
    """
    options = options_of(source, Options)
    if bool(options.resources) == bool(options.dataset):
        raise SourceError(f"sources/{source.id}.toml, [options]: give one of resources and dataset.")
    before = json.loads(request.cursor) if request.cursor else {}
    with http.client(request.city.contact) as client:
        portal = _Portal(client, options, request.progress)
        resources = portal.resources()
        stale = [one for one in resources if not one.fingerprint or before.get(one.id) != one.fingerprint]
        tables = [_spooled(portal, one, request) for one in stale]
    now = {one.id: one for one in (*resources, *(resource for resource, _ in tables))}
    return Extract(
        pages=chain.from_iterable(
            spool.pages(_decoded, f"{portal.address}, {one.name}") for one, spool in tables
        ),
        updated_at=max((one.changed for one in now.values() if one.changed is not None), default=None),
        cursor=json.dumps({id_: one.fingerprint for id_, one in now.items()}),
        unchanged=not stale,
        complete=options.whole and len(stale) == len(resources),
        sizes={one.id: spool.rows for one, spool in tables},
    )


def sample(source: Source, request: ReadRequest) -> Page:
    """The first page of the first resource, for a look at its columns; nothing of it is kept."""
    options = options_of(source, Options)
    with http.client(request.city.contact) as client:
        portal = _Portal(client, options, request.progress)
        first = portal.resources()[0]
        result, _ = portal.page(first, 0)
    return Page(tuple(_names(result)), _rows(result), place=f"{portal.address}, {first.name}")


# --- asking the portal ---------------------------------------------------------------------------


class _Portal:
    """The Action API of one portal."""

    def __init__(self, client: httpx.Client, options: Options, progress: Progress) -> None:
        self._client = client
        self._options = options
        self.progress = progress
        self.address = options.url.rstrip("/")

    def resources(self) -> list[_Resource]:
        """The resources that the options mean, in their order."""
        if self._options.resources:
            return [self.resource(one) for one in self._options.resources]
        dataset, pattern = self._options.dataset, self._options.pattern
        answer, _ = self._ask("package_show", {"id": dataset}, f"dataset {dataset}")
        listed = [one for one in objects(answer.get("resources")) if one.get("datastore_active", True)]
        fitting = [_resource(one) for one in listed if fnmatchcase(str(one.get("name", "")), pattern)]
        if not fitting:
            names = ", ".join(str(one.get("name")) for one in listed) or "none"
            raise SourceError(
                f"{self.address}: no table of the dataset {dataset} is called like {pattern!r} "
                f"(there are: {names}); correct `pattern`."
            )
        return fitting

    def resource(self, id_: str) -> _Resource:
        """What the portal says of one resource; only the id where it does not say."""
        try:
            answer, _ = self._ask("resource_show", {"id": id_}, f"resource {id_}")
        except http.RefusedError:
            return _Resource(id_, id_)
        return _resource({"name": id_, **answer, "id": id_})

    def page(self, resource: _Resource, offset: int) -> tuple[Json, bytes]:
        """The rows from `offset` on, in the order of their numbers: the result, and the body as received."""
        parameters: dict[str, str | int] = {
            "resource_id": resource.id,
            "limit": self._options.page_size,
            "offset": offset,
            "sort": "_id asc",
        }
        return self._ask("datastore_search", parameters, f"{resource.name}, rows from {offset + 1} on")

    def _ask(self, action: str, parameters: Mapping[str, str | int], what: str) -> tuple[Json, bytes]:
        address = f"{self.address}/api/3/action/{action}"
        response = http.get(self._client, address, parameters, what=what, progress=self.progress)
        return _result(response.content, f"{address} ({what})"), response.content


def _result(body: bytes, place: str) -> Json:
    """The result inside an answer, its numbers as the texts they were; SourceError when there is none."""
    answer = parsed(body, place)
    if not isinstance(answer, dict) or answer.get("success") is not True:
        said = answer.get("error") if isinstance(answer, dict) else answer
        raise SourceError(f"{place} answered success = false: {short(said)}; correct the source's options.")
    result = answer.get("result")
    if not isinstance(result, dict):
        raise SourceError(f"{place} answered without a result; look whether `url` is a CKAN portal.")
    return result


def _resource(said: Json) -> _Resource:
    marks = [str(said.get(word) or "") for word in FINGERPRINT]
    return _Resource(
        id=str(said.get("id")),
        name=str(said.get("name") or said.get("id")),
        fingerprint="|".join(marks) if any(marks) else "",
        changed=_instant(said.get("last_modified")),
    )


def _instant(said: object) -> datetime | None:
    """A portal writes its instants in UTC and without saying so."""
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- a resource, first onto disk, then as pages --------------------------------------------------


def _spooled(portal: _Portal, resource: _Resource, request: ReadRequest) -> tuple[_Resource, Spool]:
    """The resource as it was when every page of it was read; read again when its rows move meanwhile."""
    spool = Spool(request, f"ckan-{resource.id}")
    for reading in range(1, READINGS + 1):
        try:
            _fill(spool, portal, resource)
            break
        except _MovedError as error:
            if reading == READINGS:
                raise SourceError(
                    f"{portal.address}, {resource.name}: {error}, in each of {READINGS} readings; its rows "
                    "are changing or its pages repeat. Try again later."
                ) from error
            portal.progress(f"{resource.name}: {error}; reading it again from the beginning")
            resource = portal.resource(resource.id)
            spool.begin()
    spool.keep()
    return resource, spool


def _fill(spool: Spool, portal: _Portal, resource: _Resource) -> None:
    """Reads the pages of one reading; _MovedError when they do not fit together."""
    total: int | None = None
    for answer in ahead(_answers(portal, resource)):
        total = answer.total
        # Rows differ by their number, `_id`, at least.
        if not spool.add(answer.body, map(tuple, answer.rows), answer.offset + 1):
            break
        came = answer.offset + len(answer.rows)
        portal.progress(f"{resource.name}: {came} of {total or 'an unknown number of'} rows")
    if total is not None and spool.rows != total:
        raise _MovedError(f"{spool.rows} different rows came of {total}")
    is_checked = spool.answers > 1 and resource.fingerprint
    if is_checked and portal.resource(resource.id).fingerprint != resource.fingerprint:
        raise _MovedError("it was replaced while it was read")


def _answers(portal: _Portal, resource: _Resource) -> Iterator[_Answer]:
    """The pages of a resource up to its number of rows, to the first empty one where that is not known."""
    total: int | None = None
    offset = 0
    while total is None or offset < total:
        result, body = portal.page(resource, offset)
        total, rows = _same_total(total, result), _rows(result)
        yield _Answer(body, rows, offset, total)
        if not rows:
            return
        offset += len(rows)


def _same_total(before: int | None, result: Json) -> int | None:
    try:
        total = int(result["total"])
    except (KeyError, TypeError, ValueError):
        return before
    if before is not None and before != total:
        raise _MovedError(f"its number of rows went from {before} to {total}")
    return total


def _decoded(body: bytes) -> Decoded:
    result = _result(body, "the answer on disk")
    return _names(result), _rows(result)


def _rows(result: Json) -> list[list[Cell]]:
    return table(_names(result), _records(result))


def _records(result: Json) -> list[Json]:
    records = result.get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise SourceError("The portal answered rows in a form that is not CKAN's; look whether it has moved.")
    return records


def _names(result: Json) -> list[str]:
    """The names of the columns: as the portal lists them, else as its first row has them."""
    fields = result.get("fields")
    if isinstance(fields, list) and fields:
        return [str(one["id"]) for one in fields if isinstance(one, dict) and "id" in one]
    return list(_records(result)[0]) if _records(result) else []
