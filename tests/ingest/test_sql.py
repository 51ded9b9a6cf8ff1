"""A table of another database is read in step with its changes, and nothing is ever written there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text

import settings
from ingest.contract import ReadRequest, SourceError
from ingest.run import Asked, run_source
from ingest.sources import drivers
from ingest.sources import sql as kind
from metrics.model import City, Column
from store.outside import Outside, OutsideError
from tests.ingest.conftest import CASES, NOW

COUNT = 45
CITY = City(id="test", name="Testville", time_zone="America/New_York")
TABLE = """CREATE TABLE "Cases" (id VARCHAR(20), opened TIMESTAMP, closed TIMESTAMP, topic VARCHAR(80),
amount NUMERIC(10, 2), touched TIMESTAMP)"""
WRITE = """INSERT INTO "Cases" (id, opened, closed, topic, touched)
VALUES (:id, :opened, :closed, :topic, :touched)"""
MARK = "2026-08-17 05:00:00"


class Town:
    """The database of a department."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(url)
        self.do(TABLE)

    def do(self, statement: str, *rows: dict[str, object]) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement), list(rows) or None)

    def put(self, *numbers: int, touched: str | None = MARK, topic: str = "Pothole", **more: object) -> None:
        """Adds the cases of these numbers, each in place of the one of its number."""
        row = {"opened": "2026-08-16 10:00:00", "closed": None, "topic": topic, "touched": touched, **more}
        self.do('DELETE FROM "Cases" WHERE id = :id', *({"id": f"c{number:03}"} for number in numbers))
        self.do(WRITE, *({"id": f"c{number:03}", **row} for number in numbers))

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request, new_database, monkeypatch):
    """A table of 45 cases, on either engine."""
    made = Town(new_database(request.param))
    made.put(*range(COUNT))
    monkeypatch.setenv("PERMITS_DATABASE", made.url)
    yield made
    made.close()


@pytest.fixture
def source():
    """The cases of that table, read 10 at a time, by the time they were touched."""
    options = {"url_env": "PERMITS_DATABASE", "table": "Cases", "page_rows": 10}
    columns = (*CASES.columns, Column("touched", "instant"))
    return replace(CASES, kind="sql", columns=columns, modified="touched", options=options)


def begin(source, tmp_path, cursor=None, **more):
    request = ReadRequest(CITY, NOW, cursor=cursor, work=tmp_path, secret=settings.secret, **more)
    return kind.read(source, request)


def keys(extract):
    return [row[page.columns.index("id")] for page in extract.pages for row in page.rows]


def with_options(source, **more):
    given = {name: value for name, value in {**source.options, **more}.items() if value is not None}
    return replace(source, options=given)


# --- what is read --------------------------------------------------------------------------------------


def test_every_row_comes_once_in_pages(town, source, tmp_path):
    extract = begin(source, tmp_path)
    pages = list(extract.pages)
    assert [len(page.rows) for page in pages] == [10, 10, 10, 10, 5]
    assert keys(replace_pages(extract, pages)) == [f"c{number:03}" for number in range(COUNT)]
    assert pages[1].line(0) == 11
    assert (extract.complete, extract.ids, extract.sizes) == (True, None, {"Cases": COUNT})


def replace_pages(extract, pages):
    extract.pages = pages
    return extract


def test_the_next_reading_has_what_was_touched_since_and_the_margin_before(town, source, tmp_path):
    cursor = begin(source, tmp_path).cursor
    town.put(3, touched="2026-08-17 06:30:00", topic="Sign")
    town.put(60, touched="2026-08-17 06:30:00")
    second = begin(source, tmp_path, cursor)
    assert set(keys(second)) >= {"c003", "c060"}
    assert (second.complete, second.ids, second.sizes) == (False, None, {})
    town.put(61, touched="2026-08-17 05:26:00")
    town.put(62, touched="2026-08-17 05:24:00")
    third = begin(source, tmp_path, second.cursor)
    assert keys(third) == ["c061", "c003", "c060"], "5 minutes, and an hour as the clock has no time zone"


