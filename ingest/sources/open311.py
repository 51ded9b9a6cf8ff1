"""The kind `open311`: service requests of a server that speaks GeoReport v2.

Options of a source:

    url           the endpoint, https://311.example.gov/open311/v2
    jurisdiction  the jurisdiction_id, where the server has several
    format        "xml" where the server has no JSON (default "json")
    services      a list of service codes: only their requests belong to the source
    cap           how many requests an answer holds at most (found out when left out)
    page_size     the same where the server has pages: asked for, and turned where the time cannot be divided
    updated_after true where the server can be asked for what was updated since
    overlap_days  how far before the last reading each one begins (default 120 by opening, 3 by update)
    whole         true where the server keeps every request for good: what is gone is withdrawn
    api_key       the environment variable that holds a key, where the server wants one

The protocol has neither pages nor changes, and gives no more than it likes of what was opened in a span of
time. A span whose answer is as full as any before it is halved until it is not, and spans grow again where
little comes. What was opened long ago and is still open is asked for by its id. Within one jurisdiction the
id of a request is its key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field

from ingest import http
from ingest.contract import Extract, Page, ReadRequest, SourceError
from ingest.sources.geo_report import ID, Row, decoded, rows_of
from ingest.sources.options import options_of
from ingest.spool import Decoded, Spool
from metrics.model import Source

LONGEST, SHORTEST, FIRST = timedelta(days=90), timedelta(seconds=2), timedelta(days=7)
"""Spans of time; the protocol gives no more than 90 days."""

SPANS_BACK = 8
"""How many of the longest spans a look goes back for a first request: two years."""

FEWEST = 10
"""No server gives fewer requests than this at a time: an answer of fewer is whole."""

IDS_AT_ONCE = 25
IMPATIENT = 3
"""Attempts where an answer of 500 is likely to come again."""

MOST_BROKEN = 5
"""With more records than this that a server cannot give, a reading is none."""

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


class Options(BaseModel):
    """The words of an Open311 source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(pattern=r"^https?://")
    jurisdiction: str = ""
    format: Literal["json", "xml"] = "json"
    services: list[str] = Field(default_factory=list)
    cap: int | None = Field(default=None, ge=2)
    page_size: int | None = Field(default=None, ge=2)
    updated_after: bool = False
    overlap_days: int | None = Field(default=None, ge=0)
    whole: bool = False
    api_key: str = ""

    @property
    def overlap(self) -> timedelta:
        """How far before the last reading each one begins."""
        usual = 3 if self.updated_after else 120
        return timedelta(days=usual if self.overlap_days is None else self.overlap_days)


def read(source: Source, request: ReadRequest) -> Extract:
    """The requests opened or updated since the last reading, and those still open; all without a cursor.

    Raises SourceError when the server does not answer, answers something else, or cannot give everything.
    """
    options = options_of(source, Options)
    if ID not in (source.key, *source.column(source.key).aliases):
        raise SourceError(
            f"sources/{source.id}.toml: the key of this kind is {ID}; name it so or by an alias."
        )
    cursor = None if request.sweep and options.whole else request.cursor
    begins, ends = _span(source, options, request, cursor)
    with _client(options, request) as client:
        reading = _Reading(options, request, client)
        is_update = options.updated_after and cursor is not None
        reading.everything(begins, ends, ("updated_after", "updated_before") if is_update else _OPENED)
        if cursor is not None and not options.updated_after:
            reading.again(request.open_keys())
    reading.spool.keep()
    return Extract(
        pages=reading.spool.pages(reading.decoded, reading.address),
        cursor=json.dumps({"until": ends.isoformat()}),
        complete=options.whole and cursor is None and not reading.broken,
        notes=reading.notes(),
    )


