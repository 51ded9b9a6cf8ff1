"""What people do on our pages: one registry of acts, each with the role it takes, and the door they come by.

An act is a function of one module in this package; every module here is read when the door is made. Its form
is made by `layouts.forms`. `assets/forms.js` sends it and shows the answer; without it the answer is a page.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

from flask import Request, request

from layouts import access, formats
from layouts.access import Need, Person, Role, Telling
from layouts.desk import Desk
from layouts.fields import Fields, Upload, Wrong
from layouts.formats import _
from layouts.public.answer import HTML, JSON, Answer
from layouts.public.site import rendered
from store import audit_log
from store.engine import Clock, StoreError, Writing, writing

__all__ = ["Act", "Done", "Door", "Form", "Upload", "Wrong", "act", "acts"]

WRONG = 422


@dataclass(frozen=True)
class Form(Fields):
    """What somebody sent: the fields, who they are, and where it is written down."""

    person: Person
    desk: Desk
    clock: Clock

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One write transaction. Raises RuntimeError, and nothing is written, without a line in the log."""
        with writing(self.desk.engine, self.clock) as write:
            before = _newest_entry(write, self.person)
            yield write
            if _newest_entry(write, self.person) == before:
                raise RuntimeError("an act must write what it did into the audit log")


@dataclass(frozen=True)
class Done:
    """What an act did: the address of ours to go to, and the sentence that says it there.

    shown_once: a secret that whoever did it is shown beside the sentence, to be copied, and never again.
    """

    address: str
    sentence: str
    shown_once: str = ""


Doing = Callable[[Form], Done]


@dataclass(frozen=True)
class Act:
    """Something people do: its name, the role and department it takes, and what does it."""

    name: str
    role: Role
    department: str | Telling | None
    do: Doing

    def need(self, given: Mapping[str, str]) -> Need:
        """What it takes to do it with these fields."""
        found = self.department(given) if callable(self.department) else self.department
        return Need(self.role, found)


_ACTS: dict[str, Act] = {}


def act(name: str, role: Role, *, department: str | Telling | None = None) -> Callable[[Doing], Doing]:
    """Registers a function as what is done with a form that is sent to `/act/<name>`.

    department: as for `access.guarded`; a telling one is given the fields by name. A role of departments
    for which none can be told is refused to all but admins. The function raises Wrong for a field that
    cannot be taken, and StoreError for what cannot be done; either is said in the form.
    """

    def register(do: Doing) -> Doing:
        if name in _ACTS:
            raise ValueError(f"there are two acts called {name}")
        _ACTS[name] = Act(name, role, department, do)
        return do

    return register


def acts() -> Mapping[str, Act]:
    """Every act by its name."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return _ACTS


@dataclass(frozen=True)
class Door:
    """Where forms come in. is_own_form: whether what is sent carries the token of its sender's session."""

    desk: Desk
    clock: Clock
    is_own_form: Callable[[Request], bool]

    def receive(self, _query: Mapping[str, str], name: str) -> Answer:
        """Does what a form asks for, where whoever sent it may: 401, 403, 404, 422 or done."""
        with formats.speaking(formats.language(self.desk.catalogue.city.language)):
            person = access.person()
            if person is None:
                return self._said(401, _("Sign in again in another window, then send this once more."))
            if not self.is_own_form(request):
                said = _("This form is not of your session any more; open the page again.")
                return self._said(403, said)
            asked = acts().get(name)
            if asked is None:
                return self._said(404, _("There is no such form."))
            given = {field: values[0] for field, values in request.form.lists()}
            if not access.is_allowed(asked.need(given)):
                return self._said(403, _("You may not do this."))
            return self._done(asked, given, person)

    def _done(self, asked: Act, given: Mapping[str, str], person: Person) -> Answer:
        files = {
            name: Upload(file.filename or "", file.read()) for name, file in request.files.items() if file
        }
        form = Form(given, files, request.form.to_dict(flat=False), person, self.desk, self.clock)
        try:
            done = asked.do(form)
        except Wrong as wrong:
            return self._said(WRONG, wrong.sentence, wrong.field)
        except StoreError as error:
            return self._said(WRONG, str(error))
        if _is_script():
            words = {"address": done.address, "sentence": done.sentence}
            return Answer(_json(**words, **({"once": done.shown_once} if done.shown_once else {})), JSON)
        return self._page(200, _("Done"), done.sentence, done.address, done.shown_once)

    def _said(self, status: int, sentence: str, field: str = "") -> Answer:
        if _is_script():
            return Answer(_json(field=field, sentence=sentence), JSON, status)
        return self._page(status, _("This was not done"), sentence, "")

    def _page(self, status: int, title: str, sentence: str, onward: str, once: str = "") -> Answer:
        values = {"title": title, "detail": sentence, "onward": onward, "once": once}
        body = rendered("act.html", self.desk.catalogue.city, self.desk.build, **values)
        return Answer(body, HTML, status)


def _is_script() -> bool:
    """Whether the answer is for assets/forms.js, not for a browser that sent the form by itself."""
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def _json(**words: str) -> bytes:
    return json.dumps(words, ensure_ascii=False).encode()


def _newest_entry(write: Writing, person: Person) -> int:
    newest = audit_log.entries(write.connection, actor=person.id, most=1)
    return newest[0].id if newest else 0
