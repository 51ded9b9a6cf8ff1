"""Acts on sources: to have one run, tried, read for a range of days, or its refused rows read again."""

from __future__ import annotations

from datetime import date

from layouts.access import Role, of_source
from layouts.acts import Done, Form, Wrong, act
from layouts.formats import _
from layouts.formats import sources as say
from layouts.links import source_link
from layouts.sources_view import is_about
from metrics.model import Source
from metrics.periods import local_day
from store import requests, source_requests
from store.engine import reading
from store.requests import Request
from store.source_requests import BACKFILL, DRY_RUN, REPLAY, RUN

FIRST_DAY = date(1900, 1, 1)
STEPS = ("month", "week", "day", "quarter", "year")


@act("run_source", Role.EDITOR, department=of_source)
def run_source(form: Form) -> Done:
    """Has a source read: what is new, or some days of it."""
    return _ask(form, RUN, *_days(form))


@act("dry_run_source", Role.EDITOR, department=of_source)
def dry_run_source(form: Form) -> Done:
    """Has a run tried, which keeps nothing."""
    return _ask(form, DRY_RUN, *_days(form))


@act("backfill_source", Role.EDITOR, department=of_source)
def backfill_source(form: Form) -> Done:
    """Has a range of days read step by step."""
    latest = local_day(form.desk.catalogue.city, form.clock())
    since = form.day("since", earliest=FIRST_DAY, latest=latest)
    until = form.day("until", earliest=since, latest=latest)
    return _ask(form, BACKFILL, since, until, step=form.choice("step", STEPS))


@act("replay_source", Role.EDITOR, department=of_source)
def replay_source(form: Form) -> Done:
    """Has the refused rows of a source read again."""
    return _ask(form, REPLAY)


@act("stop_backfill", Role.EDITOR, department=of_source)
def stop_backfill(form: Form) -> Done:
    """Has a backfill of a source left where it is."""
    source = source_of(form)
    found = _request(form, source)
    with form.writing() as write:
        source_requests.stop(write, form.person.actor, found)
    said = _("The backfill stops when the step that is under way is read.")
    return Done(_followed(source, found.id), said)


def source_of(form: Form) -> Source:
    """The source that a form is about."""
    found = form.desk.catalogue.sources.get(form.given.get("source_id", ""))
    if found is None:
        raise Wrong("", _("There is no such source; open the page again."))
    return found


def _ask(
    form: Form, kind: str, since: date | None = None, until: date | None = None, *, step: str | None = None
) -> Done:
    source = source_of(form)
    if kind != REPLAY and not source_requests.can_run(source):
        raise Wrong("", _("The rows of this source are sent in; nothing can be fetched."))
    if (since or until) and not source_requests.can_be_ranged(source):
        raise Wrong("", _("This source does not tell when its rows arrived, so no days of it can be read."))
    actor = form.person.actor
    with form.writing() as write:
        number = source_requests.ask(write, actor, kind, source.id, since=since, until=until, step=step)
    return Done(_followed(source, number), say.asked_for(kind))


def _days(form: Form) -> tuple[date | None, date | None]:
    """The first and the last day, either of which may be left out."""
    latest = local_day(form.desk.catalogue.city, form.clock())
    since = form.day("since", earliest=FIRST_DAY, latest=latest) if form.given.get("since") else None
    until = form.day("until", earliest=since or FIRST_DAY, latest=latest) if form.given.get("until") else None
    return since, until


def _request(form: Form, source: Source) -> Request:
    """A request about this very source: whoever may stop one may not stop those of other sources."""
    with reading(form.desk.engine) as connection:
        found = requests.get(connection, form.id("request_id"))
    if found is None or not is_about(found, source.id):
        raise Wrong("", _("This page is out of date; open it again."))
    return found


def _followed(source: Source, number: int) -> str:
    return f"{source_link(source.id, request=str(number))}#request"
