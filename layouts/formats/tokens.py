"""The sentences about tokens, with which departments send in rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from metrics.model import City
from store.tokens import Revoked, Token

_SOON = timedelta(days=14)


def headline(tokens: Sequence[Token], now: datetime) -> str:
    """How many tokens open something."""
    if not tokens:
        return _("There is no token yet")
    count = sum(one.is_valid(now) for one in tokens)
    if not count:
        return _("No token works any more")
    return ngettext("{count} token works", "{count} tokens work", count).format(count=numbers.count(count))


def standing(token: Token, now: datetime, city: City) -> str:
    """Whether a token works, and until when."""
    if token.revoked_at is not None:
        return _("Revoked {instant}").format(instant=days.instant(token.revoked_at, city))
    if token.expires_at is None:
        return _("Works until it is revoked")
    word = _("Works until {instant}") if token.is_valid(now) else _("Expired {instant}")
    return word.format(instant=days.instant(token.expires_at, city))


def ends_soon(tokens: Sequence[Token], now: datetime) -> str:
    """Which tokens stop working within two weeks; empty for none."""
    names = [
        one.name for one in tokens if one.is_valid(now) and one.expires_at and one.expires_at - now <= _SOON
    ]
    if not names:
        return ""
    return ngettext(
        "{count} token stops working within two weeks: {names}.",
        "{count} tokens stop working within two weeks: {names}.",
        len(names),
    ).format(count=numbers.count(len(names)), names=", ".join(names))


def made(token: Token) -> str:
    """What is said beside the secret of a new token."""
    return _("The token of {name} is made. Its secret is shown this once and kept nowhere:").format(
        name=token.name
    )


def revoked(done: Revoked) -> str:
    """What revoking did."""
    said = _("The token of {name} opens nothing any more.").format(name=done.token.name)
    if done.discarded:
        said = f"{said} " + ngettext(
            "{count} delivery that waited is discarded.",
            "{count} deliveries that waited are discarded.",
            done.discarded,
        ).format(count=numbers.count(done.discarded))
    if done.waiting:
        said = f"{said} " + ngettext(
            "{count} delivery accepted before is still loaded.",
            "{count} deliveries accepted before are still loaded.",
            done.waiting,
        ).format(count=numbers.count(done.waiting))
    return said
