"""The API, version 1: published scores, definitions and series as JSON and CSV, numbers unrounded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from layouts.city_view import CITY, city_scores
from layouts.desk import Desk
from layouts.district_view import districts_view
from layouts.formats import _, language, receipts, speaking
from layouts.formats import districts as district_words
from layouts.integrity_view import trust_of
from layouts.public import asking
from layouts.public.answer import CSV, JSON, PROBLEM, RETRY_SECONDS, Answer, NothingPublished, Refusal
from layouts.public.asking import Query, Series
from layouts.public.by_district import rows_of, shared_out, whole
from layouts.public.charted import charted
from layouts.public.explained import explained, target_words
from layouts.public.integrity import integrity_fields
from layouts.public.matured import maturity_fields
from layouts.receipt_view import receipt_of
from layouts.views import Edition
from metrics.model import (
    WHOLE_CITY,
    Composite,
    Grain,
    Metric,
    Period,
    Publication,
    Reason,
    Score,
    Source,
    Status,
    Weight,
)
from store import maturities, publications, revisions, signals, vintages, withheld
from store.engine import Connection, instant_text
from store.revisions import DefinitionChange, Revision, Summary
from store.vintages import FirstPublished

ANYONE = {"Access-Control-Allow-Origin": "*"}
POINT_FIELDS = (
    "start",
    "end",
    "value",
    "numerator",
    "denominator",
    "target",
    "score",
    "status",
    "reason",
    "n",
    "low",
    "high",
    "verdict",
    "provisional",
    "completeness",
    "first_published",
    "first_published_score",
    "first_published_in",
    "backfilled",
)

Json = dict[str, Any]
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
            "publication": _publication(edition.publication),
            "city": _windows(found.get(CITY, {}), public),
            "departments": {
                department: _windows(found.get(("department", department), {}), public)
                for department in edition.catalogue.departments
            },
        }

    def _metrics(self, query: Query) -> Made:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (_connection, edition):
            found = [_summary(metric) for metric in asking.public_metrics(edition)]
        return edition, {
            "publication": _publication(edition.publication),
            "metrics": found,
            "retired": [_retired(metric) for metric in edition.retired],
        }

    def _metric(self, query: Query, wanted: str) -> Made:
        asking.known_words(query, ())
        with asking.opened(self.desk, query) as (connection, edition):
            metric = asking.metric(edition, wanted)
            scores = city_scores(connection, edition).get(metric.id, {})
            latest = {grain: _newest_point(connection, edition, metric, one) for grain, one in scores.items()}
            matured = maturities.read(connection, edition.publication, metric.id).get(metric.id)
        return edition, {
            "publication": _publication(edition.publication),
            "metric": {**_definition(metric), **maturity_fields(matured)},
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
        points = [_point(score, firsts.get(score.period.start)) for score in found]
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
            "summary": _revision_summary(found.summary),
            "revisions": [_revision(row) for row in found.rows],
            "definition_changes": [_definition_change(change) for change in changes],
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
            "publication": _publication(edition.publication),
            "period": _period(by.period),
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
            "publication": _publication(edition.publication),
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
        return edition, {**described, "publication": _publication(edition.publication), **charted(chart)}

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
            found = [_source(edition, source) for source in edition.catalogue.sources.values()]
        return edition, {"publication": _publication(edition.publication), "sources": found}


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


# --- shapes ------------------------------------------------------------------------------------


def _json(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _publication(given: Publication) -> Json:
    return {
        "id": given.id,
        "as_of": given.as_of.isoformat(),
        "published_at": instant_text(given.published_at),
    }


def _publication_in_full(given: Publication) -> Json:
    return {
        **_publication(given),
        "known_at": instant_text(given.known_at),
        "is_current": given.is_current,
        "reason": given.reason,
        "catalogue": given.catalogue_hash,
    }


def _windows(composites: dict[Grain, Composite], public: set[str]) -> Json:
    return {
        grain: _window(composites[grain], public) if grain in composites else _no_window() for grain in Grain
    }


def _window(given: Composite, public: set[str]) -> Json:
    worst = [{"metric": metric, "score": score} for metric, score in given.lowest if metric in public]
    return {
        "score": given.score,
        "reason": _reason(given.reason),
        "coverage": given.coverage,
        "ceiling": given.ceiling,
        "on_target": given.on_target,
        "geometric": given.geometric,
        "leave_one_out": _band(given.leave_one_out),
        "weight_band": _band(given.weight_band),
        "sampling_band": _band(given.sampling_band),
        "cityscore": given.cityscore,
        "meets": given.meets,
        "cannot_tell": given.cannot_tell,
        "misses": given.misses,
        "late": [metric for metric in given.late if metric in public],
        "lowest": worst[0] if worst else None,
        "worst": worst,
        "scored": given.scored,
        "total": given.total,
        "period": _period(given.period),
        "change": given.change,
        "change_matched": given.change_matched,
        "contributions": [
            {"metric": one.metric, "part": one.part, "contribution": one.contribution}
            for one in given.contributions
            if one.metric in public
        ],
    }


def _no_window() -> Json:
    """A grain of which no period has ended yet: every field is there, so that no reader stumbles."""
    return {
        "score": None,
        "reason": "no_period",
        "coverage": None,
        "ceiling": None,
        "on_target": 0,
        "geometric": None,
        "leave_one_out": None,
        "weight_band": None,
        "sampling_band": None,
        "cityscore": None,
        "meets": None,
        "cannot_tell": None,
        "misses": None,
        "late": [],
        "lowest": None,
        "worst": [],
        "scored": 0,
        "total": 0,
        "period": None,
        "change": None,
        "change_matched": None,
        "contributions": [],
    }


def _band(given: tuple[float, float] | None) -> list[float] | None:
    return list(given) if given else None


def _period(given: Period) -> Json:
    return {"start": given.start.isoformat(), "end": given.end.isoformat()}


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
    return _point(score, firsts.get(period.start))


def _point(score: Score, given: FirstPublished | None) -> Json:
    first = given or vintages.BACKFILLED
    return {
        **_period(score.period),
        "value": whole(score.value),
        "numerator": whole(score.numerator),
        "denominator": whole(score.denominator),
        "target": whole(score.target),
        "score": score.score,
        "status": score.status,
        "reason": _reason(score.reason),
        "n": score.n,
        "low": whole(score.low),
        "high": whole(score.high),
        "verdict": score.verdict,
        "provisional": score.status is Status.PROVISIONAL,
        "completeness": score.completeness,
        "first_published": whole(first.value),
        "first_published_score": first.score,
        "first_published_in": first.publication,
        "backfilled": first.backfilled,
    }


def _asked(asked: Series, edition: Edition) -> Json:
    return {
        "metric": asked.metric.id,
        "grain": asked.grain,
        "unit": asked.metric.unit,
        "district": None if asked.district == WHOLE_CITY else asked.district,
        "publication": _publication(edition.publication),
    }


def _revision(row: Revision) -> Json:
    return {
        **_period(row.period),
        "publication": row.publication,
        "published_at": instant_text(row.published_at),
        "kind": row.kind,
        "value": whole(row.value),
        "score": row.score,
        "before_value": whole(row.before_value),
        "before_score": row.before_score,
        "reason": row.reason,
    }


def _revision_summary(given: Summary) -> Json:
    return {
        "periods": given.periods,
        "mean": given.mean,
        "sd": given.sd,
        "scored_periods": given.scored_periods,
        "mean_score": given.mean_score,
        "sd_score": given.sd_score,
        "partial": given.partial,
        "counts": dict(given.counts),
    }


def _definition_change(given: DefinitionChange) -> Json:
    return {
        "publication": given.publication,
        "as_of": given.as_of.isoformat(),
        "published_at": instant_text(given.published_at),
        "reason": given.reason,
        "periods": [
            {
                **_period(one.period),
                "old_value": whole(one.old_value),
                "old_score": one.old_score,
                "new_value": whole(one.new_value),
                "new_score": one.new_score,
            }
            for one in given.periods
        ],
    }


def _reason(given: Reason | None) -> str | None:
    return given.id if given else None


def _summary(metric: Metric) -> Json:
    return {
        "id": metric.id,
        "name": metric.name,
        "department": metric.department,
        "theme": metric.theme,
        "family": metric.family,
        "aggregation": metric.aggregation,
        "unit": metric.unit,
        "direction": metric.direction,
        "scored_at": list(metric.scored_at),
        "weights": [_weight(weight) for weight in metric.weights],
        "source": metric.source,
        "definition": metric.definition,
    }


def _retired(metric: Metric) -> Json:
    assert metric.retired is not None, "only retired ones are listed"
    return {
        "id": metric.id,
        "name": metric.name,
        "on": metric.retired.on.isoformat(),
        "reason": metric.retired.reason,
    }


def _definition(metric: Metric) -> Json:
    return {
        **_summary(metric),
        "question": metric.question,
        "limitations": metric.limitations,
        "owner": metric.owner,
        "clock_start": metric.clock_start,
        "clock_stop": metric.clock_stop,
        "where": metric.where,
        "exclude": metric.exclude,
        "date": metric.date,
        "until": metric.until,
        "numerator": metric.numerator,
        "denominator": metric.denominator,
        "value": metric.value,
        "quantity": metric.quantity,
        "percentile": metric.percentile,
        "district": metric.district,
        "method": metric.method,
        "cap": metric.cap,
        "best": metric.best,
        "calendar": metric.calendar,
        "per": metric.per,
        "historical": metric.historical,
        "targets": [target_words(target) for target in metric.targets],
        "weights": [_weight(weight) for weight in metric.weights],
        "retired": None,
    }


def _weight(weight: Weight) -> Json:
    always = weight.valid_from == date.min
    return {
        "value": weight.value,
        "valid_from": None if always else weight.valid_from.isoformat(),
        "reason": weight.reason,
    }


def _source(edition: Edition, source: Source) -> Json:
    known = edition.knowledge.get(source.id)
    return {
        "id": source.id,
        "name": source.name,
        "kind": source.kind,
        "publisher": source.publisher,
        "licence": source.licence,
        "url": source.url,
        "first_day": known.first_day.isoformat() if known and known.first_day else None,
        "known_until": _instant(known.known_until if known else None),
        "gaps": [
            {"from": gap.from_day.isoformat(), "to": gap.to_day.isoformat(), "reason": gap.reason}
            for gap in source.gaps
        ],
    }


def _instant(given: datetime | None) -> str | None:
    return instant_text(given) if given else None
