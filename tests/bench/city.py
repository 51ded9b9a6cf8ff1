"""The city that is measured: one source of requests over some years, seven metrics, twelve districts."""

from __future__ import annotations

import csv
import json
import random
from datetime import date, datetime, timedelta
from pathlib import Path

FILE = "requests.csv"
FIRST, END = date(2024, 1, 1), date(2026, 1, 1)
COLUMNS = ("id", "kind", "district", "opened", "due", "closed", "reason", "address")
KINDS = ("pothole", "streetlight", "litter", "graffiti")
DISTRICTS = tuple(f"district_{number:02}" for number in range(1, 13))
REASONS = ("Case Resolved", "Case Noted", "Duplicate of Existing Case", "Invalid")
STREETS = ("Washington St", "Tremont St", "Blue Hill Ave", "Commonwealth Ave", "Centre St")
SHARE_TARGET, DAYS_TARGET, COUNT_TARGET = 0.8, 6.0, 300.0

Row = tuple[str, ...]

_CITY = """
id = "bench"
name = "Bench"
time_zone = "{time_zone}"
"""

_DEPARTMENTS = """
[works]
name = "Works"
"""

_SOURCE = """
id = "requests"
name = "Requests"
kind = "file"
key = "id"
arrival = "opened"
quiet_minutes = 1440

[columns.id]
type = "text"
required = true
[columns.kind]
type = "text"
[columns.district]
type = "text"
[columns.opened]
type = "instant"
required = true
[columns.due]
type = "instant"
planned = true
[columns.closed]
type = "instant"
[columns.reason]
type = "text"
[columns.address]
type = "text"

[options]
path = "requests.csv"
"""

_METRIC = """
id = "{id}"
name = "{id}"
department = "works"
theme = "streets"
source = "requests"
district = "district"
definition = "For measuring only."
limitations = "Invented."
owner = "Nobody"
scored_at = ["day", "week", "month", "quarter"]
{more}
[[target]]
value = {target}
valid_from = 2020-01-01
reason = "For measuring only"
approved_by = "Nobody"
"""

_ON_TIME = """
family = "service"
weight = 1.0
aggregation = "ratio"
where = "kind = '{kind}'"
date = "due"
numerator = "closed <= due"
clock_start = "the request is opened"
clock_stop = "the request is closed"
unit = "percent"
direction = "higher_is_better"
"""

_DAYS = """
family = "service"
weight = 1.0
aggregation = "{aggregation}"
date = "closed"
value = "days_between(opened, closed)"
clock_start = "the request is opened"
clock_stop = "the request is closed"
unit = "days"
direction = "lower_is_better"
"""

_COUNT = """
family = "condition"
aggregation = "count"
date = "opened"
unit = "requests"
direction = "lower_is_better"
"""


def make(folder: Path, count: int, time_zone: str = "UTC") -> list[Row]:
    """Writes the catalogue and the file of `count` rows into `folder`; gives the rows of the file."""
    for inner in ("sources", "metrics"):
        (folder / inner).mkdir(parents=True)
    (folder / "city.toml").write_text(_CITY.format(time_zone=time_zone))
    (folder / "departments.toml").write_text(_DEPARTMENTS)
    (folder / "sources" / "requests.toml").write_text(_SOURCE)
    (folder / "districts.geojson").write_text(json.dumps(_districts()))
    for name, more, target in _metrics():
        (folder / "metrics" / f"{name}.toml").write_text(_METRIC.format(id=name, more=more, target=target))
    rows = _rows(count)
    with (folder / FILE).open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return rows


def _metrics() -> list[tuple[str, str, float]]:
    on_time = [(f"{kind}_on_time", _ON_TIME.format(kind=kind), SHARE_TARGET) for kind in KINDS]
    days = [(f"{how}_days", _DAYS.format(aggregation=how), DAYS_TARGET) for how in ("mean", "median")]
    return [*on_time, *days, ("opened", _COUNT, COUNT_TARGET)]


def _districts() -> dict[str, object]:
    def square(west: float) -> list[list[list[float]]]:
        return [[[west, 0.0], [west + 1, 0.0], [west + 1, 1.0], [west, 1.0], [west, 0.0]]]

    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"id": name, "name": name, "population": 10_000},
                "geometry": {"type": "Polygon", "coordinates": square(float(number))},
            }
            for number, name in enumerate(DISTRICTS)
        ],
    }


def _rows(count: int) -> list[Row]:
    """Requests, opened one after the other and due in a week; a tenth is never closed."""
    chance = random.Random(20260101)
    start, step = datetime(FIRST.year, FIRST.month, FIRST.day), (END - FIRST) / count
    week = timedelta(days=7)
    rows = []
    for number in range(count):
        opened = (start + number * step).replace(microsecond=0)
        closed = opened + timedelta(seconds=int(chance.expovariate(1 / (4 * 86400))))
        is_closed = chance.random() < 0.9 and closed.date() < END
        rows.append(
            (
                f"R{number:09}",
                chance.choice(KINDS),
                chance.choice(DISTRICTS),
                f"{opened.isoformat()}Z",
                f"{(opened + week).isoformat()}Z",
                f"{closed.isoformat()}Z" if is_closed else "",
                chance.choice(REASONS) if is_closed else "",
                f"{chance.randrange(1, 1000)} {chance.choice(STREETS)}",
            )
        )
    return rows
