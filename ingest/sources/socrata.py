"""The kind `socrata`: a dataset of a portal that speaks SODA, 2.1 or 3.

Options of a source:

    url        the portal, https://data.example.gov
    dataset    the dataset's id, four signs twice: "erm2-nwe9"
    version    3 for the newer protocol, which needs an application token (default "2.1")
    where      a SoQL filter: only rows that fit it belong to the source
    token      the environment variable that holds an application token (default SOCRATA_APP_TOKEN)
    page_size  rows asked for at a time (default 20000)
    overlap_days  how far before the last mark every reading begins (default 3)

The mark of a row is `:updated_at`, or the source's `modified` column where it has one. A reading takes the
newest mark first and then what was marked up to it and since the last reading, each page after the last
row of the page before: a row that is touched meanwhile falls out of the reading and into the next one, so
that none comes twice. At the end the portal is asked how many there were. The first reading has every row.
A row whose own mark lies more than a day ahead comes with every reading, and no reading begins at it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field

from ingest import http
from ingest.ahead import ahead
from ingest.answers import as_text, epoch, objects, parsed, short, table, whole_number
from ingest.contract import Extract, Page, ReadRequest, SourceError
from ingest.sources.asking import arrived, client, field
from ingest.sources.options import options_of
from ingest.spool import Decoded, Spool
from metrics.model import Source

READINGS = 2
"""How often a reading that does not add up is begun."""

ANY_ZONE = timedelta(days=1)
"""A mark of the publisher's has no time zone: by this much no clock is later than ours."""

UPDATED = ":updated_at"

TIMES = ("calendar_date", "floating_timestamp", "fixed_timestamp")
"""The types of a column that can be compared with a day."""

Row = dict[str, Any]


