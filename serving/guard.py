"""Who may ask: before sign-in exists, only this machine, directly, under its own name."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Request, has_request_context, request
from werkzeug.exceptions import MethodNotAllowed

from serving.routes import STAFF, Kind

OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""The names this machine has for itself."""

PROXY_HEADERS = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_")
"""How the headers that only a proxy sends begin, in the names of WSGI."""

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

INSIDE_DASH = ("_dash-", "_reload-hash", "_favicon.ico", "assets/")
"""What Dash asks for under /staff/ besides its pages."""


class Refused(Exception):
    """A request that is not answered: the status and a sentence with the fix."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def check(asked: Request, kind: Kind | None, is_page: Callable[[str], bool]) -> None:
    """Raises Refused for a request that may not be answered; returns for one that may.

    A route of no kind is refused like an unknown one: forgetting to say whom it is for opens nothing.
    """
    check_way(asked.environ)
    if isinstance(asked.routing_exception, MethodNotAllowed):
        return
    if kind is None:
        raise Refused(404, "There is no such page.")
    if asked.method in WRITING:
        _refuse_foreign_origins(asked)
    if kind is Kind.STAFF:
        _refuse_strangers(asked)
        _refuse_unknown_pages(asked, is_page)


def check_way(environ: Mapping[str, Any]) -> None:
    """Raises Refused for a request that came through a proxy or under another name than this machine's."""
    for name in environ:
        if name.startswith(PROXY_HEADERS):
            raise Refused(
                400,
                f"This server answers only its own machine and stands behind no proxy; the request carries"
                f" {name.removeprefix('HTTP_').replace('_', '-').title()}. Open it directly.",
            )
    if host_name(environ.get("HTTP_HOST", "")) not in OWN_NAMES:
        raise Refused(400, "This server answers only its own machine; open it as http://127.0.0.1.")


def is_loopback(address: str | None) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def is_asked_here() -> bool:
    """Whether the request being answered comes from this machine: who may see staff pages before sign-in."""
    return has_request_context() and is_loopback(request.remote_addr)


def host_name(host: str) -> str:
    """The name in a Host header, without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _refuse_foreign_origins(asked: Request) -> None:
    origin = asked.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != asked.headers.get("Host"):
        raise Refused(403, "The request comes from a page of another site.")


def _refuse_strangers(asked: Request) -> None:
    if not is_loopback(asked.remote_addr):
        raise Refused(403, "Staff pages open only on this machine until people can sign in.")


def _refuse_unknown_pages(asked: Request, is_page: Callable[[str], bool]) -> None:
    if not asked.path.startswith(STAFF):
        return
    inside = asked.path.removeprefix(STAFF)
    if inside and not inside.startswith(INSIDE_DASH) and not is_page(f"/{inside}"):
        raise Refused(404, "There is no such page.")
