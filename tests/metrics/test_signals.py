"""Charts: published limits and rules, what breaks a run, segments, words and warnings."""

from __future__ import annotations

import csv
import math
from datetime import date, timedelta

import numpy as np
import pytest

from metrics.limits import ChartKind, chart_kind, deviation, lines, sigma_z
from metrics.model import Direction
from metrics.signal_rules import SIGNALS, Pattern, Signal, flags, runs, trends, two_of_three
from metrics.signals import (
    Assurance,
    Border,
    Caution,
    Series,
    Variation,
    assurance,
    chart,
    tally,
    variation,
    xmr,
)

MONDAY = date(2026, 1, 5)
HIGHER, LOWER = Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER

DEVIATIONS = [1, 2, 1, 2, 10, *[1, 2] * 6, 1]
NORMALS = [
    *(-0.56047565, -0.23017749, 1.55870831, 0.07050839, 0.12928774, 1.71506499, 0.46091621),
    *(-1.26506123, -0.68685285, -0.44566197, 1.22408180, 0.35981383, 0.40077145, 0.11068272),
    *(-0.55584113, 1.78691314, 0.49785048, -1.96661716, 0.70135590, -0.47279141),
]
"""What R draws after set.seed(123); rnorm(20)."""


def weekly(values, *, daily=False, **given):
    """A series of these values, week after week, or day after day."""
    step = timedelta(days=1 if daily else 7)
    return Series.of([MONDAY + step * place for place in range(len(values))], values, daily=daily, **given)


def charted(values, kind=ChartKind.XMR, **given):
    series = {name: given.pop(name) for name in ("sizes", "provisional", "reasons", "daily") if name in given}
    return chart(kind, weekly(values, **series), **given)


def signals(found):
    return [point.signal for point in found.points]


def shares(counts, sizes, kind=ChartKind.P):
    """Values and lines of shares, all of which enter."""
    x, n = np.asarray(counts, float), np.asarray(sizes, float)
    return x / n, lines(kind, x / n, n, np.ones(len(n), bool))


def table(path, *columns, separator=","):
    with path.open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file, delimiter=separator)]
    return [[float(row[column]) for row in rows] for column in columns]


# --- published limits (reference checks S1 to S10) ------------------------------------------------


@pytest.mark.parametrize(
    ("values", "screen", "expected", "tolerance"),
    [
        (DEVIATIONS, True, (1.94, -0.72, 4.60), 0.006),
        (DEVIATIONS, False, (1.94, -3.06, 6.95), 0.006),
        (NORMALS, True, (0.1416238, -3.01138, 3.294627), 1e-5),
        ([*NORMALS[:14], 10, *NORMALS[15:]], True, (0.6694159, -2.383666, 3.722497), 1e-5),
        ([*NORMALS[:14], 10, *NORMALS[15:]], False, (0.6694159, -4.596625, 5.935457), 1e-5),
    ],
    ids=["S1 screened", "S1 unscreened", "S2", "S2 with 10, screened", "S2 with 10, unscreened"],
)
def test_xmr_has_the_limits_plotthedots_prints(values, screen, expected, tolerance):
    found = xmr(values, screen=screen)
    assert (found.center, found.lower, found.upper) == pytest.approx(expected, abs=tolerance)


def test_s3_individual_costs_have_montgomerys_limits(shared_data):
    [costs] = table(shared_data("evaluation/montgomery_tbl_06.07.csv"), "cost")
    found = xmr(costs[:20], screen=False)
    # Montgomery divides by 1.128 where plotthedots multiplies by the rounded 2.66.
    exact = (3 / 1.128) / 2.66
    reach = (found.upper - found.center) * exact
    limits = found.center, found.center - reach, found.center + reach
    assert limits == pytest.approx((300.5, 279.783315, 321.216685), abs=1e-5)


