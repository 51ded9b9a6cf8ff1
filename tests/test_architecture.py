"""The rooms of the house import one way: every arrow that may be drawn, and none beside it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

MAY_IMPORT = {
    "metrics": {"metrics"},
    "store": {"store", "metrics"},
    "ingest": {"ingest", "store", "metrics"},
    "layouts": {"layouts", "store", "metrics"},
    "serving": {"serving", "store", "settings"},
    "settings": set(),
}
"""What of ours each room may import. A root (app.py, worker.py, a room's __main__) may import all of it."""

ROOTS = {"app", "worker"}

AT_HOME = {
    "apscheduler": {"worker"},
    "sqlalchemy": {"store"},
    "sqlite3": {"store"},
    "psycopg": {"store"},
    "dash": {"layouts", "app"},
    "plotly": {"layouts", "app"},
    "httpx": {"ingest", "serving"},
    "authlib": {"serving"},
    "joserfc": {"serving"},
    "argon2": {"store"},
    "scipy": {"metrics"},
    "sqlglot": {"metrics", "store"},
}
"""Libraries that live in one place, and where. Roots keep out too: they pass on what a room gives them."""

LAYOUTS_READ_AND_ASK = {
    "publications",
    "maturities",
    "signals",
    "vintages",
    "withheld",
    "revisions",
    "explain",
    "breaches",
    "cases",
    "case_versions",
    "corrections",
    "integrity",
    "weighings",
    "boston",
    "selftests",
    "engine",
    "audit_log",
    "notes",
    "actions",
    "problems",
    "releases",
    "one_time_links",
    "people",
    "sessions",
    "requests",
    "entries",
    "manual_values",
    "quarantine",
    "source_ledger",
    "source_requests",
    "proposals",
    "spreads",
    "publication_requests",
    "tokens",
    "target_preview",
    "target_requests",
    "targets",
}
"""What pages know of the store: the read side with its receipts, and the places they may write to."""

WHAT_COMPUTES = {
    "composite",
    "company",
    "evidence",
    "expectation",
    "metric_scores",
    "movement",
    "plan",
    "rollup",
    "scoring",
}
"""The parts of metrics/ that make scores: pages show what was published and never compute one."""

IMPURE = {
    "os",
    "io",
    "time",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "urllib",
    "http",
    "threading",
    "shutil",
}
"""What metrics/ has no use for: it is told the date and handed the facts."""

CLOCK = {"now", "today", "utcnow"}


@dataclass(frozen=True)
class Import:
    """One import: in which file and line, and the full dotted name of what is imported."""

    file: Path
    line: int
    name: str

    @property
    def room(self) -> str:
        return self.name.split(".")[0]

    def __str__(self) -> str:
        return f"{self.file.as_posix()}:{self.line} imports {self.name}"


def modules(project: Path) -> list[Path]:
    """Every Python file of the product, relative to the project: the rooms, the roots, no tests."""
    rooms = [path for room in MAY_IMPORT for path in (project / room).rglob("*.py")]
    return sorted(path.relative_to(project) for path in [*project.glob("*.py"), *rooms])


def imports(project: Path, file: Path) -> tuple[Import, ...]:
    """The imports of one file, those inside functions and behind TYPE_CHECKING included."""
    return _imports((project / file).read_text(encoding="utf-8"), file)


@cache
def _imports(text: str, file: Path) -> tuple[Import, ...]:
    found = ast.walk(ast.parse(text, str(file)))
    return tuple(Import(file, node.lineno, name) for node in found for name in _names(node, file))


def _names(node: ast.AST, file: Path) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            package = [*file.parent.parts[: len(file.parent.parts) - node.level + 1]] if node.level else []
            return [".".join([*package, *filter(None, [node.module]), alias.name]) for alias in node.names]
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
    return []


def room_of(file: Path) -> str:
    return file.parts[0].removesuffix(".py")


def is_root(file: Path) -> bool:
    return room_of(file) in ROOTS or file.name == "__main__.py"


def against_the_arrows(project: Path) -> list[str]:
    """Imports from a room that lies downstream, or on another branch."""
    ours = {*MAY_IMPORT, *ROOTS}
    return [
        str(found)
        for file in modules(project)
        if not is_root(file)
        for found in imports(project, file)
        if found.room in ours and found.room not in MAY_IMPORT[room_of(file)]
    ]


def of_a_root(project: Path) -> list[str]:
    """Imports of a composition root: nothing but another root stands on app.py, worker.py or a __main__."""
    return [
        str(found)
        for file in modules(project)
        if not is_root(file)
        for found in imports(project, file)
        if found.room in ROOTS or "__main__" in found.name.split(".")
    ]


def away_from_home(project: Path) -> list[str]:
    """Imports of a library outside the place it belongs to."""
    return [
        f"{found}; only {' and '.join(sorted(AT_HOME[found.room]))} may"
        for file in modules(project)
        for found in imports(project, file)
        if found.room in AT_HOME and room_of(file) not in AT_HOME[found.room]
    ]


def pages_beside_the_read_side(project: Path) -> list[str]:
    """Imports by layouts/ of a part of the store that it must not know."""
    return [
        str(found)
        for file in modules(project)
        if room_of(file) == "layouts" and not is_root(file)
        for found in imports(project, file)
        if found.room == "store"
        and found.name.split(".")[1:2] not in [[part] for part in LAYOUTS_READ_AND_ASK]
    ]


def pages_that_compute(project: Path) -> list[str]:
    """Imports by layouts/ of a part of metrics that makes scores."""
    return [
        str(found)
        for file in modules(project)
        if room_of(file) == "layouts" and not is_root(file)
        for found in imports(project, file)
        if found.room == "metrics" and not WHAT_COMPUTES.isdisjoint(found.name.split(".")[1:2])
    ]


def impurities(project: Path) -> list[str]:
    """Where metrics/ looks at the clock or the outside. Its __main__ may, and catalogue* reads its files."""
    found = []
    for file in modules(project):
        if room_of(file) != "metrics" or is_root(file):
            continue
        found += [str(one) for one in imports(project, file) if one.room in IMPURE]
        tree = ast.parse((project / file).read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        found += [
            f"{file.as_posix()}:{call.lineno} asks the clock" for call in calls if _asks_the_clock(call)
        ]
        if not file.name.startswith("catalogue"):
            found += [
                f"{file.as_posix()}:{call.lineno} reads a file" for call in calls if _reads_a_file(call)
            ]
    return found


def _asks_the_clock(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in CLOCK


def _reads_a_file(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in {"read_text", "read_bytes", "write_text", "write_bytes", "open"}
    return isinstance(call.func, ast.Name) and call.func.id == "open"


RULES = [
    against_the_arrows,
    of_a_root,
    away_from_home,
    pages_beside_the_read_side,
    pages_that_compute,
    impurities,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule):
    assert rule(PROJECT) == []


@pytest.mark.parametrize(
    ("rule", "file", "text"),
    [
        (against_the_arrows, "metrics/scoring.py", "import store"),
        (against_the_arrows, "metrics/scoring.py", "def score():\n    from store import engine"),
        (against_the_arrows, "metrics/scoring.py", "from settings import from_environment"),
        (against_the_arrows, "store/publish.py", "from ingest.run import run"),
        (against_the_arrows, "store/publish.py", "from ..layouts import views"),
        (against_the_arrows, "ingest/run.py", "import layouts.views"),
        (
            against_the_arrows,
            "layouts/pages/today.py",
            "import importlib\nimportlib.import_module('ingest.run')",
        ),
        (against_the_arrows, "layouts/pages/today.py", "from serving import server"),
        (against_the_arrows, "serving/server.py", "from layouts.public import home"),
        (against_the_arrows, "settings.py", "from metrics import model"),
        (of_a_root, "serving/server.py", "from app import server"),
        (of_a_root, "store/publish.py", "from store.__main__ import main"),
        (away_from_home, "app.py", "from apscheduler.schedulers.background import BackgroundScheduler"),
        (away_from_home, "ingest/__main__.py", "from sqlalchemy import Connection"),
        (away_from_home, "ingest/sources/file.py", "import sqlite3"),
        (away_from_home, "serving/server.py", "import dash"),
        (away_from_home, "worker.py", "from plotly import graph_objects"),
        (pages_beside_the_read_side, "layouts/pages/today.py", "from store import publish"),
        (pages_beside_the_read_side, "layouts/pages/today.py", "from store.records import upsert"),
        (pages_beside_the_read_side, "layouts/views.py", "import store"),
        (pages_that_compute, "layouts/views.py", "from metrics.scoring import score"),
        (pages_that_compute, "layouts/company_view.py", "from metrics import composite"),
        (impurities, "metrics/periods.py", "from datetime import date\ndate.today()"),
        (impurities, "metrics/scoring.py", "import os"),
        (impurities, "metrics/scoring.py", "from pathlib import Path\nPath('x').read_text()"),
    ],
)
def test_a_planted_import_is_caught_in_its_file_and_line(rule, file, text, tmp_path):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    [caught] = rule(tmp_path)
    assert caught.startswith(f"{file}:{text.count(chr(10)) + 1}")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("store/publish.py", "from metrics.plan import plan\nfrom store import schema\nimport sqlalchemy"),
        ("ingest/run.py", "from store import records\nfrom metrics.model import Source\nfrom . import parse"),
        ("layouts/pages/today.py", "from store import publications\nfrom layouts import views\nimport dash"),
        ("layouts/pages/today.py", "from store.requests import ask\nfrom ..views import headline"),
        (
            "serving/server.py",
            "from settings import Settings\nfrom store.publications import state\nimport flask",
        ),
        ("app.py", "import dash, ingest, layouts, metrics, serving, settings, store"),
        ("worker.py", "from apscheduler.triggers.cron import CronTrigger\nfrom ingest import run"),
        ("ingest/__main__.py", "import settings, layouts"),
    ],
)
def test_an_arrow_of_the_design_may_be_drawn(file, text, tmp_path):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert [caught for rule in RULES for caught in rule(tmp_path)] == []


def test_the_read_side_of_the_store_has_no_word_for_writing():
    file = Path("store/publications.py")
    words = {imported.name.split(".")[-1] for imported in imports(PROJECT, file)}
    assert words.isdisjoint({"insert", "update", "delete", "text"})
    calls = [node for node in ast.walk(ast.parse((PROJECT / file).read_text())) if isinstance(node, ast.Call)]
    methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    assert methods.isdisjoint({"insert", "delete", "commit", "begin", "exec_driver_sql"})


def test_every_python_file_stands_in_a_room_or_is_a_root():
    files = {
        path.relative_to(PROJECT)
        for path in PROJECT.rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(PROJECT).parts)
    }
    homeless = {str(file) for file in files if room_of(file) not in {*MAY_IMPORT, *ROOTS, "tests"}}
    assert homeless == set()