def test_a_change_that_was_committed_late_is_not_lost(bench, town, source):
    """Its mark is older than marks that were seen; the transaction was under way when they were."""
    run_source(bench.desk, source)
    town.put(7, touched="2026-08-17 08:00:00", topic="seen")
    run_source(bench.desk, source)
    town.put(8, touched="2026-08-17 07:58:00", topic="late")
    assert run_source(bench.desk, source).changed == 1
    assert bench.records(source)["c008"][5] == "late"


def test_rows_of_one_mark_are_told_apart_by_their_key(town, source, tmp_path):
    cursor = begin(source, tmp_path).cursor
    town.put(*range(35), touched="2026-08-17 09:00:00", topic="Sign")
    found = keys(begin(source, tmp_path, cursor))
    assert found[-35:] == [f"c{number:03}" for number in range(35)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("touched", [None, "9999-12-31 00:00:00"])
def test_a_row_without_a_believable_mark_comes_every_time(town, source, tmp_path, touched):
    town.put(5, touched=touched)
    cursor = begin(source, tmp_path).cursor
    town.put(60, touched="2026-08-17 09:00:00")
    town.put(5, touched=touched, topic="Sign")
    second = begin(source, tmp_path, cursor)
    assert {"c005", "c060"} <= set(keys(second))
    third = begin(source, tmp_path, second.cursor)
    assert sorted(keys(third)) == ["c005", "c060"]


def test_without_a_mark_every_reading_has_every_row(bench, town, source):
    source = replace(source, modified=None)
    assert run_source(bench.desk, source).new == COUNT
    town.do("DELETE FROM \"Cases\" WHERE id = 'c004'")
    town.put(5, topic="Sign")
    report = run_source(bench.desk, source)
    assert (report.read, report.changed, report.withdrawn) == (COUNT - 1, 1, 1)


def test_what_is_gone_is_found_by_a_sweep(bench, town, source):
    run_source(bench.desk, source)
    town.do("DELETE FROM \"Cases\" WHERE id = 'c004'")
    assert run_source(bench.desk, source).withdrawn == 0
    assert run_source(bench.desk, source, Asked(sweep=True)).withdrawn == 1
    town.do("DELETE FROM \"Cases\" WHERE id = 'c005'")
    lasting = with_options(source, whole=False)
    assert run_source(bench.desk, lasting, Asked(sweep=True)).withdrawn == 0


def test_a_database_that_was_set_back_is_read_whole(bench, town, source):
    town.put(5, touched="2026-08-17 09:00:00", topic="Sign")
    run_source(bench.desk, source)
    town.put(5, touched=MARK)
    assert run_source(bench.desk, source).changed == 1
    assert bench.records(source)["c005"][5] == "Pothole"


def test_another_database_is_read_whole(town, source, tmp_path, new_database, monkeypatch):
    cursor = begin(source, tmp_path).cursor
    other = Town(new_database("sqlite"))
    other.put(1, touched="2026-01-01 00:00:00")
    monkeypatch.setenv("PERMITS_DATABASE", other.url)
    assert keys(begin(source, tmp_path, cursor)) == ["c001"]
    other.close()


def test_a_key_that_stands_twice_loses_no_row(bench, town, source):
    for number in (9, 19):
        town.do(WRITE, {"id": f"c{number:03}", "opened": None, "closed": None, "topic": "x", "touched": MARK})
    report = run_source(bench.desk, source)
    assert (report.read, report.new, report.rejected) == (COUNT + 2, COUNT, 2)


def test_a_row_without_a_key_is_refused_and_counted(bench, town, source):
    town.do(WRITE, {"id": None, "opened": None, "closed": None, "topic": "x", "touched": MARK})
    report = run_source(bench.desk, source)
    assert (report.read, report.new, report.rejected) == (COUNT + 1, COUNT, 1)


def test_a_query_is_read_like_a_table(town, source, tmp_path):
    query = "SELECT id, touched, 'a:b %s :c' AS topic FROM \"Cases\" WHERE id < 'c012'; -- old ones\n"
    source = with_options(source, table=None, query=query.replace("; --", " --"))
    [first, _] = begin(source, tmp_path).pages
    assert first.columns == ("id", "topic", "touched")
    assert first.rows[0][:2] == ["c000", "a:b %s :c"]


def test_days_asked_for_narrow_the_question(bench, town, source):
    town.put(70, opened="2026-07-01 10:00:00")
    report = run_source(bench.desk, source, Asked(since=date(2026, 7, 1), until=date(2026, 7, 1)))
    assert (report.read, report.new) == (1, 1)
    assert run_source(bench.desk, source).new == COUNT


def test_only_what_is_declared_is_asked_for(town, source, tmp_path):
    town.do('ALTER TABLE "Cases" ADD COLUMN owner_name VARCHAR(80)')
    [page, *_] = begin(source, tmp_path).pages
    assert page.columns == ("id", "opened", "closed", "topic", "amount", "touched")


def test_one_state_and_then_the_next_is_the_next_alone(any_bench, town, source):
    bench = any_bench
    run_source(bench.desk, source)
    town.put(2, touched="2026-08-17 09:00:00", closed="2026-08-17 08:00:00")
    town.put(60, touched="2026-08-17 09:00:00")
    town.do("DELETE FROM \"Cases\" WHERE id = 'c005'")
    report = run_source(bench.desk, source, Asked(sweep=True))
    assert (report.new, report.changed, report.withdrawn) == (1, 1, 1)
    alone = replace(source, id="alone")
    run_source(bench.desk, alone)
    assert bench.records(source) == bench.records(alone)


def test_the_same_rows_by_database_and_by_file_are_the_same_records(bench, town, source):
    lines = [f"c{number:03},2026-08-16T10:00:00,,Pothole,,{MARK}\n" for number in range(COUNT)]
    path = bench.file("cases.csv", "id,opened,closed,topic,amount,touched\n" + "".join(lines))
    run_source(bench.desk, source)
    report = run_source(bench.desk, source, Asked(file=path))
    assert (report.new, report.changed, report.unchanged) == (0, 0, COUNT)


def test_a_live_table_is_known_until_the_run_less_the_margin(bench, town, source, tmp_path):
    assert run_source(bench.desk, source).known_until == datetime(2026, 8, 16, 15, tzinfo=UTC)
    assert begin(with_options(source, live=True), tmp_path).updated_at == NOW - timedelta(minutes=5)


# --- values --------------------------------------------------------------------------------------------

TYPES = {
    "NUMERIC(12, 3) '1200.500'": "1200.500",
    "BIGINT '9007199254740993'": "9007199254740993",
    "DOUBLE PRECISION '0.1'": "0.1",
    "BOOLEAN 'true'": "true",
    "TIMESTAMPTZ '2026-08-17 10:00:00.25-04'": "2026-08-17 14:00:00.250000+00:00",
    "TIMESTAMP '2026-08-17 10:00:00'": "2026-08-17 10:00:00",
    "DATE '2026-08-17'": "2026-08-17",
    "TIME '10:00'": "10:00:00",
    "INTERVAL '1 day 00:00:01.5'": "86401.5",
    "UUID '6f1c0e9c-0f0e-4f43-9b9a-0a5a1c1d2e3f'": "6f1c0e9c-0f0e-4f43-9b9a-0a5a1c1d2e3f",
    "BYTEA '\\x00ff'": "00ff",
    "JSONB '{\"é\": 1.5}'": '{"é": 1.5}',
    "TEXT '007 é'": "007 é",
}


def test_values_of_a_driver_become_the_text_that_says_the_same(new_database, monkeypatch, source, tmp_path):
    monkeypatch.setenv("PERMITS_DATABASE", new_database("postgresql"))
    values = ", ".join(f"{value} AS c{number}" for number, value in enumerate(TYPES))
    columns = [Column("id", "text"), *(Column(f"c{number}", "text") for number in range(len(TYPES)))]
    query = f"SELECT 'a' AS id, {values}, CAST(NULL AS TEXT) AS nothing"
    source = with_options(
        source, table=None, query=query.replace("TIMESTAMPTZ '", "TIMESTAMP WITH TIME ZONE '")
    )
    source = replace(source, modified=None, columns=(*columns, Column("nothing", "text")))
    [page] = begin(source, tmp_path).pages
    found = [
        str(datetime.fromisoformat(cell).astimezone(UTC)) if cell and "+" in cell else cell
        for cell in page.rows[0]
    ]
    assert found == ["a", *TYPES.values(), None]


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("1E+3"), "1000"), (memoryview(b"\x01"), "01"), (timedelta(minutes=-1), "-60"), (1e16, "1e+16")],
)
def test_other_values_too(value, text):
    assert drivers.cell(value) == text