def test_s5_orange_juice_has_the_limits_of_the_p_chart(shared_data):
    counts, sizes = table(shared_data("evaluation/qcc_orangejuice.txt"), "D", "size", separator="\t")
    values, found = shares(counts[:30], sizes[:30])
    limits = found.center[0], found.lower[0], found.upper[0]
    assert limits == pytest.approx((0.2313333, 0.05242755, 0.4102391), abs=1e-6)
    assert [1 + place for place in np.flatnonzero(flags(values, found, every_rule=False))] == [15, 23]
    kept = [place for place in range(30) if place + 1 not in (15, 23)]
    values, found = shares([counts[place] for place in kept], [50] * 28)
    limits = found.center[0], found.lower[0], found.upper[0]
    assert limits == pytest.approx((0.215, 0.040703, 0.389297), abs=1e-6)
    assert [1 + kept[place] for place in np.flatnonzero(flags(values, found, every_rule=False))] == [21]


def test_s6_limits_of_a_p_chart_follow_the_size_of_each_point(shared_data):
    counts, sizes = table(shared_data("evaluation/montgomery_tbl_07.04.csv"), "count", "size")
    found = charted(
        [x / n for x, n in zip(counts, sizes, strict=True)], ChartKind.P, sizes=sizes, extent=(0.0, 1.0)
    )
    of_100, of_80 = found.points[0], found.points[1]
    assert (of_100.center, of_100.lower, of_100.upper) == pytest.approx(
        (0.09551, 0.007335, 0.183686), abs=1e-6 * 5
    )
    assert (of_80.lower, of_80.upper) == pytest.approx((0.0, 0.194093), abs=1e-6)
    assert [1 + place for place, one in enumerate(signals(found)) if one is Signal.ABOVE] == [11]


def test_s10_laneys_chart_flags_none_of_the_emergency_departments_that_the_p_chart_flags(shared_data):
    r, n = table(shared_data("evaluation/nhs_accidents.csv"), "r", "n")
    values, plain = shares(r, n)
    _, wide = shares(r, n, ChartKind.LANEY_P)
    sigma = sigma_z(values, wide.center, deviation(ChartKind.P, wide.center, np.array(n)), np.ones(20, bool))
    assert (wide.center[0], float(sigma)) == pytest.approx((0.9528997, 10.640422), abs=1e-5)
    outside = [int((flags(values, one, every_rule=False) > 0).sum()) for one in (plain, wide)]
    assert outside == [16, 0]


@pytest.mark.parametrize(
    ("side", "last"),
    [([1] * 8 + [-1], [0, 0, 0, 0, 0, 0, 1, 1, 0]), ([1] * 6 + [-1], [0] * 7)],
    ids=["shift", "no shift"],
)
def test_s8_a_shift_is_seven_on_one_side(side, last):
    assert runs(np.array(side) == 1, 7).astype(int).tolist() == last


@pytest.mark.parametrize(
    ("values", "last"),
    [
        ([1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 1]),
        ([1, 2, 3, 3, 4, 5, 6], [0] * 7),
        ([2, 7, 6, 5, 4, 3, 2, 1, 3], [0, 0, 0, 0, 0, 0, 0, -1, 0]),
    ],
    ids=["rising", "a tie", "falling"],
)
def test_s8_a_trend_is_six_steps_one_way(values, last):
    rising, falling = trends(np.array(values, float))
    assert (rising.astype(int) - falling).tolist() == last


@pytest.mark.parametrize(
    ("side", "near", "flagged"),
    [
        ([1] * 7, [0, 0, 1, 0, 1, 0, 0], [0, 0, 1, 1, 1, 0, 0]),
        ([-1, 1, -1, 1, -1, 1, -1], [0, 0, 1, 1, 0, 0, 0], [0] * 7),
    ],
    ids=["same side", "opposite sides"],
)
def test_s8_two_of_three_near_a_limit_lie_on_one_side(side, near, flagged):
    close = np.array(near, bool)
    found = [Pattern(two_of_three(np.array(side) == one, close), 3).marked() for one in (1, -1)]
    assert (found[0] | found[1]).astype(int).tolist() == flagged


# --- rules ----------------------------------------------------------------------------------------


def flat(*values):
    """Signals of these values around a centre of 0 with limits at ±3, near ones at ±2."""
    z = np.array([np.nan if value is None else value for value in values], float)
    found = lines(ChartKind.XMR, np.array([0.0, 3 / 2.66, 0.0]), np.ones(3), np.ones(3, bool))
    place = np.zeros_like(z)
    fixed = type(found)(place, place - 3, place + 3, place - 2, place + 2)
    return [SIGNALS[code] for code in flags(z, fixed)]


