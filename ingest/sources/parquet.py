"""Tables in Parquet files as pages of text cells, read by DuckDB where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingest.contract import PAGE_ROWS, Cell, Page, SourceError

MAGIC = b"PAR1"

PACKAGE = "duckdb==2.0.0"
"""Left out of what every city installs: it is large, and few have such files."""

_SETTINGS: dict[str, Any] = {
    "threads": "1",
    "memory_limit": "1GB",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_FLOATING = ("DOUBLE", "FLOAT")


def parquet_pages(path: Path, name: str) -> Iterator[Page]:
    """The table of one file, its rows counted from 1; nested columns are JSON-like texts.

    Instants that a file keeps in UTC have the offset +00, others none. Whole numbers in a column of
    decimals, as pandas writes numbers of which some are missing, have no decimal point. Raises
    SourceError for a damaged file, and where DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise SourceError(
            f"{name} is a Parquet file, for which DuckDB is needed; install it (.venv/bin/python -m pip "
            f"install {PACKAGE}), or save the table as CSV."
        ) from error
    # DuckDB takes signs in a path for a pattern and folders named x=1 for columns; a link has neither.
    with TemporaryDirectory() as folder, duckdb.connect(config=_SETTINGS) as connection:
        link = Path(folder) / "table.parquet"
        link.symlink_to(path.resolve())
        try:
            yield from _pages(connection, link, name)
        except duckdb.Error as error:
            cause = str(error).replace(str(link), name).splitlines()[0]
            raise SourceError(
                f"{name} is no Parquet file that can be read ({cause}); save it again."
            ) from error


def _pages(connection: Any, path: Path, name: str) -> Iterator[Page]:
    connection.execute("SET TimeZone = 'UTC'")
    table = "FROM read_parquet(?, hive_partitioning = false)"
    described = connection.execute(f"DESCRIBE SELECT * {table}", [str(path)]).fetchall()
    columns = tuple(row[0] for row in described)
    floating = [index for index, row in enumerate(described) if row[1] in _FLOATING]
    rows = connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) {table}", [str(path)])
    first = 1
    while True:
        page = [_whole(row, floating) for row in rows.fetchmany(PAGE_ROWS)]
        yield Page(columns, page, first_line=first, place=name)
        first += len(page)
        if len(page) < PAGE_ROWS:
            return


def _whole(row: tuple[Cell, ...], floating: list[int]) -> list[Cell]:
    cells = list(row)
    for index in floating:
        cell = cells[index]
        cells[index] = cell and cell.removesuffix(".0")
    return cells
