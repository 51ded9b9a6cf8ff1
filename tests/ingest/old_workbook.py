"""A workbook of the kind that Excel wrote before 2007 (.xls), made by hand: nothing installed writes one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

SECTOR = 512
SMALLEST_STREAM = 4096
FREE, END_OF_CHAIN, TABLE_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def write_xls(path: Path, sheet: str, rows: Sequence[Sequence[str | float]]) -> None:
    """Writes one sheet of texts and numbers."""
    stream = _workbook(sheet, rows)
    stream = stream.ljust(max(SMALLEST_STREAM, -(-len(stream) // SECTOR) * SECTOR), b"\0")
    count = len(stream) // SECTOR
    table = [TABLE_SECTOR, END_OF_CHAIN, *range(3, count + 2), END_OF_CHAIN]
    table += [FREE] * (SECTOR // 4 - len(table))
    directory = _entry("Root Entry", 5, END_OF_CHAIN, 0, child=1) + _entry("Workbook", 2, 2, len(stream))
    path.write_bytes(
        _header() + struct.pack(f"<{len(table)}I", *table) + directory.ljust(SECTOR, b"\0") + stream
    )


def _header() -> bytes:
    mark, version = bytes.fromhex("D0CF11E0A1B11AE1"), (0x3E, 3, 0xFFFE, 9, 6)
    chains = (0, 1, 1, 0, SMALLEST_STREAM, END_OF_CHAIN, 0, END_OF_CHAIN, 0)
    table = struct.pack("<109I", 0, *[FREE] * 108)
    return struct.pack("<8s16xHHHHH6x9I", mark, *version, *chains) + table


def _entry(name: str, kind: int, start: int, size: int, child: int = FREE) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = struct.pack("<64sHBBIII36xIQ", text, len(text), kind, 1, FREE, FREE, child, start, size)
    return head.ljust(128, b"\0")


def _workbook(sheet: str, rows: Sequence[Sequence[str | float]]) -> bytes:
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0x0DBB, 0x07CC, 0, 6))
    end = _record(0x000A, b"")
    name = struct.pack("<BB", len(sheet), 0) + sheet.encode("latin-1")
    place = len(begin) + 4 + 6 + len(name) + len(end)
    bound = _record(0x0085, struct.pack("<IBB", place, 0, 0) + name)
    cells = b"".join(_cell(y, x, value) for y, row in enumerate(rows) for x, value in enumerate(row))
    begin_sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0x0DBB, 0x07CC, 0, 6))
    return begin + bound + end + begin_sheet + cells + end


def _cell(row: int, column: int, value: str | float) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return _record(0x0204, place + struct.pack("<HB", len(value), 1) + text)
    return _record(0x0203, place + struct.pack("<d", value))


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body
