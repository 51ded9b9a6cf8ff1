"""Acts on values given by hand: to give some of them, to try a file of them, to keep what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from layouts.access import Role, of_source
from layouts.acts import Done, Form, Wrong, act
from layouts.formats import _
from layouts.formats import manual as say
from layouts.links import PREFIX
from metrics.model import Column, Source
from metrics.periods import local_day
from store import manual_values
from store.engine import reading
from store.manual_values import KIND, LARGEST_FILE, Book, Parts

MOST = 60
"""Cells of one form."""

LONGEST_CELL = 200

Rows = dict[tuple[date, Parts], dict[str, str]]
"""Cells by day and parts, and by column."""


@dataclass(frozen=True)
class Cell:
    """One field of the form: the value of a column for a day and parts."""

    field: str
    day: date
    parts: Parts
    column: Column


@act("give_values", Role.EDITOR, department=of_source)
def give_values(form: Form) -> Done:
    """Gives the values of a form to a source: checked here as far as can be, then by the worker."""
    source = source_of(form)
    with reading(form.desk.engine) as connection:
        known = manual_values.book(connection, source)
    rows = _rows_given(form, source, known)
    changed = {key: cells for key, cells in rows.items() if _differs(known.held.get(key), cells)}
    if not changed:
        raise Wrong("", _("These values are known already.") if rows else _("Give at least one value."))
    is_correction = any(key in known.held for key in changed)
    if is_correction and "reason" not in form.given:
        raise Wrong("", _("Somebody has given one of these values meanwhile; open the page again."))
    reason = form.line("reason", optional=not is_correction)
    sent = [_sent(source, key, {**known.held.get(key, {}), **cells}) for key, cells in changed.items()]
    with form.writing() as write:
        number = manual_values.ask(write, form.person.actor, source, sent, reason)
    return Done(page_of(source.id, request=str(number)), _("The values are being checked."))


@act("try_values_file", Role.EDITOR, department=of_source)
def try_values_file(form: Form) -> Done:
    """Asks what a file of values would change; nothing of it is kept."""
    source, file = source_of(form), form.file("file", most=LARGEST_FILE)
    reason = form.line("reason", optional=True)
    with form.writing() as write:
        number = manual_values.ask_about_file(
            write, form.person.actor, source, _name(file.name), file.body, reason
        )
    return Done(page_of(source.id, request=str(number)), _("The file is being checked; nothing is kept yet."))


@act("keep_values_file", Role.EDITOR, department=of_source)
def keep_values_file(form: Form) -> Done:
    """Keeps the values of a file whose effect was seen."""
    source, request = source_of(form), form.id("request_id")
    with form.writing() as write:
        number = manual_values.keep_file(write, form.person.actor, source, request)
    return Done(page_of(source.id, request=str(number)), _("The values are being kept."))


def page_of(source: str, **query: str) -> str:
    """The page on which values of a source are given."""
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{PREFIX}manual/{source}" + (f"?{words}" if words else "")


def source_of(form: Form) -> Source:
    """The source in the field `source_id`, which must be one that people give the values of."""
    found = form.desk.catalogue.sources.get(form.given.get("source_id", ""))
    if found is None or found.kind != KIND:
        raise Wrong("", _("There is no such source any more; open the page again."))
    return found


def field_name(row: int, column: str) -> str:
    """What the field of a cell is called in the form."""
    return f"v{row}-{column}"


def row_name(row: int) -> str:
    """The hidden field that says which value a row is."""
    return f"row{row}"


def row_value(day: date, parts: Parts) -> str:
    """What that field says."""
    return json.dumps([day.isoformat(), *parts], ensure_ascii=False)


def _cells(form: Form, source: Source) -> Iterator[Cell]:
    columns, today = manual_values.value_columns(source), local_day(form.desk.catalogue.city, form.clock())
    for number in range(MOST):
        said = form.given.get(row_name(number))
        if said is None:
            return
        day, parts = _row(said, source)
        if day > today or (source.begins is not None and day < source.begins):
            raise Wrong("", _("No value can be given for {day}.").format(day=day.isoformat()))
        for column in columns:
            yield Cell(field_name(number, column.name), day, parts, column)


def _row(said: str, source: Source) -> tuple[date, Parts]:
    """Which value a row is. What a form says proves nothing: the worker checks each part once more."""
    try:
        first, *others = json.loads(said)
        day = date.fromisoformat(first)
    except (ValueError, TypeError):
        raise Wrong("", _("This page is out of date; open it again.")) from None
    is_fit = all(isinstance(one, str) and len(one) <= LONGEST_CELL for one in others)
    if not is_fit or len(others) != len(manual_values.key_names(source)) - 1:
        raise Wrong("", _("This page is out of date; open it again."))
    return day, tuple(others)


def _rows_given(form: Form, source: Source, known: Book) -> Rows:
    """The cells that were filled in, by row. A row that is begun must have what the source needs of each."""
    rows: Rows = {}
    cells = list(_cells(form, source))
    for cell in cells:
        text = form.line(cell.field, most=LONGEST_CELL, optional=True)
        if text:
            rows.setdefault((cell.day, cell.parts), {})[cell.column.name] = _checked(form, cell, text, known)
    for cell in cells:
        row = rows.get((cell.day, cell.parts))
        if row is not None and cell.column.required and cell.column.name not in row:
            raise Wrong(cell.field, _("Give this one too: the others of its row need it."))
    return rows


def _checked(form: Form, cell: Cell, text: str, known: Book) -> str:
    """A cell as it is kept. Raises Wrong for what it cannot be, and for what is unusual and not confirmed."""
    column = cell.column
    if column.type not in ("integer", "number"):
        return text
    number = form.number(cell.field)
    if column.type == "integer" and number != int(number):
        raise Wrong(cell.field, _("Give a whole number."))
    if (column.min is not None and number < column.min) or (column.max is not None and number > column.max):
        raise Wrong(cell.field, say.limits(column))
    usual = known.usual(cell.parts, column.name)
    if usual is not None and usual.is_far(number) and not form.is_checked("sure"):
        raise Wrong(cell.field, say.far_from_usual(number, usual))
    return text


def _differs(before: Mapping[str, str] | None, cells: Mapping[str, str]) -> bool:
    return before is None or any(before.get(name) != cell for name, cell in cells.items())


def _sent(source: Source, key: tuple[date, Parts], cells: Mapping[str, str]) -> dict[str, str]:
    """A row as the worker is given it: without the key of the record, which the values make."""
    parts = zip(manual_values.key_names(source), (key[0].isoformat(), *key[1]), strict=True)
    return {name: cell for name, cell in {**cells, **dict(parts)}.items() if name != source.key}


def _name(given: str) -> str:
    """The name of a file as a line of the log may hold it."""
    plain = "".join(letter for letter in given if letter.isprintable())
    return plain.rpartition("/")[2].rpartition("\\")[2][:100] or "file"
