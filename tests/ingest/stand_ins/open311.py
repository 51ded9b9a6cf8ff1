"""A server that speaks GeoReport v2, JSON and XML, over any requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from tests.ingest.stand_ins.frame import Answer, Asked, StandIn

PLACE, SERVICES = "/open311/v2/requests", "/open311/v2/services"
ID = "service_request_id"
Row = dict[str, Any]


@dataclass
class Open311(StandIn):
    """Requests by id. Its own faults: "refuses" answers 200 with an error.

    cap: requests an answer has at most. pages: whether it knows pages; past the last one it gives it again.
    forms: what it speaks. updates: whether it knows updated_after. lists: whether it knows several ids at
    once. bad: the ids of records on which it breaks off, as it does on parts of a second.
    """

    requests: dict[str, Row] = field(default_factory=dict)
    cap: int = 1000
    pages_known: bool = False
    forms: tuple[str, ...] = ("json", "xml")
    updates: bool = False
    lists: bool = True
    bad: set[str] = field(default_factory=set)

    def put(self, id_: str, requested: str, updated: str | None = None, **more: Any) -> None:
        """Adds a request, or replaces the one of its id."""
        times = {"requested_datetime": requested, "updated_datetime": updated or requested}
        self.requests[id_] = {ID: id_, "status": "open", "service_name": "Pothole", **times, **more}

    def is_page(self, asked: Asked) -> bool:
        return asked.path.startswith(PLACE)

    def respond(self, asked: Asked) -> Answer:
        path, _, form = asked.path.rpartition(".")
        given = asked.parameters
        if form not in self.forms or not path.startswith((PLACE, SERVICES)):
            return Answer(b"no such page", 404)
        if path == SERVICES:
            return Answer(_listed(form), headers={"Content-Type": f"application/{form}"})
        if self.strikes("refuses"):
            return _error(form, 400, "the jurisdiction_id is missing", 200)
        if path.startswith(f"{PLACE}/"):
            id_ = path.removeprefix(f"{PLACE}/")
            found = [self.requests[id_]] if id_ in self.requests else []
            if not found:
                return _error(form, 404, "no such request")
        elif ID in given:
            wanted = given[ID].split(",")
            found = [self.requests[one] for one in wanted if one in self.requests]
            found = found if self.lists or len(wanted) == 1 else []
        else:
            found = self._page(self._of_span(given), given)
        if self.bad & {row[ID] for row in found} or any("." in given.get(one, "") for one in _TIMES):
            return Answer(b"internal error", 500)
        return Answer(_written(form, found), headers={"Content-Type": f"application/{form}"})

    def _of_span(self, given: Mapping[str, str]) -> list[Row]:
        name, first, last = "requested_datetime", given.get("start_date"), given.get("end_date")
        if self.updates and "updated_after" in given:
            name, first, last = "updated_datetime", given["updated_after"], given["updated_before"]
        assert first is not None and last is not None, "the span has two ends"
        begins, ends = datetime.fromisoformat(first), datetime.fromisoformat(last)
        rows = [row for row in self.requests.values() if begins <= datetime.fromisoformat(row[name]) <= ends]
        return sorted(rows, key=lambda row: row["updated_datetime"], reverse=True)

    def _page(self, rows: Sequence[Row], given: Mapping[str, str]) -> list[Row]:
        size = min(self.cap, int(given.get("page_size", self.cap))) if self.pages_known else self.cap
        page = int(given.get("page", 1)) if self.pages_known else 1
        last = max(1, -(-len(rows) // size))
        start = (min(page, last) - 1) * size
        return list(rows[start : start + size])


_TIMES = ("start_date", "end_date", "updated_after", "updated_before")


def _listed(form: str) -> bytes:
    if form == "json":
        return b'[{"service_code": "1", "service_name": "Pothole"}]'
    return b"<services><service><service_code>1</service_code></service></services>"


def _written(form: str, rows: Iterable[Row]) -> bytes:
    if form == "json":
        return json.dumps(list(rows)).encode()
    requests = "".join(
        f"<request>{''.join(f'<{name}>{_text(value)}</{name}>' for name, value in row.items())}</request>"
        for row in rows
    )
    return f'<?xml version="1.0" encoding="utf-8"?><service_requests>{requests}</service_requests>'.encode()


def _text(value: Any) -> str:
    return "" if value is None else escape(str(value))


def _error(form: str, code: int, said: str, status: int | None = None) -> Answer:
    if form == "json":
        body = json.dumps([{"code": code, "description": said}])
    else:
        body = f"<errors><error><code>{code}</code><description>{said}</description></error></errors>"
    return Answer(body.encode(), status or code)
