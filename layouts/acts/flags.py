"""Acts on records that are wrong: to flag one, and to accept, refuse or take back a flag."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from layouts.access import Role, department_of_metric, of_metric
from layouts.acts import Done, Form, Wrong, act
from layouts.acts.about import metric_of, of_flag
from layouts.formats import _
from layouts.links import bare_case_link
from metrics.model import City, Column, Metric, Source
from metrics.periods import local_day
from store import case_versions, corrections
from store.corrections import Cells, Correction
from store.engine import StoreError, instant_text, reading

WHOLE = "*"
"""In place of a column: the record does not belong in the source at all."""

LONGEST_NOTE = 200


@act("flag_record", Role.EDITOR, department=of_metric)
def flag_record(form: Form) -> Done:
    """Flags a record of a metric as wrong: a cell, or that it does not belong."""
    metric = metric_of(form)
    source = form.desk.catalogue.sources[metric.source]
    key = key_of(source, form.line("key"))
    _refuse_others(form, metric, key)
    name = form.choice("column", [WHOLE, *(one.name for one in source.columns)])
    column = None if name == WHOLE else source.column(name)
    cells = None if column is None else cells_of(form, column, form.desk.catalogue.city)
    note = form.line("note", most=LONGEST_NOTE)
    with form.writing() as write:
        about = None if column is None else column.name
        corrections.flag(write, form.person, source, metric.id, key, about, cells, note)
    return _back(metric.id, key, _("It is flagged; somebody who answers for the department decides."))


@act("accept_flag", Role.OWNER, department=of_flag)
def accept_flag(form: Form) -> Done:
    """Accepts a flag: the record is corrected, and what changes is published with the reason."""
    found = _flag(form)
    with form.writing() as write:
        corrections.accept(write, form.person, found.id, department_of_metric(found.metric) or "")
    return _back(found.metric, found.key, _("It is accepted; the record and the scores follow in a minute."))


@act("refuse_flag", Role.OWNER, department=of_flag)
def refuse_flag(form: Form) -> Done:
    """Refuses a flag with a reason."""
    found, why = _flag(form), form.line("why", most=LONGEST_NOTE)
    with form.writing() as write:
        corrections.refuse(write, form.person, found.id, department_of_metric(found.metric) or "", why)
    return _back(found.metric, found.key, _("It is refused; the record stays as it is."))


@act("withdraw_flag", Role.EDITOR, department=of_flag)
def withdraw_flag(form: Form) -> Done:
    """Takes a flag back."""
    found = _flag(form)
    with form.writing() as write:
        corrections.withdraw(write, form.person, found.id)
    return _back(found.metric, found.key, _("The flag is taken back."))


def key_of(source: Source, text: str) -> str | int:
    """A record's key as its source keeps it. Raises Wrong for what can be none."""
    if source.column(source.key).type == "text":
        return text
    if not text.removeprefix("-").isdecimal() or len(text) > 18:
        raise Wrong("", _("There is no such record any more; open the page again."))
    return int(text)


def cells_of(form: Form, column: Column, city: City) -> Cells:
    """What a cell should say as records keep it, an instant with its local day."""
    text = form.line("value", optional=True)
    if not text and column.required:
        raise Wrong("value", _("This column is never empty; write what it should say."))
    try:
        value, day = _stored(column, text, city) if text else (None, None)
    except ValueError:
        raise Wrong("value", _how(column)) from None
    beside = {f"{column.name}_day": day} if column.type == "instant" else {}
    return {column.name: value, **beside}


def _stored(column: Column, text: str, city: City) -> tuple[str | int | float, str | None]:
    if column.type == "instant":
        written = datetime.fromisoformat(text)
        zoned = written if written.tzinfo else written.replace(tzinfo=ZoneInfo(city.time_zone))
        instant = zoned.astimezone(UTC)
        return instant_text(instant), local_day(city, instant).isoformat()
    if column.type == "day":
        return date.fromisoformat(text).isoformat(), None
    if column.type == "integer":
        return int(text), None
    if column.type == "boolean":
        return ("no", "yes").index(text.casefold()), None
    if column.type == "number":
        number = float(text)
        if number - number != 0:
            raise ValueError(text)
        return number, None
    return text, None


def _how(column: Column) -> str:
    """How a value of a column is written."""
    written = {
        "instant": _("Write the city's time, like 2026-07-03 14:05."),
        "day": _("Write a day, like 2026-07-03."),
        "integer": _("Write a whole number."),
        "number": _("Write a number, like 12.5."),
        "boolean": _("Write yes or no."),
    }
    return written.get(column.type, _("Write it anew."))


def _flag(form: Form) -> Correction:
    number = form.id("flag_id")
    with reading(form.desk.engine) as connection:
        found = corrections.get(connection, number)
    if found is None:
        raise StoreError(_("That flag is not there any more; open the page again."))
    return found


def _refuse_others(form: Form, metric: Metric, key: str | int) -> None:
    """A record that the metric does not ask for is another's, whatever a form says."""
    with reading(form.desk.engine) as connection:
        today = local_day(form.desk.catalogue.city, form.clock())
        found = case_versions.versions(connection, form.desk.catalogue, metric, key, today)
    if not found:
        raise Wrong("", _("There is no such record any more; open the page again."))


def _back(metric: str, key: str | int, sentence: str) -> Done:
    return Done(f"{bare_case_link(metric, key)}#flags", sentence)
