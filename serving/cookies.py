"""The cookies of people who sign in: what they are called, how they are given and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, after_this_request, request

SESSION, DEVICE, FORM, CITY_ACCOUNT = "session", "device", "form", "city_account"
CSRF = "cityscore_csrf"
"""The one cookie that scripts of ours may read: Dash sends it back in a header."""

_OURS = "cityscore_"


@dataclass(frozen=True)
class Cookies:
    """The cookies of one way in: over HTTPS, or on this machine without.

    __Host- binds a cookie to this very host, to HTTPS and to the whole site (RFC 6265bis, 4.1.3.2).
    """

    secure: bool

    def read(self, name: str) -> str | None:
        """What a browser sent under a name of ours; None for nothing."""
        return request.cookies.get(self._name(name)) or None

    def give(self, name: str, value: str, lasts: timedelta | None = None) -> None:
        """Gives the browser a cookie with the answer to this request; without `lasts` until it is closed."""
        self._set(self._name(name), value, lasts, hidden=True)

    def give_csrf(self, value: str) -> None:
        """Gives the browser the token that Dash shows with every call."""
        self._set(CSRF, value, None, hidden=False)

    def take(self, *names: str) -> None:
        """Takes cookies back."""
        for name in names:
            self._set(CSRF if name == CSRF else self._name(name), "", timedelta(0), hidden=True)

    def _name(self, name: str) -> str:
        return f"__Host-{_OURS}{name}" if self.secure else f"{_OURS}{name}"

    def _set(self, name: str, value: str, lasts: timedelta | None, *, hidden: bool) -> None:
        def given(response: Response) -> Response:
            response.set_cookie(
                name, value, max_age=lasts, path="/", secure=self.secure, httponly=hidden, samesite="Lax"
            )
            return response

        after_this_request(given)
