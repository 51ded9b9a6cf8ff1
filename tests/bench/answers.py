"""Measures how pages, embeds and answers of the API reach their readers, beside plain ones.

The demonstration city is loaded, published and served as a city runs it: `python app.py`.
Ready answers stand beside nginx sending the same compressed bytes from a file, asked in turns by the same
generator (wrk, one thread, eight connections); the figure is the median of the rounds.
Answers that are made stand beside the very SQL they send, run by sqlite3 on the same file: processor time of
this process, with Flask and compression, without the server around it.
Bytes are what Chromium received on a first visit, headers included.
The time to draw runs from the start of a first visit to the first frame with the content in it, in turns with
the plainest Dash page that shows one Plotly chart, served by the same server.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import figures
import psutil
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from sqlalchemy import event

import app
from metrics.catalogue import load
from serving.ready import ReadyAnswers
from store.engine import open_engine

CITY = figures.PROJECT / "data" / "cities" / "demo"
METRIC = "pothole_on_time"
EMBED = f"/embed/metric/{METRIC}"
SERIES = f"/api/v1/metrics/{METRIC}/series"
SCORES = "/api/v1/scores"
ROUNDS, SECONDS, CONNECTIONS, WEB_PROCESSES = 5, 3, 8, 2
TIMES = 60
VISITS = 7
GOAL_OF_NGINX, GOAL_OF_SQL, GOAL_OF_DRAWING = 0.5, 3.0, 0.6
KILOBYTES = {"/": 60, EMBED: 15, "/staff/today": 320, f"/metric/{METRIC}": None}
REQUESTS = {EMBED: 2}

NGINX = """
{user} daemon off; worker_processes {processes}; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000000; default_type "text/html; charset=utf-8";
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}/files; add_header Content-Encoding gzip; }}
}}
"""

BARE = """
import sys
from serving.processes import serve_web

def make():
    import plotly.graph_objects as go
    from dash import Dash, dcc
    app = Dash("bare", add_log_handler=False)
    app.layout = dcc.Graph(figure=go.Figure(go.Scatter(y=[number % 17 for number in range(104)])))
    return app.server

serve_web(make, int(sys.argv[1]), with_parent=False, processes={processes})
"""

DRAWN = {"today": "main h1", "bare": ".js-plotly-plot .main-svg .trace path"}
WATCH = """
(() => { const look = () => {
  if (document.querySelector(SELECTOR)) requestAnimationFrame(() => { window.drawn = performance.now(); });
  else requestAnimationFrame(look);
}; requestAnimationFrame(look); })();
"""
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]


@dataclass(frozen=True)
class Load:
    """What a round of asking found: answers in a second, and what each cost the server."""

    rate: float
    cost: float
    generator: float


def measure() -> None:
    """Prints the figures of serving."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        data = Path(name) / "data"
        figures.command(CITY, data, "ingest", "run")
        figures.command(CITY, data, "store", "publish")
        _measure(Path(name), data)


def _measure(folder: Path, data: Path) -> None:
    port = _free_port()
    with _running(*_product(data, port)) as product:
        _wait(port)
        _beside_nginx(folder, port, product)
        _beside_sql(data)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_chrome(), args=SWITCHES)
            _weigh(browser, port)
            _race(browser, folder, port)
            browser.close()


# --- ready answers -----------------------------------------------------------------------------


def _beside_nginx(folder: Path, port: int, product: psutil.Process) -> None:
    if not shutil.which("wrk"):
        figures.title("Ready answers: not measured, wrk is not installed (apt-get install wrk)")
        return
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        figures.title("Ready answers: not measured, nginx is not installed (apt-get install nginx-light)")
        return
    figures.title(f"Ready answers, {CONNECTIONS} connections, {WEB_PROCESSES} processes, gzip")
    beside = _free_port()
    (folder / "files").mkdir()
    for path in (EMBED, SERIES):
        (folder / "files" / path.rpartition("/")[2]).write_bytes(_get(port, path)[1])
    # Workers of a root nginx would else be somebody who may not read the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    text = NGINX.format(folder=folder, port=beside, processes=WEB_PROCESSES, user=user)
    (folder / "nginx.conf").write_text(text)
    with _running([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], {}) as plain:
        _wait(beside, path=f"/{METRIC}")
        for name, path in (("metric embed", EMBED), ("series as JSON", SERIES)):
            _compare(name, (port, path, product), (beside, f"/{path.rpartition('/')[2]}", plain))