def test_all_points_of_a_shift_are_marked_and_no_other():
    assert flat(-1, *[1, 0.5] * 4, -1) == [None, *[Signal.SHIFT_HIGH] * 8, None]


def test_a_point_on_the_centre_breaks_a_run():
    assert flat(*[1, 0.5] * 3, 0, *[1, 0.5] * 3) == [None] * 13


def test_a_missing_point_breaks_a_run_a_trend_and_three_in_a_row():
    assert flat(*[1, 0.5] * 3, None, *[1, 0.5] * 3) == [None] * 13
    assert flat(-0.6, -0.4, -0.2, None, 0.2, 0.4, 0.6, 0.8) == [None] * 8
    assert flat(2.5, None, 2.5) == [None] * 3


def test_of_two_in_three_only_the_near_points_are_marked():
    high = Signal.TWO_OF_THREE_HIGH
    assert flat(2.5, 0.5, 2.5, -1) == [high, None, high, None]
    assert flat(-2.5, -2.1, -1) == [Signal.TWO_OF_THREE_LOW, Signal.TWO_OF_THREE_LOW, None]


def test_a_point_outside_is_not_near_and_makes_no_two_of_three():
    assert flat(2.5, 0.5, 3.5) == [None, None, Signal.ABOVE]


def test_a_point_on_a_limit_is_inside_it_and_near_it():
    assert flat(3, 3, 1) == [Signal.TWO_OF_THREE_HIGH, Signal.TWO_OF_THREE_HIGH, None]


def test_the_first_rule_in_order_is_said():
    rising = [0.1, 0.3, 0.6, 0.9, 1.2, 2.5, 3.5]
    assert flat(*rising) == [*[Signal.RISING] * 6, Signal.ABOVE]
    assert flat(-0.1, *[one - 0.5 for one in reversed(rising[:6])]) == [
        None,
        None,
        *[None] * 5,
    ]
    both = [2.2, 0.5, 2.2, 0.5, 1, 0.5, 1]
    high, shift = Signal.TWO_OF_THREE_HIGH, Signal.SHIFT_HIGH
    assert flat(*both) == [high, shift, high, shift, shift, shift, shift]
    assert flat(2.8, 2.7, 2.6, 2.5, 2.4, 2.3, 2.2) == [Signal.FALLING] * 7


def slow_flags(values, lower, upper, center):
    """The rules once more, point by point, as their text says."""
    third = [
        (c + 2 / 3 * (u - c), c - 2 / 3 * (c - low)) for low, u, c in zip(lower, upper, center, strict=True)
    ]
    n = len(values)
    outside = [values[i] > upper[i] or values[i] < lower[i] for i in range(n)]
    side = [(values[i] > center[i]) - (values[i] < center[i]) for i in range(n)]
    near = [not outside[i] and (values[i] > third[i][0] or values[i] < third[i][1]) for i in range(n)]
    found = [None] * n
    for i in range(n - 6):
        if len(set(side[i : i + 7])) == 1 and side[i]:
            found[i : i + 7] = [Signal.SHIFT_HIGH if side[i] > 0 else Signal.SHIFT_LOW] * 7
    for i in range(n - 2):
        if len(set(side[i : i + 3])) == 1 and sum(near[i : i + 3]) >= 2:
            for j in range(i, i + 3):
                if near[j]:
                    found[j] = Signal.TWO_OF_THREE_HIGH if side[j] > 0 else Signal.TWO_OF_THREE_LOW
    for word, step in ((Signal.FALLING, -1), (Signal.RISING, 1)):
        for i in range(n - 6):
            if all((values[j + 1] - values[j]) * step > 0 for j in range(i, i + 6)):
                found[i : i + 7] = [word] * 7
    for i in range(n):
        if outside[i]:
            found[i] = Signal.ABOVE if values[i] > upper[i] else Signal.BELOW
    return found


