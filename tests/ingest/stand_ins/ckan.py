"""A CKAN portal of any tables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.ingest.stand_ins.frame import Answer, Asked, StandIn


@dataclass
class Table:
    """A resource with a datastore: its rows are dicts, numbered by `_id` from 1."""

    id: str
    rows: list[dict[str, Any]]
    name: str = "Cases"
    last_modified: str | None = "2026-08-17T05:00:00.000000"
    hash: str = ""
    datastore_active: bool = True


@dataclass
class Portal(StandIn):
    """A portal with a datastore. Its own faults beside those of the frame: "moves" adds a row at the front
    after a page; "replaced" says after a page that the table was changed.

    datasets: what it says it has. file: where its resources say their files are. cap: rows a page has at
    most. repeats_from: from which offset on the page before is given again.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    datasets: tuple[str, ...] = ("cases",)
    file: str = ""
    cap: int | None = None
    repeats_from: int | None = None

    def is_page(self, asked: Asked) -> bool:
        return asked.path.endswith("/datastore_search")

    def respond(self, asked: Asked) -> Answer:
        action, parameters = asked.path.removeprefix("/api/3/action/"), asked.parameters
        if action == "resource_show":
            return self._described(parameters["id"])
        if action == "status_show":
            return _success({"site_title": "Testville"})
        if action == "package_search":
            resources = [_metadata(table) for table in self.tables.values()]
            return _success({"results": [{"name": one, "resources": resources} for one in self.datasets]})
        if action == "package_show":
            return _success({"resources": [_metadata(table) for table in self.tables.values()]})
        if action == "datastore_search":
            return self._page(parameters)
        return _failure(404, "Not found")

    def _described(self, id_: str) -> Answer:
        table = self.tables.get(id_)
        return (
            _failure(404, "Not found: Resource was not found.")
            if table is None
            else _success({**_metadata(table), "url": self.file})
        )

    def _page(self, parameters: dict[str, str]) -> Answer:
        table = self.tables.get(parameters["resource_id"])
        if table is None:
            return _failure(404, "Not found: Resource was not found.")
        offset, limit = int(parameters["offset"]), int(parameters["limit"])
        limit = limit if self.cap is None else min(limit, self.cap)
        if self.repeats_from is not None and offset >= self.repeats_from:
            offset = max(0, self.repeats_from - limit)
        records = [{"_id": number, **row} for number, row in enumerate(table.rows, 1)]
        answer = _success(
            {
                "resource_id": table.id,
                "fields": [{"id": name, "type": "text"} for name in ("_id", *_names(table.rows))],
                "records": records[offset : offset + limit],
                "total": len(records),
                "limit": limit,
                "offset": offset,
            }
        )
        if self.strikes("moves"):
            table.rows.insert(0, dict.fromkeys(_names(table.rows), "moved"))
        if self.strikes("replaced"):
            table.last_modified = "2026-08-17T06:00:00.000000"
        return answer


def _names(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(next(iter(rows), {}))


def _metadata(table: Table) -> dict[str, Any]:
    return {
        "id": table.id,
        "name": table.name,
        "last_modified": table.last_modified,
        "metadata_modified": table.last_modified,
        "hash": table.hash,
        "datastore_active": table.datastore_active,
    }


def _success(result: dict[str, Any]) -> Answer:
    return Answer(json.dumps({"help": "", "success": True, "result": result}).encode())


def _failure(status: int, message: str) -> Answer:
    error = {"message": message, "__type": "Not Found Error"}
    return Answer(json.dumps({"success": False, "error": error}).encode(), status)
