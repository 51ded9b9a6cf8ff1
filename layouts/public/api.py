"""The API, version 1: published scores, definitions and series as JSON and CSV, numbers unrounded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from layouts.city_view import CITY, city_scores
from layouts.desk import Desk
from layouts.district_view import districts_view
from layouts.formats import _, language, receipts, speaking
from layouts.formats import districts as district_words
from layouts.integrity_view import trust_of
from layouts.public import asking
from layouts.public.answer import CSV, JSON, PROBLEM, RETRY_SECONDS, Answer, NothingPublished, Refusal
from layouts.public.asking import Query, Series
from layouts.public.by_district import rows_of, shared_out
from layouts.public.charted import charted
from layouts.public.defined import definition_of, retired_fields, source_fields, summary_of
from layouts.public.explained import explained
from layouts.public.integrity import integrity_fields
from layouts.public.matured import maturity_fields
from layouts.public.points import POINT_FIELDS, change_fields, point_fields, revision_fields, summary_fields
from layouts.public.shapes import Json, period_fields, publication_fields
from layouts.public.windows import windows
from layouts.receipt_view import receipt_of
from layouts.views import Edition
from metrics.limits import ChartKind
from metrics.model import WHOLE_CITY, Grain, Metric, Publication, Score
from metrics.signal_rules import Signal
from store import maturities, publications, revisions, signals, vintages, withheld
from store.engine import Connection, instant_text

ANYONE = {"Access-Control-Allow-Origin": "*"}
Made = tuple[Edition | None, Json]
"""What a call answers with the edition it was read from; None before the first publication."""


@dataclass(frozen=True)
class Api:
    """The calls of the API over one city's database. Each takes the query of the URL."""

    desk: Desk

    def scores(self, query: Query) -> Answer:
        """The composites of the city and of each department, in the newest period of each grain."""
        return self._answer(self._scores, query)

    def metrics(self, query: Query) -> Answer:
        """The definition of every public metric."""
        return self._answer(self._metrics, query)

    def metric(self, query: Query, metric: str) -> Answer:
        """One metric: its definition and its newest period of each grain."""
        return self._answer(lambda given: self._metric(given, metric), query)

    def series(self, query: Query, metric: str) -> Answer:
        """A metric's periods at a grain, in order of time, as JSON."""
        return self._answer(lambda given: self._series(given, metric), query)

    def series_csv(self, query: Query, metric: str) -> Answer:
        """A metric's periods at a grain, in order of time, as CSV."""
        return self._guarded(lambda given: self._series_csv(given, metric), query)

    def explain(self, query: Query, metric: str) -> Answer:
        """The receipt of one period of a metric: what counted, what it was held to, and the arithmetic."""
        return self._answer(lambda given: self._explain(given, metric), query)

    def revisions(self, query: Query, metric: str) -> Answer:
        """Every change of a metric's published numbers at a grain, what kind it was, and their summary."""
        return self._answer(lambda given: self._revisions(given, metric), query)

    def districts(self, query: Query, metric: str) -> Answer:
        """A metric by district in one period, each beside the rest of the city, and how it is shared out."""
        return self._answer(lambda given: self._districts(given, metric), query)

    def integrity(self, query: Query, metric: str) -> Answer:
        """Whether a metric's number can be trusted: pairs, deadlines, eased targets and audits."""
        return self._answer(lambda given: self._integrity(given, metric), query)

    def signals(self, query: Query, metric: str) -> Answer:
        """A metric's control chart at a grain, by week unless it is given."""
        return self._answer(lambda given: self._signals(given, metric), query)

    def publications(self, query: Query) -> Answer:
        """Every publication up to the one asked for, newest first; an empty list before the first."""
        return self._answer(self._publications, query)

    def sources(self, query: Query) -> Answer:
        """Every source, and how far it was known when the publication was made."""
        return self._answer(self._sources, query)

    # --- answering -------------------------------------------------------------------------

    def _answer(self, make: Callable[[Query], Made], query: Query) -> Answer:
        def answered(given: Query) -> Answer:
            edition, body = make(given)
            return Answer(_json(body), JSON, headers=ANYONE, state=edition.state if edition else None)

        return self._guarded(answered, query)

    def _guarded(self, make: Callable[[Query], Answer], query: Query) -> Answer:
        with speaking(language(self.desk.catalogue.city.language)):
            try:
                return make(query)
            except Refusal as refusal:
                return problem(refusal.status, refusal.title, refusal.detail)
            except NothingPublished:
                return _not_yet()

    # --- what is answered ------------------------------------------------------------------

    def _scores(self, query: Query) -> Made:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (connection, edition):
            found = publications.latest_composites(connection, edition.publication)
        public = {metric.id for metric in edition.catalogue.metrics.values() if metric.public}
        return edition, {
            "publication": publication_fields(edition.publication),
            "city": windows(found.get(CITY, {}), public),
            "departments": {
                department: windows(found.get(("department", department), {}), public)
                for department in edition.catalogue.departments
            },
        }

    def _metrics(self, query: Query) -> Made:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (_connection, edition):
            found = [summary_of(metric) for metric in asking.public_metrics(edition)]
        return edition, {
            "publication": publication_fields(edition.publication),
            "metrics": found,
            "retired": [retired_fields(metric) for metric in edition.retired],
        }

    def _metric(self, query: Query, wanted: str) -> Made:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (connection, edition):
            metric = asking.metric(edition, wanted)
            scores = city_scores(connection, edition).get(metric.id, {})
            latest = {grain: _newest_point(connection, edition, metric, one) for grain, one in scores.items()}
            matured = maturities.read(connection, edition.publication, metric.id).get(metric.id)
        return edition, {
            "publication": publication_fields(edition.publication),
            "metric": {**definition_of(metric), **maturity_fields(matured)},
            "latest": {grain: latest.get(grain) for grain in Grain},
        }

    def _series(self, query: Query, wanted: str) -> tuple[Edition, Json]:
        asking.known_words(query, asking.SERIES)
        with asking.opened(self.desk, query) as (connection, edition):
            asked = asking.series(query, edition, wanted)
            told = asking.words_of(connection, edition, asked)
            found = publications.series(connection, edition.publication, asked.metric.id, asked.grain, **told)
            firsts = vintages.first_published(
                connection, edition.publication, asked.metric, asked.grain, **told
            )
            signs = _signs(connection, edition, asked.metric, asked.grain) if not asked.district else {}
        points = [point_fields(score, firsts.get(score.period.start), signs) for score in found]
        return edition, {**_asked(asked, edition), "points": points}

    def _revisions(self, query: Query, wanted: str) -> Made:
        asking.known_words(query, asking.SERIES)
        with asking.opened(self.desk, query) as (connection, edition):
            asked = asking.series(query, edition, wanted)
            told = asking.words_of(connection, edition, asked)
            found = revisions.revisions(connection, edition.publication, asked.metric, asked.grain, **told)
            changes = revisions.definition_changes(
                connection,
                edition.publication,
                asked.metric,
                asked.grain,
                district=told["district"],
                hidden=told["hidden"],
            )
        return edition, {
            **_asked(asked, edition),
            "summary": summary_fields(found.summary),
            "revisions": [revision_fields(row) for row in found.rows],
            "definition_changes": [change_fields(change) for change in changes],
        }

    def _series_csv(self, query: Query, wanted: str) -> Answer:
        edition, described = self._series(query, wanted)
        text = io.StringIO()
        writer = csv.DictWriter(text, POINT_FIELDS)
        writer.writeheader()
        writer.writerows(described["points"])
        name = f"{described['metric']}_{described['grain']}_{described['publication']['id']}.csv"
        headers = {**ANYONE, "Content-Disposition": f'inline; filename="{name}"'}
        return Answer(text.getvalue().encode(), CSV, headers=headers, state=edition.state)

    def _explain(self, query: Query, wanted: str) -> Made:
        asking.known_words(query, ("grain", "start", "district"))
        grain = asking.grain(query, Grain.MONTH) or Grain.MONTH
        start = asking.day(query, "start")
        with asking.opened(self.desk, query) as (connection, edition):
            metric, district = asking.metric(edition, wanted), asking.district(query, edition)
            receipt = receipt_of(connection, edition, metric, grain, start, district)
        if receipt is None:
            raise Refusal(404, _("There is no such receipt"), receipts.missing(grain))
        return edition, explained(receipt, edition)

    def _districts(self, query: Query, wanted: str) -> Made:
        asking.known_words(query, ("grain", "start"))
        grain, start = asking.district_grain(query), asking.day(query, "start")
        with asking.opened(self.desk, query) as (connection, edition):
            metric = asking.metric(edition, wanted)
            view = districts_view(connection, edition, metric, grain or Grain.MONTH, start)
        if view is None:
            raise Refusal(404, *district_words.no_districts(metric, grain or Grain.MONTH, start))
        by = view.by
        return edition, {
            "metric": metric.id,
            "grain": by.period.grain,
            "unit": metric.unit,
            "publication": publication_fields(edition.publication),
            "period": period_fields(by.period),
            "compared": by.scale,
            "base": by.base,
            "dispersion": by.dispersion,
            "outside_by_chance": by.by_chance,
            "rows": rows_of(view),
            **shared_out(view),
        }

    def _integrity(self, query: Query, wanted: str) -> Made:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (connection, edition):
            metric = asking.metric(edition, wanted)
            found = trust_of(connection, edition, metric)
        return edition, {
            "publication": publication_fields(edition.publication),
            "metric": metric.id,
            **integrity_fields(found),
        }

    def _signals(self, query: Query, wanted: str) -> Made:
        asking.known_words(query, ("grain",))
        grain = asking.grain(query, Grain.WEEK) or Grain.WEEK
        with asking.opened(self.desk, query) as (connection, edition):
            metric = asking.metric(edition, wanted)
            chart = signals.chart_of(connection, edition.publication, metric, grain)
        described = {"metric": metric.id, "grain": grain, "unit": metric.unit}
        return edition, {
            **described,
            "publication": publication_fields(edition.publication),
            **charted(chart),
        }

    def _publications(self, query: Query) -> Made:
        asking.known_words(query, ())
        try:
            with asking.opened(self.desk, query) as (connection, edition):
                upto = edition.publication if query else None
                found = publications.history(connection)
        except NothingPublished:
            return None, {"publications": []}
        chosen = [one for one in found if upto is None or one.id <= upto.id]
        return edition, {"publications": [_publication_in_full(one) for one in chosen]}

    def _sources(self, query: Query) -> Made:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (_connection, edition):
            found = [source_fields(edition, source) for source in edition.catalogue.sources.values()]
        return edition, {"publication": publication_fields(edition.publication), "sources": found}


