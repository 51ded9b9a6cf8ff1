"""Who may ask: this machine, directly, under its own name; and the public under the public name, if any.

Before sign-in exists staff pages are for this machine alone. A proxy on it connects from 127.0.0.1 too, so
where a request comes from proves nothing: what counts is the name it was asked under and what it carries.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Request, has_request_context, request
from werkzeug.exceptions import MethodNotAllowed

from serving.routes import FOR_STAFF, STAFF, Kind

OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""The names this machine has for itself."""

PROXY_HEADERS = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_REAL_IP",
    "HTTP_X_FORWARDED",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CLIENT_IP",
    "HTTP_X_CLIENT_IP",
)
"""How the headers that only a proxy sends begin, in the names of WSGI."""

OLD_PROTOCOL = frozenset({"HTTP/1.0", "HTTP/1"})
"""No browser speaks it any more; a proxy that says nothing of itself often does. Granian writes it short."""

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

INSIDE_DASH = ("_dash-", "_reload-hash", "_favicon.ico", "assets/")
"""What Dash asks for under /staff/ besides its pages."""


@dataclass(frozen=True)
class Way:
    """Under which names staff may come: this machine's own, and the site's public one where that is HTTPS.

    base_url is the public address of the site; empty where there is none.
    """

    base_url: str = ""

    @property
    def public_name(self) -> str:
        """The host of the public address."""
        return host_name(urlsplit(self.base_url).netloc)

    def is_secure(self, asked: Request) -> bool:
        """Whether a request came over HTTPS: under the public name, which is never answered without."""
        name = host_name(asked.headers.get("Host", ""))
        return self.base_url.startswith("https://") and name == self.public_name

    def is_for_staff(self, asked: Request) -> bool:
        """Whether staff pages are open to a request, for whoever may see them."""
        return self.is_secure(asked) or _is_direct(asked)


class Refused(Exception):
    """A request that is not answered: the status and a sentence with the fix."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def check(asked: Request, kind: Kind | None, is_page: Callable[[str], bool], public_name: str = "") -> None:
    """Raises Refused for a request that may not be answered; returns for one that may.

    public_name is the host of the site's public address; empty where there is none. Under that name all but
    staff pages are answered. A route of no kind is refused like an unknown one: forgetting to say whom it
    is for opens nothing.
    """
    if kind in FOR_STAFF and public_name:
        _refuse_strangers(asked)
    check_way(asked.environ, public_name)
    if isinstance(asked.routing_exception, MethodNotAllowed):
        return
    if kind is None:
        raise Refused(404, "There is no such page.")
    if asked.method in WRITING:
        _refuse_foreign_origins(asked)
    if kind in FOR_STAFF:
        _refuse_strangers(asked)
    if kind is Kind.STAFF:
        _refuse_unknown_pages(asked, is_page)


def check_way(environ: Mapping[str, Any], public_name: str = "") -> None:
    """Raises Refused for a request that came under a foreign name, or through a proxy under our own.

    Under the public name, where there is one, it may have come through a proxy or not.
    """
    name = host_name(environ.get("HTTP_HOST", ""))
    if public_name and name == public_name:
        return
    carried = _sent_by_a_proxy(environ)
    if carried is not None:
        raise Refused(400, _why_not_passed_on(carried, public_name))
    if name not in OWN_NAMES:
        raise Refused(400, _why_not_under_that_name(public_name))


def is_loopback(address: str | None) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def is_asked_here() -> bool:
    """Whether the request being answered is this machine's own: who may see staff pages before sign-in."""
    return has_request_context() and _is_direct(request)


def host_name(host: str) -> str:
    """The name in a Host header, without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _sent_by_a_proxy(environ: Mapping[str, Any]) -> str | None:
    """The header of a request that only a proxy sends; None where there is none."""
    for name in environ:
        if name.startswith(PROXY_HEADERS):
            return name.removeprefix("HTTP_").replace("_", "-").title()
    return None


def _is_direct(asked: Request) -> bool:
    """Whether nobody passed a request on: it comes from this machine and asks for it by its own name."""
    return (
        is_loopback(asked.remote_addr)
        and host_name(asked.headers.get("Host", "")) in OWN_NAMES
        and _sent_by_a_proxy(asked.environ) is None
        and asked.environ.get("SERVER_PROTOCOL") not in OLD_PROTOCOL
    )


def _why_not_passed_on(carried: str, public_name: str) -> str:
    if public_name:
        return f"The request carries {carried} but not the name {public_name}; let the proxy pass Host on."
    return (
        f"This server answers only its own machine and stands behind no proxy; the request carries {carried}."
        " Open it directly, or set BASE_URL."
    )


def _why_not_under_that_name(public_name: str) -> str:
    if public_name:
        return f"This server is called {public_name}; the request asks for another name."
    return "This server answers only its own machine; open it as http://127.0.0.1, or set BASE_URL."


def _refuse_foreign_origins(asked: Request) -> None:
    origin = asked.headers.get("Origin")
    if origin is not None and _netloc(origin) != asked.headers.get("Host"):
        raise Refused(403, "The request comes from a page of another site.")


def _netloc(origin: str) -> str | None:
    """The host and port of an origin; None where it is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _refuse_strangers(asked: Request) -> None:
    if not _is_direct(asked):
        raise Refused(403, "Staff pages open only on this machine until people can sign in.")


def _refuse_unknown_pages(asked: Request, is_page: Callable[[str], bool]) -> None:
    if not asked.path.startswith(STAFF):
        return
    inside = asked.path.removeprefix(STAFF)
    if inside and not inside.startswith(INSIDE_DASH) and not is_page(f"/{inside}"):
        raise Refused(404, "There is no such page.")