class Options(BaseModel):
    """The words of a Socrata source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(pattern=r"^https?://")
    dataset: str = Field(pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$")
    version: Literal["2.1", "3"] = "2.1"
    where: str = ""
    token: str = "SOCRATA_APP_TOKEN"
    page_size: int = Field(default=20_000, ge=1, le=50_000)
    overlap_days: int = Field(default=3, ge=0)


def read(source: Source, request: ReadRequest) -> Extract:
    """The rows marked since the request's cursor, all of them without one.

    Raises SourceError when the portal does not answer, answers something else, or gives too few rows.
    """
    options = options_of(source, Options)
    before = json.loads(request.cursor) if request.cursor else {}
    with _client(options, request) as asking:
        dataset = _Dataset(asking, source, options, request)
        now = dataset.state()
        unchanged = before == now and not request.sweep
        since = _earlier(before["newest"], options.overlap_days) if before.get("newest") else None
        spool = Spool(request, f"socrata-{options.dataset}")
        if not unchanged:
            _fill(spool, dataset, since)
            spool.keep()
        changed = dataset.changed

    def ids() -> Iterator[str]:
        with _client(options, request) as again:
            yield from _Dataset(again, source, options, request).keys()

    return Extract(
        pages=spool.pages(dataset.decoded, dataset.address),
        updated_at=changed,
        cursor=json.dumps(now),
        unchanged=unchanged,
        ids=ids if request.sweep or since is None else None,
        sizes={} if unchanged or since else {options.dataset: spool.rows},
    )


def sample(source: Source, request: ReadRequest) -> Page:
    """The first page of the dataset, for a look at its columns; nothing of it is kept."""
    options = options_of(source, Options)
    with _client(options, request) as asking:
        dataset = _Dataset(asking, source, options, request)
        columns, rows = dataset.decoded(dataset.ask(":*, *", [], ":id", options.page_size))
    return Page(tuple(columns), rows, place=dataset.address)


class _Dataset:
    """One dataset: what the portal says of it, and questions about its rows."""

    def __init__(self, client: httpx.Client, source: Source, options: Options, request: ReadRequest) -> None:
        self._client, self._source, self._options, self._request = client, source, options, request
        portal = options.url.rstrip("/")
        self.address = f"{portal}/d/{options.dataset}"
        versions = {
            "2.1": f"{portal}/resource/{options.dataset}.json",
            "3": f"{portal}/api/v3/views/{options.dataset}/query.json",
        }
        self._query = versions[options.version]
        self.changed, said = self._described(f"{portal}/api/views/{options.dataset}.json")
        self._types = {str(one.get("fieldName")): str(one.get("dataTypeName")) for one in said}
        self.page_size = options.page_size
        self.mark = self.field(source.modified) if source.modified else UPDATED
        self._latest = self._latest_mark()

    def field(self, name: str) -> str:
        """What the portal calls a declared column."""
        return field(self._source, name, self._types, own=":")

    def state(self) -> dict[str, str | None]:
        """The newest mark and the number of rows: where both are as they were, nothing happened."""
        believed = [f"{self.mark} <= {self._latest}"] if self._latest else []
        row = self._one(f"max({self.mark}) AS newest, count(*) AS total", believed)
        self._newest = as_text(row.get("newest"))
        total = self.total([]) if self._latest else row.get("total")
        return {"newest": self._newest, "total": as_text(total)}

    def total(self, where: Sequence[str]) -> int:
        """How many rows fit."""
        said = self._one("count(*) AS total", where)
        found = whole_number(said.get("total", 0))
        if found is None:
            raise SourceError(f"{self._query} answered no number of rows: {short(said)}; try again later.")
        return found

    def window(self, since: str | None) -> list[str]:
        """The filter of a reading: since a mark, else everything; never what was marked after it began."""
        if self._newest is None:
            return []
        until = f"{self.mark} <= {_quoted(self._newest)}"
        beyond = f" OR {self.mark} > {self._latest}" if self._latest else ""
        if since is None:
            return [until if self.mark == UPDATED else f"({until}{beyond} OR {self.mark} IS NULL)"]
        asked = f"{self.mark} >= {_quoted(since)} AND {until}"
        return [f"({asked}{beyond})" if beyond else asked]

    def rows(self, select: str, where: Sequence[str], order: str, limit: int) -> list[Row]:
        """The rows of one question."""
        return _rows(self.ask(select, where, order, limit), self._query)

    def _one(self, select: str, where: Sequence[str]) -> Row:
        """The one row that sums many up."""
        return next(iter(self.rows(select, where, "", 1)), {})

    def ask(self, select: str, where: Sequence[str], order: str, limit: int) -> bytes:
        """The answer to one question as received."""
        filters = " AND ".join([*where, *self._in_range(), *self._own_filter()])
        clauses = {"select": select, "where": filters, "order": order, "limit": str(limit)}
        given = {word: clause for word, clause in clauses.items() if clause}
        what = f"{self._options.dataset}, {filters or 'every row'}"[:150]
        progress = self._request.progress
        if self._options.version == "2.1":
            parameters = {f"${word}": clause for word, clause in given.items()}
            return http.get(self._client, self._query, parameters, what=what, progress=progress).content
        spoken = {"order": "ORDER BY"}
        query = " ".join(f"{spoken.get(word, word.upper())} {clause}" for word, clause in given.items())
        return http.post(
            self._client, self._query, json={"query": query}, what=what, progress=progress
        ).content

    def keys(self) -> Iterator[str]:
        """The key of every row, in pages by the portal's own row ids; SourceError when some did not come."""
        key = self.field(self._source.key)
        seen: set[object] = set()
        after: list[str] = []
        while found := self.rows(f":id, {key}", after, ":id", self.page_size):
            before = len(seen)
            seen.update(as_text(row.get(":id")) for row in found)
            if len(seen) == before:
                break
            yield from (str(row[key]) for row in found if row.get(key) is not None)
            after = [f":id > {_quoted(found[-1].get(':id'))}"]
        total = self.total([])
        if len(seen) < total:
            raise SourceError(f"{self._query} gave {len(seen)} ids of {total}; try again later.")

    def decoded(self, body: bytes) -> Decoded:
        """The columns that the portal lists and that its rows have beside, its own (`:id`) if declared."""
        rows = [_with_places(row) for row in _rows(body, self._query)]
        declared = {name for one in self._source.columns for name in (one.name, *one.aliases)}
        names = dict.fromkeys([*self._types, *(name for row in rows for name in row)])
        columns = [name for name in names if not name.startswith(":") or name in declared]
        return columns, table(columns, rows)

    def progress(self, rows: int) -> None:
        """Says how many rows came."""
        self._request.progress(f"{self._options.dataset}: {rows} rows came")

    def _latest_mark(self) -> str | None:
        """The last instant that a mark of the publisher's can be of; None where it is the portal's."""
        if self._types.get(self.mark) not in TIMES:
            return None
        latest = (self._request.now + ANY_ZONE).replace(tzinfo=None)
        return _quoted(latest.isoformat(timespec="milliseconds"))

    def _own_filter(self) -> list[str]:
        return [f"({self._options.where})"] if self._options.where else []

    def _in_range(self) -> list[str]:
        """Of a reading of some days, only rows that arrived about then; which they are is decided later."""
        name = self.field(self._source.arrival) if self._source.arrival else ""
        if self._types.get(name) not in TIMES:
            return []
        ends = zip((">=", "<"), arrived(self._request), strict=True)
        return [f"{name} {sign} '{day}T00:00:00'" for sign, day in ends if day]

    def _described(self, address: str) -> tuple[datetime | None, list[Row]]:
        """When the dataset was changed and its columns; nothing where the portal does not say."""
        try:
            response = http.get(self._client, address, progress=self._request.progress)
        except http.RefusedError:
            return None, []
        said = parsed(response.content, address)
        if not isinstance(said, dict):
            return None, []
        return epoch(said.get("rowsUpdatedAt")), objects(said.get("columns"))


