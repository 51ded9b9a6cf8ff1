"""Calls for help and appeals as cities published them, by ready-made columns, up to their values."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import CensoredData, ecdf

from ingest.run import Desk, run_source
from metrics.catalogue import check, load
from metrics.facts import hazen
from metrics.model import WHOLE_CITY, Catalogue, Grain
from store import maturities, observations, publications, quarantine, records
from store.engine import instant_text, open_engine, reading, system_clock
from store.migrations import migrate
from store.publish import publish
from store.record_tables import record_table
from tests.builders import write_folder
from tests.town import all_scores

DEPARTMENTS = '[rescue]\nname = "Rescue"\n'
CITY = 'id = "{}"\nname = "{}"\ntime_zone = "{}"\nsmall_counts = 0\nminimum_coverage = 0.5\n'
COMMON = """
department = "rescue"
theme = "speed"
family = "service"
definition = "A test metric on real records."
limitations = "It leaves out what its source leaves out."
owner = "The tester"
clock_start = "the call"
clock_stop = "the end"
scored_at = ["month", "quarter"]
weight = 1.0
[[target]]
value = {target}
valid_from = 2010-01-01
reason = "a test"
approved_by = "the tester"
"""


class Place:
    """A city's folder, database and drop."""

    def __init__(self, folder: Path, url: str, files: dict[str, str]) -> None:
        self.folder = write_folder(folder, {"departments.toml": DEPARTMENTS, **files})
        assert [one for one in check(self.folder) if one.level == "error"] == []
        self.catalogue: Catalogue = load(self.folder)
        self.engine = open_engine(url)
        migrate(self.engine, self.catalogue.city, system_clock)
        self.desk = Desk(self.engine, self.catalogue.city, folder / "snapshots", self.folder)

    def run(self) -> Any:
        (source,) = self.catalogue.sources.values()
        return run_source(self.desk, source, dated=records.dated_columns(self.catalogue, source))

    def publish(self, as_of: date) -> Any:
        return publish(self.engine, self.catalogue, system_clock, as_of=as_of).publication

    def facts(self, metric: str, as_of: date) -> Any:
        with reading(self.engine) as connection:
            return observations.facts(connection, metric, as_of, instant_text(system_clock()))

    def held(self) -> dict[str, tuple[Any, ...]]:
        """The records as now known: those not withdrawn, without when they were recorded."""
        (source,) = self.catalogue.sources.values()
        table = record_table(source)
        names = records.stage_columns(source)
        with reading(self.engine) as connection:
            rows = connection.execute(table.select().where(table.c["_withdrawn_at"].is_(None)))
            return {row._mapping[source.key]: tuple(row._mapping[name] for name in names) for row in rows}


# --- calls for an ambulance ------------------------------------------------------------------------

STAMP = "%m/%d/%Y %H:%M:%S"
CALLS = """
id = "calls"
name = "Ambulance calls"
kind = "file"
columns = "incident_clocks"
quiet_minutes = 360         # the newest call has a clock that is refused
[own_columns.call]
format = "%m/%d/%Y %H:%M:%S"
[own_columns.dispatch]
format = "%m/%d/%Y %H:%M:%S"
[own_columns.en_route]
format = "%m/%d/%Y %H:%M:%S"
[own_columns.arrive]
format = "%m/%d/%Y %H:%M:%S"
[own_columns.clear]
format = "%m/%d/%Y %H:%M:%S"
[options]
path = "calls.csv.gz"
key_from = ["call", "unit"]
"""
NOT_EMERGENCIES = ("TRANSFER", "TRANSPORT", "STATUS MOVE", "SPECIAL", "PUBLIC RELATION")
EXCLUDE = " or ".join(f"nature like '%{word}%'" for word in NOT_EMERGENCIES)
RESPONSE = f"""
id = "response"
name = "Response, nine in ten"
unit = "minutes"
direction = "lower_is_better"
source = "calls"
aggregation = "percentile"
percentile = 0.9
date = "call"
where = "arrive is not null"
exclude = "{EXCLUDE}"
value = "minutes_between(call, arrive)"
"""
WITHIN_EIGHT = f"""
id = "within_eight"
name = "Reached within eight minutes"
unit = "percent"
direction = "higher_is_better"
source = "calls"
aggregation = "ratio"
date = "call"
where = "arrive is not null"
exclude = "{EXCLUDE}"
numerator = "minutes_between(call, arrive) <= 8"
"""
AFTER_THE_YEAR = date(2017, 1, 1)