def test_the_rules_are_those_of_a_slow_reading_of_their_text():
    random = np.random.default_rng(5)
    seen = set()
    for _ in range(300):
        values, place = np.round(random.normal(size=60).cumsum() * 0.3, 1), random.integers(0, 53)
        values += np.round(random.normal(size=60), 1)
        values[place : place + 7] = np.linspace(-1.5, 1.5, 7) * random.choice([-1, 1])
        n = random.integers(20, 90, 60).astype(float)
        kind = random.choice([ChartKind.XMR, ChartKind.XMR, ChartKind.LANEY_U])
        if kind is not ChartKind.XMR:
            values = np.floor(np.abs(values) * 5) + 1
        found = lines(kind, values, n, np.ones(60, bool))
        slow = slow_flags(
            values.tolist(), *(one.tolist() for one in (found.lower, found.upper, found.center))
        )
        assert [SIGNALS[code] for code in flags(values, found)] == slow
        seen |= {*slow}
    assert seen == {None, *Signal}


@pytest.mark.parametrize("kind", [ChartKind.XMR, ChartKind.LANEY_P, ChartKind.U, ChartKind.T])
def test_many_series_at_once_have_the_lines_and_signals_each_has_alone(kind):
    random = np.random.default_rng(6)
    values, sizes = random.uniform(0.2, 0.8, (20, 30)), random.integers(5, 50, (20, 30)).astype(float)
    values[random.uniform(size=values.shape) < 0.1] = np.nan
    enters = random.uniform(size=values.shape) < 0.9
    together = lines(kind, values, sizes, enters)
    codes = flags(values, together)
    for row in range(20):
        alone = lines(kind, values[row], sizes[row], enters[row])
        np.testing.assert_allclose(together.upper[row], alone.upper, rtol=1e-12)
        assert flags(values[row], alone).tolist() == codes[row].tolist()


# --- identities -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_limits_move_and_stretch_with_the_values_and_signals_stay(seed):
    values = np.random.default_rng(seed).normal(size=40).cumsum()
    plain = charted(values.tolist())
    moved = charted((values * 12.5 - 300).tolist())
    assert moved.upper == pytest.approx([one * 12.5 - 300 for one in plain.upper], rel=1e-9)
    assert moved.lower == pytest.approx([one * 12.5 - 300 for one in plain.lower], rel=1e-9)
    assert signals(moved) == signals(plain)
    assert moved.false_alarms == plain.false_alarms
    assert moved.autocorrelation == pytest.approx(plain.autocorrelation)


@pytest.mark.parametrize("seed", range(5))
def test_a_mirrored_series_has_the_mirrored_signals(seed):
    values = np.random.default_rng(seed).normal(size=40).cumsum()
    plain, mirrored = charted(values.tolist()), charted((-values).tolist())
    opposite = dict(
        zip(
            Signal,
            [word for pair in zip([*Signal][1::2], [*Signal][::2], strict=True) for word in pair],
            strict=True,
        )
    )
    assert signals(mirrored) == [opposite.get(one) for one in signals(plain)]


def test_a_share_and_its_complement_have_the_same_signals_the_other_way_round():
    random = np.random.default_rng(3)
    n = random.integers(30, 200, 40)
    x = random.binomial(n, np.linspace(0.6, 0.9, 40))
    up, down = (
        charted((one / n).tolist(), ChartKind.P, sizes=n.tolist(), direction=way)
        for one, way in ((x, HIGHER), (n - x, LOWER))
    )
    assert up.upper == pytest.approx([1 - one for one in down.lower])
    assert [one.is_high if one else None for one in signals(up)] == [
        not one.is_high if one else None for one in signals(down)
    ]
    assert up.variation is down.variation is Variation.IMPROVEMENT


def test_a_greater_last_value_never_looks_lower():
    values = np.random.default_rng(9).normal(10, 1, 30)
    seen = []
    for last in np.linspace(2, 18, 81):
        [*_, point] = charted([*values[:-1], last], baseline=29).points
        seen.append(0 if point.signal is None else 1 if point.signal.is_high else -1)
    assert seen == sorted(seen)
    assert {-1, 0, 1} == set(seen)


def test_more_records_draw_the_limits_of_a_share_closer():
    _, found = shares([80, 160, 320, 640], [100, 200, 400, 800])
    assert all(np.diff(found.upper) < 0)
    assert all(np.diff(found.lower) > 0)


def test_a_series_that_never_moves_has_no_signal():
    found = charted([0.1] * 30)
    assert signals(found) == [None] * 30
    assert found.variation is Variation.COMMON_CAUSE


