"""A point lies in one district at most, on a border in one of the two, and where exact arithmetic says."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ingest.places import Places
from metrics.model import District

HOLE = {
    "type": "Polygon",
    "coordinates": [
        [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]],
        [[3, 3], [6, 3], [6, 6], [3, 6], [3, 3]],
    ],
}
ISLAND = {
    "type": "MultiPolygon",
    "coordinates": [[[[3, 3], [6, 3], [6, 6], [3, 6], [3, 3]]], [[[20, 0], [21, 0], [21, 1], [20, 0]]]],
}
TOWN = Places([District("ring", "Ring", geometry=HOLE), District("isle", "Isle", geometry=ISLAND)])


def where(*points, places=TOWN):
    return places.at([x for x, _ in points], [y for _, y in points])


def test_holes_belong_to_nobody_or_to_whoever_fills_them():
    assert where((1, 1), (4, 4), (20.9, 0.5), (30, 30)) == ["ring", "isle", "isle", None]
    assert where((4, 4), places=Places([District("ring", "Ring", geometry=HOLE)])) == [None]


def test_no_points_and_no_districts_are_no_trouble():
    assert where() == []
    assert where((1, 1), places=Places()) == [None]
    assert where(
        (1, 1), places=Places([District("a", "A", geometry={"type": "Point", "coordinates": [1, 1]})])
    ) == [None]


def test_where_districts_overlap_the_first_counts():
    both = [District("a", "A", geometry=HOLE), District("b", "B", geometry=HOLE)]
    assert where((1, 1), places=Places(both)) == ["a"]


def test_names_are_found_in_any_case_and_unknown_is_one():
    assert (TOWN.named(" RING "), TOWN.named("Unknown"), TOWN.named("rung")) == ("ring", "unknown", None)


def test_the_mark_changes_with_a_spelling_and_with_a_border():
    assert Places([District("a", "A")]).mark == Places([District("a", "A")]).mark
    marks = {
        Places([one]).mark
        for one in (District("a", "A"), District("a", "A", ("B",)), District("a", "A", geometry=HOLE))
    }
    assert len(marks) == 3


places = st.integers(-8, 8).map(lambda n: n / 4)


@given(
    st.lists(st.tuples(places, places), min_size=4, max_size=4, unique=True),
    st.lists(st.tuples(places, places), max_size=6),
)
def test_two_sides_of_a_line_share_no_point_and_lose_none(corners, points):
    """A quadrilateral cut along a diagonal: whoever is in the whole is in one half, borders included."""
    a, b, c, d = corners

    def polygon(*ring):
        return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}

    whole = Places([District("whole", "Whole", geometry=polygon(a, b, c, d))])
    halves = [Places([District("x", "X", geometry=polygon(*ring))]) for ring in ((a, b, c), (a, c, d))]
    inside = [place is not None for place in where(*points, places=whole)]
    counts = zip(*(where(*points, places=half) for half in halves), strict=True)
    # By the even-odd rule the whole is what lies in exactly one of two halves, however they are folded.
    assert inside == [sum(place is not None for place in pair) % 2 == 1 for pair in counts]


@given(st.floats(0, 1), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_point_near_an_edge_is_judged_without_rounding(y, width, height):
    x2, y2 = width / 7, height / 3
    triangle = {"type": "Polygon", "coordinates": [[[0, 0], [x2, y2], [0, y2], [0, 0]]]}
    up = y * y2
    x = float(Fraction(x2) * Fraction(up) / Fraction(y2))
    [found] = where((x, up), places=Places([District("t", "T", geometry=triangle)]))
    on_or_right = Fraction(x) * Fraction(y2) >= Fraction(up) * Fraction(x2)
    if 0 < up < y2 and x > 0:
        assert (found is None) == on_or_right
