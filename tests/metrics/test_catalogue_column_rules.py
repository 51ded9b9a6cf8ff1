"""A word of cleaning that has no meaning, names nothing or contradicts another is a mistake with its fix."""

from __future__ import annotations

import json

import pytest

from metrics import catalogue

CITY = 'id = "test"\nname = "Testville"\ntime_zone = "America/New_York"\n'
SOURCE = """id = "cases"
name = "Cases"
kind = "file"
key = "id"
[columns.id]
type = "text"
[columns.opened]
type = "instant"
[columns.lat]
type = "number"
[columns.lon]
type = "number"
"""
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}


@pytest.fixture
def mistakes(tmp_path):
    def check(columns, *, source=SOURCE, geometry=SQUARE, districts=True):
        (tmp_path / "sources").mkdir(exist_ok=True)
        (tmp_path / "city.toml").write_text(CITY)
        (tmp_path / "sources" / "cases.toml").write_text(source + columns)
        feature = {"type": "Feature", "properties": {"id": "a", "name": "A"}, "geometry": geometry}
        text = json.dumps({"type": "FeatureCollection", "features": [feature]})
        if districts:
            (tmp_path / "districts.geojson").write_text(text)
        return [str(one) for one in catalogue.check(tmp_path)]

    return check


def test_all_words_of_cleaning_together_are_a_source_without_mistakes(mistakes):
    found = mistakes(
        """
[columns.due]
type = "instant"
format = ["%m/%d/%Y %H:%M", "%d.%m.%Y"]
stamps = "utc"
local_until = 2022-12-31
empty = ["1753-12-14", "N/A"]
earliest = 2011-07-01
ahead_days = 730
unfit = "empty"
[columns.zip]
type = "text"
pad = 5
[columns.ward]
type = "text"
values = { "Ward 9" = "9" }
others = "refuse"
[columns.area]
type = "district"
latitude = "lat"
longitude = "lon"
others = "locate"
[columns.days]
type = "number"
expression = "days_between(opened, due)"
min = 0
max = 1000
"""
    )
    assert found == []


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ('type = "text"\nmin = 1', "`min` has no meaning for a column of type text"),
        ('type = "integer"\npad = 5', "`pad` has no meaning for a column of type integer"),
        ('type = "text"\nformat = "%Y"', "`format` has no meaning for a column of type text"),
        ('type = "day"\nstamps = "local"', "`stamps` has no meaning for a column of type day"),
        ('type = "instant"\nformat = 5', "5 is neither a text nor a list of texts"),
        ('type = "text"\nlatitude = "lat"', "`latitude` has no meaning for a column of type text"),
        (
            'type = "text"\nothers = "empty"',
            "`others` says what becomes of cells that `values` does not name",
        ),
        ('type = "district"\nothers = "locate"', "nothing says where a record lies"),
        ('type = "district"\nlatitude = "lat"', "a place is a latitude and a longitude"),
        ('type = "district"\nlatitude = "lta"\nlongitude = "lon"', "Did you mean `lat`?"),
        ('type = "district"\nlatitude = "id"\nlongitude = "lon"', "`id` is not a number that is read"),
        ('type = "number"\nmin = 5\nmax = 4', "min is above max"),
        ('type = "day"\nearliest = 2026-01-02\nlatest = 2026-01-01', "earliest is above latest"),
        ('type = "text"\npad = 0', "0 is out of range"),
        ('type = "day"\nahead_days = -1', "-1 is out of range"),
        ('type = "text"\nvalues = { "A" = "1", " a" = "2" }', "` a` is given two values"),
        ('type = "text"\nvalues = { "A" = "1" }\nempty = ["a"]', "`a` is given two values"),
        ('type = "text"\nempty = [" "]', "an empty cell has no value anyway"),
        ('type = "day"\nempty = ["2026-02-30"]', "`2026-02-30` is no day"),
        (
            'type = "instant"\nstamps = "local"\nlocal_until = 2026-01-01',
            "all stamps are the city's clock already",
        ),
        ('type = "number"\nexpression = "lat +"', "x, expression"),
        ('type = "number"\nexpression = "opend"', "Did you mean `opened`?"),
        ('type = "text"\nexpression = "lat + 1"', "This is a number where text is expected"),
        ('type = "integer"\nexpression = "lat + 1"', "no expression gives a value of type integer"),
        (
            'type = "number"\nexpression = "lat + 1"\naliases = ["y"]',
            "`aliases` is about cells that are read",
        ),
        ('type = "number"\nexpression = "x + 1"', "x, expression"),
    ],
)
def test_a_word_that_cannot_be_meant_is_named_with_its_fix(mistakes, column, said):
    [one] = mistakes(f"[columns.x]\n{column}\n")
    assert "error sources/cases.toml: columns.x" in one
    assert said in one
    assert "Fix: " in one


def test_what_a_run_needs_before_anything_is_computed_is_not_computed(mistakes):
    computed = '[columns.x]\ntype = "instant"\nexpression = "opened"\n'
    [one] = mistakes(computed, source='arrival = "x"\n' + SOURCE)
    assert "arrival: `x` is computed, and this must be read" in one


def test_districts_need_a_city_that_has_some_and_a_map_where_they_are_looked_for(mistakes):
    area = '[columns.x]\ntype = "district"\n'
    [none] = mistakes(area, districts=False)
    assert "the city has no districts in districts.geojson" in none
    [flat] = mistakes(area + 'latitude = "lat"\nlongitude = "lon"\n', geometry=None)
    assert "have no shapes to look in" in flat
