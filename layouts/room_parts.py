"""What the pages of administration have in common: the way to where one is, and the words of an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts.components import labelled
from layouts.formats import _
from layouts.links import PREFIX


def room_crumbs(*places: Component | str) -> html.Nav:
    """The way from the list of rooms to where one is, each place after the one above it."""
    way: list[Component] = [dcc.Link(_("Administration"), href=f"{PREFIX}admin")]
    for place in places:
        way += [html.Span("›"), html.Span(place, dir="auto") if isinstance(place, str) else place]
    return html.Nav(way, className="crumbs", **labelled(_("Where you are")))


def texts(query: Mapping[str, Any]) -> dict[str, str]:
    """The words of an address as texts; of a word that is there twice the last."""
    return {word: value if isinstance(value, str) else str(value[-1]) for word, value in query.items()}


def number_in(text: str | None) -> int | None:
    """The number that a word of an address is; None where it is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else None
