"""Who may ask: this machine, directly, under its own name; and the public under the public name, if any.

Staff pages are for people who have signed in: on this machine, and under the public name where that is HTTPS.
A proxy on this machine connects from 127.0.0.1 too, so where a request comes from proves nothing: what counts
is the name it was asked under and what it carries.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from flask import Request
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

SIGN_IN = "/sign-in"
"""Where people who are not signed in are sent."""

_STAFF_PATH = re.compile(r"/staff/(?:[a-z0-9_-]+(?:/[a-z0-9_-]+)*)?(?:\?[A-Za-z0-9_=&%.,:+~-]*)?")
"""A page of ours as it is written in an address: nothing in it can be read as another host."""

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
        return self.is_secure(asked) or is_direct(asked)


class Refused(Exception):
    """A request that is not answered: the status and a sentence with the fix."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Doorkeeper(Protocol):
    """Tells whether whoever asks has signed in, and whether what they send comes from a form of theirs."""

    def is_signed_in(self) -> bool: ...

    def is_own_form(self, asked: Request) -> bool: ...


class SignInNeeded(Refused):
    """Somebody who is not signed in: location is the way to do it, and back; None for a program."""

    def __init__(self, location: str | None) -> None:
        super().__init__(401, "Sign in first: the session has ended.")
        self.location = location


def check(
    asked: Request, kind: Kind | None, is_page: Callable[[str], bool], way: Way, doorkeeper: Doorkeeper | None
) -> None:
    """Raises Refused for a request that may not be answered; returns for one that may.

    Without a doorkeeper nobody is ever signed in. A route of no kind is refused like an unknown one:
    forgetting to say whom it is for opens nothing.
    """
    if kind in FOR_STAFF and way.public_name:
        _refuse_strangers(asked, way)
    check_way(asked.environ, way.public_name)
    if isinstance(asked.routing_exception, MethodNotAllowed):
        return
    if kind is None:
        raise Refused(404, "There is no such page.")
    if asked.method in WRITING:
        _refuse_foreign_origins(asked)
    if kind in FOR_STAFF:
        _refuse_strangers(asked, way)
    if kind is Kind.STAFF:
        _refuse_nobody(asked, doorkeeper)
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


def is_direct(asked: Request) -> bool:
    """Whether nobody passed a request on: it comes from this machine and asks for it by its own name."""
    return (
        is_loopback(asked.remote_addr)
        and host_name(asked.headers.get("Host", "")) in OWN_NAMES
        and _sent_by_a_proxy(asked.environ) is None
        and asked.environ.get("SERVER_PROTOCOL") not in OLD_PROTOCOL
    )


def address_of(asked: Request, way: Way) -> str:
    """Where a request comes from, for counting alone.

    Under the public name a proxy on this machine says it, last in X-Forwarded-For; what stands before it may
    be a lie of the sender.
    """
    said = asked.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    is_passed_on = way.is_secure(asked) and is_loopback(asked.remote_addr)
    return said if said and is_passed_on else asked.remote_addr or ""


def way_back(path: str) -> str | None:
    """The path where it is one of a staff page, to which somebody may be sent; None for all else."""
    return path if _STAFF_PATH.fullmatch(path) else None


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
    site, origin = asked.headers.get("Sec-Fetch-Site"), asked.headers.get("Origin")
    # Of a page that tells no referrer, browsers tell no origin either, and that it is the same nevertheless.
    is_ours = site == "same-origin" and origin == "null"
    is_foreign = origin is not None and _netloc(origin) != asked.headers.get("Host") and not is_ours
    if is_foreign or site not in (None, "same-origin", "none"):
        raise Refused(403, "The request comes from a page of another site.")


def _netloc(origin: str) -> str | None:
    """The host and port of an origin; None where it is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _refuse_strangers(asked: Request, way: Way) -> None:
    if not way.is_for_staff(asked):
        raise Refused(
            403, "Staff pages open on this machine, and under a BASE_URL that begins with https://."
        )


def _refuse_nobody(asked: Request, doorkeeper: Doorkeeper | None) -> None:
    """Refuses whoever is not signed in, and what no form of theirs sent.

    An unknown page is answered as a known one to who is not signed in: which there are is not for them.
    """
    inside = tuple(f"{STAFF}{one}" for one in INSIDE_DASH)
    wants_data = asked.accept_mimetypes.best == "application/json"
    is_call = asked.path.startswith(inside) or asked.is_json or wants_data
    if doorkeeper is None or not doorkeeper.is_signed_in():
        raise SignInNeeded(None if is_call else _sign_in_and_back(asked))
    if asked.method in WRITING and not doorkeeper.is_own_form(asked):
        raise Refused(403, "The form is not one of your session; open the page again.")


def _sign_in_and_back(asked: Request) -> str:
    query = asked.query_string.decode("ascii", "replace")
    wanted = way_back(f"{asked.path}?{query}" if query else asked.path)
    if asked.method in WRITING or wanted is None:
        return SIGN_IN
    return f"{SIGN_IN}?next={quote(wanted, safe='/')}"


def _refuse_unknown_pages(asked: Request, is_page: Callable[[str], bool]) -> None:
    if not asked.path.startswith(STAFF):
        return
    inside = asked.path.removeprefix(STAFF)
    if inside and not inside.startswith(INSIDE_DASH) and not is_page(f"/{inside}"):
        raise Refused(404, "There is no such page.")
