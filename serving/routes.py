"""Which addresses there are and who may ask for them: every route has exactly one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from flask import request

STAFF = "/staff/"
API = "/api/"
ASSETS = "/assets"
REVALIDATE = "no-cache"


class Kind(StrEnum):
    """Who a route is for. A route without a kind is answered to nobody.

    EMBED is public too, and the only kind that may stand in frames on pages of other sites. PUSH is for
    programs that show a token (`serving.push`), which the route itself asks for. STAFF is for people who
    have signed in, ENTRY for the same people before they have, ACT for the forms of those who have, which the
    route itself asks about too and which takes POST alone: all only where staff may come.
    """

    PUBLIC = "public"
    EMBED = "embed"
    STAFF = "staff"
    ENTRY = "entry"
    HEALTH = "health"
    PUSH = "push"
    ACT = "act"


OPEN = frozenset({Kind.PUBLIC, Kind.EMBED})
"""The kinds for everybody: the same answer to each reader as long as the public state is the same."""

FOR_STAFF = frozenset({Kind.STAFF, Kind.ACT, Kind.ENTRY})
"""The kinds that are answered only on this machine and under a public name with HTTPS."""


class Answer(Protocol):
    """What a route gives back (`layouts.public.answer.Answer` has this shape).

    state: the number of the public state it was read at, as long as which it may be kept; None: never.
    """

    @property
    def body(self) -> bytes: ...

    @property
    def media_type(self) -> str: ...

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def state(self) -> int | None: ...


@dataclass(frozen=True)
class Route:
    """An address, whom it is for, and what answers: called with the query and the parts of the path."""

    path: str
    kind: Kind
    answer: Callable[..., Answer]
    method: str = "GET"


@dataclass(frozen=True)
class Reply:
    """An answer that serving makes itself."""

    body: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    state: int | None = None


def redirect(path: str) -> Callable[..., Reply]:
    """Answers with the way to another page of ours."""
    reply = Reply(b"", "text/plain; charset=utf-8", 302, {"Location": path})
    return lambda _query, **_parts: reply


def negotiated(
    for_programs: Callable[..., Answer], for_people: Callable[..., Answer]
) -> Callable[..., Answer]:
    """Answers a browser, which asks for HTML before all else, with a page, and everybody else with data."""

    def answer(query: Mapping[str, str], **parts: str) -> Answer:
        accepted = request.accept_mimetypes
        is_person = accepted["text/html"] > accepted["application/json"]
        made = (for_people if is_person else for_programs)(query, **parts)
        headers = {**made.headers, "Vary": "Accept"}
        return Reply(made.body, made.media_type, made.status, headers, made.state)

    return answer


class Kinds:
    """The kind of every rule of a server: from the table of routes, and all under /staff/ is staff."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._by_path = {route.path: route.kind for route in routes}
        self._by_path[f"{ASSETS}/<path:filename>"] = Kind.PUBLIC

    def of(self, rule: str) -> Kind | None:
        """The kind of a rule like `/metric/<metric>`; None where nobody said."""
        if rule.startswith(STAFF):
            return Kind.STAFF
        return self._by_path.get(rule)
