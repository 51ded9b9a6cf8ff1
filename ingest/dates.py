"""Days and stamps as cities write them become days, and instants in UTC with their day in the city."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.cells import Converted, Value, each
from ingest.contract import Cell, SourceError
from ingest.stamps import (
    FIRST_YEAR,
    ISO_STAMP,
    LAST_YEAR,
    OFFSET,
    Alike,
    Clock,
    alike,
    day_texts,
    instant_texts,
)
from metrics.model import Column

LONGEST_OFFSET = timedelta(hours=15)

NOT_A_DAY = "is not a day like 2026-01-31"
NOT_A_STAMP = "is not a date and time like 2026-01-31 14:05:00"
NO_SUCH_DATE = "is a date or time that does not exist"
NO_SUCH_OFFSET = "has an offset that does not exist"
NOT_BELIEVABLE = f"is outside the years {FIRST_YEAR} to {LAST_YEAR}"

_ISO_DAY = re.compile(
    rf"(\d{{4}}-\d{{2}}-\d{{2}})(?:[T ]00:00(?::00(?:[.,]0+)?)?)?(?: ?(?:{OFFSET}))?", re.ASCII
)
_THEN_OFFSET = re.compile(rf"(.*?)\s*({OFFSET})?", re.ASCII | re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)
_MICROSECONDS = len("HH:MM:SS.ffffff")
_FIRST = np.datetime64(f"{FIRST_YEAR}-01-01", "us")
_END = np.datetime64(f"{LAST_YEAR + 1}-01-01", "us")
_TICK = timedelta(microseconds=1)


@dataclass
class _Stamps:
    """The cells of a column that look like stamps: index, clock time and offset as text."""

    indexes: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    offsets: list[str | None] = field(default_factory=list)

    def add(self, index: int, text: str, offset: str | None) -> None:
        self.indexes.append(index)
        self.texts.append(text)
        self.offsets.append(offset)


def days(cells: Sequence[Cell], column: Column) -> Converted:
    """Days `YYYY-MM-DD`: ISO 8601, where a time of midnight is dropped, or the column's strptime words."""
    declared = _days_as_declared(cells, column)
    nothing = frozenset(map(str, _empty_days(column)))

    def convert(cell: str) -> str | None:
        if cell in declared:
            day = declared[cell]
        elif _may_be_iso(column):
            day = _iso_day(cell, _not_as(column) if column.formats else NOT_A_DAY)
        else:
            raise ValueError(_not_as(column))
        return None if day in nothing else _believable(day)

    return each(cells, convert)


def instants(cells: Sequence[Cell], column: Column, time_zone: str) -> Converted:
    """Instants of 27 characters in UTC, and for each the city's day.

    Written as ISO 8601 or as the column's strptime words. What its `stamps` and `local_until` leave to the
    city's clock is, in the hour that a change of clocks skips, the instant of the change, and in the hour
    that comes twice the first of the two. A stamp on a day of `empty` is none. Digits beyond the
    microsecond are dropped.
    """
    wrong: dict[int, str] = {}
    groups, others = alike(cells) if _may_be_iso(column) else ([], _filled(cells))
    iso, declared = _recognised(cells, others, column, wrong)
    found = [
        *(_of_group(group, column, time_zone, wrong) for group in groups),
        _understood(iso, _parsed(iso.texts, "ISO8601", column), NO_SUCH_DATE, column, time_zone, wrong),
    ]
    if column.formats:
        stamps, clock = _as_declared(declared, column)
        found.append(_understood(stamps, clock, _not_as(column), column, time_zone, wrong))
    indexes = np.concatenate([one[0] for one in found])
    utc = np.concatenate([one[1] for one in found])
    local = pd.DatetimeIndex(utc, tz="UTC").tz_convert(time_zone).tz_localize(None).to_numpy()
    return Converted(
        _spread(indexes, instant_texts(utc), len(cells)),
        wrong,
        days=_spread(indexes, day_texts(local), len(cells)),
    )


def _filled(cells: Sequence[Cell]) -> list[int]:
    return [index for index, cell in enumerate(cells) if cell]


