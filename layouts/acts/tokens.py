"""Acts on tokens: to make one, whose secret is shown once, and to revoke one."""

from __future__ import annotations

from datetime import timedelta

from layouts.access import Role
from layouts.acts import Done, Form, Wrong, act
from layouts.formats import _
from layouts.formats import tokens as say
from layouts.links import PREFIX
from metrics.periods import local_day, local_midnight
from store import source_requests, tokens

PAGE = f"{PREFIX}admin/tokens"
FARTHEST = timedelta(days=3660)


@act("make_token", Role.ADMIN)
def make_token(form: Form) -> Done:
    """Makes a token for sources whose rows are sent in; its secret is shown this once."""
    city, sources = form.desk.catalogue.city, form.desk.catalogue.sources
    name = form.line("name", most=tokens.LONGEST_NAME)
    pushed = [one.id for one in sources.values() if not source_requests.can_run(one)]
    chosen = form.choices("sources", pushed)
    if not chosen:
        raise Wrong("sources", _("Choose at least one source."))
    today = local_day(city, form.clock())
    ends = form.day("ends", earliest=today, latest=today + FARTHEST) if form.given.get("ends") else None
    # The day after, as the token works on its last day.
    expires = None if ends is None else local_midnight(city, ends + timedelta(days=1))
    with form.writing() as write:
        made, secret = tokens.create_within(write, form.person.actor, name, chosen, expires)
    return Done(PAGE, say.made(made), secret)


@act("revoke_token", Role.ADMIN)
def revoke_token(form: Form) -> Done:
    """Lets a token open nothing any more, at once."""
    number = form.id("token_id")
    with form.writing() as write:
        found = tokens.get(write.connection, number)
        if found is None:
            raise Wrong("", _("There is no such token; open the page again."))
        if found.revoked_at is not None:
            raise Wrong("", _("It is revoked already; open the page again."))
        done = tokens.revoke_within(write, form.person.actor, number, discard=form.is_checked("discard"))
    return Done(PAGE, say.revoked(done))
