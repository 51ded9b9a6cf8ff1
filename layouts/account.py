"""The pages of signing in, of one-time links and of one's own account, as HTML that needs no JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from layouts import formats
from layouts.desk import Desk
from layouts.formats import accounts
from layouts.public.answer import HTML, Answer
from layouts.public.site import rendered
from store.people import Person
from store.sessions import Session


class SignInView(Protocol):
    """What the page to sign in shows (`serving.entering` says what each part is)."""

    @property
    def problem(self) -> str | None: ...

    @property
    def examples(self) -> Sequence[str]: ...


class LinkView(Protocol):
    """What the page of a one-time link shows."""

    @property
    def problem(self) -> str | None: ...

    @property
    def length(self) -> tuple[int, int]: ...


class AccountView(Protocol):
    """What somebody sees of their own account."""

    @property
    def problem(self) -> str | None: ...

    @property
    def length(self) -> tuple[int, int]: ...

    @property
    def person(self) -> Person: ...

    @property
    def session(self) -> Session: ...

    @property
    def sessions(self) -> Sequence[Session]: ...


@dataclass(frozen=True)
class AccountPages:
    """Makes the pages of a city in its language."""

    desk: Desk

    def sign_in(self, view: SignInView, status: int) -> Answer:
        """The page to sign in."""
        city = self.desk.catalogue.city
        with formats.speaking(formats.language(city.language)):
            problem = accounts.why_not_signed_in(view.problem, city.contact) if view.problem else None
            examples = [(word, accounts.example_words(word)) for word in view.examples]
            return self._page("sign_in.html", status, view=view, problem=problem, examples=examples)

    def link(self, view: LinkView, status: int) -> Answer:
        """The page of a one-time link: a button, then a form, or why it cannot be used."""
        with formats.speaking(formats.language(self.desk.catalogue.city.language)):
            return self._page("link.html", status, view=view, problem=_why_not(view))

    def account(self, view: AccountView, status: int) -> Answer:
        """What somebody sees of their own account."""
        city = self.desk.catalogue.city
        names = {one.id: one.name for one in self.desk.catalogue.departments.values()}
        with formats.speaking(formats.language(city.language)):
            return self._page(
                "account.html",
                status,
                view=view,
                problem=_why_not(view),
                roles=[accounts.grant_words(grant, names) for grant in view.person.grants],
                sessions=[
                    (
                        one.id,
                        accounts.browser(one.agent),
                        accounts.session_words(one, city),
                        one.id == view.session.id,
                    )
                    for one in view.sessions
                ],
            )

    def _page(self, template: str, status: int, **values: Any) -> Answer:
        body = rendered(template, self.desk.catalogue.city, self.desk.build, **values)
        return Answer(body, HTML, status)


def _why_not(view: LinkView | AccountView) -> str | None:
    return None if view.problem is None else accounts.why_not(view.problem, *view.length)
