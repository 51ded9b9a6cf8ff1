"""One district for staff: every measure there beside the rest of the city, and what that leaves to chance."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.components import colophon, labelled, notes
from layouts.desk import at_hand
from layouts.district_section import measures
from layouts.district_view import GRAINS, DistrictView, district_view
from layouts.formats import _, one_district
from layouts.formats import districts as say
from layouts.links import PREFIX, district_link, districts_link
from layouts.page_parts import crumbs, no_page, refused
from layouts.public.answer import NothingPublished, Refusal
from layouts.public.asking import PIN, district_grain, opened
from layouts.staff import staff_page
from metrics.model import District, Grain
from store.withheld import Audience


def title(district_id: str = "") -> str:
    """The name of the district in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city
    found = _known(district_id) if is_allowed(Need(Role.VIEWER)) else None
    return f"{found.name} | {city.name}" if found else city.name


def exists(district_id: str) -> bool:
    """Whether the current publication knows the district."""
    return _known(district_id) is not None


dash.register_page(__name__, path_template="/district/<district_id>", title=title, exists=exists)


@staff_page(Role.VIEWER)
def layout(district_id: str = "", **query: Any) -> html.Div:
    """The page of a district, for the newest period of `grain=`."""
    given: dict[str, str] = {word: str(query[word]) for word in (*PIN, "grain") if word in query}
    try:
        grain = district_grain(given) or Grain.MONTH
        with opened(at_hand(), given, Audience.STAFF) as (connection, edition):
            district = edition.catalogue.districts.get(str(district_id))
            if district is None:
                return no_page(say.no_such_district(edition.city)[0])
            view = district_view(connection, edition, district, edition.catalogue.live_metrics(), grain)
    except Refusal as refusal:
        return refused(refusal)
    except NothingPublished:
        return no_page(_("Nothing has been published yet"))
    return html.Div(_page(view))


def _known(district_id: str) -> District | None:
    with at_hand().open() as (_connection, now):
        return now.catalogue.districts.get(district_id) if now else None


def _page(view: DistrictView) -> list[Component]:
    edition = view.edition
    period = formats.period(view.period) if view.period else ""
    said = [
        " · ".join(text for text in (period, one_district.facts(view)) if text),
        one_district.expected(view),
    ]
    return [
        crumbs(edition, dcc.Link(say.districts_word(edition.city), href=districts_link(edition))),
        html.H1(one_district.headline(view)),
        *(html.P(text, className="lead") for text in said if text),
        *notes(edition, say.caution() if view.is_reported else ""),
        html.Div(_grains(view), className="tools section"),
        measures(view),
        _to_send(view),
        _others(view),
        colophon(edition),
    ]


def _grains(view: DistrictView) -> html.Nav:
    links = [
        dcc.Link(
            formats.grain_word(grain),
            href=district_link(view.edition, view.district.id, grain=grain),
            className="chosen" if grain is view.grain else None,
        )
        for grain in GRAINS
    ]
    return html.Nav(links, className="switch", **labelled(_("Length of a period")))


def _to_send(view: DistrictView) -> html.P:
    """Addresses that show others the same: for everybody, and for staff whatever is published later."""
    edition, district = view.edition, view.district
    number = str(edition.publication.id)
    pinned = f"{PREFIX}district/{district.id}?{urlencode({'grain': str(view.grain), 'publication': number})}"
    public = f"/district/{district.id}?{urlencode({'grain': str(view.grain)})}"
    ways = [
        html.A(_("The public page of it"), href=public),
        dcc.Link(say.pinned_view(edition), href=pinned),
    ]
    return html.P([_("To send:"), " ", *ways], className="ways section")


def _others(view: DistrictView) -> html.Nav:
    links = [
        dcc.Link(one.name, href=district_link(view.edition, one.id, grain=view.grain))
        for one in view.edition.catalogue.districts.values()
    ]
    return html.Nav(links, className="section ways", **labelled(say.districts_word(view.edition.city)))
