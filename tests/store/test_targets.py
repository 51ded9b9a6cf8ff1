"""Approved targets: what is refused, what a publication makes of them, and that none is written over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from metrics.catalogue import load
from metrics.model import Grain, Target, Withdrawn
from store import publications, targets
from store.engine import StoreError, reading
from store.explain import explain
from store.revisions import Kind as Change
from store.revisions import revisions
from store.schema import approved_targets
from store.target_lines import preview_lines
from store.target_preview import Preview, preview
from store.targets import Kind, Proposal
from tests.town import Town, case

JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)
THREE = (case("a", 10, 5), case("b", 10, 20), case("c", 12, None, area="nowhere"))
HIGHER = Target(0.9, AUGUST, "A second crew", "The council")
AUGUST_NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
LATE = Target(0.5, date(2026, 6, 1), "Decided in May, entered late", "The council")


def approve(town: Town, change: Target | Withdrawn, kind: Kind = Kind.APPROVAL) -> targets.Decision:
    return targets.approve(town.engine, town.catalogue, town.clock, Proposal("on_time", change, kind))


def previewed(town: Town, change: Target | Withdrawn, kind: Kind = Kind.APPROVAL) -> Preview:
    with reading(town.engine) as connection:
        return preview(connection, town.catalogue, Proposal("on_time", change, kind))


def published(town: Town) -> publications.Reading:
    with reading(town.engine) as connection:
        found = publications.current(connection)
    assert found is not None
    return found


@pytest.fixture
def june(town: Town) -> Town:
    """The town after its June was published, with one of three cases closed in time."""
    town.ingest(*THREE)
    town.publish(JULY)
    return town


def since_may(town: Town) -> Town:
    """The town that has published since the end of May, so that its June was published at its time."""
    may = case("z", 10, 5, month=5)
    town.now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    town.ingest(may)
    town.publish(date(2026, 6, 1))
    town.now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    town.ingest(may, *THREE)
    town.publish(JULY)
    return town


# --- what a publication makes of them -----------------------------------------------------------


def test_a_target_dated_ahead_changes_no_score_until_its_day(june: Town) -> None:
    approve(june, HIGHER)
    report = june.publish(JULY)
    assert report.publication is not None
    assert (report.scores, report.composites, report.restated) == (0, 0, 0)
    assert june.month().target == 0.8
    june.now = datetime(2026, 9, 1, 12, tzinfo=UTC)
    june.ingest(*THREE, case("d", 10, 5, month=8))
    june.publish(date(2026, 9, 1))
    august, july = june.month(), june.month(back=1)
    assert (august.period.start, august.target, july.target) == (AUGUST, 0.9, 0.8)
    assert june.publish(date(2026, 9, 1)).publication is None
    assert june.verified() == []


def test_a_target_that_begins_inside_a_period_counts_for_its_days(june: Town) -> None:
    approve(june, replace(HIGHER, valid_from=date(2026, 7, 11)))
    june.now = AUGUST_NOON
    june.ingest(*THREE, case("d", 5, 5, month=7), case("e", 20, 20, month=7))
    june.publish(AUGUST)
    assert june.month().target == pytest.approx(0.85)
    assert june.verified() == []


def test_an_approval_that_would_change_final_scores_is_refused_with_the_first_day_it_may_have(
    june: Town,
) -> None:
    with pytest.raises(StoreError) as refused:
        approve(june, LATE)
    assert str(refused.value) == (
        "on_time has final scores up to 2026-07-01, so a target from 2026-06-01 would change what is "
        "published; date it 2026-07-01 or later, or approve it as a correction (--correction)."
    )
    approve(june, replace(LATE, valid_from=JULY))


def test_a_correction_restates_final_scores_with_its_reason(town: Town) -> None:
    june = since_may(town)
    first = june.month()
    approve(june, LATE, Kind.CORRECTION)
    report = june.publish(JULY)
    assert report.restated > 0 and report.publication is not None
    assert report.publication.reason == "Decided in May, entered late"
    assert (first.target, june.month().target) == (0.8, 0.5)
    assert june.verified() == []
    with reading(june.engine) as connection:
        metric = june.catalogue.metrics["on_time"]
        found = revisions(connection, report.publication, metric, Grain.MONTH).rows
        receipt = explain(connection, published(june), "on_time", Grain.MONTH, date(2026, 6, 1))
    assert [(row.kind, row.reason) for row in found] == [(Change.CORRECTION, "Decided in May, entered late")]
    assert receipt.targets == (LATE,)


def test_a_correction_and_another_definition_at_once_need_a_reason_for_both(june: Town, city: Path) -> None:
    approve(june, LATE, Kind.CORRECTION)
    path = city / "metrics" / "on_time.toml"
    path.write_text(
        path.read_text().replace('numerator = "closed <= due"', 'numerator = "closed is not null"')
    )
    june.catalogue = load(city)
    with pytest.raises(StoreError, match="--reason"):
        june.publish(JULY)


def test_late_records_beside_a_target_dated_ahead_are_a_revision(june: Town) -> None:
    approve(june, HIGHER)
    june.ingest(*THREE, case("d", 11, 9))
    report = june.publish(JULY)
    assert report.restated > 0 and report.publication is not None
    assert report.publication.reason == "revision"


def test_a_correction_of_what_is_not_final_is_an_approval(june: Town) -> None:
    with pytest.raises(
        StoreError, match=r"no final score that a target from 2026-08-01 could correct; .*--cor"
    ):
        approve(june, HIGHER, Kind.CORRECTION)


def test_a_withdrawn_target_counts_no_more_and_stays_on_record(june: Town) -> None:
    approve(june, HIGHER)
    june.publish(JULY)
    approve(june, Withdrawn(AUGUST, "No crew after all", "The council"))
    june.publish(JULY)
    with reading(june.engine) as connection:
        metric = targets.merged(connection, june.catalogue).metrics["on_time"]
        said = [one.asked.change for one in targets.decisions(connection)]
    assert metric.targets == june.catalogue.metrics["on_time"].targets
    assert said == [HIGHER, Withdrawn(AUGUST, "No crew after all", "The council")]
    assert june.verified() == []


def test_of_two_decisions_about_a_day_the_later_counts_and_both_are_kept(june: Town) -> None:
    first, last = approve(june, HIGHER), approve(june, replace(HIGHER, value=0.85))
    with reading(june.engine) as connection:
        metric = targets.merged(connection, june.catalogue).metrics["on_time"]
        kept = connection.execute(select(func.count()).select_from(approved_targets)).scalar_one()
        newest = targets.newest(connection)
    assert metric.targets[-1].value == 0.85
    assert (kept, newest) == (2, last.id) and first.approved_at < last.approved_at


def test_a_band_and_its_floors_are_kept_whole(town: Town, city: Path) -> None:
    path = city / "metrics" / "on_time.toml"
    band = path.read_text().replace('"higher_is_better"', '"within"')
    path.write_text(band.replace("value = 0.8", "value = [0.6, 0.8]\nfloor = [0.2, 1.0]"))
    town.catalogue = load(city)
    tighter = Target((0.7, 0.8), AUGUST, "Tighter", "The council", (0.3, 0.9))
    approve(town, tighter)
    with reading(town.engine) as connection:
        assert targets.decisions(connection)[0].asked.change == tighter
        assert targets.merged(connection, town.catalogue).metrics["on_time"].targets[-1] == tighter


# --- what is refused ----------------------------------------------------------------------------

REFUSED = {
    "a zero without a floor": (
        replace(HIGHER, value=0.0),
        "on_time: the target from 2026-08-01 is refused: a target of 0 has no floor, so nothing says how bad "
        "is bad. Fix: Add floor = the value at which the score is 0.",
    ),
    "a floor on the good side": (
        replace(HIGHER, floor=0.95),
        "on_time: the target from 2026-08-01 is refused: the floor 0.95 is on the wrong side of the target "
        "0.9: higher_is_better. Fix: Write a floor below 0.9.",
    ),
    "percent for a share": (
        replace(HIGHER, value=90.0),
        "on_time: the target from 2026-08-01 is refused: 90 is no share. Fix: Write 90 percent as 0.90.",
    ),
    "a band for what is none": (
        replace(HIGHER, value=(0.6, 0.8), floor=(0.1, 0.9)),
        "on_time: the target from 2026-08-01 is refused: a pair of numbers is for direction within; this one "
        'is higher_is_better. Fix: Write one number, or direction = "within".',
    ),
    "no number": (
        replace(HIGHER, value=float("nan")),
        "A target is an ordinary number; infinity and `nan` are none.",
    ),
    "no reason": (replace(HIGHER, reason=" "), "The reason is empty; say why, and who decided it."),
    "two lines": (
        replace(HIGHER, approved_by="The\ncouncil"),
        "The approved_by has a line break or a control character in it; write one line.",
    ),
    "nothing to withdraw": (
        Withdrawn(AUGUST, "No crew", "The council"),
        "on_time has no target from 2026-08-01 to withdraw; its targets begin on 2016-01-01.",
    ),
    "the only target": (
        Withdrawn(date(2016, 1, 1), "No more", "The council"),
        "on_time: the target from 2016-01-01 is refused: nothing can be scored without a target. "
        "Fix: Add a [[target]], or historical = true, or leave scored_at out.",
    ),
    "what stands already": (
        Target(0.8, date(2016, 1, 1), "a test", "the tester"),
        "on_time: the target from 2016-01-01 stands already in the same words.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_approved_is_refused_in_one_line_and_nothing_is_saved(town: Town, name: str) -> None:
    change, said = REFUSED[name]
    for act in (approve, previewed):
        with pytest.raises(StoreError) as refused:
            act(town, change)
        assert str(refused.value) == said
    with reading(town.engine) as connection:
        assert targets.decisions(connection) == []


def test_a_metric_that_is_not_there_is_told_with_the_one_that_was_meant(town: Town) -> None:
    with pytest.raises(StoreError, match=r"test has no metric on_tim\. Did you mean `on_time`\?"):
        targets.approve(town.engine, town.catalogue, town.clock, Proposal("on_tim", HIGHER))


def test_a_retired_metric_is_held_to_nothing(town: Town, city: Path) -> None:
    path = city / "metrics" / "on_time.toml"
    retired = 'retired = {on = 2026-06-01, reason = "Another survey"}\n[[target]]'
    path.write_text(path.read_text().replace("[[target]]", retired))
    town.catalogue = load(city)
    with pytest.raises(StoreError, match="was retired on 2026-06-01"):
        approve(town, HIGHER)


def test_files_that_an_approved_target_no_longer_fits_are_not_published(june: Town, city: Path) -> None:
    approve(june, HIGHER)
    path = city / "metrics" / "on_time.toml"
    path.write_text(path.read_text().replace('unit = "percent"', 'unit = "percent"\nhistorical = true'))
    text = path.read_text()
    path.write_text(text[: text.index("[[target]]")])
    june.catalogue = load(city)
    with pytest.raises(StoreError, match=r"^An approved target does not fit the catalogue: .* Fix: Keep one"):
        june.publish(JULY)


# --- what is shown before -----------------------------------------------------------------------


def test_a_preview_holds_the_target_against_the_last_year_and_against_what_is_published(june: Town) -> None:
    said = list(preview_lines(previewed(june, LATE, Kind.CORRECTION)))
    assert said == [
        "on_time: target 50.0% from 2026-06-01 as a correction, by The council: Decided in May, entered late",
        "held against the last year:",
        "  day      met in 1 of 2 periods (0 of 2 by the targets so far); from 2026-06-12: value 0.0%, score "
        "0.0000 (so far 0.0000)",
        "  week     met in 0 of 1 periods (0 of 1 by the targets so far); from 2026-06-08: value 33.3%, "
        "score 0.6667 (so far 0.4167)",
        "  month    met in 0 of 1 periods (0 of 1 by the targets so far); from 2026-06-01: value 33.3%, "
        "score 0.6667 (so far 0.4167)",
        "publication 1 as of 2026-07-01: 40 scores and 9 composites would change, 13 of them final",
        "  city, month from 2026-06-01: 0.4167 becomes 0.6667",
    ]


def test_a_preview_of_a_target_dated_ahead_changes_no_published_score(june: Town) -> None:
    found = previewed(june, HIGHER)
    assert found.effect is None and {one.met for one in found.trials} == {0}
    assert "no published score changes" in list(preview_lines(found))


def test_what_a_preview_says_of_published_scores_is_what_happens(june: Town) -> None:
    effect = previewed(june, LATE, Kind.CORRECTION).effect
    approve(june, LATE, Kind.CORRECTION)
    report = june.publish(JULY)
    assert effect is not None
    assert (effect.scores, effect.composites, effect.restated) == (
        report.scores,
        report.composites,
        report.restated,
    )


def test_a_preview_tells_of_a_target_that_can_hardly_be_beaten(june: Town) -> None:
    found = previewed(june, replace(HIGHER, value=0.99))
    assert found.warnings == (
        "a perfect period scores only 1.010: it can lose and hardly win. "
        "Choose a target that can be beaten, or a cap above 1.",
    )
    assert previewed(june, HIGHER).warnings == ()


def test_before_the_first_publication_a_preview_has_nothing_to_hold_against(town: Town) -> None:
    found = previewed(town, HIGHER)
    assert (found.trials, found.effect) == ((), None)