@pytest.fixture(scope="module")
def boone(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The calls of 2016 loaded and published: the place, the report of the run, the rows by hand."""
    file = shared_data("boone_ems_2016/calls.csv.gz")
    folder = tmp_path_factory.mktemp("boone")
    place = Place(
        folder / "boone",
        f"sqlite:///{folder}/boone.db",
        {
            "city.toml": CITY.format("boone", "Boone County", "America/Chicago"),
            "sources/calls.toml": CALLS,
            "metrics/response.toml": RESPONSE + COMMON.format(target=15),
            "metrics/within_eight.toml": WITHIN_EIGHT + COMMON.format(target=0.9),
        },
    )
    (place.folder / "calls.csv.gz").write_bytes(file.read_bytes())
    report = place.run()
    place.publish(AFTER_THE_YEAR)
    with gzip.open(file, "rt", encoding="utf-8") as text:
        yield place, report, list(csv.DictReader(text))
    place.engine.dispose()


@cache
def stamp(text: str) -> datetime:
    return datetime.strptime(text, STAMP)


def minutes(row: dict[str, str], until: str = "FirstArrive") -> float | None:
    """By hand: from the call to a later clock; None where that is empty."""
    if not row[until]:
        return None
    return (stamp(row[until]) - stamp(row["CallTime"])).total_seconds() / 60


def refused(row: dict[str, str]) -> str | None:
    """By hand: what is wrong with the clocks of a call, the first fault in the order of the columns."""
    for word, until in (("dispatch", "FirstDispatchTime"), ("en_route", "FirstEnroute")):
        found = minutes(row, until)
        if found is not None and found < 0:
            return f"{word} is before call"
    found = minutes(row)
    if found is not None and found < 0:
        return "arrive is before call"
    if found is not None and found <= 3 / 60:
        return "arrive is within 3 seconds of call"
    if found is not None and found > 60:
        return "arrive is more than 60 minutes after call"
    cleared = minutes(row, "LastClear")
    return "clear is before call" if cleared is not None and cleared < 0 else None


def test_clocks_that_cannot_be_true_are_refused_and_counted_by_their_kind(boone):
    place, report, rows = boone
    by_hand = Counter(filter(None, map(refused, rows)))
    with reading(place.engine) as connection:
        found = quarantine.quarantined(connection, "calls")
    assert report.read == len(rows) == 11_652 == report.new + report.rejected
    assert Counter(f"{one.column} {one.reason}" for one in found) == by_hand
    assert by_hand["arrive is within 3 seconds of call"] > 3000
    assert min(by_hand["arrive is before call"], by_hand["arrive is more than 60 minutes after call"]) > 10
    assert (
        f"{by_hand.most_common(1)[0][1]} rejected, arrive is within 3 seconds of call"
        in (report.rejections[0])
    )


def emergencies(rows: list[dict[str, str]]) -> list[tuple[int, float]]:
    """By hand: (month, minutes to arrival) of the calls that count."""
    return [
        (stamp(row["CallTime"]).month, found)
        for row in rows
        if refused(row) is None
        and (found := minutes(row)) is not None
        and not any(word in row["Nature"] for word in NOT_EMERGENCIES)
    ]


def test_every_month_has_its_ninetieth_percentile_and_share_with_their_n(boone):
    place, _, rows = boone
    found = emergencies(rows)
    with reading(place.engine) as connection:
        publication = publications.current(connection).publication
        scores = all_scores(connection, publication)
    for month in range(1, 13):
        values = [value for one, value in found if one == month]
        key = (WHOLE_CITY, Grain.MONTH, f"2016-{month:02}-01")
        response, share = scores[("response", *key)], scores[("within_eight", *key)]
        assert (response.n, share.n) == (len(values), len(values))
        assert response.value == pytest.approx(np.quantile(values, 0.9, method="hazen"))
        assert share.value == pytest.approx(np.mean(np.array(values) <= 8))


def test_the_year_without_its_false_clocks_is_slower_than_with_them(boone):
    """All clocks believed, 45 of 100 would have been reached within eight minutes, not 35."""
    place, _, rows = boone
    pooled: Counter[float] = Counter()
    for fact in place.facts("response", AFTER_THE_YEAR).values():
        pooled.update(dict(fact.amounts))
    shares = place.facts("within_eight", AFTER_THE_YEAR).values()
    reached, calls = sum(one.numerator for one in shares), sum(one.denominator for one in shares)
    values = [value for _, value in emergencies(rows)]
    assert pooled.total() == calls == len(values)
    weights = np.array(list(pooled.values()))
    p90 = hazen(np.array(list(pooled)), weights, 0.9)
    assert p90 == pytest.approx(np.quantile(values, 0.9, method="hazen"))
    assert (round(p90, 1), round(reached / calls, 3)) == (16.6, 0.349)


# --- appeals ---------------------------------------------------------------------------------------

APPEALS = """
id = "appeals"
name = "Zoning appeals"
kind = "file"
columns = "blds_permits"
begins = 2023-01-01
[own_columns.permit_num]
aliases = ["boa_apno"]
[own_columns.applied_date]
aliases = ["submitted_date"]
type = "instant"
format = "%Y-%m-%d"
[own_columns.issued_date]
aliases = ["final_decision_date"]
type = "instant"
format = "%Y-%m-%d"
[own_columns.completed_date]
aliases = ["closed_date"]
[own_columns.status_current]
aliases = ["status"]
[own_columns.original_zip]
aliases = ["zip"]
[options]
path = "appeals-*.csv"
newest = true
whole = true
"""
DECISION = """
id = "decision"
name = "Days to a decision"
unit = "days"
direction = "lower_is_better"
source = "appeals"
aggregation = "median"
date = "issued_date"
value = "days_between(applied_date, issued_date)"
"""
BETWEEN, AT_LAST = date(2023, 10, 1), date(2023, 10, 30)
APPEAL_FILES = {
    "city.toml": CITY.format("appeals", "Boston", "America/New_York"),
    "sources/appeals.toml": APPEALS,
    "metrics/decision.toml": DECISION + COMMON.format(target=120),
}


def as_it_was(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The list a month earlier: without what came since, with one appeal that is gone from the later list."""
    until = BETWEEN.isoformat()
    earlier = [dict(row) for row in rows if row["submitted_date"] < until]
    for row in earlier:
        for name in ("hearing_date", "final_decision_date", "closed_date"):
            if row[name] >= until:
                row[name], row["status"] = "", "Hearing Scheduled"
    gone = {**earlier[0], "boa_apno": "BOA0000001", "submitted_date": "2023-09-01"}
    return [*earlier, gone]


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def appeals(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two cities: one was given the earlier list, then the later; the other the later alone."""
    folder = tmp_path_factory.mktemp("appeals")
    with gzip.open(shared_data("boston_zba_appeals/appeals.csv.gz"), "rt", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    both = Place(folder / "both", f"sqlite:///{folder}/both.db", APPEAL_FILES)
    alone = Place(folder / "alone", f"sqlite:///{folder}/alone.db", APPEAL_FILES)
    write_rows(both.folder / "appeals-2023-10-01.csv", as_it_was(rows))
    both.run()
    both.publish(BETWEEN)
    write_rows(both.folder / "appeals-2023-10-30.csv", rows)
    second = both.run()
    write_rows(alone.folder / "appeals-2023-10-30.csv", rows)
    alone.run()
    for place in (both, alone):
        assert place.publish(AT_LAST) is not None
    yield both, alone, second, rows
    for place in (both, alone):
        place.engine.dispose()


def test_an_earlier_list_and_then_a_later_one_are_the_later_one_alone(appeals):
    both, alone, second, rows = appeals
    assert second.withdrawn == 1
    assert (second.new > 0, second.changed > 0, second.read) == (True, True, len(rows))
    assert both.held() == alone.held()
    assert both.facts("decision", AT_LAST) == alone.facts("decision", AT_LAST)


def test_the_time_to_a_decision_counts_the_appeals_still_open(appeals):
    both, _, _, rows = appeals
    with reading(both.engine) as connection:
        publication = publications.current(connection).publication
        found = maturities.read(connection, publication, "decision")["decision"].waiting
    start, end = found.cohort_start.isoformat(), AT_LAST.isoformat()
    cohort = [row for row in rows if start <= row["submitted_date"] < end]
    decided = [row for row in cohort if row["final_decision_date"]]
    assert (found.cases, found.closed) == (len(cohort), len(decided))
    assert 0 < found.closed < found.cases / 2
    waits = [days(row, row["final_decision_date"]) for row in decided]
    still = [days(row, AT_LAST.isoformat()) for row in cohort if not row["final_decision_date"]]
    by_scipy = ecdf(CensoredData(uncensored=waits, right=still)).cdf.probabilities
    assert found.reached == pytest.approx(max(by_scipy))
    assert found.median is None, "fewer than half are decided after thirteen weeks at most"
    assert found.closed_only_median == pytest.approx(np.quantile(waits, 0.5, method="hazen"), abs=0.05)


def days(row: dict[str, str], until: str) -> float:
    return (date.fromisoformat(until) - date.fromisoformat(row["submitted_date"])).days