# --- one reading -----------------------------------------------------------------------------------


def _fill(spool: Spool, dataset: _Dataset, since: str | None) -> None:
    """Reads every page, once more from the beginning when rows are missing at the end."""
    for _ in range(READINGS):
        _read_pages(spool, dataset, since)
        total = dataset.total(dataset.window(since))
        if spool.rows >= total:
            return
        came = f"{spool.rows} different rows came of {total}"
        dataset.state()
        spool.begin()
    raise SourceError(
        f"{dataset.address}: {came}, in each of {READINGS} readings; the portal leaves out or repeats rows. "
        "Try again later."
    )


def _read_pages(spool: Spool, dataset: _Dataset, since: str | None) -> None:
    """A page without a new row is the end, or was repeated: the number of rows tells."""
    for body, rows in ahead(_pages(dataset, since)):
        if not spool.add(body, (as_text(row[":id"]) for row in rows)):
            return
        dataset.progress(spool.rows)


def _pages(dataset: _Dataset, since: str | None) -> Iterator[tuple[bytes, list[Row]]]:
    """Each page begins after the last row of the one before: rows that move take no other row along."""
    window, mark = dataset.window(since), dataset.mark
    order = ":id" if since is None else f"{mark}, :id"
    after: list[str] = []
    while True:
        body = dataset.ask(":*, *", [*window, *after], order, dataset.page_size)
        rows = _rows(body, dataset.address)
        if not rows:
            return
        if any(":id" not in row for row in rows):
            raise SourceError(f"{dataset.address}: rows came without `:id`; look whether it is a dataset.")
        yield body, rows
        last = rows[-1]
        id_ = _quoted(last[":id"])
        if since is None:
            after = [f":id > {id_}"]
        else:
            at = _quoted(last.get(mark))
            after = [f"({mark} > {at} OR ({mark} = {at} AND :id > {id_}))"]


def _client(options: Options, request: ReadRequest) -> httpx.Client:
    token = request.secret(options.token)
    if token is None and options.version == "3":
        raise SourceError(f"SODA 3 needs an application token; set {options.token} in the environment.")
    return client(request, "X-App-Token", token)


def _rows(body: bytes, place: str) -> list[Row]:
    answer = parsed(body, place)
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise SourceError(f"{place} answered no rows: {short(answer)}; correct the source's options.")
    return answer


def _with_places(row: Row) -> Row:
    """A point and an old location as two columns more, `name.longitude` and `name.latitude`."""
    places: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            pair = value.get("coordinates") or (value.get("longitude"), value.get("latitude"))
            if isinstance(pair, list | tuple) and len(pair) == 2:
                places |= {f"{name}.longitude": pair[0], f"{name}.latitude": pair[1]}
    return row | places if places else row


def _earlier(mark: str, days: int) -> str:
    """A mark some days before, written like it; the mark itself when it is no time."""
    try:
        moment = datetime.fromisoformat(mark) - timedelta(days=days)
    except (ValueError, OverflowError):
        return mark
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"
