"""The form that narrows a list of records: native controls whose values end up in the address."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from layouts.cases_view import EMPTY, IS, MET, CasesView, chosen_words
from layouts.charts.drawing import element
from layouts.formats import _, case_lists, words
from layouts.links import PREFIX, cases_link
from metrics.model import UNKNOWN_DISTRICT, WHOLE_CITY
from store import cases

Option = tuple[str, str]


def case_filter(view: CasesView) -> Markup:
    """The form: outcome and district at once, the columns of the source behind a summary."""
    chosen = view.listed.chosen
    period = {"grain": str(chosen.period.grain), "start": chosen.period.start.isoformat()}
    hidden = {**period, "publication": str(view.edition.publication.id)}
    button = element("button", _("Show these"), type="submit")
    clear = element("a", _("All of them"), href=cases_link(view.edition, view.metric.id, **period))
    is_chosen = chosen_words(view.listed) != period
    return element(
        "form",
        *(element("input", type="hidden", name_=name, value=value) for name, value in hidden.items()),
        element("div", *_selects(view), class_="fields"),
        *_columns(view),
        element("p", button, " ", clear if is_chosen else "", class_="does"),
        method="get",
        action=f"{PREFIX}metric/{view.metric.id}/cases",
        class_="choose",
        aria_label=_("Which records"),
    )


def _selects(view: CasesView) -> Iterable[Markup]:
    chosen = view.listed.chosen
    if view.is_share:
        options = case_lists.outcomes(view.score)
        given = "" if chosen.met is None else str(int(chosen.met))
        yield _field(MET, _("Outcome"), _select(MET, options, given))
    if view.metric.district and view.edition.catalogue.districts:
        places = sorted(view.edition.catalogue.districts.values(), key=lambda one: one.name)
        options = [("", _("The whole city")), *((one.id, one.name) for one in places)]
        options.append((UNKNOWN_DISTRICT, words.place(UNKNOWN_DISTRICT, None)))
        given = "" if chosen.district == WHOLE_CITY else chosen.district
        name = words.capital(view.edition.city.district_word)
        yield _field("district", name, _select("district", options, given))


def _columns(view: CasesView) -> Iterable[Markup]:
    names = cases.filters(view.source)
    if not names:
        return
    fields = [_column(view, name) for name in names]
    is_open = "open" if view.listed.chosen.values else None
    yield element(
        "details",
        element("summary", _("By what their columns say")),
        element("div", *fields, class_="fields"),
        open=is_open,
    )


def _column(view: CasesView, name: str) -> Markup:
    """A column: the value it has, the commonest proposed, or that it has none."""
    given = view.listed.chosen.values.get(name)
    control = element(
        "input",
        id=f"choose-{IS}{name}",
        name_=f"{IS}{name}",
        type="text",
        value=given or "",
        list=f"known-{name}",
        autocomplete="off",
    )
    known = (element("option", value=value) for value in view.commonest.get(name, ()))
    empty = element(
        "label",
        element("input", type="checkbox", name_=f"{EMPTY}_{name}", value="1", checked=_on(given == "")),
        f" {_('is empty')}",
        class_="small",
    )
    proposed = element("datalist", *known, id=f"known-{name}")
    return _field(f"{IS}{name}", name, control, proposed, "" if name == view.source.key else empty)


def _field(name: str, label: str, *controls: Markup | str) -> Markup:
    return element("div", element("label", label, for_=f"choose-{name}"), *controls, class_="field")


def _select(name: str, options: Iterable[Option], given: str) -> Markup:
    made = [element("option", text, value=value, selected=_on(value == given)) for value, text in options]
    return element("select", *made, name_=name, id=f"choose-{name}")


def _on(is_on: bool) -> str | None:
    return "on" if is_on else None
