"""What is said to people about signing in, their sessions and their roles."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from layouts.formats.days import instant
from layouts.formats.language import _
from metrics.model import City
from store.people import Grant, Role


class Used(Protocol):
    """A session as it is told of."""

    @property
    def agent(self) -> str: ...

    @property
    def created_at(self) -> datetime: ...

    @property
    def seen_at(self) -> datetime: ...


def role_word(role: Role) -> str:
    """A role in a word or two."""
    return {
        Role.VIEWER: _("Viewer"),
        Role.EDITOR: _("Editor"),
        Role.OWNER: _("Head of a department"),
        Role.APPROVER: _("Approver"),
        Role.ADMIN: _("Admin"),
    }[role]


def grant_words(grant: Grant, departments: dict[str, str]) -> str:
    """A role that somebody has, with its department's name where it has one (`departments`: names by id)."""
    if grant.department is None:
        return role_word(grant.role)
    name = departments.get(grant.department, grant.department)
    return _("{role}: {department}").format(role=role_word(grant.role), department=name)


def example_words(word: str) -> str:
    """The button of somebody of the demonstration."""
    return {
        "viewer": _("Mayor's office (viewer)"),
        "head": _("Head of Public Works (owner)"),
        "approver": _("Cabinet (approver)"),
        "admin": _("Performance office (admin)"),
    }.get(word, word)


def why_not_signed_in(problem: str, contact: str) -> str:
    """Why somebody could not sign in; contact: whom to ask, as the city says it, or empty."""
    ask = contact or _("an admin of this site")
    return {
        "wrong": _("This e-mail address and this password do not belong together."),
        "too many": _(
            "Too many tries have failed. Wait a quarter of an hour, use a browser in which you have signed in"
            " before, or ask {contact} for a link."
        ),
        "not invited": _(
            "Your city account was recognised, but nobody has invited you here yet. Ask {contact}."
        ),
        "unverified": _(
            "Your city account does not say that your e-mail address was checked, so it cannot be matched."
            " Ask {contact}."
        ),
        "city account": _("The sign-in with your city account did not work. Try again, or ask {contact}."),
        "disabled": _("This account was disabled. Ask {contact}."),
        "other account": _(
            "Somebody with your e-mail address signs in with another city account. Ask {contact}."
        ),
        "cancelled": _("You did not sign in with your city account."),
        "away": _(
            "The sign-in of the city does not answer right now. Try again in a minute, or sign in with a"
            " password if you have one."
        ),
    }.get(problem, problem).format(contact=ask)


def why_not(problem: str, shortest: int, longest: int) -> str:
    """Why a password could not be set or changed; a sentence of the store is said as it is."""
    return {
        "short": _("A password has at least {count} characters; three or four words will do.").format(
            count=shortest
        ),
        "long": _("A password has at most {count} characters.").format(count=longest),
        "wrong": _("The password you have now was not right."),
        "too many": _("Too many tries have failed. Wait a quarter of an hour."),
        "ended": _("The link has been used, has expired or was replaced by a newer one."),
    }.get(problem, problem)


def browser(agent: str) -> str:
    """A browser and its system by name, as far as what it calls itself tells."""
    names = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Android": "Android",
        "Windows": "Windows",
        "Mac OS": "Mac",
        "Linux": "Linux",
    }
    found = next((name for mark, name in names.items() if mark in agent), None)
    system = next((name for mark, name in systems.items() if mark in agent), None)
    if found is None:
        return _("A browser")
    return found if system is None else _("{browser} on {system}").format(browser=found, system=system)


def session_words(session: Used, city: City) -> str:
    """Since when a session is there, and when it was last used."""
    return _("since {begun}, last used {seen}").format(
        begun=instant(session.created_at, city), seen=instant(session.seen_at, city)
    )