def _of_group(
    group: Alike, column: Column, time_zone: str, wrong: dict[int, str]
) -> tuple[npt.NDArray[np.intp], Clock]:
    """The indexes and UTC times of stamps written alike; all are in `wrong` when their offset is none."""
    kept = ~_is_nothing(group.clock, column)
    indexes, clock = (group.indexes, group.clock) if kept.all() else (group.indexes[kept], group.clock[kept])
    minutes, displaced = _east(clock, np.full(len(clock), _offset_minutes(group.offset)), column)
    displaced &= group.offset is not None
    if displaced.any():
        wrong.update(dict.fromkeys(indexes[displaced].tolist(), NO_SUCH_OFFSET))
        indexes, clock, minutes = indexes[~displaced], clock[~displaced], minutes[~displaced]
    return indexes, _to_utc(clock, minutes, time_zone)


def _recognised(
    cells: Sequence[Cell], indexes: Iterable[int], column: Column, wrong: dict[int, str]
) -> tuple[_Stamps, _Stamps]:
    """Of the cells at the indexes those that look like ISO 8601 and those left to the declared format."""
    iso, declared = _Stamps(), _Stamps()
    may_be_iso = _may_be_iso(column)
    for index in indexes:
        stripped = (cells[index] or "").strip()
        if not stripped:
            continue
        match = ISO_STAMP.fullmatch(stripped) if may_be_iso else None
        if match:
            iso.add(index, f"{match[1]}T{match[2][:_MICROSECONDS]}".replace(",", "."), match[3])
        elif not column.formats:
            wrong[index] = NOT_A_STAMP
        else:
            declared.add(index, stripped, None)
    return iso, declared


def _as_declared(stamps: _Stamps, column: Column) -> tuple[_Stamps, Clock]:
    """The stamps with their offsets cut off, and the times the first format that fits makes of each."""
    clock = np.full(len(stamps.texts), np.datetime64("NaT"), dtype="datetime64[us]")
    read = _Stamps(stamps.indexes, list(stamps.texts), list(stamps.offsets))
    for format_ in column.formats:
        left = np.flatnonzero(np.isnat(clock)).tolist()
        cut = [_cut_offset(stamps.texts[one], format_) for one in left]
        times = _parsed([text for text, _ in cut], _without_offset(format_), column)
        for one, (_, offset), time in zip(left, cut, times, strict=True):
            if not np.isnat(time):
                clock[one], read.offsets[one] = time, offset
    return read, clock


def _cut_offset(cell: str, format_: str) -> tuple[str, str | None]:
    if not format_.endswith("%z"):
        return cell, None
    match = _THEN_OFFSET.fullmatch(cell)
    return (match[1], match[2]) if match else (cell, None)


def _without_offset(format_: str) -> str:
    return format_.removesuffix("%z").rstrip()


def _understood(
    stamps: _Stamps, clock: Clock, unreadable: str, column: Column, time_zone: str, wrong: dict[int, str]
) -> tuple[npt.NDArray[np.intp], Clock]:
    """The indexes and UTC times of the stamps that name a believable instant; the others are in `wrong`.

    clock: the times the stamps tell, NaT where one tells none.
    """
    indexes = np.array(stamps.indexes, dtype=np.intp)
    minutes, displaced = _east(clock, _minutes(stamps.offsets), column)
    nothing = _is_nothing(clock, column)
    impossible = np.isnat(clock)
    unbelievable = ~impossible & ~nothing & ~((clock >= _FIRST) & (clock < _END))
    displaced &= ~impossible & ~nothing & np.array([one is not None for one in stamps.offsets], dtype=bool)
    for mask, reason in (
        (displaced, NO_SUCH_OFFSET),
        (unbelievable, NOT_BELIEVABLE),
        (impossible, unreadable),
    ):
        wrong.update(dict.fromkeys(indexes[mask].tolist(), reason))
    good = ~(impossible | unbelievable | displaced | nothing)
    return indexes[good], _to_utc(clock[good], minutes[good], time_zone)


def _parsed(texts: list[str], format_: str, column: Column) -> Clock:
    try:
        # pandas takes the words `now` and `today` in any format; a written date has a digit in it.
        dates = [text if _DIGIT.search(text) else None for text in texts]
        parsed = pd.to_datetime(pd.Index(dates, dtype=object), format=format_, errors="coerce")
    except ValueError as error:
        raise SourceError(
            f"Column {column.name}: format = {format_!r} is not understood ({error}); "
            "use the words of Python's strptime."
        ) from error
    return parsed.to_numpy().astype("datetime64[us]")