def sample(source: Source, request: ReadRequest) -> Page:
    """One answer about the newest span of time that has any, for a look at its columns; nothing is kept."""
    options = options_of(source, Options)
    now = request.now.replace(microsecond=0)
    with _client(options, request) as client:
        reading = _Reading(options, request, client)
        spans = (
            reading.newest(now - (back + 1) * LONGEST, now - back * LONGEST) for back in range(SPANS_BACK)
        )
        columns, rows = next((found for found in spans if found[1]), ((), ()))
    return Page(tuple(columns), rows, place=reading.address)


_OPENED = ("start_date", "end_date")


class _Reading:
    """One reading of one server. broken: the spans and ids it cannot give; gone: ids it no longer has."""

    def __init__(self, options: Options, request: ReadRequest, client: httpx.Client) -> None:
        self._options, self._client, self._progress = options, client, request.progress
        self.address = f"{options.url.rstrip('/')}/requests"
        self.spool = Spool(request, "open311")
        self.broken: list[str] = []
        self.gone: list[str] = []
        self._ids: set[str] = set()
        self._largest = 0
        self._doubtful = 0
        self._attempts = http.ATTEMPTS

    def everything(self, begins: datetime, ends: datetime, words: tuple[str, str]) -> None:
        """All requests of a span of time, in spans short enough to be answered whole."""
        length = FIRST
        while begins < ends:
            stops = min(begins + length, ends)
            came = self._span(begins, stops, words)
            if came is None:
                length = max(SHORTEST, (stops - begins) / 2)
                length -= timedelta(microseconds=length.microseconds)
                continue
            # A second more, as neither end may be meant to belong to a span.
            begins = stops if stops == ends else stops - SECOND
            if came * 4 <= self._full():
                length = min(2 * length, LONGEST)
            self._progress(f"{self.address}: {self.spool.rows} requests up to {_stamp(stops)}")
        if self._doubtful and self._doubtful >= self._largest:
            raise SourceError(
                f"{self.address} gave {self._doubtful} requests of one moment and never more of any time; "
                "say how many it gives at most (cap), or ask for larger answers (page_size)."
            )

    def newest(self, begins: datetime, ends: datetime) -> Decoded:
        """One answer about a span of time, whole or not."""
        rows = self._rows(dict(zip(_OPENED, (_stamp(begins), _stamp(ends)), strict=True)))
        return decoded(rows, self._options.jurisdiction)

    def again(self, keys: Sequence[str]) -> None:
        """Reads requests by their ids, those that did not come yet: some at a time, where the server can."""
        left = [key for key in keys if key not in self._ids]
        for start in range(0, len(left), IDS_AT_ONCE):
            some = left[start : start + IDS_AT_ONCE]
            self._some(some)
            for key in some:
                if key not in self._ids:
                    self._one(key)

    def decoded(self, body: bytes) -> tuple[Sequence[str], Sequence[Sequence[str | None]]]:
        """The columns and rows of an answer on the disk."""
        return decoded(rows_of(body, "the answer on disk"), self._options.jurisdiction)

    def notes(self) -> list[str]:
        """What could not be read."""
        broken, gone = self.broken, self.gone
        return [
            *(
                [f"the server breaks off (500) on {', '.join(broken)}; nothing was read there"]
                if broken
                else []
            ),
            *([f"{len(gone)} open requests are no longer there, {gone[0]} the first"] if gone else []),
        ]

    def _span(self, begins: datetime, stops: datetime, words: tuple[str, str]) -> int | None:
        """How many requests a span has; None when it has to be shorter to be answered whole."""
        is_shortest = stops - begins <= SHORTEST
        given = {words[0]: _stamp(begins), words[1]: _stamp(stops)}
        try:
            rows = self._rows(given)
        except http.StumblingError as error:
            self._refuse_lasting(error, words)
            if is_shortest:
                self._break(f"{_stamp(begins)} to {_stamp(stops)}", error)
            return 0 if is_shortest else None
        is_full = len(rows) >= self._full()
        self._largest = max(self._largest, len(rows))
        if is_full and is_shortest:
            self._flood(given, rows)
        return None if is_full and not is_shortest else len(rows)

    def _full(self) -> int:
        """An answer of so many requests may lack some: the server's cap, or what was the most till now."""
        found = self._options.cap or max(self._largest, FEWEST)
        return min(found, self._options.page_size or found)

    def _flood(self, given: dict[str, str], rows: Sequence[Row]) -> None:
        """So many requests of one moment that dividing the time does not help: pages, where there are any."""
        if self._options.page_size:
            page, size = 1, -1
            # Past the last page some servers give it again.
            while size < self.spool.rows:
                page, size = page + 1, self.spool.rows
                self._rows({**given, "page": str(page)})
        elif self._options.cap:
            raise SourceError(
                f"{self.address} has {self._options.cap} requests or more of one moment, {given}; if it has "
                "pages, say how large they are (page_size)."
            )
        else:
            self._doubtful = max(self._doubtful, len(rows))

    def _refuse_lasting(self, error: http.StumblingError, words: tuple[str, str]) -> None:
        """A server that answers 500 for one record answers for a moment without any; else it is down."""
        if error.status != "500":
            raise error
        if self._attempts == IMPATIENT:
            return
        self._attempts = IMPATIENT
        moment = datetime(2000, 1, 1, tzinfo=UTC)
        try:
            self._rows({words[0]: _stamp(moment), words[1]: _stamp(moment + SHORTEST)})
        except http.StumblingError:
            raise error from None

    def _break(self, what: str, error: SourceError) -> None:
        self.broken.append(what)
        if len(self.broken) > MOST_BROKEN:
            raise error

    def _some(self, keys: Iterable[str]) -> None:
        try:
            self._rows({ID: ",".join(keys)})
        except (http.RefusedError, http.StumblingError):
            # One of them is the reason, or the server knows no lists: each is asked for by itself.
            return

    def _one(self, key: str) -> None:
        try:
            self._rows({}, f"/{quote(key, safe='')}", IMPATIENT)
        except http.RefusedError:
            self.gone.append(key)
        except http.StumblingError as error:
            if error.status != "500":
                raise
            self._break(f"request {key}", error)

    def _rows(self, given: dict[str, str], path: str = "", attempts: int | None = None) -> list[Row]:
        """The requests of one answer, which goes to the disk."""
        options = self._options
        own = {"jurisdiction_id": options.jurisdiction, "service_code": ",".join(options.services)}
        own["page_size"] = str(options.page_size or "")
        parameters = {name: value for name, value in {**own, **given}.items() if value}
        address = f"{self.address}{path}.{options.format}"
        what = " ".join(given.values())[:100]
        response = http.get(
            self._client,
            address,
            parameters,
            what=what,
            progress=self._progress,
            attempts=attempts or self._attempts,
        )
        rows = rows_of(response.content, f"{address} ({what})" if what else address)
        self.spool.add(response.content, (json.dumps(row, sort_keys=True) for row in rows))
        self._ids |= {str(row[ID]) for row in rows if row.get(ID)}
        return rows


def _span(
    source: Source, options: Options, request: ReadRequest, cursor: str | None
) -> tuple[datetime, datetime]:
    """The time to be read: a day more on either side of what is asked for, as days begin elsewhere."""
    now = request.now.replace(microsecond=0)
    ends = min(now, _midnight(request.until) + 2 * DAY) if request.until else now
    if request.since:
        return _midnight(request.since) - DAY, ends
    if cursor is not None:
        return datetime.fromisoformat(json.loads(cursor)["until"]) - options.overlap, ends
    if source.begins is None:
        raise SourceError(
            f"sources/{source.id}.toml: write begins = 2020-01-01, the day from which its requests are read."
        )
    return _midnight(source.begins) - DAY, ends


def _client(options: Options, request: ReadRequest) -> httpx.Client:
    client = http.client(request.city.contact)
    key = request.secret(options.api_key) if options.api_key else None
    if key:
        client.params = client.params.set("api_key", key)
        # Another host must not hear the key.
        client.follow_redirects = False
    return client


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _stamp(moment: datetime) -> str:
    """Whole seconds in UTC: parts of a second are too much for some servers."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