@pytest.mark.parametrize(
    ("mark", "begins"),
    [
        (datetime(2026, 8, 17, 10, tzinfo=UTC), datetime(2026, 8, 17, 9, 55, tzinfo=UTC)),
        (datetime(2026, 8, 17, 10), datetime(2026, 8, 17, 8, 55)),
        (date(2026, 8, 17), date(2026, 8, 16)),
        ("2026-08-17T10:00:00.123Z", "2026-08-17T08:55:00"),
        ("2026-08-17 10:00", "2026-08-17 08:55"),
        ("2026-08-17", "2026-08-16"),
    ],
)
def test_a_reading_begins_the_margin_before_the_mark_in_its_own_form(mark, begins):
    assert drivers.earlier(mark, timedelta(minutes=5)) == begins
    assert drivers.recalled(drivers.kept(mark)) == mark


def test_a_mark_with_a_time_zone_keeps_it_on_its_way_back(new_database, monkeypatch, source, tmp_path):
    """A bound instant that lost its offset would be read in the time zone of the session."""
    url = new_database("postgresql")
    monkeypatch.setenv(
        "PERMITS_DATABASE", f"{url}{'&' if '?' in url else '?'}options=-ctimezone%3DAsia/Tokyo"
    )
    town = Town(url)
    town.do("ALTER TABLE \"Cases\" ALTER touched TYPE timestamptz USING touched AT TIME ZONE 'UTC'")
    town.put(1, touched="2026-08-17T05:00:00Z")
    cursor = begin(source, tmp_path).cursor
    town.put(2, touched="2026-08-17T04:56:00Z")
    town.put(3, touched="2026-08-17T04:54:00Z")
    assert keys(begin(source, tmp_path, cursor)) == ["c002", "c001"]
    town.close()