def _east(
    clock: Clock, minutes: npt.NDArray[np.float64], column: Column
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Minutes east of UTC as the column reads its stamps, NaN for the city's clock; and where an offset that
    would count does not exist.

    minutes: as written, NaN where no offset is written or it does not exist.
    """
    local = np.full(len(clock), column.stamps == "local")
    if column.local_until is not None:
        local |= clock.astype("datetime64[D]") <= np.datetime64(column.local_until, "D")
    unsaid = np.isnan(minutes)
    east = np.where(unsaid, 0.0, minutes) if column.stamps == "utc" else minutes
    return np.where(local, np.nan, east), unsaid & ~local


def _is_nothing(clock: Clock, column: Column) -> npt.NDArray[np.bool_]:
    """Which times are on a day that the column declares to mean no time."""
    nothing = _empty_days(column)
    if not nothing:
        return np.zeros(len(clock), dtype=bool)
    return np.isin(clock.astype("datetime64[D]"), np.array(nothing, dtype="datetime64[D]"))


def _empty_days(column: Column) -> list[date]:
    return [date.fromisoformat(word) for word in column.empty if _DAY.fullmatch(word)]


def _minutes(offsets: Sequence[str | None]) -> npt.NDArray[np.float64]:
    """Minutes east of UTC; NaN for the city's clock and for an offset that does not exist."""
    known = {offset: _offset_minutes(offset) for offset in set(offsets)}
    return np.array([known[offset] for offset in offsets], dtype=np.float64)


def _offset_minutes(offset: str | None) -> float:
    if offset is None:
        return np.nan
    if offset in ("Z", "z"):
        return 0.0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if ahead > LONGEST_OFFSET or int(digits[2:]) >= 60:
        return np.nan
    return (1 if offset[0] == "+" else -1) * ahead / timedelta(minutes=1)


def _to_utc(clock: Clock, minutes: npt.NDArray[np.float64], time_zone: str) -> Clock:
    is_local = np.isnan(minutes)
    utc = clock - np.where(is_local, 0, minutes).astype("timedelta64[m]")
    utc[is_local] = _local_to_utc(clock[is_local], time_zone)
    return utc.astype("datetime64[us]")


def _local_to_utc(clock: Clock, time_zone: str) -> Clock:
    first_of_two = np.ones(len(clock), dtype=bool)
    local = pd.DatetimeIndex(clock).tz_localize(time_zone, ambiguous=first_of_two, nonexistent="NaT")
    utc = local.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    for index in np.flatnonzero(np.isnat(utc)):
        utc[index] = np.datetime64(_end_of_gap(clock[index].item(), time_zone), "us")
    return utc


def _end_of_gap(skipped: datetime, time_zone: str) -> datetime:
    """The instant (UTC, naive) at which the clock jumped over the time `skipped`."""
    zone = ZoneInfo(time_zone)
    before = skipped.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = skipped.replace(tzinfo=zone, fold=0).astimezone(UTC)
    offset_before = before.astimezone(zone).utcoffset()
    while after - before > _TICK:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset_before:
            before = middle
        else:
            after = middle
    return after.replace(tzinfo=None)


def _days_as_declared(cells: Sequence[Cell], column: Column) -> Mapping[str, str]:
    """{stripped cell: ISO day} of the cells that are written in the declared format."""
    found: dict[str, str] = {}
    for format_ in column.formats:
        texts = sorted({cell.strip() for cell in cells if cell} - found.keys())
        clock = _parsed(texts, format_, column)
        found |= {text: str(time)[:10] for text, time in zip(texts, clock, strict=True) if not np.isnat(time)}
    return found


def _may_be_iso(column: Column) -> bool:
    """Databases and Excel hand dates over as ISO 8601 whatever the city's text files say.

    A declared format that begins with the year could mean another order of month and day: it alone counts.
    """
    return not any(format_.startswith("%Y") for format_ in column.formats)


def _not_as(column: Column) -> str:
    return f"is not a date written as {' or '.join(column.formats)}"


def _iso_day(cell: str, unreadable: str) -> str:
    match = _ISO_DAY.fullmatch(cell)
    if match is None:
        raise ValueError(unreadable)
    try:
        date.fromisoformat(match[1])
    except ValueError as error:
        raise ValueError(NO_SUCH_DATE) from error
    return match[1]


def _believable(iso: str) -> str:
    if not FIRST_YEAR <= int(iso[:4]) <= LAST_YEAR:
        raise ValueError(NOT_BELIEVABLE)
    return iso


def _spread(indexes: npt.NDArray[np.intp], values: list[str], length: int) -> list[Value]:
    """The values at their indexes, None everywhere else."""
    spread = np.full(length, None, dtype=object)
    spread[indexes] = values
    return spread.tolist()
