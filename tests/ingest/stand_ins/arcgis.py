"""An ArcGIS server with one layer over any rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.ingest.stand_ins.frame import Answer, Asked, StandIn
from tests.ingest.stand_ins.rows import Rows

CATALOGUE = "/arcgis/rest/services"
SERVICE = f"{CATALOGUE}/Cases/FeatureServer"
LAYER = f"{SERVICE}/0"
FIRST = 1_786_000_000_000
LATER = FIRST + 10 * 86_400_000
OWN = ("OBJECTID", "last_edited_date")
STAMP = re.compile(r"TIMESTAMP '([^']*)'")


def rows() -> Rows:
    return Rows("id", "OBJECTID", "last_edited_date")


@dataclass
class ArcGis(StandIn):
    """One layer. Its own faults: "withholds" gives no rows and says that there are more, "busy" and
    "refuses" answer 200 with an error, "repeats" gives the page before again, "unordered" mixes a page,
    "moves" touches a row, adds one and takes one away after a page.

    cap: rows an answer has at most; whether it says so is `says_so`. tracks: whether the layer keeps the time
    of the last edit. edited: its own word for that. dates: columns of instants, in milliseconds. layers:
    what the service says it has. domains: the names of the codes of a column.
    """

    rows: Rows = field(default_factory=rows)
    cap: int = 1000
    says_so: bool = True
    tracks: bool = True
    edited: int | None = FIRST
    dates: tuple[str, ...] = ("last_edited_date", "opened", "closed")
    layers: tuple[str, ...] = ("Cases",)
    domains: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = None
    _before: list[dict[str, Any]] = field(default_factory=list)

    def is_page(self, asked: Asked) -> bool:
        return asked.path == f"{LAYER}/query" and "objectIds" in asked.parameters

    def respond(self, asked: Asked) -> Answer:
        if self.token and asked.headers.get("X-Esri-Authorization") != f"Bearer {self.token}":
            return _json({"error": {"code": 499, "message": "Token Required", "details": []}})
        if asked.path == LAYER:
            return _json(self._described())
        if asked.path in (CATALOGUE, SERVICE):
            return _json(self._contents(asked.path))
        if asked.path != f"{LAYER}/query":
            return _json({"error": {"code": 404, "message": "Service not found"}})
        if "returnIdsOnly" in asked.parameters:
            where = STAMP.sub(_milliseconds, asked.parameters["where"])
            found = [row["OBJECTID"] for row in self.rows.found("OBJECTID", where)]
            return _json({"objectIdFieldName": "OBJECTID", "objectIds": found or None})
        return self._page(asked.parameters)

    def _contents(self, path: str) -> dict[str, Any]:
        """What the server says of all it has, and of its one service."""
        if path == CATALOGUE:
            kinds = [{"name": "Cases", "type": kind} for kind in ("FeatureServer", "GPServer")]
            return {"currentVersion": 11.3, "folders": [], "services": kinds}
        listed = [{"id": number, "name": name} for number, name in enumerate(self.layers)]
        return {"layers": listed, "tables": []}

    def _described(self) -> dict[str, Any]:
        types = {"OBJECTID": "esriFieldTypeOID"} | dict.fromkeys(self.dates, "esriFieldTypeDate")
        names = self.rows.names() or ["OBJECTID", "id"]
        return {
            "name": "Cases",
            "fields": [
                {"name": one, "type": types.get(one, "esriFieldTypeString"), "domain": self._domain(one)}
                for one in names
            ],
            "objectIdField": "OBJECTID",
            "maxRecordCount": self.cap,
            **({"editFieldsInfo": {"editDateField": "last_edited_date"}} if self.tracks else {}),
            **({"editingInfo": {"lastEditDate": self.edited}} if self.edited else {}),
            **self.said,
        }

    def _domain(self, name: str) -> dict[str, Any] | None:
        coded = [{"code": code, "name": said} for code, said in self.domains.get(name, {}).items()]
        return {"type": "codedValue", "name": name, "codedValues": coded} if coded else None

    def _page(self, parameters: dict[str, str]) -> Answer:
        for fault, code in (("busy", 500), ("refuses", 400)):
            if self.strikes(fault):
                return _json({"error": {"code": code, "message": "Error performing query", "details": []}})
        if self.strikes("withholds"):
            return _json({"features": [], "exceededTransferLimit": True})
        order = "RANDOM()" if self.strikes("unordered") else "OBJECTID"
        fields, where = parameters["outFields"], f"OBJECTID IN ({parameters['objectIds']})"
        found = self.rows.found(fields, where, f"ORDER BY {order}")
        page = found[: self.cap]
        if self._before and self.strikes("repeats"):
            page = self._before
        self._before = page
        more = {"exceededTransferLimit": True} if len(found) > len(page) and self.says_so else {}
        if self.strikes("moves"):
            self._move()
        points = parameters["returnGeometry"] == "true"
        place = {"geometry": {"x": -71.06, "y": 42.36}} if points else {}
        return _json({"features": [{"attributes": row, **place} for row in page], **more})

    def _move(self) -> None:
        first, *_, last = list(self.rows.rows)
        columns = {name: value for name, value in self.rows.rows[first].items() if name not in OWN}
        self.rows.put(columns, LATER)
        self.rows.put({**columns, "id": "added"}, LATER)
        self.rows.take(last)


def _milliseconds(found: re.Match[str]) -> str:
    return str(int(datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp() * 1000))


def _json(said: Any) -> Answer:
    return Answer(json.dumps(said).encode())
