"""A sentence a newspaper could quote for every status, verdict, reason and warning, whole and in English."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from layouts import formats
from layouts.formats import evidence, method
from metrics.model import Direction, Grain, Metric, Reason, Status, Verdict
from metrics.selftest import GrainTest, MetricTest
from store.selftest_lines import self_test_lines
from tests.builders import catalogue, metric
from tests.layouts.test_evidence_sentences import score

PROJECT = Path(__file__).resolve().parents[2]
OF_THE_SELF_TEST = PROJECT / "metrics" / "selftest.py"
NO_BREAK = "\N{NO-BREAK SPACE}"

STATUS = {
    "suppressed": "Hidden: so few people stand behind it that they could be recognised.",
    "closed": "The service was closed, so there is nothing to score.",
    "late": "The data should be here by now and are not.",
    "missing": "The data are not here yet, or are known to be incomplete.",
    "no_opportunity": "The service was open and had nothing to do.",
    "not_scored": "The value is shown and not scored.",
    "insufficient": "Too little is known to form the value or its target.",
    "immature": "Too much of it is still to be reported, so it does not count yet.",
    "provisional": "Some of it is still to be reported, so the score may still change.",
    "final": "All that was expected is here.",
}

RARELY = "in at most 1 of 40 months"
SHARE = metric("potholes", decimals=0)
BAND = replace(SHARE, direction=Direction.WITHIN)
PAST = replace(SHARE, historical=True, targets=())
VERDICT = [
    ("meets", SHARE, f"It met its target, and not by luck: just on target that happens {RARELY}."),
    ("misses", SHARE, f"It missed its target, and not by bad luck: just on target that happens {RARELY}."),
    (
        "cannot_tell",
        SHARE,
        "Too close to tell: by chance a service just on target has such months too.",
    ),
    ("meets", BAND, f"It was inside its band, and not by luck: at either end of it that happens {RARELY}."),
    ("misses", BAND, f"It was outside its band, and not by bad luck: within it that happens {RARELY}."),
    (
        "cannot_tell",
        BAND,
        "Too close to tell: by chance a service at the end of its band has such months too.",
    ),
    ("meets", PAST, f"It did better than its own past, and not by luck: unchanged it does so {RARELY}."),
    ("misses", PAST, f"It did worse than its own past, and not by bad luck: unchanged it does so {RARELY}."),
    ("cannot_tell", PAST, "Too close to tell: by chance an unchanged service has such months too."),
]

REASON = [
    (
        Reason("small_counts"),
        "Hidden: so few cases stand behind it that people could be recognised.",
    ),
    (
        Reason("late", {"source": "library", "known_until": "2026-11-19T09:30:00+00:00"}),
        f"Library system is known only until Nov 19, 2026, 4:30{NO_BREAK}AM.",
    ),
    (Reason("late", {"source": "water", "never_ran": 1}), "Water utility has never been loaded."),
    (
        Reason("not_due_yet", {"source": "library", "known_until": "2026-11-22T09:30:00+00:00"}),
        f"Library system is known until Nov 22, 2026, 4:30{NO_BREAK}AM; more is not due yet.",
    ),
    (
        Reason("gap", {"source": "water", "why": "A storm cut the line."}),
        "Water utility is incomplete in this period: A storm cut the line.",
    ),
    (Reason("not_known", {"source": "library"}), "Part of this period lies before Library system begins."),
    (Reason("closed", {"calendar": "business"}), "The service was closed: a weekend or a holiday."),
    (Reason("closed", {"calendar": "school"}), "Schools were closed."),
    (Reason("closed", {"calendar": "all"}), "The service was closed."),
    (
        Reason("grain_not_scored", {"grain": "day"}),
        "Not scored daily: too few events for a fair score.",
    ),
    (
        Reason("coverage_below_minimum", {"coverage": 0.6, "minimum": 0.75}),
        "Only 60% of the weight has a score; one number for all needs 75%.",
    ),
    (
        Reason("no_opportunity"),
        "There was nothing to do in this period, so there is nothing to score.",
    ),
    (Reason("neutral"), "Neither more nor less of this is better, so it is shown and never scored."),
    (Reason("no_target"), "No target has been set, so there is nothing to hold it against."),
    (Reason("target_not_in_force"), "No target was in force in this period."),
    (Reason("no_value"), "Nothing in the records of this period can be measured."),
    (Reason("no_district_target"), "The target is for the whole city, not for a part of it."),
    (
        Reason("method_gives_no_score"),
        "Boston's arithmetic would have to divide by zero here, so there is no score.",
    ),
    (
        Reason("insufficient_baseline"),
        "The target is the city's own past, and too little of it is known yet.",
    ),
    (Reason("nothing_scored_at_this_grain"), "No service is scored for periods of this length."),
    (Reason("all_closed"), "Every service was closed."),
    (
        Reason("immature", {"completeness": 0.756}),
        "By now usually only 75% of what belongs to this period is known; it is scored from 90% on.",
    ),
    (
        Reason("immature"),
        "Too much of what belongs to this period is usually reported later; it is scored from 90% on.",
    ),
    (Reason("no_longer_known"), "The records this was made of are gone from the source."),
]

WARNING = [
    (
        Reason("noise_moves_the_score", {"grain": "week", "expected": 0.9876}),
        "Scored weekly, an unchanged city exactly on target would by chance get 0.988 instead of 1.00.",
        "is scored by week, where noise alone gives an unchanged city 0.9876",
    ),
    (
        Reason("ceiling_is_low", {"ceiling": 1.0101}),
        "Even a perfect period scores only 1.01: this target can be missed and hardly be beaten.",
        "a perfect period scores only 1.0101; choose a target that can be beaten",
    ),
    (
        Reason("target_cannot_be_met", {"ceiling": 0.875}),
        "This target cannot be met: even a perfect period scores only 0.875.",
        "a perfect period scores 0.875: the target cannot be met",
    ),
    (
        Reason("target_cannot_fail"),
        "This target cannot be missed: the worst possible period is still on target.",
        "the worst there can be is on target: the target cannot fail",
    ),
    (
        Reason("target_always_met", {"grain": "month", "periods": 12}),
        "The target was met in all of the last 12 months: it may ask too little.",
        "every one of the last 12 periods (month) met the target",
    ),
    (
        Reason("target_never_met", {"grain": "week", "periods": 52}),
        "The target was missed in all of the last 52 weeks: it may ask too much.",
        "none of the last 52 periods (week) met the target",
    ),
]


# --- the sentences -------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "sentence"), STATUS.items())
def test_a_status_is_said_so_that_it_can_be_quoted(status, sentence):
    assert evidence.status(Status(status)) == sentence


@pytest.mark.parametrize(("verdict", "of", "sentence"), VERDICT)
def test_a_verdict_is_said_so_that_it_can_be_quoted(verdict: str, of: Metric, sentence: str):
    assert evidence.verdict(of, score(verdict=Verdict(verdict))) == sentence


@pytest.mark.parametrize(("reason", "sentence"), REASON, ids=lambda one: getattr(one, "id", ""))
def test_a_reason_is_said_so_that_it_can_be_quoted(published_city, reason, sentence):
    assert formats.reason(reason, published_city.catalogue) == sentence


@pytest.mark.parametrize(("warning", "page", "terminal"), WARNING, ids=lambda one: getattr(one, "id", ""))
def test_a_warning_is_said_so_that_it_can_be_quoted(warning, page, terminal):
    assert method.warning(warning) == page
    test = MetricTest("potholes", (), (), (warning,))
    assert list(self_test_lines(catalogue(SHARE), [test]))[-1] == f"metrics/potholes.toml: {terminal}"


@pytest.mark.parametrize(
    ("scored_at", "steady", "sentences"),
    [
        (tuple(Grain), {Grain.DAY: False}, ['write scored_at = ["week", "month", "quarter"]']),
        ((Grain.MONTH,), {Grain.WEEK: True, Grain.MONTH: True}, ["could be scored by week too"]),
        ((Grain.MONTH,), {Grain.MONTH: True}, []),
    ],
)
def test_a_proposal_of_the_check_says_which_line_to_write(scored_at, steady, sentences):
    of = replace(SHARE, scored_at=scored_at)
    grains = tuple(
        GrainTest(grain, 12, 50.0, 1.0, 1.0 if good else 0.9, 0.02, 0.5, good)
        for grain, good in steady.items()
    )
    said = list(self_test_lines(catalogue(of), [MetricTest("potholes", grains, (), ())]))
    found = said[said.index("\nproposals and warnings") + 1 :]
    assert found == ([f"metrics/potholes.toml: {text}" for text in sentences] or ["none"])


# --- none is forgotten ---------------------------------------------------------------------------


def ids_in(files: Iterable[Path]) -> set[str]:
    """The ids of every Reason made in these files: written in the call, or by the name it is given."""
    return {found for file in files for found in _ids(ast.parse(file.read_text(encoding="utf-8")))}


def _ids(tree: ast.Module) -> Iterator[str]:
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and node.args:
            given = node.args[0]
            for value in assigned.get(given.id, []) if isinstance(given, ast.Name) else [given]:
                yield from _texts(value)


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from (*_texts(value.body), *_texts(value.orelse))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value


MADE = [path for room in ("metrics", "store") for path in (PROJECT / room).glob("*.py")]


def test_every_status_verdict_reason_and_warning_has_its_golden_sentence():
    assert set(STATUS) == {status.value for status in Status}
    assert {verdict for verdict, _of, _sentence in VERDICT} == {verdict.value for verdict in Verdict}
    assert {reason.id for reason, _sentence in REASON} == ids_in(set(MADE) - {OF_THE_SELF_TEST})
    assert {warning.id for warning, *_said in WARNING} == ids_in([OF_THE_SELF_TEST])


def test_no_two_ids_are_said_alike():
    for said in (
        STATUS.values(),
        [sentence for *_, sentence in VERDICT],
        [sentence for _, sentence in REASON],
        [page for _, page, _ in WARNING],
    ):
        assert len(set(said)) == len(list(said))


def test_the_walk_finds_ids_by_choice_and_by_name(tmp_path):
    file = tmp_path / "made.py"
    file.write_text(
        "def f(bad):\n    name = 'c' if bad else 'd'\n"
        "    return Reason('a' if bad else 'b'), Reason(name, {})\n"
    )
    assert ids_in([file]) == {"a", "b", "c", "d"}


def test_an_id_that_nobody_knows_is_still_a_true_sentence(published_city):
    assert (
        formats.reason(Reason("from_another_age"), published_city.catalogue)
        == "There is no score for this period."
    )
