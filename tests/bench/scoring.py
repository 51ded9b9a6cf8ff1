"""Measures scoring and reducing beside plain code doing the same: ten years of daily facts at four grains.

A full re-score is what follows when a target changes: every score of every period is formed again. In
memory the product's plan (values, targets, statuses, reasons, changes, composites with the parts of their
changes) is set against the values, scores and composites alone, by running sums in numpy. The same is then
run as a command, `python -m store publish`, that reads the facts, plans, compares with what was published
and saves. Reducing counts records to daily facts: all of them, and after a change in some days those alone.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import figures
import numpy as np
from numpy.typing import NDArray

from metrics import periods
from metrics.catalogue import load
from metrics.facts import Facts
from metrics.metric_signals import metric_chart
from metrics.model import WHOLE_CITY, City, Grain, Knowledge, Metric, Score
from metrics.plan import Inputs, Plan, plan
from store.engine import open_engine, system_clock, writing
from store.reduce import reduce
from store.schema import observations, reductions

FIRST, END = date(2016, 1, 1), date(2026, 1, 1)
DAYS = (END - FIRST).days
TARGET, CAP = 0.8, 1.25
FEW, MANY = 24, 500
ROWS_A_DAY = 2
TOUCHED_DAYS = 67
GOAL_OF_A_RESCORE, GOAL_OF_REDUCING, GOAL_OF_SIGNALS = 25.0, 1.3, 10.0
CHARTED_WEEKS = 104

_CITY = 'id = "bench"\nname = "Bench"\ntime_zone = "UTC"\n'
_DEPARTMENTS = '[works]\nname = "Works"\n'
_SOURCE = """
id = "requests"
name = "Requests"
kind = "file"
key = "id"
arrival = "opened"
quiet_minutes = 1440
[columns.id]
type = "text"
required = true
[columns.kind]
type = "text"
[columns.opened]
type = "instant"
required = true
[columns.closed]
type = "instant"
[options]
path = "requests.csv"
"""
_METRIC = """
id = "{id}"
name = "{id}"
department = "works"
theme = "streets"
family = "service"
source = "requests"
aggregation = "ratio"
where = "kind = '{id}'"
date = "opened"
numerator = "days_between(opened, closed) <= 3"
clock_start = "the request is opened"
clock_stop = "the request is closed"
unit = "percent"
direction = "higher_is_better"
definition = "For measuring only."
limitations = "Invented."
owner = "Nobody"
scored_at = ["day", "week", "month", "quarter"]
weight = 1.0
[[target]]
value = {target}
valid_from = 2010-01-01
reason = "For measuring only"
approved_by = "Nobody"
"""


def measure() -> None:
    """Prints the figures of scoring and reducing."""
    print((__doc__ or "").split("\n\n", 1)[1])
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        _make_city(folder / "city", MANY)
        plain = {}
        for count in (FEW, MANY):
            plain[count] = _in_memory(folder / "city", count)
        few = folder / "few"
        _make_city(few, FEW)
        _as_a_command(few, folder / "data", plain[FEW])
        _reducing(few, folder / "data")


# --- a full re-score ----------------------------------------------------------------------------


def _in_memory(city: Path, count: int) -> float:
    """Prints plan against arithmetic for `count` metrics; gives the seconds of the arithmetic."""
    tries = 3 if count == FEW else 1
    inputs = _inputs(city, count)
    made: list[Plan] = []
    product = figures.cpu(lambda: made.append(plan(inputs)), tries)
    plain = figures.cpu(lambda: _arithmetic(inputs), 3)
    _check(made[-1], _arithmetic(inputs))
    figures.title(
        f"A full re-score: {count} metrics, ten years, four grains ({len(made[-1].scores):,} scores)"
    )
    figures.show("values, scores and composites by running sums in numpy", plain, plain)
    figures.show("the product's plan, in memory", product, plain, goal=GOAL_OF_A_RESCORE)
    _signals(inputs, made[-1], plain)
    return plain


def _signals(inputs: Inputs, made: Plan, plain: float) -> None:
    """Prints what the weekly charts of all metrics cost, beside the plain re-score of the same metrics."""
    rows: dict[str, list[Score]] = {}
    for score in made.scores:
        if score.period.grain is Grain.WEEK and score.district == WHOLE_CITY:
            rows.setdefault(score.metric, []).append(score)
    charts = [
        (inputs.catalogue.metrics[name], sorted(found, key=lambda one: one.period.start))
        for name, found in rows.items()
    ]

    def judge() -> None:
        for metric, found in charts:
            metric_chart(metric, found[-CHARTED_WEEKS:], periods=CHARTED_WEEKS)

    cost = figures.cpu(judge, 3)
    figures.show(f"signals: {len(charts)} charts of {CHARTED_WEEKS} weeks", cost, plain, goal=GOAL_OF_SIGNALS)


def _as_a_command(city: Path, data: Path, plain: float) -> None:
    _write_records(city, closing_days=4)
    figures.command(city, data, "ingest", "run")
    publish = ("store", "publish", "--as-of", END.isoformat())
    first = figures.command(city, data, *publish)
    idle = figures.command(city, data, "store", "migrate")
    _write_metrics(city, FEW, target=0.82)
    again = figures.command(city, data, *publish, "--reason", "a target was changed")
    figures.show("as a command: facts read, planned, compared, saved", again - idle, plain, goal=25.0)
    figures.show("the first publication: facts counted and all of that", first - idle, plain)


def _inputs(city: Path, count: int) -> Inputs:
    catalogue = load(city)
    chance = np.random.default_rng(20260101)
    metrics: Iterable[Metric] = list(catalogue.metrics.values())[count:]
    for one in metrics:
        del catalogue.metrics[one.id]  # type: ignore[attr-defined]
    facts = {}
    for name in catalogue.metrics:
        denominator = chance.integers(0, 60, (1, DAYS)).astype(np.float64)
        numerator = np.floor(denominator * chance.uniform(0.5, 1.0, (1, DAYS)))
        none = np.zeros(0, dtype=np.int64)
        facts[name] = Facts(FIRST, ("unknown",), numerator, denominator, none, none, none.astype(float), none)
    midnight = datetime(END.year, END.month, END.day, tzinfo=UTC)
    return Inputs(catalogue, END, facts, {"requests": Knowledge("requests", FIRST, midnight)}, {})


Arithmetic = dict[Grain, tuple[list[date], NDArray[np.float64], NDArray[np.float64]]]
"""By grain the first days, the scores with shape (metrics, periods) and the composites (periods,)."""


def _arithmetic(inputs: Inputs) -> Arithmetic:
    """Values, scores and composites of every period by running sums."""
    found: Arithmetic = {}
    numerators, denominators = (
        np.hstack([np.zeros((len(inputs.facts), 1)), np.cumsum(rows, axis=1)])
        for rows in (
            np.vstack([one.numerator for one in inputs.facts.values()]),
            np.vstack([one.denominator for one in inputs.facts.values()]),
        )
    )
    for grain in Grain:
        starts, first, last = _bounds(inputs.catalogue.city, grain)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = (numerators[:, last] - numerators[:, first]) / (
                denominators[:, last] - denominators[:, first]
            )
        scores = np.clip(1.0 + (values - TARGET) / TARGET, 0.0, CAP)
        found[grain] = starts, scores, np.nanmean(scores, axis=0)
    return found


def _bounds(city: City, grain: Grain) -> tuple[list[date], NDArray[np.int64], NDArray[np.int64]]:
    chosen = periods.periods(city, grain, FIRST, END)
    first = np.array([(one.start - FIRST).days for one in chosen])
    last = np.array([(one.end - FIRST).days for one in chosen])
    return [one.start for one in chosen], first, last


def _check(made: Plan, expected: Arithmetic) -> None:
    """Ends the run where product and arithmetic do not come to the same numbers."""
    published = {(one.metric, one.period.grain, one.period.start): one.score for one in made.scores}
    names = sorted({one.metric for one in made.scores})
    whole = {
        (one.period.grain, one.period.start): one.score for one in made.composites if one.scope == "city"
    }
    for grain, (starts, scores, composites) in expected.items():
        ours = np.array([[published[name, grain, start] for start in starts] for name in names], dtype=float)
        city = np.array([whole[grain, start] for start in starts], dtype=float)
        if not (np.allclose(ours, scores, 1e-9, 1e-12, True) and np.allclose(city, composites, 1e-9)):
            sys.exit(f"{grain}: the product and plain arithmetic differ: there is no figure")


# --- reducing -----------------------------------------------------------------------------------


def _reducing(city: Path, data: Path) -> None:
    catalogue = load(city)
    engine = open_engine(f"sqlite:///{data / 'bench' / 'cityscore.db'}")

    def everything() -> None:
        with writing(engine, system_clock) as held:
            held.connection.execute(observations.delete())
            held.connection.execute(reductions.delete())
            reduce(held, catalogue, END)

    whole = figures.cpu(everything, 2)
    _write_records(city, closing_days=2, changed_days=TOUCHED_DAYS)
    figures.command(city, data, "ingest", "run")
    days = 0

    def touched() -> None:
        nonlocal days
        with writing(engine, system_clock) as held:
            days = max(one.days or 0 for one in reduce(held, catalogue, END))

    part = figures.cpu(touched, 1)
    share = days / DAYS
    figures.title(f"Reducing again after {days} of {DAYS:,} days were touched ({share:.2%} of the cells)")
    figures.show("counting the facts of all days", whole, whole)
    figures.show("counting the facts of the touched days", part, whole)
    figures.note(
        "share of the time to share of the cells",
        f"{part / whole / share:.2f} x",
        is_met=part / whole <= GOAL_OF_REDUCING * share,
        goal=f"{GOAL_OF_REDUCING:g} x or less",
    )


# --- the city -----------------------------------------------------------------------------------


def _make_city(folder: Path, count: int) -> None:
    for inner in ("sources", "metrics"):
        (folder / inner).mkdir(parents=True)
    (folder / "city.toml").write_text(_CITY)
    (folder / "departments.toml").write_text(_DEPARTMENTS)
    (folder / "sources" / "requests.toml").write_text(_SOURCE)
    _write_metrics(folder, count, TARGET)


def _write_metrics(folder: Path, count: int, target: float) -> None:
    for number in range(count):
        name = f"kind_{number:03}"
        (folder / "metrics" / f"{name}.toml").write_text(_METRIC.format(id=name, target=target))


def _write_records(city: Path, closing_days: int, changed_days: int = DAYS) -> None:
    """Requests of every kind on every day; those of the last `changed_days` close by the days given."""
    chance = random.Random(20260101)
    with (city / "requests.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("id", "kind", "opened", "closed"))
        for day in range(DAYS):
            wait = closing_days if day >= DAYS - changed_days else 4
            for number in range(FEW * ROWS_A_DAY):
                opened = datetime(FIRST.year, FIRST.month, FIRST.day) + timedelta(days=day, minutes=number)
                closed = opened + timedelta(days=chance.random() * wait)
                name = f"{day:05}-{number:03}"
                cells = (name, f"kind_{number % FEW:03}", f"{opened.isoformat()}Z")
                lines.writerow((*cells, f"{closed.isoformat(timespec='seconds')}Z"))


if __name__ == "__main__":
    measure()
