"""A portal that speaks SODA, 2.1 and 3, over any rows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.ingest.stand_ins.frame import Answer, Asked, StandIn
from tests.ingest.stand_ins.rows import Rows

DATASET = "abcd-1234"
FIRST = "2026-08-17T05:00:00.000Z"
LATER = "2026-08-18T05:00:00.000Z"
TIMES = ("opened", "closed")
QUOTED_OR_SYSTEM = re.compile(r"'(?:[^']|'')*'|:[a-z_]+")
STATEMENT = re.compile(r"SELECT (.*?)(?: WHERE (.*?))?(?: ORDER BY (.*?))? LIMIT (\d+)", re.DOTALL)


@dataclass
class Socrata(StandIn):
    """One dataset. Its own faults: "unordered" forgets the order of a page, "repeats" gives the page before
    again, "moves" touches a row of the front after a page, "refuses" answers 200 with an error.

    datasets: what it says it has. cap: rows a page has at most. token: what version 3 asks for. changed:
    seconds of `rowsUpdatedAt`.
    """

    rows: Rows = field(default_factory=lambda: Rows("id", ":id", ":updated_at", "row-{:06}".format))
    datasets: tuple[str, ...] = (DATASET,)
    cap: int | None = None
    token: str = "a-token"
    changed: int | None = 1_787_000_000
    _before: list[dict[str, Any]] = field(default_factory=list)

    def is_page(self, asked: Asked) -> bool:
        is_query = asked.path.endswith((f"/resource/{DATASET}.json", "query.json"))
        return is_query and "count(*)" not in _clauses(asked)[0]

    def pages(self) -> list[dict[str, str]]:
        """The clauses of every request for rows."""
        words = ("select", "where", "order", "limit")
        return [dict(zip(words, _clauses(asked), strict=True)) for asked in self.asked if self.is_page(asked)]

    def respond(self, asked: Asked) -> Answer:
        if asked.path == f"/api/views/{DATASET}.json":
            columns = [
                {"fieldName": name, "dataTypeName": "calendar_date" if name in TIMES else "text"}
                for name in self.rows.names()
                if not name.startswith(":")
            ]
            return _json({"id": DATASET, "rowsUpdatedAt": self.changed, "columns": columns})
        if asked.path == "/api/views.json":
            return _json([{"id": one, "name": "Cases", "viewType": "tabular"} for one in self.datasets])
        if not asked.path.endswith((f"/resource/{DATASET}.json", "query.json")):
            return Answer(b"no such page", 404)
        if asked.path.endswith("query.json") and asked.headers.get("X-App-Token") != self.token:
            return Answer(b'{"code": "permission_denied", "error": true}', 403)
        select, where, order, limit = (
            QUOTED_OR_SYSTEM.sub(lambda one: one[0] if one[0][0] == "'" else f'"{one[0]}"', clause)
            for clause in _clauses(asked)
        )
        if "count(*)" in select:
            return _json(self._without_nulls(self.rows.found(select, where)))
        return self._page(select, where, order, int(limit))

    def _page(self, select: str, where: str, order: str, limit: int) -> Answer:
        limit = limit if self.cap is None else min(limit, self.cap)
        if self.strikes("refuses"):
            return _json({"error": True, "message": "Internal error"})
        ordered = "RANDOM()" if self.strikes("unordered") else order
        # `:*, *` is every column here.
        columns = "*" if "*" in select else select
        found = self.rows.found(columns, where, f"ORDER BY {ordered} LIMIT {limit}")
        if self._before and self.strikes("repeats"):
            found = self._before
        self._before = found
        if self.strikes("moves"):
            front = next(iter(self.rows.rows.values()))
            self.rows.put({name: front[name] for name in front if name[0] != ":"}, "2026-08-19T00:00:00.000Z")
        return _json(self._without_nulls(found))

    def _without_nulls(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: str(value) for name, value in row.items() if value is not None} for row in rows]


def _clauses(asked: Asked) -> tuple[str, str, str, str]:
    """select, where, order, limit, however they were sent."""
    if asked.method == "POST":
        found = STATEMENT.fullmatch(json.loads(asked.body)["query"])
        assert found, asked.body
        select, where, order, limit = (part or "" for part in found.groups())
        return select, where, order, limit
    given = asked.parameters
    return (
        given.get("$select", ""),
        given.get("$where", ""),
        given.get("$order", ""),
        given.get("$limit", "0"),
    )


def _json(said: Any) -> Answer:
    return Answer(json.dumps(said).encode())