def test_one_lapse_of_a_perfect_series_lies_outside_and_the_perfect_points_do_not():
    # Screening would leave only ranges of 0, limits of no width, and every point outside them.
    found = charted([1.0] * 20 + [0.9] + [1.0] * 9)
    outside = {place: one for place, one in enumerate(signals(found)) if one in (Signal.ABOVE, Signal.BELOW)}
    assert outside == {20: Signal.BELOW}


# --- which chart ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "mean", "kind"),
    [
        ("share", 999, ChartKind.P),
        ("share", 1000, ChartKind.LANEY_P),
        ("rate", 40, ChartKind.U),
        ("rate", 4000, ChartKind.LANEY_U),
        ("count", 5, ChartKind.XMR),
        ("count", 4.99, ChartKind.G),
        ("amount", 0.1, ChartKind.XMR),
        ("time", 3, ChartKind.T),
    ],
)
def test_measure_and_size_choose_the_chart(measure, mean, kind):
    assert chart_kind(measure, mean) is kind


def test_a_u_chart_has_the_limits_of_poisson_counts():
    found = charted([2.0, 1.0, 3.0, 2.0], ChartKind.U, sizes=[4, 9, 4, 9])
    rate = (8 + 9 + 12 + 18) / 26
    assert found.upper == pytest.approx([rate + 3 * math.sqrt(rate / size) for size in (4, 9, 4, 9)])


def test_a_point_of_no_size_has_no_limits_and_is_missing():
    found = charted([0.5, 0.6, 0.4, 0.5], ChartKind.P, sizes=[20, 0, 20, None])
    assert [point.value for point in found.points] == [0.5, None, 0.4, None]
    assert [point.upper is None for point in found.points] == [False, True, False, True]


def test_a_g_chart_has_quantiles_of_the_geometric_distribution():
    found = charted([9.0, 11.0] * 6, ChartKind.G)
    fading = 10 / 11
    [center], [upper], [lower] = ({*one} for one in (found.center, found.upper, found.lower))
    assert fading ** (upper + 1) <= 0.00135 < fading**upper
    assert fading ** (center + 1) <= 0.5 < fading**center
    assert lower == 0


def test_a_t_chart_is_an_xmr_chart_of_times_to_the_power_of_one_over_3_6():
    times = [3.0, 40.0, 11.0, 0.5, 22.0, 90.0, 7.0]
    found = charted(times, ChartKind.T)
    powers = xmr([one ** (1 / 3.6) for one in times])
    assert found.upper[0] == pytest.approx(powers.upper**3.6)
    assert found.center[0] == pytest.approx(powers.center**3.6)
    assert found.lower[0] == pytest.approx(max(powers.lower, 0) ** 3.6)


# --- missing, provisional, baselines, segments ----------------------------------------------------


@pytest.mark.parametrize("values", [[], [None, None], [3.0], [3.0, None, 4.0]])
def test_without_two_values_in_a_row_there_are_no_limits(values):
    found = xmr(values)
    assert (found.lower, found.upper) == (None, None)
    assert (found.center is None) == (not [value for value in values if value is not None])
    drawn = charted(values)
    assert (drawn.judged, drawn.variation, drawn.assurance) == (None, None, None)
    assert drawn.false_alarms.last == 0


def test_a_missing_point_enters_no_limit_and_has_its_reason():
    known = [10.0, 12.0, 11.0, 13.0, 11.0, 12.0]
    found = charted([*known[:3], None, *known[3:]], reasons=[None] * 3 + ["late"] + [None] * 3, screen=False)
    ranges = [2, 1, 2, 1]
    assert found.points[3].value is None
    assert found.points[3].reason == "late"
    assert found.upper[0] == pytest.approx(11.5 + 2.66 * sum(ranges) / 4)


def test_a_provisional_point_is_drawn_and_enters_no_limits_and_no_rule():
    settled = [10.0, 12.0, 11.0, 13.0, 11.0, 12.0] * 3
    found = charted([*settled, 40.0], provisional=[False] * 18 + [True], direction=HIGHER)
    plain = charted(settled, direction=HIGHER)
    assert found.upper[0] == plain.upper[0]
    assert found.points[-1].provisional
    assert (found.points[-1].value, found.points[-1].signal) == (40.0, None)
    assert found.judged == plain.judged
    assert found.variation is Variation.COMMON_CAUSE


