"""The demonstration city's catalogue: clean, complete, and drawn on a map without overlaps."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import pytest

from metrics import catalogue
from metrics.model import Aggregation, Direction, Family, Grain

DEMO = Path(__file__).resolve().parents[2] / "data" / "cities" / "demo"

Point = tuple[float, float]


@pytest.fixture(scope="module")
def demo():
    return catalogue.load(DEMO)


def rings(demo):
    """The outline of each district: its points in order, the first one not repeated."""
    outlines = {}
    for district in demo.districts.values():
        assert district.geometry["type"] == "Polygon"
        [ring] = district.geometry["coordinates"]
        assert ring[0] == ring[-1]
        outlines[district.id] = [tuple(point) for point in ring[:-1]]
    return outlines


def edges(ring):
    return list(pairwise([*ring, ring[0]]))


def turn(a: Point, b: Point, c: Point) -> float:
    """Above 0 where a, b, c turn left, rounded so that points on one line do not turn."""
    return round((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]), 12)


def cross(one, other):
    """Whether two edges cross at a point inside both."""
    (a, b), (c, d) = one, other
    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


def lies_on(point, edge):
    a, b = edge
    between = all(min(a[axis], b[axis]) <= point[axis] <= max(a[axis], b[axis]) for axis in (0, 1))
    return between and turn(a, b, point) == 0


def inside(point, ring):
    """Whether a point lies strictly inside a ring."""
    if any(lies_on(point, edge) for edge in edges(ring)):
        return False
    odd = False
    for (x1, y1), (x2, y2) in edges(ring):
        if (y1 > point[1]) != (y2 > point[1]) and point[0] < (x2 - x1) * (point[1] - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def middle(ring):
    return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)


def twice_the_area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in edges(ring))


def overlap(one, other):
    return (
        any(cross(a, b) for a in edges(one) for b in edges(other))
        or any(inside(point, other) for point in [*one, middle(one)])
        or any(inside(point, one) for point in [*other, middle(other)])
    )


# --- the catalogue -------------------------------------------------------------------------------


def test_the_catalogue_is_clean():
    assert [str(mistake) for mistake in catalogue.check(DEMO)] == []


def test_it_is_the_demonstration(demo):
    assert (demo.city.id, demo.city.demonstration) == ("demo", True)


def test_it_is_as_large_as_a_city(demo):
    metrics = demo.live_metrics()
    assert len(metrics) >= 24
    assert len({metric.department for metric in metrics}) >= 8
    assert {metric.department for metric in metrics} == set(demo.departments)
    assert {metric.source for metric in metrics} == set(demo.sources)
    assert len(demo.districts) >= 12


def test_it_shows_every_aggregation_direction_and_kind_of_target(demo):
    metrics = demo.live_metrics()
    assert {metric.aggregation for metric in metrics} == set(Aggregation)
    assert {metric.direction for metric in metrics} == set(Direction)
    assert {metric.calendar for metric in metrics} == {"all", "business", "school"}
    assert {metric.per for metric in metrics} == {"open_day", "quarter"}
    assert {metric.historical for metric in metrics if metric.family is Family.SERVICE} == {True, False}
    assert any(metric.quantity for metric in metrics)
    assert any(metric.denominator for metric in metrics)
    assert any(len(metric.targets) > 1 for metric in metrics)
    assert any(len(metric.weights) > 1 for metric in metrics)
    assert any(target.value == 0 and target.floor for metric in metrics for target in metric.targets)


def test_services_make_the_headline_and_conditions_stand_beside_it(demo):
    families = [metric.family for metric in demo.live_metrics()]
    assert families.count(Family.SERVICE) > 2 * families.count(Family.CONDITION) > 0


def test_a_headline_can_be_made_at_every_grain_and_weeks_hold_half_of_the_weight(demo):
    services = [metric for metric in demo.live_metrics() if metric.family is Family.SERVICE]
    weight = {
        grain: sum(one.weights[-1].value for one in services if grain in one.scored_at) for grain in Grain
    }
    assert weight[Grain.DAY] > 0
    assert weight[Grain.DAY] < weight[Grain.WEEK]
    assert weight[Grain.WEEK] > 0.5 * weight[Grain.QUARTER]


def test_the_source_that_falls_silent_cannot_take_the_headline_away(demo):
    services = [metric for metric in demo.live_metrics() if metric.family is Family.SERVICE]
    for grain in Grain:
        scored = [one for one in services if grain in one.scored_at]
        for closed in (set(), {"school"}, {"school", "business"}):
            opened = [one for one in scored if grain is not Grain.DAY or one.calendar not in closed]
            silent = sum(one.weights[-1].value for one in opened if one.source == "library_counts")
            weight = sum(one.weights[-1].value for one in opened)
            assert 1 - silent / weight >= demo.city.minimum_coverage, (grain, closed)


def test_every_metric_speaks_to_a_newcomer(demo):
    for metric in demo.live_metrics():
        assert metric.question.endswith("?"), metric.id
        for said in (metric.definition, metric.limitations):
            assert said.strip().endswith("."), metric.id
            assert "\n" not in said.strip(), metric.id
            assert "  " not in said, metric.id
        assert metric.clock_start is None or metric.clock_stop


def test_every_on_time_metric_of_requests_leaves_out_the_same_closings(demo):
    found = [one for one in demo.live_metrics() if one.id.endswith("_on_time") and one.date == "due_at"]
    requests = [one for one in found if one.source == "service_requests"]
    assert len(requests) == 7
    assert {one.exclude for one in requests} == {"closure_reason in ('Duplicate', 'Invalid')"}
    assert {one.numerator for one in requests} == {"closed_at <= due_at"}


# --- the map -------------------------------------------------------------------------------------


def test_every_district_has_people_and_a_plain_outline(demo):
    for district, ring in rings(demo).items():
        assert demo.districts[district].population > 1000
        assert len(ring) == len(set(ring)) >= 4
        assert twice_the_area(ring) > 0, f"{district} runs clockwise"
        assert not any(cross(a, b) for a, b in combinations(edges(ring), 2)), district


def test_no_two_districts_overlap(demo):
    for (one, ring), (other, another) in combinations(rings(demo).items(), 2):
        assert not overlap(ring, another), f"{one} and {other}"


def test_districts_meet_along_whole_edges_and_only_the_island_stands_alone(demo):
    outlines = rings(demo)
    shared = dict.fromkeys(outlines, 0)
    for (one, ring), (other, another) in combinations(outlines.items(), 2):
        same = {frozenset(edge) for edge in edges(ring)} & {frozenset(edge) for edge in edges(another)}
        shared[one] += len(same)
        shared[other] += len(same)
        loose = [point for point in ring if point not in another and any(map_on(point, another))]
        assert loose == [], f"{one} touches {other} between its corners"
    assert [district for district, count in shared.items() if count == 0] == ["gull_island"]


def map_on(point, ring):
    return (lies_on(point, edge) for edge in edges(ring))


SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)], True),
        ([(0.5, 0.5), (1.0, 0.5), (1.0, 1.0)], True),
        (SQUARE, True),
        ([(2.0, 0.0), (4.0, 0.0), (4.0, 2.0), (2.0, 2.0)], False),
        ([(3.0, 3.0), (4.0, 3.0), (4.0, 4.0)], False),
    ],
)
def test_the_check_of_overlaps_sees_them(other, expected):
    assert overlap(SQUARE, other) is expected
