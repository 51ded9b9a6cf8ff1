"""Acts on publications: to have one made now, and to have final scores said again with a reason."""

from __future__ import annotations

from datetime import date

from layouts.access import Role
from layouts.acts import Done, Form, act
from layouts.formats import _
from layouts.links import PREFIX
from metrics.periods import local_day
from store import publication_requests

PAGE = f"{PREFIX}admin/publications"
FIRST_DAY = date(1990, 1, 1)


@act("publish_now", Role.APPROVER)
def publish_now(form: Form) -> Done:
    """Has what is new published, for now or for an earlier day."""
    as_of = _as_of(form)
    with form.writing() as write:
        number = publication_requests.ask(write, form.person, as_of=as_of)
    return _followed(number, _("The publication is asked for; what it says stands here when it is made."))


@act("restate", Role.APPROVER)
def restate(form: Form) -> Done:
    """Has final scores said again, with the reason for it."""
    reason = form.line("reason", most=publication_requests.LONGEST_REASON)
    with form.writing() as write:
        number = publication_requests.ask(write, form.person, reason=reason)
    return _followed(number, _("The restatement is asked for; what it changes stands here when it is made."))


def _as_of(form: Form) -> date | None:
    latest = local_day(form.desk.catalogue.city, form.clock())
    return form.day("as_of", earliest=FIRST_DAY, latest=latest) if form.given.get("as_of") else None


def _followed(number: int, sentence: str) -> Done:
    return Done(f"{PAGE}?request={number}#request", sentence)