def test_a_fixed_baseline_takes_the_first_points_that_may_enter():
    values = [10.0, None, 12.0, 11.0, 13.0, *[20.0, 22.0] * 4]
    found = charted(values, baseline=4)
    assert found.center[0] == pytest.approx(11.5)
    assert signals(found)[5:] == [Signal.ABOVE] * 8
    assert found.trial


def test_limits_are_on_trial_under_twelve_points():
    values = [1.0, 2.0, 1.5, 2.5] * 3
    assert not charted(values).trial
    assert charted(values[:11]).trial
    assert Caution.TRIAL in charted(values[:11]).warnings


def test_rules_run_inside_the_segments_of_approved_dates_only():
    values = [10.0, 11.0, 10.5, 9.5] * 4 + [15.0, 16.0, 15.5, 14.5] * 4
    border = Border(MONDAY + timedelta(weeks=16), "a second crew, approved by the owner")
    whole, parted = charted(values), charted(values, borders=[border])
    assert any(signals(whole))
    assert signals(parted) == [None] * 32
    assert parted.center[15:17] == pytest.approx((10.25, 15.25))
    assert parted.borders == (border,)
    assert not any([whole.borders, parted.trial])


def test_a_period_that_a_border_lies_in_belongs_to_what_was_before():
    middle = MONDAY + timedelta(weeks=2, days=3)
    found = charted([1.0, 2.0, 3.0, 11.0, 12.0, 13.0], borders=[Border(middle, "counted anew")])
    assert found.center == pytest.approx([2, 2, 2, 12, 12, 12])


def test_borders_outside_the_series_part_nothing():
    edges = [
        Border(MONDAY - timedelta(weeks=1), "a"),
        Border(MONDAY + timedelta(weeks=90), "b"),
    ]
    assert charted([1.0, 2.0, 3.0], borders=edges) == charted([1.0, 2.0, 3.0])


def test_eight_points_on_one_side_propose_a_base_and_change_nothing():
    values = [10.0, 11.0, 9.0, 10.5, 9.5] * 4 + [11.2, 11.4, 11.1, 11.3] * 2
    found = charted(values, baseline=20)
    assert (found.proposal.start, found.proposal.points) == (MONDAY + timedelta(weeks=20), 8)
    assert found.proposal.is_high
    assert found.center[0] == found.center[-1]
    assert charted(values[:-1], baseline=20).proposal is None


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [*Signal])
def test_a_signal_improves_where_its_direction_is_good(word):
    good, bad = (Variation.IMPROVEMENT, Variation.CONCERN)[:: 1 if word.is_high else -1]
    assert variation(word, HIGHER) is good
    assert variation(word, LOWER) is bad
    for direction in (Direction.NEUTRAL, Direction.WITHIN):
        assert variation(word, direction) is (Variation.HIGH if word.is_high else Variation.LOW)


@pytest.mark.parametrize("direction", [*Direction])
def test_without_a_signal_it_is_common_cause(direction):
    assert variation(None, direction) is Variation.COMMON_CAUSE


@pytest.mark.parametrize(
    ("target", "direction", "expected"),
    [
        (0.5, HIGHER, Assurance.PASS),
        (0.5, LOWER, Assurance.FAIL),
        (0.95, HIGHER, Assurance.FAIL),
        (0.95, LOWER, Assurance.PASS),
        (0.7, HIGHER, Assurance.HIT_OR_MISS),
        (0.6, HIGHER, Assurance.HIT_OR_MISS),
        ((0.5, 0.9), Direction.WITHIN, Assurance.PASS),
        ((0.85, 0.9), Direction.WITHIN, Assurance.FAIL),
        ((0.7, 0.9), Direction.WITHIN, Assurance.HIT_OR_MISS),
        (0.7, Direction.NEUTRAL, None),
        (None, HIGHER, None),
    ],
)
def test_assurance_says_whether_limits_of_60_to_80_percent_lie_beyond_the_target(target, direction, expected):
    assert assurance(0.6, 0.8, target, direction) is expected


