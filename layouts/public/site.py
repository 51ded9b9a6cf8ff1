"""The public pages: what a view shows, as HTML that needs no JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from layouts import formats
from layouts.charts.control import control_chart
from layouts.charts.course import NARROW, WIDE
from layouts.charts.district_map import district_map, map_key, numbered
from layouts.charts.dots import BROAD, dot_plot
from layouts.charts.glyphs import MARK, arrow, glyph, sign, theme_glyph
from layouts.charts.line import line_with_target
from layouts.charts.small import score_bar, sparkline
from layouts.city_view import city_view
from layouts.company_view import company_view
from layouts.desk import Desk
from layouts.district_view import GRAINS, DistrictsView, district_view, districts_view
from layouts.formats import (
    Level,
    _,
    captions,
    company,
    district_tables,
    districts,
    freshness,
    honesty,
    method,
    notes,
    one_district,
    receipts,
    signals,
    standings,
    vintages,
)
from layouts.integrity_view import trust_of
from layouts.method_view import method_view
from layouts.metric_view import metric_view
from layouts.notes_view import NotesView, notes_view, period_of_note
from layouts.public import asking
from layouts.public.answer import HTML, RETRY_SECONDS, Answer, NothingPublished, Refusal
from layouts.public.api import problem
from layouts.public.asking import Query
from layouts.public.problem_form import problem_form
from layouts.receipt_view import receipt_of
from layouts.signal_view import MEANINGS, control_of
from layouts.views import CityView, Edition, MetricView
from layouts.vintage_view import vintage_view
from metrics.model import UNKNOWN_DISTRICT, City, Grain
from store.engine import Connection

TEMPLATES = Path(__file__).resolve().parent / "templates"
DRAW = SimpleNamespace(
    arrow=arrow,
    district_map=district_map,
    dots_narrow=lambda view: dot_plot(view, NARROW),
    dots_wide=lambda view: dot_plot(view, BROAD),
    glyph=glyph,
    map_key=map_key,
    numbered=numbered,
    score_bar=score_bar,
    sign=sign,
    sparkline=sparkline,
    theme_glyph=theme_glyph,
)


@lru_cache
def environment() -> Environment:
    """Jinja with escaping: our sentences as `say`, those of embeds as `caption`, our pictures as `draw`."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(_=_, ngettext=formats.ngettext, say=formats, caption=captions, draw=DRAW, mark=MARK)
    made.globals.update(receipts=receipts, company=company, method=method, vintage=vintages, fresh=freshness)
    made.globals.update(where=districts, standings=standings, district_tables=district_tables)
    made.globals.update(one_district=one_district, grains_of_districts=GRAINS)
    made.globals.update(signals=signals, meanings=MEANINGS)
    made.globals.update(notes=notes, period_of_note=period_of_note, problem_form=problem_form)
    made.globals.update(here="", here_path="/", pin="", pin_more="", unknown_district=UNKNOWN_DISTRICT)
    made.globals.update(address="", picture="")
    return made


