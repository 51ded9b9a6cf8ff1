"""Tries to sign in: how many may fail, so that nobody guesses a password and nobody locks its owner out.

A try is counted for the address it came from and for the account; in a browser that its person has signed
in with before (a device) for that device alone: who knows an e-mail address, or sits in the same house, can
use up the tries of strangers, never those of its owner's browsers (OWASP, Slow Down Online Guessing Attacks
with Device Cookies). Nothing is locked for longer than WINDOW.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, delete, func, insert, select

from store.engine import Writing, from_text, instant_text
from store.people import email_key
from store.schema import attempts, devices, people
from store.secrets import hash_of, new_secret

WINDOW = timedelta(minutes=15)
OF_AN_ADDRESS = 50
"""Many people may share the address of a city hall."""

OF_AN_ACCOUNT = 10
OF_A_DEVICE = 10
OF_CITY_ACCOUNTS = 50
"""How often those of an address may come back from the city's provider with what lets nobody in."""

REPORTS_OF_AN_ADDRESS = 5
REPORTS_OF_ALL = 200
"""How many problems with numbers may be reported without signing in."""

DEVICE_LASTS = timedelta(days=400)
_ADDRESS, _ACCOUNT, _DEVICE = "address", "account", "device"
_REPORT, _REPORTS = "report", "reports"
_CITY_ACCOUNT = "city account"
_MOST = {
    _ADDRESS: OF_AN_ADDRESS,
    _ACCOUNT: OF_AN_ACCOUNT,
    _DEVICE: OF_A_DEVICE,
    _REPORT: REPORTS_OF_AN_ADDRESS,
    _REPORTS: REPORTS_OF_ALL,
    _CITY_ACCOUNT: OF_CITY_ACCOUNTS,
}


def keys(connection: Connection, address: str, email: str, device: str | None, now: str) -> tuple[str, ...]:
    """What a try is counted for. device: the secret of the browser's cookie, where it has one.

    A browser that is known is counted for itself alone: what others try at the same address, which may be
    that of a whole city hall, does not keep it out.
    """
    known = None if device is None else _device(connection, email, device, now)
    if known is not None:
        return (f"{_DEVICE}:{known}",)
    return f"{_ADDRESS}:{_network(address)}", f"{_ACCOUNT}:{hash_of(email_key(email))}"


def of_report(address: str) -> tuple[str, ...]:
    """What a problem that somebody reports without signing in is counted for."""
    return f"{_REPORT}:{_network(address)}", f"{_REPORTS}:all"


def of_city_account(address: str) -> tuple[str, ...]:
    """What coming back from the city's provider is counted for: passwords are not locked by it."""
    return (f"{_CITY_ACCOUNT}:{_network(address)}",)


def are_too_many(connection: Connection, keys: Sequence[str], now: str) -> bool:
    """Whether one more try would be one too many."""
    since = instant_text(from_text(now) - WINDOW)
    for key in keys:
        counted = select(func.count()).where(attempts.c.key == key, attempts.c.at > since)
        if connection.execute(counted).scalar_one() >= _MOST[key.partition(":")[0]]:
            return True
    return False


def begin(write: Writing, keys: Sequence[str]) -> bool:
    """Counts a try before it is made, so that a hundred at once are a hundred; False when it is too many."""
    _remove_old(write)
    if are_too_many(write.connection, keys, write.now):
        return False
    write.connection.execute(insert(attempts), [{"key": key, "at": write.now} for key in keys])
    return True


def forget(write: Writing, keys: Sequence[str], began: str) -> None:
    """Takes a try back that succeeded."""
    write.connection.execute(delete(attempts).where(attempts.c.key.in_(keys), attempts.c.at == began))


def remember_device(write: Writing, person: int) -> str:
    """Makes the browser that just signed in a known one; gives the secret of its cookie."""
    secret = new_secret()
    row = {"hash": hash_of(secret), "person": person, "made_at": write.now}
    write.connection.execute(insert(devices), row)
    return secret


def is_device_of(connection: Connection, device: str, email: str, now: str) -> bool:
    """Whether the person of an e-mail address has signed in with this browser before."""
    return _device(connection, email, device, now) is not None


def tidy(write: Writing) -> int:
    """Removes tries that count no more, and browsers known for too long; gives how many in all."""
    before = instant_text(from_text(write.now) - DEVICE_LASTS)
    unknown = delete(devices).where(devices.c.made_at <= before)
    return _remove_old(write) + write.connection.execute(unknown).rowcount


def _remove_old(write: Writing) -> int:
    before = instant_text(from_text(write.now) - WINDOW)
    return write.connection.execute(delete(attempts).where(attempts.c.at <= before)).rowcount


def _device(connection: Connection, email: str, device: str, now: str) -> int | None:
    statement = select(devices.c.id).where(
        devices.c.hash == hash_of(device),
        devices.c.made_at > instant_text(from_text(now) - DEVICE_LASTS),
        devices.c.person == people.c.id,
        people.c.email_key == email_key(email),
    )
    return connection.execute(statement).scalar_one_or_none()


def _network(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 address that one customer has whole."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