def test_assurance_is_about_the_limits_of_the_last_point():
    sizes = [400] * 20 + [25]
    values = [0.80, 0.82, 0.81, 0.79] * 5 + [0.80]
    found = charted(values, ChartKind.P, sizes=sizes, direction=HIGHER, target=0.70)
    assert found.assurance is Assurance.HIT_OR_MISS
    before = charted(values[:-1], ChartKind.P, sizes=sizes[:-1], direction=HIGHER, target=0.70)
    assert before.assurance is Assurance.PASS


def test_the_tally_counts_only_charts_of_the_week_asked_for():
    calm, loud = ([10.0, 11.0] * 10, [10.0, 11.0] * 9 + [10.0, 30.0])
    found = [charted(calm), charted(loud), charted(loud[:-1]), charted([])]
    week = MONDAY + timedelta(weeks=19)
    counted = tally(found, week, week + timedelta(weeks=1))
    assert (counted.charts, counted.signals) == (2, 1)
    assert counted.expected == pytest.approx(2 * found[0].false_alarms.last)


# --- warnings -------------------------------------------------------------------------------------


def remembering(random, points, memory):
    """An AR(1) series."""
    values = [random.normal()]
    for _ in range(points - 1):
        values.append(memory * values[-1] + math.sqrt(1 - memory**2) * random.normal())
    return values


def test_a_series_that_remembers_is_warned_of_and_an_independent_one_is_not():
    random = np.random.default_rng(11)
    resembling = charted(remembering(random, 104, 0.5))
    assert Caution.AUTOCORRELATED in resembling.warnings
    assert resembling.autocorrelation == pytest.approx(0.5, abs=0.2)
    independent = charted(remembering(random, 104, 0.0))
    assert independent.warnings == ()


def test_a_steady_rise_is_warned_of():
    random = np.random.default_rng(12)
    assert Caution.TREND in charted((np.arange(52) * 0.08 + random.normal(size=52)).tolist()).warnings


def test_warnings_of_independent_series_are_rare():
    random = np.random.default_rng(13)
    found = [charted(random.normal(size=52).tolist()).warnings for _ in range(300)]
    assert sum(Caution.AUTOCORRELATED in one for one in found) <= 9
    assert sum(Caution.TREND in one for one in found) <= 4


WEEK_PATTERN = np.array([30, 24, 24, 22, 26, 8, 4])


def test_a_daily_series_has_a_centre_for_each_weekday_and_asks_only_for_points_outside():
    random = np.random.default_rng(14)
    values = (np.tile(WEEK_PATTERN, 20) + random.normal(0, 1.5, 140)).tolist()
    values[100] += 9
    found = charted(values, daily=True)
    assert Caution.WEEKDAYS in found.warnings
    assert [place for place, one in enumerate(signals(found)) if one] == [100]
    assert found.center[7:14] == pytest.approx(WEEK_PATTERN, abs=1.5)
    assert found.center[7:14] == found.center[14:21]
    assert not found.every_rule
    blind = charted(values)
    assert signals(blind)[100] is None


def test_days_alike_have_no_weekday_pattern():
    random = np.random.default_rng(15)
    found = [charted(random.normal(size=91).tolist(), daily=True).warnings for _ in range(100)]
    assert sum(Caution.WEEKDAYS in one for one in found) <= 2


def test_a_daily_series_too_short_for_its_weekdays_says_so():
    assert Caution.WEEKDAYS_UNKNOWN in charted([5.0, 6.0, 7.0] * 8, daily=True).warnings


def test_days_on_which_an_office_is_closed_need_no_centre():
    workdays = [MONDAY + timedelta(days=day) for day in range(56) if day % 7 < 5]
    found = chart(ChartKind.XMR, Series.of(workdays, [5.0, 6.0, 5.5, 6.5] * 10, daily=True))
    assert Caution.WEEKDAYS_UNKNOWN not in found.warnings


def test_shares_that_spread_more_than_chance_are_warned_of():
    random = np.random.default_rng(16)
    calm = random.binomial(400, 0.8, 40) / 400
    wild = random.binomial(400, random.beta(40, 10, 40)) / 400
    warned = [
        Caution.OVERDISPERSED in charted(one.tolist(), ChartKind.P, sizes=[400] * 40).warnings
        for one in (calm, wild)
    ]
    assert warned == [False, True]


def test_a_series_whose_parts_differ_in_length_is_refused():
    with pytest.raises(ValueError, match="one value, size"):
        Series.of([MONDAY], [1.0, 2.0])