def _compare(
    name: str, ours: tuple[int, str, psutil.Process], theirs: tuple[int, str, psutil.Process]
) -> None:
    if _get(*ours[:2])[1] != _get(*theirs[:2])[1]:
        sys.exit(f"{ours[1]}: nginx sends other bytes: there is no figure")
    _load(*ours, seconds=1)
    _load(*theirs, seconds=1)
    rounds = [(_load(*ours), _load(*theirs)) for _ in range(ROUNDS)]
    mine, other = (
        Load(
            *(
                statistics.median(getattr(pair[side], part) for pair in rounds)
                for part in Load.__annotations__
            )
        )
        for side in (0, 1)
    )
    ratio = statistics.median(our.rate / their.rate for our, their in rounds)
    figures.note(
        f"{name}: {mine.rate:,.0f} answers a second; nginx {other.rate:,.0f}",
        f"{ratio:.2f} x",
        is_met=ratio >= GOAL_OF_NGINX,
        goal=f"{GOAL_OF_NGINX} x or more",
    )
    figures.note("  processor time of the server for each; nginx", f"{mine.cost:.0f} µs; {other.cost:.0f} µs")
    figures.note(
        "  share of a core the generator took beside us; beside nginx",
        f"{mine.generator:.0%}; {other.generator:.0%}",
    )


def _middle(found: list[Load]) -> Load:
    parts = ([one.rate for one in found], [one.cost for one in found], [one.generator for one in found])
    return Load(*map(statistics.median, parts))