def test_the_smallest_date_of_sql_server_is_declared_to_be_none(bench, town, source):
    town.put(1, closed="1753-01-01 00:00:00")
    columns = tuple(
        replace(one, empty=("1753-01-01",)) if one.name == "closed" else one for one in source.columns
    )
    report = run_source(bench.desk, replace(source, columns=columns))
    assert (report.new, report.rejected) == (COUNT, 0)


def test_a_byte_that_is_no_text_costs_its_row_alone(bench, new_database, monkeypatch, source):
    town = Town(new_database("sqlite"))
    monkeypatch.setenv("PERMITS_DATABASE", town.url)
    town.put(1, 2)
    town.do("UPDATE \"Cases\" SET topic = CAST(x'4f92' AS TEXT) WHERE id = 'c001'")
    report = run_source(bench.desk, source)
    assert (report.new, report.rejected) == (1, 1)
    town.close()


# --- what is refused, and what breaks --------------------------------------------------------------------

WRITING = [
    'DELETE FROM "Cases"',
    "SELECT 1; SELECT 2",
    "SELECT * INTO other FROM cases",
    "WITH gone AS (DELETE FROM cases RETURNING id) SELECT id FROM gone",
    "SELECT id FROM cases FOR UPDATE",
    "SELECT 'a",
    "PRAGMA table_info(cases)",
    "cases",
]


@pytest.mark.parametrize("query", WRITING)
def test_what_is_not_one_select_is_refused(new_database, monkeypatch, source, tmp_path, query):
    monkeypatch.setenv("PERMITS_DATABASE", new_database("postgresql"))
    with pytest.raises(SourceError, match=r"^cases, query: the query (is not|does more|cannot be)"):
        begin(with_options(source, table=None, query=query), tmp_path)


def test_a_session_cannot_write(town):
    outside = Outside(town.url, "Cases", is_query=False, seconds=5)
    with pytest.raises(OutsideError, match=r"read-?only"), outside._asked() as connection:
        connection.exec_driver_sql('DELETE FROM "Cases"')
    assert outside.count() == COUNT


