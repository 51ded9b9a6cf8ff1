"""What is unusual of a run is said, seldom where nothing is, and stops nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest import __main__ as command
from ingest.anomalies import Profile, unusual
from ingest.run import run_source
from store import run_profiles
from store.engine import reading

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
WEEK = (1.1, 1.05, 1.0, 1.0, 0.95, 0.35, 0.25)


def year(rng, per_day, spread, *, days=365, whole=False):
    """A source's runs of a year: weekdays, seasons, more than chance, twelve columns, four categories."""
    empty = rng.uniform(0, 1, 12) ** 2
    lists = [rng.dirichlet(np.ones(rng.integers(2, 25)) * 0.7) for _ in range(4)]
    total = per_day * 200
    for number in range(days):
        at = START + timedelta(days=number)
        mean = per_day * WEEK[at.weekday()] * (1 + 0.3 * np.sin(2 * np.pi * number / 365))
        new = int(rng.negative_binomial(spread, spread / (spread + mean)))
        total += new
        rows = total if whole else 3 * new
        n = min(rows, 10_000)
        shares = np.clip(empty + (0 if whole else rng.normal(0, 0.02, 12) + 0.05 * (at.weekday() > 4)), 0, 1)
        drawn = [rng.multinomial(n, one if whole else rng.dirichlet(one * 300 + 1e-3)) for one in lists]
        yield Profile(
            at,
            rows,
            whole,
            gap_hours=24.0,
            lag_hours=float(rng.gamma(2, 2)) + {6: 24, 0: 20}.get(at.weekday(), 0),
            sampled=n,
            empty={f"c{i}": int(rng.binomial(n, share)) for i, share in enumerate(shares)},
            values={f"k{i}": {str(j): int(v) for j, v in enumerate(one) if v} for i, one in enumerate(drawn)},
        )


def alarms(runs):
    return sum(len(unusual(run, runs[max(0, i - 60) : i])) for i, run in enumerate(runs))


@pytest.mark.parametrize(("per_day", "spread", "whole"), [(30, 10, False), (300, 10, True)])
def test_half_a_year_of_an_ordinary_source_gives_hardly_an_alarm(per_day, spread, whole):
    rng = np.random.default_rng(6)
    assert alarms(list(year(rng, per_day, spread, days=180, whole=whole))) <= 1


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("per_day", "spread", "whole", "a_year"),
    [
        (5, 5, False, 1),
        (30, 10, False, 1),
        (300, 10, False, 1),
        (3000, 20, False, 1),
        (300, 3, False, 2),
        (300, 10, True, 1),
    ],
)
def test_an_ordinary_source_gives_hardly_an_alarm_in_a_year(per_day, spread, whole, a_year):
    """A spread of 3 is a standard deviation of more than half of the mean, weekdays and seasons apart."""
    rng = np.random.default_rng(6)
    assert sum(alarms(list(year(rng, per_day, spread, whole=whole))) for _ in range(4)) <= 4 * a_year


@pytest.fixture(scope="module")
def ordinary():
    """Five weeks of runs, newest last, of which the last is a Monday's."""
    return list(year(np.random.default_rng(1), 300, 20, days=36))


def said(ordinary, **words):
    *before, last = ordinary
    return unusual(replace(last, **words), before)


def test_an_ordinary_run_is_not_spoken_of(ordinary):
    assert said(ordinary) == []


@pytest.mark.parametrize("rows", [0, 40, 20_000])
def test_far_fewer_or_far_more_rows_than_usual_are_said(ordinary, rows):
    [sentence] = said(ordinary, rows=rows)
    assert sentence.startswith(f"{rows} rows were read, and usually ")


def test_rows_are_not_judged_after_an_outage_nor_where_nothing_changed(ordinary):
    assert said(ordinary, rows=20_000, gap_hours=96.0) == []
    assert said(ordinary, rows=None, sampled=0, empty={}, values={}) == []


