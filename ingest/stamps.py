"""Stamps that are written alike are read at once, as columns of digits, and instants written as texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.contract import Cell

Clock = npt.NDArray[np.datetime64]

FIRST_YEAR, LAST_YEAR = 1800, 2200
"""Dates outside are fillers of some program (1753, 9999), never something that happened in a city."""

PATTERNS_AT_MOST = 24
"""After so many ways of writing found in one column of a page, what is left is read cell by cell."""

OFFSET = r"Z|z|[+-]\d{2}(?::?\d{2})?"
ISO_STAMP = re.compile(
    rf"(\d{{4}}-\d{{2}}-\d{{2}})[T ](\d{{2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)?) ?({OFFSET})?", re.ASCII
)

_Bytes = npt.NDArray[np.uint8]
_Numbers = npt.NDArray[np.int64]

_SECOND = 1_000_000
_MINUTE, _DAY = 60 * _SECOND, 86_400 * _SECOND
_ZERO = ord("0")


@dataclass(frozen=True)
class Alike:
    """Cells of one pattern: their indexes, rising, the times they tell, and the offset all of them have."""

    indexes: npt.NDArray[np.intp]
    clock: Clock
    offset: str | None


def alike(cells: Sequence[Cell]) -> tuple[list[Alike], list[int]]:
    """ISO stamps that exist, grouped by pattern, and the indexes of all other cells that are not empty.

    A pattern is everything but the digits of date and time. What is not taken here (other patterns,
    white space, times that do not exist, years nobody believes) is for `ingest.dates` to judge.
    """
    texts = [cell or "" for cell in cells]
    lengths = np.fromiter(map(len, texts), dtype=np.intp, count=len(texts))
    # One byte for each letter, whatever the letter: places stay as they are.
    letters = np.frombuffer("".join(texts).encode("ascii", "replace"), dtype=np.uint8)
    starts = np.cumsum(lengths) - lengths
    untried, left = lengths > 0, lengths > 0
    groups = []
    for _ in range(PATTERNS_AT_MOST):
        if not untried.any():
            break
        first = int(untried.argmax())
        untried[first] = False
        match = ISO_STAMP.fullmatch(texts[first])
        if match is None:
            continue
        of_length = np.flatnonzero(left & (lengths == lengths[first]))
        page = letters[starts[of_length, None] + np.arange(lengths[first])]
        fits, clock = _read(page, page[np.searchsorted(of_length, first)], match.end(2))
        untried[of_length[fits]] = False
        exists = ~np.isnat(clock)
        groups.append(Alike(of_length[fits][exists], clock[exists], match[3]))
        left[groups[-1].indexes] = False
    return groups, np.flatnonzero(left).tolist()


def instant_texts(utc: Clock) -> list[str]:
    """The 27 characters of each time in UTC, of the years 1000 to 9999."""
    day, rest = _divided(utc.astype("datetime64[us]").view(np.int64), _DAY)
    minute, rest = _divided(rest, _MINUTE)
    second, rest = _divided(rest, _SECOND)
    milli, micro = _divided(rest, 1000)
    codes, days = pd.factorize(day)
    text = np.concatenate(
        [
            _table(_day_texts(days), width=10)[codes],
            _MINUTES[minute],
            _SECONDS[second],
            _THOUSANDTHS[milli],
            _THOUSANDTHS[micro],
            np.full((len(utc), 1), ord("Z"), dtype=np.uint8),
        ],
        axis=1,
    )
    width, written = text.shape[1], text.tobytes().decode()
    return [written[start : start + width] for start in range(0, len(written), width)]


def day_texts(local: Clock) -> list[str]:
    """The day `YYYY-MM-DD` of each time."""
    codes, days = pd.factorize(local.astype("datetime64[D]").view(np.int64))
    return list(map(_day_texts(days).__getitem__, codes.tolist()))


def _read(page: _Bytes, pattern: _Bytes, clock_ends: int) -> tuple[npt.NDArray[np.bool_], Clock]:
    """Which rows of letters are written as the pattern is, and their times, NaT for one that is none."""
    is_digit = (pattern >= _ZERO) & (pattern < _ZERO + 10) & (np.arange(len(pattern)) < clock_ends)
    digits = page[:, is_digit] - np.uint8(_ZERO)
    fits = (digits < 10).all(axis=1) & (page[:, ~is_digit] == pattern[~is_digit]).all(axis=1)
    return fits, _times(digits[fits])


def _times(digits: _Bytes) -> Clock:
    """Digits of YYYYMMDDhhmm, then ss and parts of a second where there are any, as times."""
    year, month, day, hour, minute, second = (
        _number(digits[:, first:end]) for first, end in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))
    )
    fraction = digits[:, 14:20]
    micros = _number(fraction) * 10 ** (6 - fraction.shape[1])
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    exists = (month >= 1) & (month <= 12) & (days.astype("datetime64[M]") == months)
    exists &= (hour < 24) & (minute < 60) & (second < 60) & (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    clock = days.astype("datetime64[us]") + (((hour * 60 + minute) * 60 + second) * _SECOND + micros)
    clock[~exists] = np.datetime64("NaT")
    return clock


def _number(digits: _Bytes) -> _Numbers:
    """The whole number in each row; 0 where there are no digits."""
    total = np.zeros(len(digits), dtype=np.int64)
    for column in digits.T:
        total = total * 10 + column
    return total


def _divided(numbers: _Numbers, by: int) -> tuple[_Numbers, _Numbers]:
    """numpy.divmod, which takes several times as long."""
    whole = numbers // by
    return whole, numbers - whole * by


def _day_texts(days: _Numbers) -> list[str]:
    return np.datetime_as_string(days.astype("datetime64[D]"), unit="D").tolist()


def _table(words: list[str], width: int) -> _Bytes:
    """The letters of words of one width, a word to a row."""
    return np.frombuffer("".join(words).encode(), dtype=np.uint8).reshape(len(words), width)


_MINUTES = _table([f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)], width=7)
_SECONDS = _table([f"{second:02}." for second in range(60)], width=3)
_THOUSANDTHS = _table([f"{number:03}" for number in range(1000)], width=3)
