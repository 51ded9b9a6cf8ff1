"""How districts compare on the page of a metric: fairly, with what chance explains, never as a ranking."""

from __future__ import annotations

from dash import dcc, html

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.components import section
from layouts.district_section import comparison
from layouts.district_view import DistrictsView
from layouts.formats import _
from layouts.formats import districts as say
from layouts.links import districts_link


def compared_section(view: DistrictsView | None) -> list[html.Section]:
    """Who stands out beyond chance, map, dots in their limits and table; nothing where there is no district.

    Who works with records is led from each district to its own.
    """
    if view is None:
        return []
    metric, period = view.metric, view.period
    outside = say.expected(view) if view.by.judged else ""
    link = districts_link(view.edition, metric=metric.id, grain=period.grain, start=period.start.isoformat())
    return [
        section(
            say.headline(view),
            *(html.P(text) for text in (outside, say.widened(view.by)) if text),
            *comparison(view, with_records=is_allowed(Need(Role.EDITOR, metric.department))),
            html.P(dcc.Link(_("Other periods and what need does"), href=link), className="beside"),
            id="districts",
            beside=formats.period(period),
        )
    ]
