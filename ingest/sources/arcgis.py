"""The kind `arcgis`: a layer or table of an ArcGIS server, hosted or not, new or old.

Options of a source:

    url        the layer, https://gis.example.gov/arcgis/rest/services/Cases/FeatureServer/0
    where      a filter in SQL: only rows that fit it belong to the source
    token      the environment variable that holds a token, where the layer needs one (default ARCGIS_TOKEN)
    page_size  rows asked for at a time (default 1000; never more than the layer gives)
    overlap_days  how far before the last mark every reading begins (default 3)
    geometry   true adds where points are as `longitude` and `latitude`
    codes      true where coded values are to stay the codes they are (default: read as their names)

Servers are asked for the object ids that fit, of which they give any number, and then for the rows of so
many ids at a time: every server can do that, no order and no offset matter, and it is known which rows
are still to come, whatever a server says of limits. A row that is asked for again and again and does not
come is gone.

The mark of a row is the source's `modified` column, else what the layer keeps as the time of the last
edit; without either every reading has every row. Dates come as instants in UTC.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ConfigDict, Field

from ingest import http
from ingest.ahead import ahead
from ingest.answers import as_text, epoch, objects, parsed, short, table, whole_number
from ingest.contract import Extract, Page, ReadRequest, SourceError
from ingest.sources.asking import arrived, client, field
from ingest.sources.domains import Domains
from ingest.sources.options import options_of
from ingest.spool import Decoded, Spool
from metrics.model import Source

READINGS = 2
"""How often something is asked before it counts as what it seems to be."""

LONGEST_ADDRESS = 1500
"""Questions of more signs are sent as a form."""

TRY_AGAIN = ("429", "500", "502", "503", "504")
"""The codes of errors inside answers of status 200 that a later attempt may better."""

DATE, ID = "esriFieldTypeDate", "esriFieldTypeOID"
START = datetime(1970, 1, 1)

Json = dict[str, Any]


class Options(BaseModel):
    """The words of an ArcGIS source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(pattern=r"^https?://\S+/(Feature|Map)Server/\d+/?$")
    where: str = ""
    token: str = "ARCGIS_TOKEN"
    page_size: int = Field(default=1_000, ge=1, le=10_000)
    overlap_days: int = Field(default=3, ge=0)
    geometry: bool = False
    codes: bool = False


@dataclass(frozen=True)
class _Answer:
    """Rows as received, their ids, and whether the server says it held some back."""

    body: bytes
    features: list[Json]
    ids: list[int]
    held_back: bool


def read(source: Source, request: ReadRequest) -> Extract:
    """The rows marked since the request's cursor, all of them without one or without a mark.

    Raises SourceError when the server does not answer, answers something else, or changes meanwhile.
    """
    options = options_of(source, Options)
    before = json.loads(request.cursor) if request.cursor else {}
    with _client(options, request) as asking:
        layer = _Layer(asking, source, options, request)
        if before.get("domains", "") != layer.domains.mark:
            # What the codes mean is another than before, also in rows that nobody edits.
            before = {}
        edited, newest = layer.edited, before.get("newest")
        unchanged = bool(edited) and before.get("edited") == edited and not request.sweep
        since = newest if layer.mark else None
        spool = Spool(request, f"arcgis-{source.id}")
        if not unchanged:
            newest = max(filter(None, [newest, _fill(spool, layer, since)]), default=None)
            spool.keep()

    def ids() -> Iterator[str]:
        with _client(options, request) as again:
            yield from _Layer(again, source, options, request).keys()

    is_whole = since is None and not unchanged
    # While a layer with a mark is read, rows come and go; one without is read whole every time.
    asks_ids = request.sweep if since else is_whole and bool(layer.mark)
    return Extract(
        pages=spool.pages(layer.decoded, layer.address),
        updated_at=epoch(edited, milliseconds=True),
        cursor=json.dumps({"newest": newest, "edited": edited, "domains": layer.domains.mark}),
        unchanged=unchanged,
        complete=is_whole and not layer.mark,
        ids=ids if asks_ids and not unchanged else None,
        sizes={layer.address: spool.rows} if is_whole else {},
    )


def sample(source: Source, request: ReadRequest) -> Page:
    """The newest page of the layer, for a look at its columns; nothing of it is kept."""
    options = options_of(source, Options)
    with _client(options, request) as asking:
        layer = _Layer(asking, source, options, request)
        ids = layer.ids(None)[-layer.page_size :]
        if not ids:
            raise SourceError(f"{layer.address} has no rows to look at; look again when it has some.")
        columns, rows = layer.decoded(layer.rows(ids).body)
    return Page(tuple(columns), rows, place=layer.address)


