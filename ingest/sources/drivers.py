"""Values as the driver of a database gives them: as cells, and as the marks by which changes are read."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ingest.contract import Cell

SET_BACK = timedelta(hours=1)
"""A clock without a time zone may be set back by so much, once a year."""

DAY = timedelta(days=1)

_SORTED = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", re.ASCII)
"""Texts that stand in the order of the times they tell."""


def cell(value: Any) -> Cell:
    """A value of a driver as the text that says exactly the same."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, timedelta):
        return format(Decimal(value // timedelta(microseconds=1)).scaleb(-6).normalize(), "f")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=cell)
    return str(value)


def form(mark: Any) -> str:
    """What marks can be held against each other: "aware", "naive", "day" and "text"; "" for what is none."""
    if isinstance(mark, datetime):
        return "aware" if mark.tzinfo else "naive"
    if isinstance(mark, date):
        return "day"
    return "text" if isinstance(mark, str) and _time(mark) is not None else ""


def like(sample: Any, moment: datetime) -> Any:
    """A moment in UTC, right to a day, in the form of a sample; None where that has none."""
    forms = {
        "aware": moment,
        "naive": moment.replace(tzinfo=None),
        "day": moment.date(),
        "text": moment.date().isoformat(),
    }
    return forms.get(form(sample))


def earlier(mark: Any, margin: timedelta) -> Any:
    """Where a reading begins: the margin before a mark, in the mark's own form."""
    if isinstance(mark, str):
        moment = datetime.fromisoformat(mark) - margin - SET_BACK
        # Short of parts of a second and of the offset it stands before every text that goes on with them.
        return moment.isoformat(sep=mark[10:11] or " ", timespec="seconds")[: min(19, len(mark))]
    if isinstance(mark, datetime):
        return mark - margin - (timedelta() if mark.tzinfo else SET_BACK)
    return mark - max(margin, DAY)


def kept(mark: Any) -> str | None:
    """A mark as text, its form before it."""
    return None if mark is None else f"{form(mark)} {mark}"


def recalled(text: str | None) -> Any:
    """The mark that was kept; None where none was."""
    name, _, written = (text or "").partition(" ")
    if name == "text":
        return written
    forms = {"day": date.fromisoformat, "aware": datetime.fromisoformat, "naive": datetime.fromisoformat}
    return forms[name](written) if name in forms else None


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if _SORTED.fullmatch(text) else None
    except ValueError:
        return None
