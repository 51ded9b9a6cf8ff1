"""The kind `manual`: daily values that people type in or upload (`python -m ingest enter`).

Options of a source:

    key_from    the columns that together say which value it is; the first is the day (default ["day"])
    calendar    the days that need a value: all (default), business or school

A source of this kind names the first day it covers (`begins`). It is known until the end of the last day
before one that needs a value and has none: a day that somebody forgot is missing, not zero.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ingest.contract import PAGE_ROWS, Copy, Entered, Extract, Page, ReadRequest, SourceError
from ingest.sources.options import options_of
from metrics.model import City, Source
from metrics.periods import Calendar, is_open, local_day, local_midnight

DAY = timedelta(days=1)


class Options(BaseModel):
    """The words of a manual source, checked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    key_from: list[str] = Field(default=["day"], min_length=1)
    calendar: Calendar = "all"


def read(source: Source, request: ReadRequest) -> Extract:
    """Every value that counts now; SourceError when the source is not declared as this kind needs it."""
    options = options_for(source)
    entered = request.entered()
    path = _written(entered, request.work)
    cursor = hashlib.sha256(path.read_bytes()).hexdigest()
    today = local_day(request.city, request.now)
    until, hole = known_days(source, request.city, options, {one.day for one in entered}, today)
    notes = [] if hole is None else [f"{hole} has no value, so no day is known from it on"]
    is_new = cursor != request.cursor
    if is_new:
        request.keep(Copy(path, path.name))
    return Extract(
        pages=_pages(source, entered) if is_new else (),
        updated_at=until,
        cursor=cursor,
        unchanged=not is_new,
        complete=is_new,
        notes=notes,
    )


def read_file(source: Source, _path: Path, _request: ReadRequest) -> Extract:
    """Refuses: a file of values has to be entered, so that it is known who gave them."""
    raise SourceError(
        f"People give the values of {source.id}; use `python -m ingest enter {source.id} --from FILE`."
    )


def options_for(source: Source) -> Options:
    """The options of a manual source; SourceError where its columns do not fit, or `begins` is missing."""
    options = options_of(source, Options)
    types = {column.name: column.type for column in source.columns}
    strange = [name for name in options.key_from if name not in types]
    if strange:
        raise SourceError(f"sources/{source.id}.toml, [options] key_from: there is no column {strange[0]}.")
    if types[options.key_from[0]] != "day":
        raise SourceError(
            f"sources/{source.id}.toml, [options] key_from: {options.key_from[0]} comes first and is no day."
        )
    if source.begins is None:
        raise SourceError(f"sources/{source.id}.toml: write begins = …, the first day that has a value.")
    return options


def known_days(
    source: Source, city: City, options: Options, days: Collection[date], today: date
) -> tuple[datetime | None, date | None]:
    """Until when the source is known with values for `days`, and the first day that needs one and has none.

    None and None where there is no value at all; the day is None where no later one has a value. Days in
    a declared gap need none.
    """
    if not days or source.begins is None:
        return None, None
    day, last = source.begins, max(days)
    while day <= today and (day in days or not _needs_value(source, city, options, day)):
        day += DAY
    return local_midnight(city, day), day if day <= last else None


def _needs_value(source: Source, city: City, options: Options, day: date) -> bool:
    in_a_gap = any(gap.from_day <= day <= gap.to_day for gap in source.gaps)
    return not in_a_gap and is_open(city, options.calendar, day)


def _written(entered: Sequence[Entered], folder: Path) -> Path:
    path = folder / "entered.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for one in entered:
            file.write(json.dumps(dict(one.cells), ensure_ascii=False, sort_keys=True) + "\n")
    return path


def _pages(source: Source, entered: Sequence[Entered]) -> Iterator[Page]:
    columns = tuple(column.name for column in source.columns if column.expression is None)
    for start in range(0, max(len(entered), 1), PAGE_ROWS):
        part = entered[start : start + PAGE_ROWS]
        yield Page(
            columns=columns,
            rows=[[one.cells.get(name) for name in columns] for one in part],
            place="entries",
            lines=[one.number for one in part],
        )
