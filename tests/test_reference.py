"""Which test holds which published figure, so that none is dropped unseen: the checks of the evidence base.

Ids are those of its table of reference checks; 1c, 3 and 6 are its sections with worked figures.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

CHECKS = {
    "C1 Wilson, English public health": (
        "metrics/test_intervals.py",
        "test_wilson_is_that_of_the_english_public_health_package",
    ),
    "C2 Wilson, R": ("metrics/test_intervals.py", "test_wilson_is_that_of_r_to_the_twelfth_digit"),
    "C3 Newcombe": ("metrics/test_intervals.py", "test_newcombes_own_examples"),
    "C4 Garwood": ("metrics/test_intervals.py", "test_garwood_is_that_of_the_tables"),
    "A1, A2 Das Gupta": ("metrics/test_attribution.py", "test_the_parts_of_a_product_are_das_guptas"),
    "E5 power": (
        "metrics/test_intervals.py",
        "test_so_many_a_group_tell_half_a_deviation_in_four_of_five_trials",
    ),
    "T1 medians": ("metrics/test_survival.py", "test_the_published_medians_of_the_6_mp_trial_are_found"),
    "T1 curve": ("metrics/test_survival.py", "test_the_published_curve_of_the_6_mp_arm_is_found"),
    "T2 chain ladder": (
        "metrics/test_maturity.py",
        "test_the_raa_triangle_has_the_published_factor_and_reserve",
    ),
    "P1, 1c figures": (
        "metrics/test_company.py",
        "test_five_metrics_of_equal_weight_have_the_published_company",
    ),
    "P1, 1c draws": (
        "metrics/test_company.py",
        "test_other_weights_drawn_at_random_stray_as_far_as_the_band_says",
    ),
    "P1, 3 residuals": (
        "metrics/test_attribution.py",
        "test_the_parts_of_any_two_periods_add_up_to_the_change",
    ),
    "P1, 3 Simpson": ("metrics/test_attribution.py", "test_two_districts_that_improve_can_make_a_worse_city"),
    "P1, 6 cohort": (
        "store/test_reference_cohort.py",
        "test_what_was_due_is_counted_on_the_day_it_was_due_and_what_is_late_is_late",
    ),
    "P1, 6 Kaplan and Meier": (
        "metrics/test_survival.py",
        "test_the_reference_cohort_gives_the_printed_shares",
    ),
    "P1, 6 waits": (
        "store/test_reference_cohort.py",
        "test_how_long_they_wait_is_the_published_estimate_with_open_ones_censored",
    ),
    "1d intervals of 90 percent": (
        "metrics/test_intervals.py",
        "test_ninety_percent_in_time_is_known_the_better_the_more_there_were",
    ),
    "1d ranks": (
        "metrics/test_intervals.py",
        "test_of_a_hundred_values_the_84th_and_the_96th_bound_the_ninetieth_percentile",
    ),
}


@pytest.mark.parametrize("check", CHECKS)
def test_every_published_figure_has_its_test(check):
    file, name = CHECKS[check]
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