class _Layer:
    """One layer: what the server says of it, and questions about its rows."""

    def __init__(self, client: httpx.Client, source: Source, options: Options, request: ReadRequest) -> None:
        self._client, self._source, self._options, self._request = client, source, options, request
        self.address = options.url.rstrip("/")
        said = self._ask("", {}, "the layer")
        self._types = {str(one.get("name")): str(one.get("type")) for one in objects(said.get("fields"))}
        self.domains = Domains({} if options.codes else said)
        ids = [name for name, type_ in self._types.items() if type_ == ID]
        self.id = str(said.get("objectIdField") or next(iter(ids), "OBJECTID"))
        editing = _part(said, "editingInfo")
        self.edited = as_text(editing.get("dataLastEditDate") or editing.get("lastEditDate"))
        kept = str(_part(said, "editFieldsInfo").get("editDateField"))
        marks = [self.field(source.modified)] if source.modified else []
        self.mark = next((one for one in (*marks, kept) if self._types.get(one) == DATE), None)
        most = whole_number(said.get("maxRecordCount")) or options.page_size
        self.page_size = max(1, min(options.page_size, most))
        self._has_zone = not said.get("datesInUnknownTimezone")

    def field(self, name: str) -> str:
        """What the layer calls a declared column."""
        return field(self._source, name, self._types)

    def ids(self, since: int | None) -> list[int]:
        """The object ids of the rows that belong to the source, in order; only those marked since then."""
        marked = [] if since is None else [f"{self.mark} >= {_stamp(since, self._options.overlap_days)}"]
        filters = [*marked, *self._in_range(), *([f"({self._options.where})"] if self._options.where else [])]
        question = {"where": " AND ".join(filters) or "1=1", "returnIdsOnly": "true"}
        said = self._ask("/query", question, "object ids")
        found = _numbers(said.get("objectIds") or []) if "objectIds" in said else None
        if found is None:
            raise SourceError(
                f"{self.address} answered no object ids: {short(said)}; look whether it is a layer."
            )
        return sorted(found)

    def rows(self, ids: Sequence[int], fields: str = "*") -> _Answer:
        """The rows of some object ids."""
        question = {
            "objectIds": ",".join(map(str, ids)),
            "outFields": fields,
            "returnGeometry": str(self._options.geometry and fields == "*").lower(),
            "outSR": "4326",
        }
        body = self._body("/query", question, f"{self.id} {ids[0]} to {ids[-1]}")
        said = _object(body, self.address)
        given = said.get("features")
        features = objects(given)
        if not isinstance(given, list) or len(features) < len(given):
            raise SourceError(f"{self.address} answered no rows: {short(said)}; look whether it is a layer.")
        found = _numbers([_part(one, "attributes").get(self.id) for one in features])
        if found is None:
            raise SourceError(f"{self.address} answered rows without {self.id}; look whether it is a layer.")
        return _Answer(body, features, found, bool(said.get("exceededTransferLimit")))

    def keys(self) -> Iterator[str]:
        """The key of every row that belongs to the source."""
        key, ids = self.field(self._source.key), self.ids(None)
        if key == self.id:
            yield from map(str, ids)
            return
        for answer in _answers(self, ids, f"{self.id},{key}"):
            found = (as_text(one["attributes"].get(key)) for one in answer.features)
            yield from filter(None, found)

    def marked(self, answer: _Answer) -> int | None:
        """The newest mark of some rows, in milliseconds since 1970; one that lies ahead is none."""
        latest = (self._request.now + timedelta(days=1)).timestamp() * 1000
        marks = (whole_number(one["attributes"].get(self.mark)) for one in answer.features)
        return max((one for one in marks if one is not None and 0 <= one <= latest), default=None)

    def decoded(self, body: bytes) -> Decoded:
        """The columns of the layer, with dates as instants."""
        features = _object(body, self.address)["features"]
        dates = [name for name, type_ in self._types.items() if type_ == DATE]
        key = self.field(self._source.key) if self._source.key else ""
        rows = [self.domains.named(self._row(one, dates), key) for one in features]
        columns = [*self._types, *(("longitude", "latitude") if self._options.geometry else ())]
        return columns, table(columns, rows)

    def progress(self, rows: int, total: int) -> None:
        """Says how many rows came."""
        self._request.progress(f"{self.address}: {rows} of {total} rows")

    def _row(self, feature: Json, dates: Sequence[str]) -> Json:
        row: Json = dict(feature["attributes"])
        for name in dates:
            row[name] = _instant(row.get(name), self._has_zone)
        point = _part(feature, "geometry")
        return row | {"longitude": point.get("x"), "latitude": point.get("y")} if point else row

    def _in_range(self) -> list[str]:
        """Of a reading of some days, only rows that arrived about then; which they are is decided later."""
        name = self.field(self._source.arrival) if self._source.arrival else ""
        if self._types.get(name) != DATE:
            return []
        ends = zip((">=", "<"), arrived(self._request), strict=True)
        return [f"{name} {sign} TIMESTAMP '{day} 00:00:00'" for sign, day in ends if day]

    def _ask(self, path: str, question: Json, what: str) -> Json:
        return _object(self._body(path, question, what), f"{self.address} ({what})")

    def _body(self, path: str, question: Json, what: str) -> bytes:
        address, words, progress = self.address + path, {"f": "json", **question}, self._request.progress
        if len(urlencode(words)) <= LONGEST_ADDRESS:
            return http.get(
                self._client, address, words, what=what, fault=_passing, progress=progress
            ).content
        return http.post(
            self._client, address, form=words, what=what, fault=_passing, progress=progress
        ).content