def test_a_source_that_stands_still_is_said_though_its_runs_succeed(ordinary):
    [sentence] = said(ordinary, rows=None, lag_hours=120.0)
    assert sentence.startswith("the newest is 120 hours old, and usually ")


def test_a_column_that_loses_its_cells_is_said(ordinary):
    last = ordinary[-1]
    column, count = min(last.empty.items(), key=lambda one: one[1])
    share = count / last.sampled
    [sentence] = said(ordinary, empty=last.empty | {column: round((share + 0.5) * last.sampled)})
    assert sentence.startswith(f"{column} is empty in ")


def test_a_list_of_values_that_changes_is_said_with_the_value_that_changed_most(ordinary):
    last = ordinary[-1]
    counts = {word: count // 2 for word, count in last.values["k0"].items()} | {"NEW": last.sampled // 2}
    [sentence] = said(ordinary, values=last.values | {"k0": counts})
    assert sentence.startswith("k0 has other values than usual: 'NEW' ")


def test_one_odd_run_does_not_hide_the_next(ordinary):
    *before, last = ordinary
    before[10] = replace(before[10], rows=50_000)
    assert len(unusual(replace(last, rows=50_000), before)) == 1


def test_nothing_is_said_before_eight_runs_over_eight_days(ordinary):
    *before, last = ordinary
    assert unusual(replace(last, rows=0), before[-7:]) == []
    hourly = [replace(one, at=last.at - timedelta(hours=n + 1)) for n, one in enumerate(before)]
    assert unusual(replace(last, rows=0), hourly) == []


# --- in a run ------------------------------------------------------------------------------------


def write(bench, count, topic="Pothole"):
    day = bench.hand.now.date()
    rows = "".join(f"{day}-{n},{day} 00:{n % 60:02},,{topic},1\n" for n in range(count))
    bench.file("cases.csv", "id,opened,closed,topic,amount\n" + rows)
    report = run_source(bench.desk, bench.source())
    bench.hand.now += timedelta(days=1)
    return report


def test_an_unusual_run_goes_in_and_says_so_in_its_report_and_its_ledger_row(any_bench):
    for _ in range(10):
        assert "unusual" not in write(any_bench, 60).message
    report = write(any_bench, 6, topic="")
    assert (report.outcome, report.new) == ("succeeded", 6)
    assert "unusual: 6 rows were read, and usually 60" in report.message
    assert any_bench.last_run().message == report.message
    with reading(any_bench.engine) as connection:
        assert run_profiles.unusual(connection) == {"cases": ["6 rows were read, and usually 60"]}


def test_the_status_of_a_source_says_what_was_unusual(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "testville"
    (folder / "sources").mkdir(parents=True)
    about = 'id = "testville"\nname = "Testville"\ntime_zone = "America/New_York"\n'
    (folder / "city.toml").write_text(about)
    text = 'id = "cases"\nname = "Cases"\nkind = "file"\nkey = "id"\n[columns.id]\ntype = "text"\n'
    (folder / "sources" / "cases.toml").write_text(text + '[options]\npath = "cases.csv"\n')
    (folder / "cases.csv").write_text("id\n1\n")
    monkeypatch.setenv("CITY", str(folder))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(run_profiles, "unusual", lambda _connection: {"cases": ["7 rows were read"]})
    assert command.main(["run"]) == 0
    assert command.main(["status"]) == 0
    assert "cases: unusual: 7 rows were read\n" in capsys.readouterr().out


def test_only_so_many_profiles_of_a_source_are_kept(bench, monkeypatch):
    monkeypatch.setattr(run_profiles, "KEPT_AT_MOST", 3)
    for count in range(1, 6):
        write(bench, count)
    with reading(bench.engine) as connection:
        kept = run_profiles.newest(connection, "cases", "command", 99)
    assert [told["rows"] for _, told in kept] == [5, 4, 3]
