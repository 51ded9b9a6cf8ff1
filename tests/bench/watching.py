"""Measures signals, districts and suppression beside the re-score whose numbers they are about.

The re-score is the product's own plan (values, targets, statuses, reasons, changes and composites), in
memory, of the same metrics and districts in the same run. A city of 500 metrics and 500 districts is
planned for a quarter (three months and a quarter in each district), 25 metrics at a time. Beside it stand:
the control charts of all metrics over 104 weeks; every metric compared by district in its newest month and
quarter (intervals, funnel, shrinkage, gaps, ratios, indices); and the judgement which cells of each month
are withheld. The same of the demonstration city with all its history, where charts, comparison and
suppression read and write its database.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import figures
import numpy as np
import scoring
from sqlalchemy import Connection, delete

from metrics.catalogue import load
from metrics.district_facts import by_district, indices
from metrics.facts import Facts
from metrics.metric_signals import metric_chart
from metrics.model import WHOLE_CITY, Catalogue, District, Grain, Knowledge, Metric, Score
from metrics.plan import Inputs, plan
from metrics.suppression import withheld
from store import publications, signals, withholding
from store.engine import open_engine, reading, system_clock, writing
from store.publish import recompute
from store.schema import signals as findings
from store.schema import withheld_cells
from store.withheld import NOTHING

METRICS, DISTRICTS, AT_A_TIME = 500, 500, 25
FIRST, END = date(2025, 10, 1), date(2026, 1, 1)
CHARTED = timedelta(weeks=104)
GOALS = {"signals": 0.5, "districts": 0.5, "suppression": 0.5}
"""Each beside the re-score, which has to be done anyway."""


def measure() -> None:
    """Prints the figures of signals, districts and suppression."""
    print((__doc__ or "").split("\n\n", 1)[1])
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        _many_districts(Path(name) / "city")
        _demonstration(Path(name))


def _show(costs: dict[str, float], baseline: float) -> None:
    figures.show("the re-score", baseline, baseline)
    for what, seconds in costs.items():
        figures.show(what, seconds, baseline, goal=GOALS[what])


# --- 500 metrics and 500 districts ---------------------------------------------------------------


def _many_districts(folder: Path) -> None:
    scoring._make_city(folder, AT_A_TIME)
    catalogue = load(folder)
    places = [District(f"d{number:03}", f"D {number}", (), 1000 + number) for number in range(DISTRICTS)]
    plain, cells, made = 0.0, 0, list[list[Score]]()
    costs = dict.fromkeys(GOALS, 0.0)
    for number in range(METRICS // AT_A_TIME):
        inputs = _inputs(catalogue, places, number)
        plain += figures.cpu(lambda given=inputs: made.append(list(plan(given).scores)), 1)
        scores = made.pop()
        cells += len(scores)
        found = _by_metric(scores)
        metrics = list(inputs.catalogue.metrics.values())
        weeks = _weeks(catalogue, number)
        costs["signals"] += figures.cpu(lambda given=metrics, rows=weeks: _charts(given, rows), 1)
        costs["districts"] += figures.cpu(lambda given=metrics, rows=found: _compare(given, rows, places), 1)
        costs["suppression"] += figures.cpu(lambda given=metrics, rows=found: _withhold(given, rows), 1)
    figures.title(f"{METRICS} metrics in {DISTRICTS} districts, one quarter ({cells:,} scores)")
    _show(costs, plain)


def _inputs(catalogue: Catalogue, places: Sequence[District], seed: int, first: date = FIRST) -> Inputs:
    """Facts by district, without places of the whole city alone, that about 80% of requests are on time."""
    chance, days = np.random.default_rng(seed), (END - first).days
    metrics = {
        name: replace(one, district="kind" if places else None) for name, one in catalogue.metrics.items()
    }
    ids = tuple(one.id for one in places) or ("unknown",)
    most, none, facts = 3 if places else 60, np.zeros(0, dtype=np.int64), {}
    for name in metrics:
        denominator = chance.integers(0, most, (len(ids), days))
        numerator = chance.binomial(denominator, 0.8).astype(np.float64)
        facts[name] = Facts(
            first, ids, numerator, denominator.astype(np.float64), none, none, none.astype(float), none
        )
    midnight = datetime(END.year, END.month, END.day, tzinfo=UTC)
    known = {"requests": Knowledge("requests", first, midnight)}
    return Inputs(replace(catalogue, metrics=metrics), END, facts, known, {})


def _by_metric(scores: Sequence[Score]) -> dict[str, dict[tuple[Grain, date], list[Score]]]:
    found: dict[str, dict[tuple[Grain, date], list[Score]]] = {}
    for one in scores:
        if one.period.grain in (Grain.MONTH, Grain.QUARTER):
            found.setdefault(one.metric, {}).setdefault((one.period.grain, one.period.start), []).append(one)
    return found


def _weeks(catalogue: Catalogue, seed: int) -> list[list[Score]]:
    """104 weeks of each metric in the whole city, which are no part of the quarter."""
    found: dict[str, list[Score]] = {}
    for one in plan(_inputs(catalogue, (), seed, END - CHARTED)).scores:
        if one.period.grain is Grain.WEEK and one.district == WHOLE_CITY:
            found.setdefault(one.metric, []).append(one)
    return [sorted(found[name], key=lambda one: one.period.start) for name in catalogue.metrics]


def _charts(metrics: Sequence[Metric], rows: Sequence[Sequence[Score]]) -> None:
    for metric, weeks in zip(metrics, rows, strict=True):
        metric_chart(metric, weeks, periods=len(weeks))


def _compare(
    metrics: Sequence[Metric],
    rows: dict[str, dict[tuple[Grain, date], list[Score]]],
    places: Sequence[District],
) -> None:
    named = {one.id: one for one in places}
    for metric in metrics:
        for grain in (Grain.MONTH, Grain.QUARTER):
            newest = max(start for each, start in rows[metric.id] if each is grain)
            found = rows[metric.id][grain, newest]
            [city] = [one for one in found if one.district == WHOLE_CITY]
            parts = [one for one in found if one.district != WHOLE_CITY]
            indices(by_district(metric, city, parts, named, ()))


def _withhold(metrics: Sequence[Metric], rows: dict[str, dict[tuple[Grain, date], list[Score]]]) -> None:
    for metric in metrics:
        for (grain, _start), found in rows[metric.id].items():
            if grain is Grain.MONTH:
                parts = [one for one in found if one.district != WHOLE_CITY]
                withheld([withholding.counts_of(metric, one) for one in parts], 10)


def _compare_all(connection: Connection, now: publications.Reading, catalogue: Catalogue) -> None:
    """Every metric in its newest month and quarter, rows read from the database."""
    latest = publications.latest_scores(connection, now.publication)
    for metric in catalogue.live_metrics():
        for grain in (Grain.MONTH, Grain.QUARTER):
            city = latest.get(metric.id, {}).get(grain)
            if metric.district and city is not None:
                asked = (connection, now.publication, metric.id, grain, city.period.start, NOTHING)
                indices(by_district(metric, city, publications.districts(*asked), catalogue.districts))


# --- the demonstration city ----------------------------------------------------------------------


def _demonstration(data: Path) -> None:
    city = figures.PROJECT / "data" / "cities" / "demo"
    figures.command(city, data, "ingest", "run")
    figures.command(city, data, "store", "publish")
    catalogue = load(city)
    engine = open_engine(f"sqlite:///{data / 'demo' / 'cityscore.db'}")
    with reading(engine) as connection:
        now = publications.current(connection)
        if now is None:
            sys.exit("nothing was published: there is no figure")
        plain = figures.cpu(lambda: recompute(connection, now, catalogue), 1)
        districts = figures.cpu(lambda: _compare_all(connection, now, catalogue), 1)

    def charted() -> None:
        with writing(engine, system_clock) as held:
            held.connection.execute(delete(findings))
            signals.remember(held.connection, catalogue, now.publication)

    def withhold() -> None:
        with writing(engine, system_clock) as held:
            held.connection.execute(delete(withheld_cells))
            withholding.remember(held.connection, catalogue, now.publication)

    costs = {
        "signals": figures.cpu(charted, 1),
        "districts": districts,
        "suppression": figures.cpu(withhold, 1),
    }
    engine.dispose()
    figures.title("The demonstration city with all its history")
    _show(costs, plain)
