"""Forms that ask for a page: native HTML that changes nothing and puts what was chosen into the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from dash.development.base_component import Component
from markupsafe import Markup

from layouts.charts.embedded import Svg


def asking_form(
    address: str, *controls: Markup, button: str, hidden: Mapping[str, str], part: str = "", style: str = ""
) -> Component:
    """A form sent to a page by GET; hidden: what else its address says; part: where on the page to arrive."""
    kept = [
        Markup('<input type="hidden" name="{}" value="{}">').format(word, text)
        for word, text in hidden.items()
    ]
    anchor = f"#{part}" if part else ""
    made = Markup('<form class="ask {}" method="get" action="{}">{}<button type="submit">{}</button></form>')
    return Svg(made.format(style, f"{address}{anchor}", Markup("").join([*kept, *controls]), button))


def date_input(name: str, label: str, value: date, *, earliest: date, latest: date) -> Markup:
    """A day between two days."""
    return Markup(
        '<label for="ask-{name}">{label}</label>'
        '<input type="date" id="ask-{name}" name="{name}" value="{value}" min="{low}" max="{high}">'
    ).format(name=name, label=label, value=value, low=earliest, high=latest)


def search_input(name: str, label: str, value: str, *, style: str = "") -> Markup:
    """A few words to look for; its id is `ask-` and its name."""
    return Markup(
        '<label for="ask-{name}">{label}</label>'
        '<input type="search" id="ask-{name}" name="{name}" value="{value}" maxlength="100" class="{style}">'
    ).format(name=name, label=label, value=value, style=style)
