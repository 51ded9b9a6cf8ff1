"""What charts say is kept with a publication, charts follow from it, and rebases are decided and logged."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from metrics.catalogue import from_text
from metrics.model import Grain
from metrics.signals import Border, Variation, tally
from store import publications, rebase_command, rebases, schema, signals
from store.__main__ import _parser
from store.engine import StoreError, reading
from store.rebases import Kind, Rebase
from tests.town import Town

MONDAY = datetime(2026, 1, 5, 16, tzinfo=UTC)
WEEKS = 25
STEP = 16
"""From this week on more cases are closed in time."""

NEW_CREW = Rebase("on_time", Grain.WEEK, date(2026, 4, 27), "A second crew", "The council")


def cases() -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for day in range(WEEKS * 7):
        noon = MONDAY + timedelta(days=day)
        good = (4 if day // 7 < STEP else 7) + day * 7 % 3 - 1
        for number in range(10):
            closed = noon if number < good else noon + timedelta(days=2)
            found.append(
                {
                    "case_id": f"{day}-{number}",
                    "opened": noon,
                    "due": noon + timedelta(minutes=1),
                    "closed": closed,
                    "area": "North",
                }
            )
    return found


@pytest.fixture
def charted(town: Town) -> Town:
    town.ingest(*cases())
    town.publish()
    return town


def now(town: Town):
    with reading(town.engine) as connection:
        found = publications.current(connection)
        assert found is not None
        return found.publication


def chart(town: Town, grain: Grain = Grain.WEEK, publication=None, more: tuple[Border, ...] = ()):
    with reading(town.engine) as connection:
        metric = town.catalogue.metrics["on_time"]
        return signals.chart_of(connection, publication or now(town), metric, grain, more)


def finding(town: Town, grain: Grain = Grain.WEEK, publication=None) -> signals.Finding:
    with reading(town.engine) as connection:
        return signals.findings(connection, publication or now(town), grain)["on_time"]


def rebase(town: Town, given: Rebase = NEW_CREW) -> rebases.Decision:
    return rebases.approve(town.engine, town.catalogue, town.clock, given)


# --- what is kept --------------------------------------------------------------------------------


@pytest.mark.parametrize("grain", list(Grain))
def test_what_is_kept_of_a_chart_is_what_the_chart_made_on_demand_says(charted, grain):
    made, kept = chart(charted, grain), finding(charted, grain)
    assert kept == signals.Finding(
        metric="on_time",
        grain=grain,
        chart=made.kind,
        judged=made.judged,
        variation=made.variation,
        assurance=made.assurance,
        signal=made.signal,
        expected=made.false_alarms.last,
        trial=made.trial,
        warnings=made.warnings,
    )


def test_a_step_for_the_better_is_an_improvement_that_proposes_a_new_base_and_applies_none(charted):
    made = chart(charted)
    assert made.variation is Variation.IMPROVEMENT and made.borders == ()
    assert (made.proposal.start, made.proposal.is_high) == (date(2026, 4, 27), True)
    assert len({point.center for point in made.points}) == 1


def test_a_publication_keeps_its_own_findings(charted):
    before, first = finding(charted), now(charted)
    worse = [{**one, "closed": None} for one in cases() if one["opened"] > MONDAY + timedelta(weeks=24)]
    charted.ingest(*worse)
    charted.publish()
    assert finding(charted, publication=first) == before
    assert finding(charted).variation is not before.variation


def test_a_publication_from_before_charts_has_no_findings_and_still_has_charts(charted):
    with reading(charted.engine) as connection:
        assert signals.findings(connection, replace(now(charted), id=99), Grain.WEEK) == {}


def test_the_tally_of_what_is_kept_is_that_of_the_charts(charted):
    kept, made = finding(charted), chart(charted)
    first, end = kept.judged, kept.judged + timedelta(days=7)
    assert signals.tally_of([kept], first, end) == tally([made], first, end)
    assert signals.tally_of([kept], first, end).signals == 1
    assert signals.tally_of([kept], end, end + timedelta(days=7)).charts == 0


def test_a_chart_is_kept_for_each_database_by_itself(charted):
    assert chart(charted) is chart(charted)
    assert chart(charted, more=(Border(date(2026, 3, 2), "x"),)).borders != ()
    assert chart(charted).borders == ()


# --- where charts begin anew ---------------------------------------------------------------------


def test_an_approved_rebase_makes_a_publication_and_leaves_the_old_limits_in_sight(charted):
    before, first = chart(charted), now(charted)
    rebase(charted)
    assert chart(charted) == before
    assert charted.publish().publication is not None
    after = chart(charted)
    assert [(one.day, one.reason) for one in after.borders] == [(date(2026, 4, 27), "A second crew")]
    assert after.points[0].center < before.points[0].center < after.points[-1].center
    assert (after.variation, finding(charted).variation) == (Variation.COMMON_CAUSE,) * 2
    assert chart(charted, publication=first) == before
    assert charted.publish().publication is None


def test_a_rebase_raises_the_state_so_that_no_cache_keeps_the_old_limits(charted):
    with reading(charted.engine) as connection:
        before = publications.state(connection)
    rebase(charted)
    charted.publish()
    with reading(charted.engine) as connection:
        assert publications.state(connection) == before + 1


def test_a_rebase_of_one_grain_leaves_the_others_alone_and_one_of_all_is_of_each(charted):
    rebase(charted)
    charted.publish()
    assert chart(charted, Grain.MONTH).borders == ()
    rebase(charted, replace(NEW_CREW, grain=None, from_day=date(2026, 5, 1)))
    charted.publish()
    assert [one.day for one in chart(charted, Grain.MONTH).borders] == [date(2026, 5, 1)]


def test_a_withdrawn_rebase_counts_no_more_and_stays_in_the_log(charted):
    before = chart(charted)
    rebase(charted)
    charted.publish()
    rebase(charted, replace(NEW_CREW, kind=Kind.WITHDRAWAL, reason="The wrong day"))
    charted.publish()
    assert chart(charted) == before
    with reading(charted.engine) as connection:
        assert connection.execute(select(func.count()).select_from(schema.rebases)).scalar_one() == 2
        assert [one.asked.reason for one in rebases.decisions(connection)] == [
            "A second crew",
            "The wrong day",
        ]
        assert rebases.newest(connection) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (replace(NEW_CREW, metric="on_tine"), "no metric on_tine"),
        (replace(NEW_CREW, reason=" "), "The reason is empty"),
        (
            replace(NEW_CREW, approved_by="a\nb"),
            "The approved_by has a line break or a control character in it; write one line",
        ),
        (replace(NEW_CREW, kind=Kind.WITHDRAWAL), "no rebase of the week chart from 2026-04-27 to withdraw"),
    ],
)
def test_what_cannot_be_approved_is_refused_with_the_fix(charted, given, said):
    with pytest.raises(StoreError, match=said):
        rebase(charted, given)


def test_the_same_rebase_is_not_approved_twice(charted):
    rebase(charted)
    with pytest.raises(StoreError, match="the week chart begins anew on 2026-04-27 already"):
        rebase(charted)


def test_another_way_of_measuring_restates_the_past_and_so_parts_no_chart(charted):
    before = chart(charted)
    late = charted.catalogue.text.replace("closed <= due", "closed > due")
    charted.catalogue = from_text(late)
    charted.publish(reason="What is late counts")
    charted.now += timedelta(weeks=9)
    charted.ingest(*({**one, "case_id": f"l{one['case_id']}", **_later(one)} for one in cases()[:560]))
    charted.publish()
    after = chart(charted)
    assert (after.borders, after.trial, len(after.points)) == ((), False, len(before.points) + 9)
    restated = [one.value for one in after.points[: len(before.points)]]
    assert restated == pytest.approx([1 - one.value for one in before.points])
    assert len({one.center for one in after.points}) == 1


def _later(one: dict[str, object]) -> dict[str, object]:
    return {name: one[name] + timedelta(weeks=WEEKS) for name in ("opened", "due", "closed")}


# --- the command ---------------------------------------------------------------------------------


def said(town: Town, *more: str) -> list[str]:
    words = ["rebase", "on_time", "--from", "2026-04-27", "--reason", "A crew", "--approved-by", "Ana", *more]
    given: argparse.Namespace = _parser().parse_args(words)
    return list(rebase_command.run(town.engine, town.catalogue, town.clock, given))


def test_the_command_shows_the_limits_first_and_a_dry_run_saves_nothing(charted):
    lines = said(charted, "--grain", "week", "--dry-run")
    assert lines[0] == "on_time: new limits from 2026-04-27, by Ana: A crew"
    assert lines[1].startswith("  week     0.") and "(improvement) becomes 0." in lines[1]
    assert lines[1].endswith("(common_cause, on trial)")
    assert lines[2:] == ["nothing was saved (--dry-run)"]
    with reading(charted.engine) as connection:
        assert rebases.newest(connection) == 0


def test_the_command_saves_a_rebase_and_takes_it_back(charted):
    assert said(charted)[-1].startswith("saved as decision 1; the next publication follows it")
    assert said(charted, "--withdraw")[0] == "on_time: no new limits from 2026-04-27, by Ana: A crew"
    with pytest.raises(StoreError, match="to withdraw"):
        said(charted, "--withdraw")
