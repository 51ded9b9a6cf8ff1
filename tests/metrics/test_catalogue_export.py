"""Approved targets in the text of a metric's file: what is added, what is replaced, and all that stays."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.catalogue import CatalogueError
from metrics.catalogue_export import exported
from metrics.model import Target, Withdrawn

FILE = """\
# Potholes.
id = "on_time"   # for ever
definition = \"\"\"
[[target]] is only a word here
\"\"\"
scored_at = [
  "week",
]

# what the city first asked
[[target]]   # as of old
value = 0.8
# agreed with the union
valid_from = 2016-01-01
reason = "a test"
approved_by = "the tester"

# what weighs
[[weight]]
value = 1.0
"""
LATER = Target(0.85, date(2027, 1, 1), 'A "second" crew', "The council")
BAND = Target((0.6, 0.8), date(2027, 1, 1), "A band", "The council", (0.2, 1.0))


def test_a_new_target_stands_below_the_last_and_nothing_else_moves() -> None:
    added = """
[[target]]
value = 0.85
valid_from = 2027-01-01
reason = "A \\"second\\" crew"
approved_by = "The council"
"""
    before, after = FILE.split("\n# what weighs")
    assert exported("m.toml", FILE, [LATER]) == f"{before}{added}\n# what weighs{after}"


def test_a_band_is_written_with_both_its_ends() -> None:
    assert "value = [0.6, 0.8]\nvalid_from = 2027-01-01\nfloor = [0.2, 1.0]\n" in exported("m", FILE, [BAND])


def test_of_the_same_day_it_takes_the_place_of_the_one_in_the_file_whose_comments_stay() -> None:
    other = Target(0.7, date(2016, 1, 1), "Entered wrong", "The council", 0.1)
    said = exported("m.toml", FILE, [other])
    assert (
        "# what the city first asked\n[[target]]   # as of old\n# agreed with the union\nvalue = 0.7\n"
        in said
    )
    assert tomllib.loads(said)["target"] == [
        {
            "value": 0.7,
            "floor": 0.1,
            "valid_from": date(2016, 1, 1),
            "reason": "Entered wrong",
            "approved_by": "The council",
        }
    ]
    assert said.count("\n") == FILE.count("\n") + 1


def test_a_withdrawn_target_is_gone_from_the_file() -> None:
    gone = Withdrawn(date(2027, 1, 1), "No crew after all", "The council")
    with_two = exported("m.toml", FILE, [LATER])
    assert exported("m.toml", with_two, [gone]) == FILE
    assert exported("m.toml", FILE, [gone]) == FILE


def test_a_file_without_targets_gets_its_first_at_the_end() -> None:
    assert exported("m.toml", 'id = "a"', [LATER]).startswith('id = "a"\n\n[[target]]\nvalue = 0.85\n')


def test_line_ends_are_those_of_the_file() -> None:
    windows = FILE.replace("\n", "\r\n")
    assert exported("m.toml", windows, [LATER]).replace("\r\n", "\n") == exported("m.toml", FILE, [LATER])
    assert "\n" not in exported("m.toml", windows, [LATER]).replace("\r\n", "")


@pytest.mark.parametrize(
    "text",
    [
        'target = [{value = 0.8, valid_from = 2016-01-01, reason = "a", approved_by = "b"}]\n',
        'note = """\n[[target]]\n"""\n',
    ],
)
def test_a_file_written_otherwise_is_left_alone_with_the_words_to_write(text: str) -> None:
    with pytest.raises(
        CatalogueError, match=r"metrics/m\.toml: target: .*by hand: value = 0\.85, "
    ) as refused:
        exported("metrics/m.toml", text, [LATER])
    assert "\n" not in str(refused.value)


SENTENCES = st.text(st.characters(codec="utf-8"), min_size=1)
TARGETS = st.builds(
    Target,
    value=st.floats(allow_nan=False, allow_infinity=False),
    valid_from=st.dates(),
    reason=SENTENCES,
    approved_by=SENTENCES,
    floor=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(TARGETS, unique_by=lambda target: target.valid_from))
def test_whatever_is_approved_can_be_read_from_the_file_and_a_second_time_changes_nothing(
    targets: list[Target],
) -> None:
    said = exported("m.toml", FILE, targets)
    read = {one["valid_from"]: one for one in tomllib.loads(said)["target"]}
    for target in targets:
        one = read[target.valid_from]
        assert (one["value"], one.get("floor")) == (target.value, target.floor)
        assert (one["reason"], one["approved_by"]) == (target.reason, target.approved_by)
    assert exported("m.toml", said, targets) == said
