"""Addresses of staff pages that keep a reader in the publication being read."""

from __future__ import annotations

from urllib.parse import urlencode

from layouts.views import Edition
from metrics.model import WHOLE_CITY, Score

PREFIX = "/staff/"


def metric_link(edition: Edition, metric: str, **query: str) -> str:
    """The page of a metric."""
    return _address(edition, f"metric/{metric}", query)


def cases_link(edition: Edition, metric: str, **query: str) -> str:
    """The records behind a number of a metric, always of this very publication: a page must have a next."""
    words = urlencode({**query, "publication": str(edition.publication.id)})
    return f"{PREFIX}metric/{metric}/cases?{words}"


def records_link(edition: Edition, score: Score) -> str:
    """The records behind a score."""
    words = {"grain": str(score.period.grain), "start": score.period.start.isoformat()}
    place = {} if score.district == WHOLE_CITY else {"district": score.district}
    return cases_link(edition, score.metric, **words, **place)


def cases_file_link(edition: Edition, metric: str, **query: str) -> str:
    """The same as a file."""
    words = urlencode({**query, "publication": str(edition.publication.id)})
    return f"{PREFIX}metric/{metric}/cases.csv?{words}"


def case_link(edition: Edition, metric: str, key: str | int) -> str:
    """One record and all that was known of it."""
    return _address(edition, f"metric/{metric}/case", {"key": str(key)})


def bare_case_link(metric: str, key: str | int) -> str:
    """The same in the current publication, whichever that is."""
    return f"{PREFIX}metric/{metric}/case?{urlencode({'key': str(key)})}"


def department_link(edition: Edition, department: str) -> str:
    """The page of a department."""
    return _address(edition, f"department/{department}", {})


def districts_link(edition: Edition, **query: str) -> str:
    """A metric by district."""
    return _address(edition, "districts", query)


def district_link(edition: Edition, district: str, **query: str) -> str:
    """The page of a district."""
    return _address(edition, f"district/{district}", query)


def today_link(edition: Edition, *, part: str = "", **query: str) -> str:
    """The page of the whole city, at one of its parts where that is named."""
    return _address(edition, "today", query) + (f"#{part}" if part else "")


def sources_link(**query: str) -> str:
    """The list of sources; words without a value are left out."""
    return _plain("sources", query)


def source_link(source: str, **query: str) -> str:
    """The page of a source."""
    return _plain(f"source/{source}", query)


def _plain(page: str, query: dict[str, str]) -> str:
    words = urlencode({name: value for name, value in query.items() if value})
    return f"{PREFIX}{page}?{words}" if words else f"{PREFIX}{page}"


def _address(edition: Edition, page: str, query: dict[str, str]) -> str:
    pin = {"publication": str(edition.publication.id)} if edition.is_pinned else {}
    words = urlencode({**query, **pin})
    return f"{PREFIX}{page}?{words}" if words else f"{PREFIX}{page}"
