"""The sentences about values given by hand: what is due, what is usual, what became of what was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from metrics.model import City, Column, Source
from store.entries import Entry, Kind
from store.manual_values import Due, Usual
from store.requests import Request

if TYPE_CHECKING:
    from layouts.manual_view import ManualLine, ManualView, SourcesView


def list_headline(view: SourcesView) -> str:
    """How many values are waited for."""
    count = sum(len(line.due) for line in view.lines)
    if not view.lines:
        return _("No values are given by hand here")
    if not count:
        return _("Every value that was waited for is there")
    return ngettext("One value is waited for", "{count} values are waited for", count).format(
        count=numbers.count(count)
    )


def line_words(line: ManualLine) -> str:
    """What a source waits for."""
    if not line.due:
        return _("Nothing is due")
    count, first = len(line.due), line.due[0].day
    return ngettext("One value, for {day}", "{count} values, the oldest for {day}", count).format(
        count=numbers.count(count), day=days.day(first)
    )


def headline(view: ManualView) -> str:
    """What a source waits for, with its name."""
    name, count = view.source.name, len(view.due)
    if not count:
        return _("{source}: every value is there up to yesterday").format(source=name)
    return ngettext(
        "{source}: one value is waited for", "{source}: {count} values are waited for", count
    ).format(source=name, count=numbers.count(count))


def reminder(lines: Sequence[ManualLine]) -> str:
    """What is due for somebody, in one sentence; "" for nothing."""
    count = sum(len(line.due) for line in lines)
    if not count:
        return ""
    names = ", ".join(line.source.name for line in lines if line.due)
    return ngettext("One value waits for you: {names}", "{count} values wait for you: {names}", count).format(
        count=numbers.count(count), names=names
    )


def cell_label(due: Due, column: Column, *, is_only: bool) -> str:
    """What the field of a value is called: its day, its parts, and its column where there are several."""
    parts = [days.long_day(due.day), *(one or _("(none)") for one in due.parts)]
    return " · ".join([*parts, *([] if is_only else [column.name])])


def cell_hint(column: Column, usual: Usual | None) -> str:
    """What a value can be, and what was usual."""
    said = [] if column.min is None and column.max is None else [limits(column)]
    if usual is not None:
        least, most = numbers.plain(usual.least), numbers.plain(usual.most)
        same = _("Lately always {least}.") if least == most else _("Lately from {least} to {most}.")
        said.append(same.format(least=least, most=most))
    return " ".join(said)


def limits(column: Column) -> str:
    """Between which numbers a value must be."""
    least = None if column.min is None else numbers.plain(column.min)
    most = None if column.max is None else numbers.plain(column.max)
    if least is None:
        return _("At most {most}.").format(most=most)
    if most is None:
        return _("At least {least}.").format(least=least)
    return _("From {least} to {most}.").format(least=least, most=most)


def far_from_usual(number: float, usual: Usual) -> str:
    """That a value may be a typing error."""
    return _(
        "{number} is far from the {least} to {most} of late; correct it, or check below that it is right."
    ).format(number=numbers.plain(number), least=numbers.plain(usual.least), most=numbers.plain(usual.most))


def more_due(shown: int, count: int) -> str:
    """That more is due than is shown; "" where it is not."""
    if shown >= count:
        return ""
    return _("These are the {shown} oldest of {count}; a spreadsheet gives many at once.").format(
        shown=shown, count=numbers.count(count)
    )


def columns_words(names: Sequence[str]) -> str:
    """The heads of the columns that a file has."""
    return _("CSV or Excel, with these heads in the first line: {names}.").format(names=", ".join(names))


# --- what became of them -------------------------------------------------------------------------


def state(request: Request) -> str:
    """How a request stands, in one sentence."""
    result = request.result
    if request.finished_at is None or result is None:
        return _("The worker is checking the values; this takes some seconds.")
    outcome = result.get("outcome")
    changed = sum(int(result.get(word) or 0) for word in ("new", "changed", "withdrawn"))
    if outcome == "entered":
        return ngettext("Done: one value is kept.", "Done: {count} values are kept.", changed).format(
            count=numbers.count(changed)
        )
    if outcome == "shown":
        return (
            ngettext(
                "The file is in order: one value would be kept.",
                "The file is in order: {count} values would be kept.",
                changed,
            ).format(count=numbers.count(changed))
            if changed
            else _("The file says nothing new.")
        )
    if outcome == "rejected":
        count = int(result.get("rejected") or 0)
        return ngettext(
            "One row cannot be taken, so nothing was kept.",
            "{count} rows cannot be taken, so nothing was kept.",
            count,
        ).format(count=numbers.count(count))
    return str(result.get("sentence", ""))


def result_lists(result: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What a result lists, by heading: rows that are wrong, values that change, what it does to scores."""
    named = (
        ("rejections", _("What is wrong")),
        ("changes", _("What changes")),
        ("effects", _("What it would do to the scores")),
    )
    return [(name, [str(one) for one in result.get(word) or ()]) for word, name in named if result.get(word)]


def entry_cells(entry: Entry, source: Source, names: Sequence[str]) -> str:
    """What was given, column by column."""
    if entry.given.kind is Kind.WITHDRAWAL:
        return _("taken back")
    hidden = {source.key, names[0]}
    return ", ".join(f"{name} {cell}" for name, cell in entry.given.cells.items() if name not in hidden)


def entry_by(entry: Entry, city: City) -> str:
    """Who gave it and when."""
    return _("{by}, {instant}").format(by=entry.entered_by, instant=days.instant(entry.entered_at, city))


def day_words(given: date) -> str:
    """A day as a table has it."""
    return days.day(given)