# --- one reading -----------------------------------------------------------------------------------


def _fill(spool: Spool, layer: _Layer, since: int | None) -> int | None:
    """Reads every row onto disk and gives the newest mark; again when the layer is replaced meanwhile."""
    for _ in range(READINGS):
        newest: int | None = None
        ids = layer.ids(since)
        for answer in ahead(_answers(layer, ids, "*")):
            spool.add(answer.body, answer.ids)
            layer.progress(spool.rows, len(ids))
            if layer.mark:
                newest = max(filter(None, [newest, layer.marked(answer)]), default=None)
        # A layer that is loaded anew has other object ids. What a mark tells comes with the next run.
        if layer.mark or len(set(ids).intersection(layer.ids(None))) >= len(ids) / 2:
            return newest
        spool.begin()
    raise SourceError(f"{layer.address} was replaced in each of {READINGS} readings; try again later.")


def _answers(layer: _Layer, ids: Sequence[int], fields: str) -> Iterator[_Answer]:
    """The rows of all these ids, in as many answers as it takes; ids that never come are gone."""
    size = layer.page_size
    waiting = deque((list(ids[start : start + size]), 1) for start in range(0, len(ids), size))
    while waiting:
        asked, attempt = waiting.popleft()
        answer = layer.rows(asked, fields)
        came = set(answer.ids)
        if not came <= set(asked):
            if attempt == READINGS:
                raise SourceError(f"{layer.address} gives other rows than asked for; try again later.")
            waiting.appendleft((asked, attempt + 1))
            continue
        if came:
            yield answer
        missing = [one for one in asked if one not in came]
        if missing and came:
            waiting.appendleft((missing, 1))
        elif missing and answer.held_back and len(missing) > 1:
            half = len(missing) // 2
            waiting.extendleft([(missing[half:], 1), (missing[:half], 1)])
        elif missing and attempt < READINGS:
            waiting.appendleft((missing, attempt + 1))
        elif missing and answer.held_back:
            raise SourceError(f"{layer.address} keeps the row {missing[0]} back; ask for less with `where`.")


def _client(options: Options, request: ReadRequest) -> httpx.Client:
    token = request.secret(options.token)
    return client(request, "X-Esri-Authorization", token and f"Bearer {token}")


def _passing(response: httpx.Response) -> str | None:
    """Servers say with status 200 that they are too busy."""
    if b'"error"' not in response.content[:200]:
        return None
    try:
        error = response.json().get("error")
    except (ValueError, AttributeError):
        return None
    return short(error) if isinstance(error, dict) and str(error.get("code")) in TRY_AGAIN else None


def _object(body: bytes, place: str) -> Json:
    answer = parsed(body, place)
    if not isinstance(answer, dict):
        raise SourceError(f"{place} answered no object: {short(answer)}; look whether it is a layer.")
    if "error" in answer:
        raise SourceError(
            f"{place} answered an error: {short(answer['error'])}; correct the source's options."
        )
    return answer


def _part(said: Json, name: str) -> Json:
    """What stands under a name, where that is an object."""
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _numbers(values: object) -> list[int] | None:
    """Whole numbers; None where one of the values is none."""
    found = [whole_number(one) for one in values] if isinstance(values, list) else [None]
    numbers = [one for one in found if one is not None]
    return numbers if len(numbers) == len(found) else None


def _instant(value: object, has_zone: bool) -> object:
    """Milliseconds since 1970, also before, as ISO 8601; another value as it is, to be refused later."""
    try:
        moment = START + timedelta(milliseconds=int(str(value)))
    except (ValueError, OverflowError):
        return value
    return moment.isoformat(timespec="milliseconds") + ("Z" if has_zone else "")


def _stamp(milliseconds: int, days_before: int) -> str:
    """An instant in the SQL of servers; a layer in another zone than UTC is within the day more."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC) - timedelta(days=days_before + 1)
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}'"
