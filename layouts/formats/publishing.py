"""The sentences about publications for whoever makes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from layouts.formats.sources import request_state
from metrics.model import City, Publication
from store.requests import Request


def headline(current: Publication | None) -> str:
    """Which publication the city stands by."""
    if current is None:
        return _("Nothing has been published yet")
    return _("Publication {number} stands: data up to {day}").format(
        number=current.id, day=days.day(current.as_of - timedelta(days=1))
    )


def made_at(publication: Publication, city: City) -> str:
    """When it was made."""
    return _("Made {instant}, {zone}.").format(
        instant=days.instant(publication.published_at, city), zone=city.time_zone
    )


def kind(publication: Publication) -> str:
    """Whether it became what the city stands by, or was made beside it for an earlier day."""
    return _("In its turn") if publication.is_current else _("Beside, for an earlier day")


def request_title(request: Request) -> str:
    """What was asked for and how it stands."""
    word = _("Restatement: {state}") if request.arguments.get("reason") else _("Publication: {state}")
    return word.format(state=request_state(request))


def result_counts(words: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a publication did, by the names of its counts; [] for one that was not made."""
    if words.get("outcome") != "published":
        return []
    names = (
        ("facts", _("Facts new or changed")),
        ("scores", _("Scores new or changed")),
        ("composites", _("Of departments and the city")),
        ("restated", _("Final scores restated")),
    )
    told = [(name, numbers.count(int(words[key]))) for key, name in names if key in words]
    return [(_("Publication"), str(words.get("publication"))), *told]


def result_sentence(words: Mapping[str, Any]) -> str:
    """What came of it where there are no counts: the worker's own words."""
    if words.get("outcome") == "unchanged":
        return _("Nothing has changed since the last publication, so none was made.")
    if words.get("outcome") == "published":
        return ngettext(
            "It restates {count} final score.",
            "It restates {count} final scores.",
            int(words.get("restated", 0)),
        ).format(count=numbers.count(int(words.get("restated", 0))))
    return str(words.get("sentence") or "")
