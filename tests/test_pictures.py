"""The tour shows every picture that is taken, and there is one of every staff page."""

from __future__ import annotations

import re
from pathlib import Path

from layouts import pages
from tests.pictures import FOLDER, PICTURES

TOUR = FOLDER.parent / "tour.md"
NOT_SHOWN = {"case", "admin_person", "manual", "manual_source", "not_found_404"}
"""Pages of one record or one person, and those for values by hand, of which the demonstration has none."""


def test_the_tour_shows_every_picture_once_and_none_that_is_not_taken():
    shown = re.findall(r"\(pictures/(\w+)\.jpg\)", TOUR.read_text())
    assert sorted(shown) == sorted(PICTURES)
    assert all((FOLDER / f"{name}.jpg").exists() for name in PICTURES)


def test_every_staff_page_has_its_picture():
    files = [one for one in Path(pages.__path__[0]).glob("[a-z]*.py") if one.stem not in NOT_SHOWN]
    shown = [path.removeprefix("/staff") for path in PICTURES.values()]
    for file in files:
        address = re.search(r'(?:path|path_template|PATH) ?= ?"([^"]+)"', file.read_text())
        assert address, file.name
        pattern = re.sub(r"<\w+>", "[^/?]+", address[1])
        assert any(re.fullmatch(rf"{pattern}([?#].*)?", one) for one in shown), file.name
