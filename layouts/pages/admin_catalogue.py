"""The catalogue browser: every metric with who answers for it, its target and what is to be mended."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html
from dash.development.base_component import Component

from layouts import forms
from layouts.access import Need, Role, is_allowed
from layouts.acts.targets import page_of
from layouts.catalogue_view import (
    DEFECTS,
    DEPARTMENT,
    NAMED,
    ONLY,
    CatalogueView,
    Defect,
    DefinedLine,
    catalogue_view,
)
from layouts.components import labelled, row, scrolling, section, table
from layouts.desk import at_hand
from layouts.formats import _, method
from layouts.formats import definitions as say
from layouts.formats import targets as target_words
from layouts.links import PREFIX
from layouts.page_parts import refused
from layouts.public.answer import Refusal
from layouts.room_parts import room_crumbs, texts
from layouts.staff import staff_page
from metrics.periods import local_day
from store.engine import reading

PATH = "/admin/catalogue"


def title() -> str:
    """The name of the page in the browser's tab, for whoever may read it."""
    city = at_hand().catalogue.city.name
    return f"{_('Catalogue')} | {city}" if is_allowed(Need(Role.VIEWER)) else city


dash.register_page(__name__, path=PATH, title=title)


@staff_page(Role.VIEWER)
def layout(**query: Any) -> html.Div:
    """All metrics, or those of `department=`, with `named=` in their name, or with `only=defects`."""
    desk = at_hand()
    today = local_day(desk.catalogue.city, desk.clock())
    try:
        with reading(desk.engine) as connection:
            view = catalogue_view(connection, desk.catalogue, texts(query), today)
    except Refusal as refusal:
        return refused(refusal)
    return html.Div(_page(view))


def _page(view: CatalogueView) -> list[Component]:
    ownerless = say.ownerless([view.catalogue.departments[one].name for one in view.ownerless])
    parts: list[Component] = [
        room_crumbs(_("Catalogue")),
        html.H1(say.headline(view)),
        html.P(say.lead(view), className="lead"),
        *([html.P(ownerless, className="note pinned", dir="auto")] if ownerless else []),
        html.Section(forms.shown(_filter(view)), className="card choosing", **labelled(_("Which metrics"))),
        section(_("Metrics"), _list(view), id="metrics", beside=say.shown(view)),
    ]
    if view.others:
        rows = [html.Li(say.finding_of_file(one)) for one in view.others]
        listed = html.Ul(rows, className="card plain rows")
        parts.append(section(_("What is to be mended in other files"), listed, id="others"))
    return parts


def _filter(view: CatalogueView) -> Any:
    named = sorted(view.catalogue.departments.values(), key=lambda one: one.name)
    departments = [("", _("All departments")), *((one.id, one.name) for one in named)]
    which = [("", _("All of them")), (DEFECTS, _("Those with something to be mended"))]
    return forms.asking(
        f"{PREFIX}{PATH[1:]}",
        forms.line_field(NAMED, _("Name"), value=view.named, kind="search"),
        forms.choice_field(DEPARTMENT, _("Department"), departments, chosen=view.department),
        forms.choice_field(ONLY, _("Which"), which, chosen=DEFECTS if view.only_defects else ""),
        button=_("Show these"),
        id="choose",
        clear=_("All of them") if view.is_narrowed else "",
    )


def _list(view: CatalogueView) -> Component:
    if not view.lines:
        return html.P(_("No metric is like that."), className="card muted")
    heads = [
        (_("Metric"), ""),
        (_("Answers for it"), ""),
        (_("Target"), ""),
        (_("Scored by"), ""),
        (_("Review by"), ""),
        (_("To be mended"), ""),
    ]
    name = _("Metrics, those with something to be mended first")
    shown = table(name, heads, [_row(view, line) for line in view.lines], className="definitions")
    return scrolling(shown, labelled(name), "sheet scroll")


def _row(view: CatalogueView, line: DefinedLine) -> html.Tr:
    metric = line.metric
    department = view.catalogue.departments[metric.department].name
    head = [
        dcc.Link(metric.name, href=f"{PREFIX}metric/{metric.id}"),
        html.Span(metric.id, className="muted"),
    ]
    owner = [html.Span(metric.owner, dir="auto"), html.Span(department, className="beneath", dir="auto")]
    if Defect.NO_OWNER in line.defects:
        owner.append(html.Span(say.no_owner(), className="state late"))
    target = dcc.Link(target_words.in_force(line.target), href=page_of(metric.id))
    late = "state late" if Defect.REVIEW in line.defects else ""
    return row(
        head,
        (owner, ""),
        (target, ""),
        (method.grains(metric), ""),
        (html.Span(say.review(line), className=late), ""),
        (_findings(line), "findings"),
    )


def _findings(line: DefinedLine) -> Component | str:
    said = [text for one in line.defects if (text := say.defect(one, line))]
    said += [say.finding(one) for one in line.findings]
    said += [method.warning(one) for one in line.warnings]
    return html.Ul([html.Li(text) for text in said], className="plain") if said else _("Nothing")
