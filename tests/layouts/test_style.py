"""What the style sheet promises: both dark themes alike, paper that stays light, every way of writing."""

from __future__ import annotations

import re

from layouts.charts.palette import STYLE_SHEET, Theme, tokens
from layouts.formats import language
from tests.layouts.cities import arabic

SHEET = STYLE_SHEET.read_text("utf-8")


def block_after(words: str) -> dict[str, str]:
    start = SHEET.index(words)
    inside = SHEET[SHEET.index("{", start) + 1 : SHEET.index("}", start)]
    return dict(re.findall(r"--([a-z-]+):\s*([^;]+);", inside))


def test_the_dark_the_reader_chose_is_the_dark_of_the_system():
    chosen = block_after(':root[data-theme="dark"]')
    assert chosen and chosen == block_after(':root:not([data-theme="light"])')
    assert chosen.items() <= dict(tokens(Theme.DARK)).items()


def test_paper_never_meets_the_dark_tokens():
    dark = [part for part in SHEET.split("@media ") if "--bg: #12161c" in part]
    assert len(dark) == 2 and all(part.startswith("screen") for part in dark)


def test_every_breakpoint_is_for_screens_alone():
    assert [
        found for found in re.findall(r"@media ([^{]*width[^{]*)\{", SHEET) if "screen and" not in found
    ] == []


def test_nothing_is_placed_left_or_right_so_that_it_also_fits_languages_written_from_the_right():
    physical = r"(?<![-\w])(?:(?:margin|padding|border)-(?:left|right)|left|right|float)\s*:"
    assert re.findall(physical, SHEET) == [] and "text-align: left" not in SHEET


def test_a_language_says_which_way_it_is_written_where_its_sentences_are_translated():
    assert arabic().direction == "rtl"
    assert (language("ar").direction, language("en").direction) == ("ltr", "ltr")