def problem(status: int, title: str, detail: str) -> Answer:
    """A refusal as RFC 9457 has it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Answer(_json(body), PROBLEM, status=status, headers=ANYONE)


def _not_yet() -> Answer:
    refused = problem(
        503, _("Nothing has been published yet"), _("Ask again when the first publication is made.")
    )
    headers = {**refused.headers, "Retry-After": str(RETRY_SECONDS)}
    return Answer(refused.body, PROBLEM, status=503, headers=headers)


def _json(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _publication_in_full(given: Publication) -> Json:
    return {
        **publication_fields(given),
        "known_at": instant_text(given.known_at),
        "is_current": given.is_current,
        "reason": given.reason,
        "catalogue": given.catalogue_hash,
    }


def _newest_point(connection: Connection, edition: Edition, metric: Metric, score: Score) -> Json:
    period = score.period
    firsts = vintages.first_published(
        connection,
        edition.publication,
        metric,
        period.grain,
        since=period.start,
        until=period.end,
        hidden=withheld.hidden_city(connection, metric, edition.audience),
    )
    signs = _signs(connection, edition, metric, period.grain)
    return point_fields(score, firsts.get(period.start), signs)


def _signs(connection: Connection, edition: Edition, metric: Metric, grain: Grain) -> dict[date, Signal]:
    """The signals of a metric's chart by the start of their period; a chart of gaps has none of periods."""
    chart = signals.chart_of(connection, edition.publication, metric, grain)
    if chart is None or chart.kind is ChartKind.G:
        return {}
    return {point.start: point.signal for point in chart.points if point.signal is not None}


def _asked(asked: Series, edition: Edition) -> Json:
    return {
        "metric": asked.metric.id,
        "grain": asked.grain,
        "unit": asked.metric.unit,
        "district": None if asked.district == WHOLE_CITY else asked.district,
        "publication": publication_fields(edition.publication),
    }
