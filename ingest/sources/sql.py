"""The kind `sql`: a table or a query of any database that SQLAlchemy knows, read and never written.

Options of a source:

    url_env    the environment variable that holds the database's address, with its password; or, with
               _FILE behind its name, the path of a file that does
    table      a table or view as the database spells it, its schema before a point; or
    query      one SELECT
    whole      false where rows leave the table although their record still counts (default true: what is
               no longer there is withdrawn)
    live       true where the table is the one people work in, no copy: it is known until each run begins
    margin_minutes   how long a change may take until it is committed (default 5)
    page_rows        rows asked for at a time (default 20000)
    timeout_seconds  how long one question may take (default 300)

Where the source has a `modified` column, the first reading has every row and each later one those changed
since the newest change that was seen, less the margin: a transaction that was under way then had an
earlier mark than others that were committed, and its rows come now. A mark without a time zone may be on a
clock that is set back once a year, so its reading begins an hour earlier still. Rows whose mark is empty or
lies ahead of the clock come every time. Without `modified` every reading has every row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import stamina
from pydantic import BaseModel, ConfigDict, Field

from ingest.contract import PAGE_ROWS, Extract, ReadRequest, SourceError
from ingest.sources import drivers
from ingest.sources.options import options_of
from ingest.spool import Decoded, Spool
from metrics.model import Source
from store.outside import Condition, Outside, OutsideError

ATTEMPTS = 4
"""How often a page is asked for when the connection breaks."""


class Options(BaseModel):
    """The words of a SQL source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url_env: str = Field(min_length=1)
    table: str = ""
    query: str = ""
    whole: bool = True
    live: bool = False
    margin_minutes: int = Field(default=5, ge=0)
    page_rows: int = Field(default=PAGE_ROWS, ge=1)
    timeout_seconds: int = Field(default=300, ge=1)


def read(source: Source, request: ReadRequest) -> Extract:
    """The rows changed since the request's cursor, all of them without one.

    Raises SourceError when the database does not answer, or lacks the table, the key or `modified`.
    """
    options = options_of(source, Options)
    if bool(options.table) == bool(options.query):
        raise SourceError(f"sources/{source.id}.toml, [options]: give one of table and query.")
    address = request.secret(options.url_env)
    if not address:
        raise SourceError(
            f"{source.id}: set {options.url_env} in the environment to the address of its database."
        )
    margin = timedelta(minutes=options.margin_minutes)
    with _told(source, options):
        given = options.query or options.table
        outside = Outside(address, given, is_query=bool(options.query), seconds=options.timeout_seconds)
        reading = _Reading(source, options, request, outside)
        newest = reading.newest()
        seen = _seen(request.cursor, outside)
        # A mark that is gone back tells of rows that went, or of a database that was set back.
        is_whole = seen is None or drivers.form(seen) != drivers.form(newest) or newest < seen
        if is_whole:
            reading.everything()
        else:
            reading.changes(drivers.earlier(seen, margin), newest)
    reading.spool.keep()
    return Extract(
        pages=reading.spool.pages(_decoded, reading.place),
        updated_at=request.now - margin if options.live else None,
        cursor=json.dumps({"place": outside.mark, "newest": drivers.kept(newest)}),
        complete=is_whole and options.whole,
        ids=reading.keys if request.sweep and options.whole and not is_whole else None,
        sizes={reading.place: reading.rows} if is_whole and options.whole else {},
    )