def test_a_function_that_writes_is_stopped_by_the_transaction(new_database, monkeypatch, source, tmp_path):
    town = Town(new_database("postgresql"))
    monkeypatch.setenv("PERMITS_DATABASE", town.url)
    town.do("CREATE SEQUENCE numbers")
    query = with_options(source, table=None, query="SELECT 'a' AS id, nextval('numbers') AS touched")
    with pytest.raises(SourceError, match=r"cannot execute nextval.. in a read-only transaction"):
        begin(query, tmp_path)
    town.close()


ENDLESS = {
    "sqlite": "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n",
    "postgresql": "SELECT pg_sleep(60) AS id",
}


@pytest.mark.parametrize("engine", ENDLESS)
def test_a_question_that_takes_too_long_is_ended(new_database, monkeypatch, source, tmp_path, engine):
    town = Town(new_database(engine))
    monkeypatch.setenv("PERMITS_DATABASE", town.url)
    source = replace(source, modified=None, columns=(Column("id", "text"),))
    source = with_options(source, table=None, query=ENDLESS[engine], timeout_seconds=1)
    with pytest.raises(SourceError, match=r"(interrupted|statement timeout).*may take 1 seconds"):
        begin(source, tmp_path)
    town.close()


def test_a_connection_that_breaks_is_made_again(bench, town, source, waits, monkeypatch):
    pages, broken = Outside.page, []

    def page(self, *words):
        broken.append(words)
        if len(broken) in (2, 3):
            raise OutsideError("the connection is lost", passing=True)
        return pages(self, *words)

    monkeypatch.setattr(Outside, "page", page)
    assert run_source(bench.desk, source).new == COUNT
    assert len(waits) == 2


def test_a_server_that_ends_a_connection_may_be_asked_again(new_database):
    query = "SELECT pg_terminate_backend(pg_backend_pid()) AS id"
    outside = Outside(new_database("postgresql"), query, is_query=True, seconds=5)
    with pytest.raises(OutsideError) as told:
        outside.count([])
        outside.page(["id"], [], ["id"], None, 10)
    assert told.value.passing


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://kim:hunter2@127.0.0.1:1/permits", "The database answered: connection"),
        ("hunter2", "it is no address of a database"),
        ("fax://kim:hunter2@here/permits", "nothing here knows databases of the kind fax"),
        ("mysql+pymysql://kim:hunter2@here/permits", "run: python -m pip install pymysql"),
        ("sqlite:////nowhere/hunter3.db", "there is no file /nowhere/hunter3.db"),
    ],
)
def test_a_database_that_cannot_be_opened_is_told_without_its_password(
    bench, source, monkeypatch, address, said
):
    monkeypatch.setenv("PERMITS_DATABASE", address)
    report = run_source(bench.desk, source)
    assert (report.outcome, said in report.message) == ("failed", True), report.message
    assert "the database of PERMITS_DATABASE" in report.message
    assert "hunter2" not in report.message


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"table": None}, "give one of table and query"),
        ({"query": "SELECT 1"}, "give one of table and query"),
        ({"url_env": "NOT_SET"}, "set NOT_SET in the environment to the address"),
        ({"table": "Nothing"}, "The database answered: "),
        ({"url": "sqlite://"}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_options_are_told_in_one_line(town, source, tmp_path, options, said):
    with pytest.raises(SourceError, match=said):
        begin(with_options(source, **options), tmp_path)


def test_a_missing_key_and_a_mark_without_order_are_told(town, source, tmp_path):
    with pytest.raises(SourceError, match="Cases has no column number; add the name used there"):
        begin(replace(source, key="number", columns=(*source.columns, Column("number", "text"))), tmp_path)
    with pytest.raises(SourceError, match="modified = 'topic' has 'Pothole', which is no date or time"):
        begin(replace(source, modified="topic"), tmp_path)


def test_an_empty_table_is_no_mistake(town, source, tmp_path):
    town.do('DELETE FROM "Cases"')
    extract = begin(source, tmp_path)
    assert keys(extract) == []
    assert keys(begin(source, tmp_path, extract.cursor)) == []
