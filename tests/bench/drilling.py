"""Measures the answers a page asks for when somebody drills, beside the very SQL they send.

The demonstration city is loaded and published. A callback answers over HTTP's own way in, without a browser:
processor time of this process, with Flask, the session, Dash and JSON. Beside it the same SELECTs, run by
sqlite3 on the same file.
"""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import figures
from sqlalchemy import event

import app
from layouts.staff import CALLBACKS
from metrics.catalogue import load
from store.engine import Engine, open_engine
from tests.people import sign_in

CITY = figures.PROJECT / "data" / "cities" / "demo"
GOAL = 2.0
TRIES = 15
METRIC = "pothole_on_time"
BUSY = "requests_opened"


def measure() -> None:
    """Prints the figures of drilling."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        data = Path(name)
        figures.command(CITY, data, "ingest", "run")
        figures.command(CITY, data, "store", "publish")
        beside_sql(data / "demo" / "cityscore.db")


def beside_sql(file: Path) -> None:
    """The figures on a database that is there."""
    figures.title("What is asked for while drilling, in one process, beside its SQL run by sqlite3")
    engine = open_engine(f"sqlite:///{file}")
    client = app.make_server(engine, load(CITY), "demo").test_client()
    sign_in(client, engine)
    client.get("/staff/_dash-layout")
    for name, asked in _asked().items():
        _compare(name, engine, client, asked, file)
    engine.dispose()


def _asked() -> dict[str, dict[str, Any]]:
    """The calls of a browser by what they are for."""
    return {
        "one metric by channel, weekly": _split(METRIC, "channel", "week"),
        "all requests by topic, monthly": _split(BUSY, "topic", "month"),
        "the receipt of a month": _receipt(METRIC, "month"),
        "a page of the records behind a month": _records(METRIC, "month"),
    }


def _split(metric: str, column: str, grain: str) -> dict[str, Any]:
    return _call("split-shown", "split-asked", {"metric": metric, "split": column, "grain": grain})


def _receipt(metric: str, grain: str) -> dict[str, Any]:
    data = {"metric": metric, "grain": grain, "start": "2026-10-01"}
    clicks = {"id": "receipt-opens", "property": "n_clicks", "value": 1}
    asked = {"id": "receipt-asked", "property": "data", "value": data}
    return _body("receipt-shown", [clicks], [asked])


def _records(metric: str, grain: str) -> dict[str, Any]:
    """What Dash sends when a link to another page is followed."""
    said = {"pathname": f"/staff/metric/{metric}/cases", "search": f"?grain={grain}&start=2026-10-01"}
    inputs = [{"id": "_pages_location", "property": word, "value": text} for word, text in said.items()]
    parts = [("_pages_content", "children"), ("_pages_store", "data")]
    return {
        "output": f"..{'...'.join(f'{id}.{name}' for id, name in parts)}..",
        "outputs": [{"id": id, "property": name} for id, name in parts],
        "inputs": inputs,
        "changedPropIds": [f"_pages_location.{word}" for word in said],
    }


def _call(shown: str, asked: str, data: dict[str, str]) -> dict[str, Any]:
    return _body(shown, [{"id": asked, "property": "data", "value": data}], [])


def _body(shown: str, inputs: list[dict[str, Any]], state: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "output": f"{shown}.children",
        "outputs": {"id": shown, "property": "children"},
        "inputs": inputs,
        "state": state,
        "changedPropIds": [f"{inputs[0]['id']}.{inputs[0]['property']}"],
    }


def _compare(name: str, engine: Engine, client: Any, asked: dict[str, Any], file: Path) -> None:
    sent: list[tuple[str, Any]] = []

    def hear(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            sent.append((statement, parameters))

    def ask() -> None:
        answer = client.post(CALLBACKS, json=asked)
        assert answer.status_code == 200, answer.get_data(as_text=True)[:300]

    ask()
    event.listen(engine, "before_cursor_execute", hear)
    ask()
    event.remove(engine, "before_cursor_execute", hear)
    with contextlib.closing(sqlite3.connect(file)) as raw:
        plain = _cpu(lambda: [raw.execute(*one).fetchall() for one in sent])
    figures.show(name, _cpu(ask), plain, goal=GOAL)


def _cpu(work: Callable[[], object]) -> float:
    work()
    tries = []
    for _ in range(TRIES):
        before = time.process_time()
        work()
        tries.append(time.process_time() - before)
    return statistics.median(tries)