class _Reading:
    """One reading of one table or query on its way to the disk. rows: how many came."""

    def __init__(self, source: Source, options: Options, request: ReadRequest, outside: Outside) -> None:
        self._source, self._options, self._request, self._outside = source, options, request, outside
        self.place = options.table or "the query"
        found = {name.casefold(): name for name in reversed(outside.names())}
        self._found = {name: _called(source, name, found) for name in _declared(source)}
        self._names = [name for name in self._found.values() if name is not None]
        self._key = self._needed(source.key)
        self._mark = self._needed(source.modified) if source.modified else None
        self._in_range = self._range()
        self.spool = Spool(request, f"sql-{source.id}")
        self.rows = 0

    def newest(self) -> Any:
        """The newest believable mark; None where there is none, or the source has no `modified`."""
        if self._mark is None:
            return None
        newest = self._outside.newest(self._mark)
        if newest is None:
            return None
        limit = drivers.like(newest, self._request.now + drivers.DAY)
        if limit is None:
            raise SourceError(
                f"sources/{self._source.id}.toml: modified = {self._source.modified!r} has {newest!r}, which "
                "is no date or time to put rows in order by; leave it away, and every row is read every time."
            )
        if newest <= limit:
            return newest
        believed = self._outside.newest(self._mark, [Condition(self._mark, "<=", limit)])
        # A table without types may hold numbers among its times.
        return believed if drivers.form(believed) == drivers.form(newest) else None

    def everything(self) -> None:
        """Every row; SourceError when fewer came than there are."""
        there = self._outside.count(self._in_range)
        self._pages([Condition(self._key, "is not")], [self._key])
        self._without_key()
        if self.rows < min(there, self._outside.count(self._in_range)):
            raise SourceError(
                f"{self.place} gave {self.rows} rows of {there}: its rows cannot be put in order by "
                f"{self._key}; name another key, or make one in a query."
            )

    def changes(self, since: Any, newest: Any) -> None:
        """Rows marked since, up to the newest mark: what is touched meanwhile comes with the next reading."""
        limit = drivers.like(newest, self._request.now + drivers.DAY)
        mark, has_key = str(self._mark), Condition(self._key, "is not")
        window = [Condition(mark, ">=", since), Condition(mark, "<=", newest)]
        self._pages([*window, has_key], [mark, self._key])
        self._pages([Condition(mark, "is"), has_key], [self._key])
        self._pages([Condition(mark, ">", limit), has_key], [self._key])
        self._without_key()

    def keys(self) -> Iterator[str]:
        """The key of every row."""
        with _told(self._source, self._options):
            yield from (text for value in self._outside.values(self._key) if (text := drivers.cell(value)))

    def _without_key(self) -> None:
        """Rows without a key, which are refused one by one; there is nothing to page them by."""
        limit = self._options.page_rows
        rows = self._page([Condition(self._key, "is")], [self._key], None, limit + 1)
        if len(rows) > limit:
            raise SourceError(
                f"{self.place} has more than {limit} rows without {self._key}; correct the key."
            )
        self._add(rows, 1)
        self.rows += len(rows)

    def _pages(self, conditions: Sequence[Condition], order: Sequence[str]) -> None:
        """Page after page; rows that stand at one place of the order are never torn apart."""
        limit, after = self._options.page_rows, None
        while rows := self._page(conditions, order, after, limit):
            fresh = self._add(rows, len(order))
            self.rows += len(rows)
            if len(rows) < limit:
                return
            last = rows[-1][-len(order) :]
            if not fresh or last == after:
                raise SourceError(
                    f"{self.place}: the rows after {last[0]} = {last} come again and again; name a key "
                    "that is different in every row, or ask for more rows at a time (page_rows)."
                )
            self._tied(conditions, order, rows, last)
            after = last
            self._request.progress(f"{self.place}: {self.rows} rows came")

    def _tied(
        self, conditions: Sequence[Condition], order: Sequence[str], rows: Sequence[Any], last: Sequence[Any]
    ) -> None:
        """What else stands where a full page ends: a key that is there twice loses none of its rows."""
        here = [Condition(name, "=", value) for name, value in zip(order, last, strict=True)]
        tied = self._page([*conditions, *here], order, None, self._options.page_rows)
        self._add(tied, len(order))
        self.rows += max(0, len(tied) - sum(row[-len(order) :] == last for row in rows))

    def _page(
        self, conditions: Sequence[Condition], order: Sequence[str], after: Any, limit: int
    ) -> list[tuple[Any, ...]]:
        """Rows of the declared columns, then those of the order; asked again when the connection breaks."""
        wanted = [*conditions, *self._in_range]
        for attempt in stamina.retry_context(on=_is_passing, attempts=ATTEMPTS, wait_initial=1.0):
            with attempt:
                return self._outside.page([*self._names, *order], wanted, order, after, limit)
        raise AssertionError("a retry context ends with a page or an error")

    def _add(self, rows: Sequence[Sequence[Any]], width: int) -> int:
        cells = [[drivers.cell(value) for value in row[: len(row) - width]] for row in rows]
        body = json.dumps({"columns": self._names, "rows": cells}).encode()
        return self.spool.add(body, map(tuple, cells))

    def _needed(self, name: str) -> str:
        found = self._found[name]
        if found is None:
            raise SourceError(
                f"{self.place} has no column {name}; add the name used there to `aliases` in "
                f"sources/{self._source.id}.toml."
            )
        return found

    def _range(self) -> list[Condition]:
        """Of a reading of some days, only rows that arrived about then; which they are is decided later."""
        since, until = self._request.since, self._request.until
        arrival = self._found.get(self._source.arrival or "")
        if arrival is None or not (since or until):
            return []
        sample = self._outside.newest(arrival)
        first = (
            [Condition(arrival, ">=", drivers.like(sample, _midnight(since) - drivers.DAY))] if since else []
        )
        end = (
            [Condition(arrival, "<", drivers.like(sample, _midnight(until) + 2 * drivers.DAY))]
            if until
            else []
        )
        return [one for one in (*first, *end) if one.value is not None]


@contextmanager
def _told(source: Source, options: Options) -> Iterator[None]:
    """What the store says of a database becomes what is said of the source."""
    try:
        yield
    except OutsideError as error:
        words = "query" if str(error).startswith("the query") else f"the database of {options.url_env}"
        message = str(error).rstrip(".")
        raise SourceError(f"{source.id}, {words}: {message}.") from error


def _is_passing(error: Exception) -> bool:
    return isinstance(error, OutsideError) and error.passing


def _declared(source: Source) -> list[str]:
    return [one.name for one in source.columns if one.expression is None]


def _called(source: Source, name: str, found: dict[str, str]) -> str | None:
    """What the table calls a declared column: its name or one of its aliases, in any case."""
    names = (name, *source.column(name).aliases)
    return next((found[one.casefold()] for one in names if one.casefold() in found), None)


def _decoded(body: bytes) -> Decoded:
    answer = json.loads(body)
    return answer["columns"], answer["rows"]


def _seen(cursor: str | None, outside: Outside) -> Any:
    """The newest mark of the reading before, where that was of the same database."""
    before = json.loads(cursor) if cursor else {}
    return drivers.recalled(before.get("newest")) if before.get("place") == outside.mark else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
