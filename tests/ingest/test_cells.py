"""A cell becomes its value or is refused with the reason, and nothing is guessed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import cells


def values(convert, *given):
    found = convert(list(given))
    assert found.wrong == {}
    return list(found.values)


def reason(convert, cell):
    found = convert([cell])
    assert found.values == [None]
    return found.wrong[0]


def test_text_is_stripped_and_otherwise_left_alone():
    assert values(cells.text, " 02125 ", "NA", "null", "nan", "1e5", "\u00a0Ward 9\u00a0") == [
        "02125",
        "NA",
        "null",
        "nan",
        "1e5",
        "Ward 9",
    ]


def test_empty_text_is_no_value():
    assert values(cells.text, "", "   ", None) == [None, None, None]


@pytest.mark.parametrize("cell", ["a\x00b", "half \ud800 pair", "é\x00"])
def test_text_that_a_database_cannot_keep_is_refused_alone(cell):
    found = cells.text(["good", cell, "gut"])
    assert found.values == ["good", None, "gut"]
    assert found.wrong == {1: "holds characters that a database cannot keep"}


def test_whole_numbers():
    assert values(cells.integer, "12", " -3 ", "+4", "12.0", "007", "", None) == [
        12,
        -3,
        4,
        12,
        7,
        None,
        None,
    ]
    assert all(type(value) is int for value in values(cells.integer, "12", "12.0"))


@pytest.mark.parametrize("cell", ["12.5", "1_000", "1,000", "twelve", "1e3", "٣", "nan", "0x1f", "9" * 50])
def test_what_is_no_whole_number_is_refused(cell):
    assert "whole number" in reason(cells.integer, cell)


def test_a_whole_number_beyond_64_bits_is_refused():
    assert values(cells.integer, str(2**63 - 1), str(-(2**63))) == [2**63 - 1, -(2**63)]
    assert reason(cells.integer, str(2**63)) == "is a whole number too large to keep"


def test_numbers():
    assert values(cells.number, "42.5", ".5", "5.", "-1e-3", " 7 ", "") == [42.5, 0.5, 5.0, -0.001, 7.0, None]


@pytest.mark.parametrize("cell", ["nan", "inf", "-Infinity", "1e999", "1,5", "$12", "1_0", "12 m"])
def test_what_is_no_finite_number_is_refused(cell):
    assert reason(cells.number, cell) == "is not a number"


def test_truth_is_one_and_falsehood_zero():
    assert values(cells.boolean, "true", "Y", "1", "FALSE", "no", "0", "") == [1, 1, 1, 0, 0, 0, None]
    assert reason(cells.boolean, "maybe") == "is neither true nor false"


@given(st.lists(st.text(max_size=20) | st.none(), max_size=8))
def test_no_cell_makes_a_conversion_raise_and_every_cell_has_a_place(given_cells):
    for convert in (cells.text, cells.integer, cells.number, cells.boolean):
        found = convert(given_cells)
        assert len(found.values) == len(given_cells)
        for index, value in enumerate(found.values):
            assert value is None or index not in found.wrong
            assert type(value) in (str, int, float, type(None))
            assert not (isinstance(value, float) and not math.isfinite(value))
