"""What pictures outside our pages are made of: room for letters, colours, PNG without a browser."""

from __future__ import annotations

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.charts import lettering, palette
from layouts.charts.cards import ALONE_RULES, DRAWING_RULES, rules
from layouts.charts.lettering import ELLIPSIS, balanced, cut, lines, width
from layouts.charts.palette import Theme
from layouts.public import png
from layouts.public.site import TEMPLATES

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=120)
BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20">{}</svg>'


@given(TEXTS, st.integers(40, 600), st.integers(1, 4), st.booleans())
def test_no_line_is_wider_than_its_room(text, room, most, bold):
    for broken in (lines, balanced):
        found = broken(text, 14, room, bold=bold, most=most)
        assert 1 <= len(found) <= most
        assert all(width(line, 14, bold=bold) <= room for line in found)


@given(TEXTS, st.integers(40, 600))
def test_a_text_is_whole_or_says_that_it_was_cut(text, room):
    for found in (lines(text, 14, room, most=3), balanced(text, 14, room), [cut(text, 14, room)]):
        assert " ".join(found) == text or any(line.endswith(ELLIPSIS) for line in found)


def test_no_line_of_a_title_holds_a_lonely_word():
    text = "Graffiti removed on time: 88.4%, better than its target of 80%"
    assert lines(text, 20, 600, bold=True)[-1] in ("80%", "of 80%", "target of 80%")
    first, last = balanced(text, 20, 600, bold=True)
    assert width(last, 20) > 0.6 * width(first, 20)


@pytest.mark.parametrize("theme", list(Theme))
def test_every_colour_a_picture_asks_for_is_a_token_of_the_style_sheet(theme):
    asked = set(re.findall(r"var\(--([a-z-]+)\)", rules(DRAWING_RULES, ALONE_RULES)))
    assert asked and asked <= palette.tokens(theme).keys()
    assert "var(" not in palette.written_out(rules(DRAWING_RULES, ALONE_RULES), theme)


def test_every_token_a_frame_asks_for_is_given_to_it():
    text = (TEMPLATES / "embed.css").read_text() + rules(DRAWING_RULES)
    own = {"level", "tint"}
    assert set(re.findall(r"var\(--([a-z-]+)\)", text)) - own <= palette.tokens(Theme.LIGHT).keys()


def test_light_is_lighter_than_dark():
    light, dark = (int(palette.tokens(theme)["card"][1:3], 16) for theme in (Theme.LIGHT, Theme.DARK))
    assert light > 200 > 60 > dark


def test_a_text_is_drawn_without_any_font_of_the_machine():
    blank = png.draw(BLANK.format(""), {})
    drawn = png.draw(BLANK.format('<text y="14" font-size="14" font-family="Public Sans">City</text>'), {})
    assert pixels(drawn) != pixels(blank)


def test_bold_letters_are_drawn_bold():
    text = '<text y="14" font-size="14" font-weight="{}" font-family="Public Sans">City</text>'
    regular, bold = (pixels(png.draw(BLANK.format(text.format(weight)), {})) for weight in (400, 700))
    assert bold != regular


def pixels(picture):
    """The lines of a PNG as they are packed: equal for equal pictures."""
    return zlib.decompress(b"".join(data for kind, data in png._chunks(picture) if kind == b"IDAT"))


@given(st.dictionaries(st.sampled_from(["Title", "Value", "Publication"]), TEXTS))
def test_a_png_gives_back_the_texts_it_was_given_and_stays_sound(texts):
    picture = png.draw(BLANK.format(""), texts)
    assert png.texts(picture) == {keyword: text for keyword, text in texts.items() if text}
    kinds = [kind for kind, _data in png._chunks(picture)]
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND" and kinds.count(b"pHYs") == 1


def test_a_text_of_any_length_is_cut_without_looking_at_all_of_it(monkeypatch):
    asked = []
    monkeypatch.setattr(lettering, "_ems", lambda letter: asked.append(letter) or 0.6)
    assert cut("a" * 100_000, 16, 300).endswith(ELLIPSIS)
    assert len(asked) < 1_000


def test_lines_of_a_very_long_text_measure_each_letter_a_few_times_at_the_most(monkeypatch):
    asked = []
    monkeypatch.setattr(lettering, "_ems", lambda letter: asked.append(letter) or 0.6)
    text = "a " * 10_000
    balanced(text, 16, 300)
    assert len(asked) < 20 * len(text)