def _load(port: int, path: str, server: psutil.Process, seconds: int = SECONDS) -> Load:
    before, began = _cpu(server), time.monotonic()
    wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-H", "Accept-Encoding: gzip"]
    running = subprocess.Popen([*wrk, f"http://127.0.0.1:{port}{path}"], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    said = running.stdout.read()
    _pid, status, used = os.wait4(running.pid, 0)
    running.returncode = status
    running.stdout.close()
    took, spent = time.monotonic() - began, _cpu(server) - before
    answers = re.search(r"(\d+) requests in", said)
    if answers is None or "Non-2xx" in said:
        sys.exit(f"{path}: {said}")
    number = int(answers.group(1))
    return Load(number / took, spent / number * 1e6, (used.ru_utime + used.ru_stime) / took)


def _cpu(server: psutil.Process) -> float:
    """The processor seconds of a process and all below it so far."""
    return sum(sum(one.cpu_times()[:2]) for one in (server, *server.children(recursive=True)))


# --- answers that are made ---------------------------------------------------------------------


def _beside_sql(data: Path) -> None:
    figures.title("Answers that are made, in one process, beside the SQL they send run by sqlite3")
    file = data / "demo" / "cityscore.db"
    engine = open_engine(f"sqlite:///{file}")
    server = app.make_server(engine, load(CITY), "demo")
    assert isinstance(server.wsgi_app, ReadyAnswers)
    bare = server.wsgi_app._inner
    for name, path in (("series as JSON", SERIES), ("scores as JSON", SCORES)):
        sent = _statements(engine, bare, path)
        answer = _median_cpu(lambda path=path: _ask(bare, path))
        with contextlib.closing(sqlite3.connect(file)) as raw:
            plain = _median_cpu(lambda sent=sent, raw=raw: _fetch(raw, sent))
        figures.note(
            f"{name}: {answer * 1e3:.2f} ms of processor time; SQL {plain * 1e3:.2f} ms",
            f"{answer / plain:.2f} x",
            is_met=answer / plain <= GOAL_OF_SQL,
            goal=f"{GOAL_OF_SQL:g} x or less",
        )
    engine.dispose()


def _statements(engine: Any, bare: Any, path: str) -> list[tuple[str, Any]]:
    """What an answer asks the database, with what it asks for."""
    sent: list[tuple[str, Any]] = []

    def hear(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            sent.append((statement, parameters))

    _ask(bare, path)
    event.listen(engine, "before_cursor_execute", hear)
    _ask(bare, path)
    event.remove(engine, "before_cursor_execute", hear)
    return sent


def _fetch(raw: sqlite3.Connection, sent: list[tuple[str, Any]]) -> int:
    return sum(len(raw.execute(statement, parameters).fetchall()) for statement, parameters in sent)


def _ask(bare: Any, path: str) -> bytes:
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT_ENCODING": "gzip",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    heard: list[str] = []
    body = b"".join(bare(environ, lambda status, _headers, *_failure: heard.append(status)))
    if heard != ["200 OK"]:
        sys.exit(f"{path}: {heard}: there is no figure")
    return body


def _median_cpu(work: Callable[[], object]) -> float:
    for _ in range(5):
        work()
    tries = []
    for _ in range(TIMES):
        before = time.process_time()
        work()
        tries.append(time.process_time() - before)
    return statistics.median(tries)


# --- in a browser ------------------------------------------------------------------------------


def _first_visit(browser: Browser, address: str, **more: Any) -> BrowserContext:
    """A browser with nothing of ours in its cache; signed in where the address is a staff page's."""
    base, is_staff, _page = address.partition("/staff/")
    if not is_staff:
        return browser.new_context(**more)
    before = browser.new_context()
    page = before.new_page()
    page.goto(f"{base}/sign-in")
    page.click("button[value=admin]")
    page.wait_for_url("**/staff/today")
    context = browser.new_context(**more, storage_state=before.storage_state())
    before.close()
    return context


def _weigh(browser: Browser, port: int) -> None:
    figures.title("What a first visit receives")
    for path, most in KILOBYTES.items():
        size, number = _received(browser, f"http://127.0.0.1:{port}{path}")
        allowed = REQUESTS.get(path)
        is_met = None if most is None else size <= most * 1000 and (allowed is None or number <= allowed)
        goal = f"{most} kB" + (f" in {allowed} requests" if allowed else "") + " or less" if most else ""
        figures.note(path, f"{size / 1000:.1f} kB in {number} requests", is_met=is_met, goal=goal)


def _received(browser: Browser, address: str) -> tuple[int, int]:
    context = _first_visit(browser, address)
    page = context.new_page()
    session = context.new_cdp_session(page)
    sizes: list[int] = []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda done: sizes.append(int(done["encodedDataLength"])))
    page.goto(address, wait_until="networkidle")
    page.wait_for_selector("main h1")
    page.wait_for_load_state("networkidle")
    context.close()
    return sum(sizes), len(sizes)


def _race(browser: Browser, folder: Path, port: int) -> None:
    figures.title("Until it is drawn")
    bare = _free_port()
    script = folder / "bare.py"
    script.write_text(BARE.format(processes=WEB_PROCESSES))
    with _running([sys.executable, str(script), str(bare)], {"PYTHONPATH": str(figures.PROJECT)}):
        _wait(bare)
        pages = {"today": f"http://127.0.0.1:{port}/staff/today", "bare": f"http://127.0.0.1:{bare}/"}
        for name, address in pages.items():
            _drawn(browser, address, DRAWN[name])
        rounds = [{name: _drawn(browser, pages[name], DRAWN[name]) for name in pages} for _ in range(VISITS)]
    today, plain = (statistics.median(one[name] for one in rounds) for name in pages)
    ratio = statistics.median(one["today"] / one["bare"] for one in rounds)
    figures.note(
        f"/staff/today {today:,.0f} ms; the plainest Dash page with one chart {plain:,.0f} ms",
        f"{ratio:.2f} x",
        is_met=ratio <= GOAL_OF_DRAWING,
        goal=f"{GOAL_OF_DRAWING} x or less",
    )


def _drawn(browser: Browser, address: str, selector: str) -> float:
    """Milliseconds from the first request to the frame that shows what the selector finds."""
    context = _first_visit(browser, address, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH.replace("SELECTOR", repr(selector)))
    page.goto(address)
    page.wait_for_selector(selector, state="attached")
    # The policy of our pages lets no text be run as a script, which is how Playwright would wait for it.
    while not (found := page.evaluate("window.drawn || 0")):
        page.wait_for_timeout(10)
    context.close()
    return float(found)


def _chrome() -> str:
    found = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    return found or sys.exit("There is no browser: set CHROME to the path of a Chromium.")


# --- servers -----------------------------------------------------------------------------------


def _product(data: Path, port: int) -> tuple[list[str], dict[str, str]]:
    settings = {"CITY": str(CITY), "DATA_DIR": str(data), "DATABASE_URL": "", "SCHEDULER": "off"}
    settings |= {"PORT": str(port), "WEB_PROCESSES": str(WEB_PROCESSES)}
    return [sys.executable, str(figures.PROJECT / "app.py")], settings


@contextlib.contextmanager
def _running(command: list[str], settings: dict[str, str]) -> Iterator[psutil.Process]:
    """A server while the block lasts."""
    started = subprocess.Popen(
        command, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(started.pid)
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(30)


def _wait(port: int, path: str = "/") -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if _get(port, path)[0] == 200:
                return
        time.sleep(0.2)
    sys.exit(f"nothing answers on port {port}")


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


if __name__ == "__main__":
    print((__doc__ or "").split("\n\n", 1)[1])
    measure()
    print("\nMissed: " + ("; ".join(figures.missed) or "nothing"))
