"""What kinds that ask in a query language have in common: who asks, by which names, for which days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import httpx

from ingest import http
from ingest.contract import ReadRequest
from metrics.model import Source


def client(request: ReadRequest, header: str, token: str | None) -> httpx.Client:
    """A client that sends a token in a header, where there is one; no other host hears it."""
    made = http.client(request.city.contact)
    if token:
        made.headers[header] = token
        made.follow_redirects = False
    return made


def field(source: Source, name: str, known: Iterable[str], own: str = "\0") -> str:
    """What a server calls a declared column: by its name or an alias among `known`, in any case.

    own: what names begin with that a server has without listing them. The name itself where none fits.
    """
    listed = {one.casefold(): one for one in known}
    for spelled in (name, *source.column(name).aliases):
        if spelled.casefold() in listed or spelled.startswith(own):
            return listed.get(spelled.casefold(), spelled)
    return name


def arrived(request: ReadRequest) -> tuple[date | None, date | None]:
    """The days [first, before) that surely hold what arrived on the days asked for, in any time zone."""
    day = timedelta(days=1)
    return request.since and request.since - day, request.until and request.until + 2 * day