@dataclass(frozen=True)
class Site:
    """The public pages over one city's database. Each takes the query of the URL."""

    desk: Desk

    def home(self, query: Query) -> Answer:
        """The city's scores; 503 with the progress of loading until the first publication."""
        return self._guarded(self._home, query)

    def metric(self, query: Query, metric: str) -> Answer:
        """One metric with its past and its definition."""
        return self._guarded(lambda given: self._metric(given, metric), query)

    def district(self, query: Query, district: str) -> Answer:
        """One district: every public metric there beside the rest of the city."""
        return self._guarded(lambda given: self._district(given, district), query)

    def method(self, query: Query) -> Answer:
        """Every public definition with its targets, weights and self-test."""
        return self._guarded(self._method, query)

    def message(self, status: int, title: str, detail: str) -> Answer:
        """A page that says why there is no page."""
        city = self.desk.catalogue.city
        with formats.speaking(formats.language(city.language)):
            return self._page("message.html", city, status=status, title=title, detail=detail)

    def failure(self, status: int, path: str, detail: str | None) -> Answer:
        """The page for a request that was not answered; for a call of the API the problem as JSON."""
        with formats.speaking(formats.language(self.desk.catalogue.city.language)):
            title, sentence = _failure(status)
            if path.startswith("/api/"):
                return problem(status, title, detail or sentence)
            return self.message(status, title, detail or sentence)

    def _guarded(self, make: Callable[[Query], Answer], query: Query) -> Answer:
        with formats.speaking(formats.language(self.desk.catalogue.city.language)):
            try:
                return make(query)
            except Refusal as refusal:
                return self.message(refusal.status, refusal.title, refusal.detail)
            except NothingPublished:
                return self._start()

    def _home(self, query: Query) -> Answer:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (connection, edition):
            view = city_view(connection, edition)
            sure = company_view(connection, view)
        with _speaking(edition):
            texts = {
                **_home_texts(view, edition),
                "sure": sure,
                **self._absolute(edition, "/", "/embed/score.png"),
            }
            return self._page("home.html", edition.city, state=edition.state, here="home", **texts)

    def _metric(self, query: Query, wanted: str) -> Answer:
        asking.known_words(query, ("grain", "receipt", "start"))
        grain, start = asking.grain(query, None), asking.day(query, "start")
        is_asked = asking.switch(query, "receipt") or start is not None
        with asking.opened(self.desk, query) as (connection, edition):
            metric = asking.metric(edition, wanted)
            view = metric_view(connection, edition, metric, grain)
            told = vintage_view(connection, view)
            compared = _compared(connection, view)
            trust = trust_of(connection, edition, metric)
            found = receipt_of(connection, edition, metric, view.grain, start) if is_asked else None
            written = notes_view(connection, edition, metric, None, view.scores)
        if is_asked and found is None:
            raise Refusal(404, _("There is no such receipt"), receipts.missing(view.grain))
        with _speaking(edition):
            page, picture = f"/metric/{view.metric.id}", f"/embed/metric/{view.metric.id}.png"
            texts = {**_metric_texts(view, written), **self._absolute(edition, page, picture)}
            texts |= {"trust": honesty.sentences(metric, trust), "read_with": trust.pairs}
            texts |= {"told": told, "restated": vintages.restated(view, told)}
            texts |= {"by_district": compared, "written": written}
            texts |= {"receipt": found, "receipt_link": _receipt_link(view, edition)}
            return self._page("metric.html", edition.city, state=edition.state, **texts)

    def _district(self, query: Query, wanted: str) -> Answer:
        asking.known_words(query, ("grain",))
        grain = asking.district_grain(query) or Grain.MONTH
        with asking.opened(self.desk, query) as (connection, edition):
            found = edition.catalogue.districts.get(wanted)
            if found is None:
                raise Refusal(404, *districts.no_such_district(edition.city))
            view = district_view(connection, edition, found, asking.public_metrics(edition), grain)
        with _speaking(edition):
            page = f"/district/{found.id}"
            texts = {**_pins(edition, page), **self._absolute(edition, page, "/embed/score.png")}
            return self._page("district.html", edition.city, state=edition.state, view=view, **texts)

    def _method(self, query: Query) -> Answer:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (connection, edition):
            view = method_view(connection, edition)
        with _speaking(edition):
            texts = {**_pins(edition, "/method"), **self._absolute(edition, "/method", "/embed/score.png")}
            return self._page("method.html", edition.city, state=edition.state, view=view, **texts)

    def _absolute(self, edition: Edition, page: str, picture: str) -> dict[str, Any]:
        """Where a page and its picture are found from elsewhere; nothing without a public address."""
        if not self.desk.base_url:
            return {}
        pin = f"?publication={edition.publication.id}" if edition.is_pinned else ""
        home = self.desk.base_url
        return {"address": f"{home}{page}{pin}", "picture": f"{home}{picture}{pin}"}

    def _start(self) -> Answer:
        return self._page(
            "start.html",
            self.desk.catalogue.city,
            status=503,
            headers={"Retry-After": str(RETRY_SECONDS)},
            view=self.desk.start(),
            refresh=RETRY_SECONDS,
        )

    def _page(
        self,
        template: str,
        city: City,
        *,
        status: int = 200,
        state: int | None = None,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Answer:
        body = rendered(template, city, self.desk.build, **values)
        return Answer(body, HTML, status, headers or {}, state)


def rendered(template: str, city: City, build: str, **values: Any) -> bytes:
    """A public page of a city in the language of the moment."""
    spoken = formats.spoken()
    text = (
        environment()
        .get_template(template)
        .render(
            city=city,
            language=spoken.tag,
            direction=spoken.direction,
            build=build,
            grains=list(Grain),
            levels=list(Level),
            **values,
        )
    )
    return text.encode()


def _failure(status: int) -> tuple[str, str]:
    """What to say of an HTTP status."""
    if status == 404:
        return _("There is no such page"), _("The address may be mistyped, or the page may have moved.")
    if status == 405:
        return _("This cannot be done here"), _("This address can only be read.")
    if status == 503:
        return _("The numbers cannot be read right now"), _("Try again in a minute.")
    if status < 500:
        return _("This cannot be answered"), _("The request is not one this server answers.")
    return _("Something went wrong here"), _("It has been noted. Try again in a minute.")


def _speaking(edition: Edition) -> Any:
    return formats.speaking(formats.language(edition.city.language))


def _home_texts(view: CityView, edition: Edition) -> dict[str, Any]:
    asked = [one for one in view.departments if any(part.total for part in one.composites.values())]
    period = formats.period(view.composite.period) if view.composite else ""
    return {
        "view": view,
        "departments": asked if len(asked) > 1 else [],
        "services_caption": _("Every service, {period}").format(period=period),
        "conditions_caption": _("Conditions of the city, {period}").format(period=period),
        **_pins(edition, "/"),
    }


def _compared(connection: Connection, view: MetricView) -> DistrictsView | None:
    """The metric by district at the grain of its page; where that has none, by month or by quarter."""
    if view.metric.district is None:
        return None
    grain = view.grain if view.grain in GRAINS else None
    return districts_view(connection, view.edition, view.metric, grain)


def _metric_texts(view: MetricView, written: NotesView) -> dict[str, Any]:
    metric, score, edition = view.metric, view.score, view.edition
    control = control_of(view, written.marks)
    return {
        "view": view,
        "control": control,
        "control_wide": control_chart(control, WIDE),
        "control_narrow": control_chart(control, NARROW),
        "wide": line_with_target(view, WIDE),
        "narrow": line_with_target(view, NARROW),
        "chart_title": _("{metric}, {daily}").format(metric=metric.name, daily=formats.how_often(view.grain)),
        "steps": formats.worked_example(metric, score) if score else [],
        **_pins(edition, f"/metric/{metric.id}"),
    }


def _receipt_link(view: MetricView, edition: Edition) -> str:
    pin = f"&publication={edition.publication.id}" if edition.is_pinned else ""
    return f"/metric/{view.metric.id}?grain={view.grain}&receipt=1{pin}#receipt"


def _pins(edition: Edition, path: str) -> dict[str, str]:
    """What a link needs so that a pinned reader stays with the publication."""
    if not edition.is_pinned:
        return {"here_path": path}
    pin = f"publication={edition.publication.id}"
    return {"here_path": path, "pin": f"?{pin}", "pin_more": f"&{pin}"}
