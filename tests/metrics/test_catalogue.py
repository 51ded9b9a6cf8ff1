"""The catalogue: files to definitions, every rule with a planted mistake, and the text that gives it back."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, fields, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import catalogue, catalogue_city_rules, catalogue_rules, catalogue_source_rules
from metrics.catalogue import CatalogueError, Mistake
from metrics.model import Aggregation, Column, Direction, Metric, Retired, Target, Weight, Withdrawn
from tests.builders import write_folder

CITIES = Path(__file__).resolve().parents[2] / "data" / "cities"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "adding_a_metric.md"

CITY = """\
id = "town"
name = "Town"
time_zone = "Europe/Berlin"
publication_hour = 6
minimum_coverage = 0.5
fiscal_year_start = 1

[holidays]
country = "DE"
subdivision = "BE"
dates = [2026-05-02]

[[closure]]
from_day = 2026-02-09
to_day = 2026-02-10
reason = "snow"
"""

DEPARTMENTS = """\
[streets]
name = "Streets"
head = "A. Person"
"""

DISTRICTS = """\
{"type": "FeatureCollection", "features": [
  {"type": "Feature", "properties": {"id": "north", "name": "North", "aliases": ["N"], "population": 10},
   "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}},
  {"type": "Feature", "properties": {"id": "south", "name": "South"}}
]}
"""

SOURCE = """\
id = "requests"
name = "Requests"
kind = "file"
key = "number"
arrival = "opened"
modified = "touched"
closed = "closed"
quiet_minutes = 60

[columns.number]
type = "text"
required = true

[columns.opened]
type = "instant"
stamps = "local"
format = "%d.%m.%Y %H:%M"

[columns.due]
type = "instant"
planned = true

[columns.closed]
type = "instant"
not_before = "opened"

[columns.reason]
type = "text"
aliases = ["closure_reason"]
known_with = "closed"

[columns.topic]
type = "text"
required = true

[columns.area]
type = "text"

[columns.cost]
type = "number"

[columns.seen]
type = "day"

[columns.touched]
type = "instant"

[columns.spare]
type = "number"

[[gap]]
from_day = 2026-01-01
to_day = 2026-01-03
reason = "the server was down"
declared = 2026-01-05

[options]
path = "requests.csv"
since = 2026-01-01
"""

COMMON = """
department = "streets"
theme = "streets"
definition = "What is counted."
limitations = "What is not shown."
owner = "A. Person"
source = "requests"
district = "area"
"""

ON_TIME = f"""\
id = "on_time"
name = "On time"
family = "service"
{COMMON}
aggregation = "ratio"
where = "topic = 'Pothole'"
exclude = "reason in ('Duplicate')"
pairs = ["dropped"]
date = "due"
numerator = "closed <= due"
unit = "percent"
direction = "higher_is_better"
scored_at = ["week", "month"]
weight = 1.0
decimals = 1

[[target]]
value = 0.80
valid_from = 2016-01-01
reason = "Promised"
approved_by = "The council"
"""

OPENED = f"""\
id = "opened"
name = "Opened"
family = "condition"
{COMMON}
aggregation = "count"
date = "opened"
unit = "requests"
direction = "neutral"
"""

WAIT = f"""\
id = "wait"
name = "Days to close"
family = "service"
{COMMON}
clock_start = "opened"
clock_stop = "closed"
aggregation = "median"
date = "closed"
value = "days_between(opened, closed)"
unit = "days"
direction = "lower_is_better"
scored_at = ["month"]

[[weight]]
value = 1.0
valid_from = 2020-01-01
reason = "Begun"

[[target]]
value = 2.0
floor = 10.0
valid_from = 2020-01-01
reason = "Promised"
approved_by = "The council"
"""

FILLING = f"""\
id = "filling"
name = "Depots kept neither empty nor full"
family = "service"
{COMMON}
aggregation = "mean"
date = "seen"
value = "cost"
unit = "points"
direction = "within"
scored_at = ["month"]
weight = 1.0

[[target]]
value = [40, 60]
floor = [10, 90]
valid_from = 2020-01-01
reason = "Promised"
approved_by = "The council"
"""

BACKLOG = f"""\
id = "backlog"
name = "Open"
family = "condition"
{COMMON}
aggregation = "stock"
date = "opened"
until = "closed"
unit = "requests"
direction = "lower_is_better"
historical = true
scored_at = ["month"]
"""

DROPPED = f"""\
id = "dropped"
name = "Closed as a duplicate"
family = "condition"
{COMMON}
aggregation = "ratio"
date = "closed"
numerator = "reason in ('Duplicate')"
unit = "percent"
direction = "lower_is_better"
"""

TOWN = {
    "city.toml": CITY,
    "departments.toml": DEPARTMENTS,
    "districts.geojson": DISTRICTS,
    "sources/requests.toml": SOURCE,
    "metrics/on_time.toml": ON_TIME,
    "metrics/opened.toml": OPENED,
    "metrics/wait.toml": WAIT,
    "metrics/filling.toml": FILLING,
    "metrics/backlog.toml": BACKLOG,
    "metrics/dropped.toml": DROPPED,
}


@pytest.fixture
def write(tmp_path):
    """Writes files into a city's folder and gives it."""

    def files(contents):
        (tmp_path / "town").mkdir(exist_ok=True)
        return write_folder(tmp_path / "town", contents)

    return files


@dataclass(frozen=True)
class Plant:
    """A mistake put into the town: in `file`, `old` becomes `new`, and exactly that is told."""

    file: str
    old: str
    new: str
    place: str
    says: str
    fix: str
    level: str = "error"
    also: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.says}"

    def planted(self) -> dict[str, str]:
        text = TOWN[self.file]
        for old, new in ((self.old, self.new), *self.also):
            assert old in text, f"{old!r} is not in {self.file}"
            text = text.replace(old, new, 1)
        return TOWN | {self.file: text}


C, D, G, S = "city.toml", "departments.toml", "districts.geojson", "sources/requests.toml"
RATIO, COUNT, MEDIAN, BAND, STOCK = (
    f"metrics/{name}.toml" for name in ("on_time", "opened", "wait", "filling", "backlog")
)
LOWER, HIGHER = '"lower_is_better"', '"higher_is_better"'
TWO_OR_TEN = "value = 2.0\nfloor = 10.0"
COUNCIL = 'approved_by = "The council"'
A_SECOND_TARGET = f'{COUNCIL}\n\n[[target]]\nvalue = 0.9\nvalid_from = 2016-01-01\nreason = "x"\n{COUNCIL}'
BEGUN = 'reason = "Begun"'
A_SECOND_WEIGHT = f"{BEGUN}\n\n[[weight]]\nvalue = 2.0\nvalid_from = 2020-01-01\n{BEGUN}"
WITH_AN_EMPTY_END = 'weight = 1.0\nretired = {on = 2026-01-01, reason = " "}'

SHAPES = [
    Plant(RATIO, "where =", "wehre =", "wehre", "`wehre` is not a word", "Did you mean `where`?"),
    Plant(RATIO, "weight", "colour = 1\nweight", "colour", "`colour` is not a word", "Known here: agg"),
    Plant(RATIO, "weight", "targets = []\nweight", "targets", "`targets` is not", "Did you mean `target`?"),
    Plant(RATIO, COUNCIL, "", "target 1, approved_by", "`approved_by` is missing", "Add approved"),
    Plant(RATIO, 'owner = "A. Person"', "", "owner", "`owner` is missing", "Name who answers"),
    Plant(RATIO, 'definition = "What is counted."', "", "definition", "is missing", "in plain words"),
    Plant(RATIO, 'limitations = "What is not shown."', "", "limitations", "is missing", "does not show"),
    Plant(RATIO, '"ratio"', '"ration"', "aggregation", "'ration' is not known", "Write `ratio`, `count`"),
    Plant(RATIO, '"week", "', '"wek", "', "scored_at 1", "'wek' is not known", "Write `day`, `week`"),
    Plant(RATIO, "= 0.80", '= "80%"', "target 1, value", "neither a number nor a pair", "[low, high]"),
    Plant(RATIO, "= 0.80", "= [0.5]", "target 1, value", "neither a number nor a pair", "[low, high]"),
    Plant(RATIO, "= 1.0", "= inf", "weight 1, value", "finite", "ordinary number"),
    Plant(RATIO, "2016-01-01", '"2016"', "target 1, valid_from", '"2016"', "like 2026-01-31"),
    Plant(RATIO, "2016-01-01", "2016-01-01T08:00:00", "target 1, valid_from", "T08", "without a time"),
    Plant(RATIO, "decimals = 1", "decimals = true", "decimals", "not true", "whole number"),
    Plant(RATIO, "= 1.0", '= "1"', "weight", 'not "1"', "Write [[weight]]"),
    Plant(RATIO, "weight", "public = 1\nweight", "public", "not 1", "true or false"),
    Plant(
        RATIO, "weight", "retired = {on = 2026-01-01}\nweight", "retired, reason", "is missing", "Add reason"
    ),
    Plant(RATIO, '"percent"', "percent", "", "this is not TOML", "needs quotes"),
    Plant(
        S,
        '"number"\n\n[columns.seen',
        '"float"\n\n[columns.seen',
        "columns.cost, type",
        "'float'",
        "`number`",
    ),
    Plant(S, "planned", "plannd", "columns.due, plannd", "`plannd` is not a word", "Did you mean `planned`?"),
    Plant(S, "spare]\n", 'spare]\nname = "x"\n', "columns.spare", "without `name`", "its name is its name"),
    Plant(S, "declared = 2026-01-05", "", "gap 1, declared", "`declared` is missing", "Add declared"),
    Plant(C, "subdivision", "subdivison", "holidays.subdivison", "not a word", "`holiday_subdivision`?"),
    Plant(C, 'reason = "snow"', "", "closure 1, reason", "`reason` is missing", "Add reason"),
    Plant(C, 'time_zone = "Europe/Berlin"', "", "time_zone", "`time_zone` is missing", "America/New_York"),
    Plant(C, "[holidays]", 'week_start = "friday"\n[holidays]', "week_start", "'friday'", "`monday`"),
    Plant(D, "head =", "chief =", "streets, chief", "`chief` is not a word", "Known here: head"),
    Plant(D, "[streets]", 'note = "x"\n[streets]', "note", "a table [note]", "Write [note]"),
    Plant(G, '"aliases"', '"alias"', "feature 1, alias", "`alias` is not a word", "Did you mean `aliases`?"),
    Plant(G, '"FeatureCollection", ', "", "", "this is not JSON", "Mend the line"),
    Plant(G, '"features"', '"shapes"', "", "not a GeoJSON FeatureCollection", "features"),
]

CITIES_AND_SOURCES = [
    Plant(C, 'id = "town"', 'id = "Town"', "id", "`Town` is not an id", "small letters"),
    Plant(C, 'name = "Town"', 'name = " "', "name", "empty", "Write at least"),
    Plant(C, "Europe/Berlin", "Europe/Bern", "time_zone", "no time zone `Europe/Bern`", "Europe/Berlin"),
    Plant(C, "hour = 6", "hour = 24", "publication_hour", "24 is out of range", "from 0 to 23"),
    Plant(C, "coverage = 0.5", "coverage = 75", "minimum_coverage", "75 is out of range", "from 0 to 1"),
    Plant(C, "year_start = 1", "year_start = 0", "fiscal_year_start", "0 is out of range", "from 1 to 12"),
    Plant(C, '"DE"', '"XX"', "holidays", "no holidays are known for `XX BE`", "US and MA"),
    Plant(C, 'country = "DE"', "", "holidays", "`BE` stands without its country", "country ="),
    Plant(C, "2026-02-10", "2026-02-01", "closure 1", "ends on 2026-02-01, before", "Exchange"),
    Plant(D, "[streets]", '[Parks]\nname = "P"\n[streets]', "Parks", "`Parks` is not an id", "small letters"),
    Plant(G, '"south"', '"South"', "feature 2, id", "`South` is not an id", "small letters"),
    Plant(G, '"south"', '"unknown"', "feature 2, id", "the district of records that name none", "another id"),
    Plant(G, '"south"', '"north"', "north", "2 districts have this id", "its own id"),
    Plant(G, '"South"', '"n "', "south", "the spelling `n ` belongs to `north`", "with one of them"),
    Plant(G, ": 10}", ": -1}", "feature 1, population", "nobody", "null"),
    Plant(C, "coverage = 0.5", "coverage = 0.5\nsmall_counts = 2000", "small_counts", "2000 is out", "0 to"),
    Plant(
        C,
        "coverage = 0.5",
        'coverage = 0.5\nreporting_proxy = "repeated"',
        "reporting_proxy",
        "there is no metric `repeated`",
        "Known here",
    ),
    Plant(
        C,
        "coverage = 0.5",
        'coverage = 0.5\nreporting_proxy = "wait"',
        "reporting_proxy",
        "no public share of records by district",
        "or leave it out",
    ),
    Plant(G, ": 10}", ': 10, "need": 0.2}', "south, need", "other districts have one", "or none"),
    Plant(
        G,
        ": 10}",
        ': 10, "need": 0.2}',
        "need",
        "nobody says",
        "city.toml",
        also=(('"South"', '"South", "need": 0.1'),),
    ),
    Plant(G, '"south"', '"withheld"', "feature 2, id", "is hidden for its small counts", "another id"),
    Plant(S, 'id = "requests"', 'id = "asked"', "id", "differs from the file's name", 'id = "requests"'),
    Plant(S, 'kind = "file"', 'kind = ""', "kind", "empty", "Write at least"),
    Plant(S, 'key = "number"', 'key = "numbr"', "key", "no column `numbr`", "Did you mean `number`?"),
    Plant(S, 'key = "number"', 'key = "opened"', "key", "of type instant", "of type text or integer"),
    Plant(S, 'arrival = "opened"', 'arrival = "topic"', "arrival", "of type text", "of type instant or day"),
    Plant(
        S,
        'not_before = "opened"',
        'not_before = "opened"\nnot_within_seconds = -1',
        "columns.closed, not_within_seconds",
        "-1 is negative",
        "0 or more",
    ),
    Plant(S, 'arrival = "opened"', 'arrival = "due"', "arrival", "`due` is planned", "is made"),
    Plant(S, 'arrival = "opened"', "", "quiet_minutes", "no arrival is named", "Name the arrival", "warning"),
    Plant(S, 'modified = "touched"', 'modified = "topic"', "modified", "of type text", "or integer"),
    Plant(S, 'modified = "touched"', 'modified = "due"', "modified", "`due` is planned", "every change"),
    Plant(S, 'closed = "closed"', 'closed = "number"', "closed", "never empty", "leaves empty"),
    Plant(S, 'closed = "closed"', 'closed = "due"', "closed", "`due` is planned", "leaves empty"),
    Plant(S, 'closed = "closed"', 'closed = "topic"', "closed", "`topic` is required", "leaves empty"),
    Plant(S, 'closed = "closed"', 'closed = "cost"', "closed", "of type number", "instant or day or text"),
    Plant(S, "[columns.spare]", "[columns.Spare]", "columns.Spare", "`Spare` is not an id", "small letters"),
    Plant(S, "[columns.spare]", "[columns.due_day]", "columns.due_day", "the local day of the", "an alias"),
    Plant(
        S, '"closure_reason"', '"topic"', "columns.topic|columns.reason", "the alias `topic`", "one of them"
    ),
    Plant(
        S, 'known_with = "closed"', 'known_with = "shut"', "columns.reason, known_with", "no column", "Known"
    ),
    Plant(
        S, 'known_with = "closed"', 'known_with = "area"', "columns.reason, known_with", "type text", "day"
    ),
    Plant(
        S,
        'not_before = "opened"',
        'not_before = "opend"',
        "columns.closed, not_before",
        "no column",
        "`opened`",
    ),
    Plant(
        S, 'not_before = "opened"', 'not_before = "closed"', "columns.closed, not_before", "itself", "another"
    ),
    Plant(
        S, 'known_with = "closed"', 'not_before = "closed"', "columns.reason, not_before", "a before", "out"
    ),
    Plant(S, 'known_with = "closed"', "planned = true", "columns.reason", "`planned` has no meaning", "out"),
    Plant(S, 'known_with = "closed"', 'format = "%Y"', "columns.reason", "`format` has no meaning", "out"),
    Plant(
        S, 'known_with = "closed"', 'stamps = "local"', "columns.reason", "`stamps` has no meaning", "type"
    ),
    Plant(S, "to_day = 2026-01-03", "to_day = 2025-01-03", "gap 1", "ends on 2025-01-03", "Exchange"),
    Plant(S, "quiet_minutes = 60", "quiet_minutes = -1", "quiet_minutes", "-1 is negative", "0 or more"),
    Plant(S, "quiet_minutes = 60", 'schedule = "daily"', "schedule", "`daily` is not minute", "five words"),
    Plant(S, "quiet_minutes = 60", 'schedule = "60 4 * * *"', "schedule", "`60` says no minute", "0 to 59"),
    Plant(S, "quiet_minutes = 60", 'schedule = "0 24 * * *"', "schedule", "`24` says no hour", "0 to 23"),
    Plant(S, "quiet_minutes = 60", 'schedule = "0 5-3 * * *"', "schedule", "`5-3` says no hour", "0-23"),
    Plant(S, "quiet_minutes = 60", 'schedule = "0 4 0 * *"', "schedule", "`0` says no day", "1 to 31"),
    Plant(
        S,
        "quiet_minutes = 60",
        'schedule = "0 4 * may-foo *"',
        "schedule",
        "`may-foo` says no month",
        "1 to 12",
    ),
    Plant(S, "quiet_minutes = 60", 'schedule = "0 4 * * 8"', "schedule", "`8` says no weekday", "0 to 7"),
    Plant(S, "quiet_minutes = 60", 'schedule = "*/60 4 * * *"', "schedule", "`*/60` says no minute", "*/2"),
    Plant(S, "quiet_minutes = 60", 'schedule = "0 4 1 * mon"', "schedule", "both given", "Write *"),
    Plant(S, "quiet_minutes = 60", "keep_days = 0", "keep_days", "0 days are none", "Write 1 or more"),
    Plant(
        S, "quiet_minutes = 60", "requests_per_second = 0.0", "requests_per_second", "0 requests", "above 0"
    ),
    Plant(
        S,
        "quiet_minutes = 60",
        'url = "https://city.example/data?token=a1b2c3"',
        "url",
        "looks like a secret",
        "Write the name of a variable",
    ),
]

METRICS = [
    Plant(RATIO, 'id = "on_time"', 'id = "late"', "id", "differs from the file's name", 'id = "on_time"'),
    Plant(RATIO, 'name = "On time"', 'name = ""', "name", "empty", "Write at least"),
    Plant(RATIO, '"What is counted."', '" "', "definition", "empty", "Write at least"),
    Plant(RATIO, '"streets"', '"street"', "department", "no department `street`", "Did you mean `streets`?"),
    Plant(RATIO, '"requests"', '"request"', "source", "no source `request`", "Did you mean `requests`?"),
    Plant(
        RATIO, "weight", 'renamed_from = "opened"\nweight', "renamed_from", "still the id", "Delete metrics/"
    ),
    Plant(RATIO, "weight", 'renamed_from = "Old"\nweight', "renamed_from", "`Old` is not an id", "small"),
    Plant(RATIO, "weight = 1.0", WITH_AN_EMPTY_END, "retired, reason", "empty", "Write at least"),
    Plant(RATIO, 'numerator = "closed <= due"', "", "numerator", "a ratio needs `numerator`", "numerator ="),
    Plant(MEDIAN, 'value = "days_between(opened, closed)"', "", "value", "a median needs `value`", "value ="),
    Plant(MEDIAN, '"median"', '"percentile"', "percentile", "needs `percentile`", "percentile = 0.9"),
    Plant(MEDIAN, '"median"', '"percentile"\npercentile = 90', "percentile", "90 is not between", "is 0.9"),
    Plant(MEDIAN, '"median"', '"median"\npercentile = 0.9', "percentile", "has no `percentile`", "another"),
    Plant(MEDIAN, '"median"', '"median"\nuntil = "closed"', "until", "a median has no `until`", "Leave it"),
    Plant(COUNT, '"count"', '"count"\nnumerator = "cost > 1"', "numerator", "a count has no", "Leave it"),
    Plant(RATIO, '"ratio"', '"ratio"\nquantity = "cost"', "quantity", "a ratio has no `quantity`", "Leave"),
    Plant(STOCK, 'until = "closed"', "", "until", "a stock needs `until`", "until ="),
    Plant(STOCK, '"stock"', '"stock"\ndenominator = "1"', "denominator", "a stock has no", "Leave it"),
    Plant(RATIO, 'date = "due"', 'date = "duw"', "date", "no column `duw`", "Did you mean `due`?"),
    Plant(RATIO, 'date = "due"', 'date = "topic"', "date", "of type text", "of type instant or day"),
    Plant(STOCK, 'until = "closed"', 'until = "cost"', "until", "of type number", "of type instant or day"),
    Plant(RATIO, 'district = "area"', 'district = "cost"', "district", "of type number", "of type text"),
    Plant(RATIO, "topic =", "topik =", "where, line 1, column 1", "`topik` is not a column", "`topic`?"),
    Plant(
        RATIO, "reason in", "topic = 'a' or reasn in", "exclude, line 1, column 16", "`reasn`", "`reason`?"
    ),
    Plant(
        RATIO, "topic =", "cost in (select 1) or topic =", "where, line 1, column 10", "A query", "columns"
    ),
    Plant(
        RATIO,
        "Pothole'",
        "x'; drop table y",
        "where, line 1, column 12",
        "second statement",
        "one expression",
    ),
    Plant(RATIO, "topic =", "length(topic) =", "where, line 1, column 1", "not a function", "functions are"),
    Plant(RATIO, "closed <= due", "cost", "numerator, line 1, column 1", "a test is expected", "Compare"),
    Plant(
        RATIO, "topic =", "area <> 'x' and topic =", "where", "`area` can be empty", "coalesce(", "warning"
    ),
    Plant(
        RATIO, "reason in", "reason not in", "exclude", "`reason` can be empty", "coalesce(reason", "warning"
    ),
    Plant(MEDIAN, 'clock_start = "opened"', "", "clock_start", "`clock_start` is missing", "which moment"),
    Plant(MEDIAN, 'clock_stop = "closed"', 'clock_stop = " "', "clock_stop", "is missing", "which moment"),
    Plant(
        RATIO,
        "closed <= due",
        "hours_between(opened, closed) < 3",
        "clock_stop",
        "times something",
        "which",
        also=(("decimals", 'clock_start = "opened"\ndecimals'),),
    ),
    Plant(MEDIAN, 'unit = "days"', 'unit = "day"', "unit", "`day` is not a unit", "days"),
    Plant(RATIO, 'unit = "percent"', 'unit = "%"', "unit", "`%` is not a unit", "called percent"),
    Plant(COUNT, 'unit = "requests"', 'unit = "share"', "unit", "`share` is not a unit", "called percent"),
    Plant(RATIO, 'unit = "percent"', 'unit = "count"', "unit", "no number of count", 'unit = "percent"'),
    Plant(COUNT, 'unit = "requests"', 'unit = "percent"', "unit", "a count is no share", '"ratio"'),
    Plant(RATIO, "decimals = 1", "decimals = 9", "decimals", "9 is out of range", "0 to 6"),
    Plant(RATIO, "decimals = 1", "cap = 0.9", "cap", "nothing could be on target", "1 or more"),
    Plant(RATIO, "decimals = 1", 'per = "week"', "per", "this is a ratio", "Leave it out"),
    Plant(RATIO, "decimals = 1", "public = false", "public", "this one is not public", "weight = 0"),
    Plant(
        RATIO,
        "weight = 1.0",
        "weight = 1.0\nhide_small_city = true",
        "hide_small_city",
        "would give away",
        "weight = 0",
    ),
    Plant(RATIO, '"dropped"]', '"on_time", "dropped"]', "pairs", "of itself", "Leave it out"),
    Plant(RATIO, '"dropped"]', '"dropped", "dropped"]', "pairs", "stands there twice", "Keep one"),
    Plant(RATIO, '"dropped"]', '"dropped", "opend"]', "pairs", "no metric `opend`", "`opened`?"),
    Plant(RATIO, "weight", 'split_by = ["colour"]\nweight', "split_by", "no column `colour`", ""),
    Plant(RATIO, "weight", 'split_by = ["opened"]\nweight', "split_by", "type instant", "type text"),
    Plant(
        RATIO, "weight", 'split_by = ["topic", "topic"]\nweight', "split_by", "stands there twice", "Keep one"
    ),
    Plant(MEDIAN, "scored_at", 'split_by = ["topic"]\nscored_at', "split_by", "a median is not", "Leave it"),
    Plant(RATIO, 'pairs = ["dropped"]', "", "exclude", "watches how many", "Name one", "warning"),
    Plant(RATIO, '["dropped"]', '["opened"]', "exclude", "watches how many", "Name one", "warning"),
    Plant(RATIO, "weight", "small_counts = -1\nweight", "small_counts", "-1 is out of range", "0 to 1000"),
    Plant(
        MEDIAN,
        "scored_at",
        "small_counts = 3\nscored_at",
        "small_counts",
        "hide counts up to 10",
        "all of them the same",
        "warning",
    ),
    Plant(
        STOCK,
        "historical",
        "hide_small_city = true\nhistorical",
        "hide_small_city",
        "from the metric's own past",
        "give a [[target]]",
    ),
    Plant(COUNT, '"neutral"', '"neutral"\nweight = 1', "weight", "stands beside the headline", "service"),
    Plant(RATIO, "weight = 1.0", "", "weight", "a scored service has no weight", "Add weight = 1.0"),
    Plant(RATIO, "weight = 1.0", "weight = -1", "weight", "-1 is negative", "0 or more"),
    Plant(MEDIAN, "value = 1.0", "value = -1", "weight 1", "-1 is negative", "0 or more"),
    Plant(MEDIAN, BEGUN, A_SECOND_WEIGHT, "weight 2", "two are valid from 2020-01-01", "Keep one"),
]

TARGETS = [
    Plant(RATIO, COUNCIL, A_SECOND_TARGET, "target 2", "two are valid from 2016-01-01", "Keep one"),
    Plant(
        COUNT, '"neutral"', '"neutral"\nscored_at = ["day"]', "scored_at", "has no `scored_at`", "Leave it"
    ),
    Plant(
        STOCK,
        LOWER,
        '"neutral"',
        "historical",
        "has no `historical`",
        "which direction",
        also=(('scored_at = ["month"]', ""),),
    ),
    Plant(
        RATIO,
        HIGHER,
        '"neutral"',
        "target",
        "has no `target`",
        "which direction",
        also=(('scored_at = ["week", "month"]', ""),),
    ),
    Plant(STOCK, "historical = true", "", "scored_at", "scored without a target", "historical = true"),
    Plant(RATIO, "decimals = 1", "historical = true", "historical", "there are targets as well", "Keep one"),
    Plant(STOCK, LOWER, '"within"', "historical", "a band cannot come from the past", "[[target]]"),
    Plant(RATIO, '"week", "month"', '"week", "week"', "scored_at", "named twice", "each once"),
    Plant(RATIO, COUNCIL, 'approved_by = ""', "target 1, approved_by", "empty", "who decided"),
    Plant(RATIO, 'reason = "Promised"', 'reason = ""', "target 1, reason", "empty", "Say why"),
    Plant(MEDIAN, TWO_OR_TEN, "value = [1, 2]", "target 1", "is for direction within", "one number"),
    Plant(BAND, "value = [40, 60]", "value = 50", "target 1, value", "both ends of the band", "[low, high]"),
    Plant(BAND, "floor = [10, 90]", "", "target 1, floor", "both floors", "Add floor"),
    Plant(BAND, "floor = [10, 90]", "floor = 10", "target 1, floor", "both floors", "Add floor"),
    Plant(BAND, "[40, 60]", "[60, 40]", "target 1, value", "60 is above 40", "[low, high]"),
    Plant(BAND, "[10, 90]", "[10, 50]", "target 1, floor", "10 and 50 do not lie outside", "above 60"),
    Plant(BAND, "[10, 90]", "[40, 90]", "target 1, floor", "40 and 90 do not lie outside", "below 40"),
    Plant(RATIO, "0.80", "80", "target 1, value", "80 is no share", "Write 80 percent as 0.80"),
    Plant(RATIO, "0.80", "0.8\nfloor = -0.5", "target 1, floor", "-0.5 is no share", "from 0 to 1"),
    Plant(RATIO, "decimals = 1", "best = 100", "best", "100 is no share", "100 percent as 1.00"),
    Plant(MEDIAN, TWO_OR_TEN, "value = 0", "target 1, floor", "a target of 0 has no floor", "Add floor"),
    Plant(RATIO, "0.80", "0", "target 1, floor", "a target of 0 has no floor", "Add floor"),
    Plant(
        MEDIAN, "floor = 10.0", "floor = 1.0", "target 1, floor", "the wrong side of the target 2", "above 2"
    ),
    Plant(RATIO, "0.80", "0.8\nfloor = 0.9", "target 1, floor", "wrong side of the target 0.8", "below 0.8"),
    Plant(MEDIAN, TWO_OR_TEN, "value = -2.0", "target 1, floor", "a target of -2 is -4", "above -2"),
    Plant(
        RATIO,
        HIGHER,
        LOWER,
        "target 1, floor",
        "a target of 1 is 1, which is not above",
        "above 1",
        also=(("0.80", "1.0"),),
    ),
    Plant(
        MEDIAN,
        LOWER,
        HIGHER,
        "direction",
        "more days would score better",
        "lower_is_better",
        "warning",
        also=(("floor = 10.0", "floor = 1.0"),),
    ),
    Plant(
        RATIO, "0.80", "0.99", "target 1", "a perfect period scores only 1.010", "can be beaten", "warning"
    ),
    Plant(
        RATIO, "decimals = 1", "cap = 1", "target 1", "a perfect period scores only 1.000", "cap", "warning"
    ),
    Plant(
        MEDIAN,
        TWO_OR_TEN,
        "value = 0",
        "target 1, value",
        "cityscore divides by its target",
        "linear",
        also=(('unit = "days"', 'unit = "days"\nmethod = "cityscore"'),),
    ),
    Plant(BAND, "weight", 'method = "cityscore"\nweight', "method", "knows no bands", "linear"),
]

PLANTS = [*SHAPES, *CITIES_AND_SOURCES, *METRICS, *TARGETS]


# --- mistakes ----------------------------------------------------------------------------------


def test_the_town_without_a_plant_is_clean(write):
    assert catalogue.check(write(TOWN)) == []


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_planted_mistake_is_told_with_its_file_place_and_fix(plant, write):
    [mistake] = catalogue.check(write(plant.planted()))
    assert (mistake.level, mistake.file) == (plant.level, plant.file)
    assert mistake.place in plant.place.split("|")
    assert plant.says in mistake.message
    assert plant.fix in mistake.fix
    assert mistake.message.endswith(".")


def test_every_rule_has_a_plant(write, monkeypatch):
    """A rule that no plant wakes is a rule nobody has seen work."""
    modules = (
        (catalogue_rules, ("RULES", "RULES_OF_THE_RETIRED")),
        (catalogue_source_rules, ("RULES",)),
        (catalogue_city_rules, ("CITY_RULES",)),
    )
    rules = {rule for module, names in modules for name in names for rule in getattr(module, name)}
    woken = set()

    def watched(rule):
        def listen(*arguments):
            found = list(rule(*arguments))
            if found:
                woken.add(rule)
            return found

        return listen

    for module, names in modules:
        for name in names:
            monkeypatch.setattr(module, name, tuple(watched(rule) for rule in getattr(module, name)))
    for plant in PLANTS:
        catalogue.check(write(plant.planted()))
    assert {rule.__name__ for rule in rules - woken} == set()


def test_all_mistakes_are_told_at_once_in_the_order_of_the_files(write):
    plants = {plant.file: plant for plant in reversed(METRICS + CITIES_AND_SOURCES)}
    planted = TOWN | {name: plant.planted()[name] for name, plant in plants.items()}
    told = catalogue.check(write(planted))
    assert {mistake.file for mistake in told} == set(plants)
    assert [mistake.file for mistake in told] == sorted(mistake.file for mistake in told)


def test_several_mistakes_in_one_file_are_all_told(write):
    text = ON_TIME.replace("where =", "wehre =").replace("0.80", "80").replace('"due"', '"dew"')
    places = [mistake.place for mistake in catalogue.check(write(TOWN | {RATIO: text}))]
    assert sorted(places) == ["date", "target 1, value", "wehre"]


def test_loading_refuses_with_every_mistake_and_says_it_in_one_line(write):
    text = ON_TIME.replace("0.80", "80").replace('"due"', '"dew"')
    with pytest.raises(CatalogueError) as refused:
        catalogue.load(write(TOWN | {RATIO: text}))
    assert len(refused.value.mistakes) == 2
    assert "\n" not in str(refused.value)
    assert "and 1 more; `python -m metrics check` lists them" in str(refused.value)


def test_a_warning_alone_does_not_stop_loading(write):
    folder = write(TOWN | {RATIO: ON_TIME.replace("0.80", "0.99")})
    assert [mistake.level for mistake in catalogue.check(folder)] == ["warning"]
    assert catalogue.load(folder).metrics["on_time"].targets[0].value == 0.99


def test_a_mistake_reads_as_one_line():
    mistake = Mistake("error", "metrics/a.toml", "target 1", "it is wrong.", "Mend it.")
    assert str(mistake) == "error metrics/a.toml: target 1: it is wrong. Fix: Mend it."
    assert str(replace(mistake, place="")) == "error metrics/a.toml: it is wrong. Fix: Mend it."


def test_a_broken_source_is_not_called_unknown_as_well(write):
    [mistake] = catalogue.check(write(TOWN | {S: "id = "}))
    assert (mistake.file, mistake.place) == (S, "")
    [mistake] = catalogue.check(write(TOWN | {D: "[streets"}))
    assert mistake.file == D


def test_one_old_id_cannot_lead_to_two_metrics(write):
    renamed = {name: TOWN[name].replace("family", 'renamed_from = "old"\nfamily') for name in (RATIO, COUNT)}
    [mistake] = catalogue.check(write(TOWN | renamed))
    assert mistake.place == "renamed_from"
    assert "renamed from `old` as well" in mistake.message


def test_a_counter_metric_that_is_retired_watches_nothing(write):
    gone = DROPPED.replace("family", 'retired = {on = 2026-01-01, reason = "Nobody looked"}\nfamily')
    told = catalogue.check(write(TOWN | {"metrics/dropped.toml": gone}))
    [mistake] = [one for one in told if one.place == "pairs"]
    assert (mistake.level, mistake.file) == ("error", RATIO)
    assert "`dropped` is retired and watches nothing" in mistake.message
    assert "in use" in mistake.fix


def test_a_retired_metric_may_outlive_its_source_and_department(write):
    text = ON_TIME.replace('"requests"', '"gone"').replace('"streets"', '"gone"')
    retired = text.replace("weight", 'retired = {on = 2026-01-01, reason = "Replaced"}\nweight')
    folder = write(TOWN | {RATIO: retired})
    assert catalogue.check(folder) == []
    loaded = catalogue.load(folder)
    assert loaded.metrics["on_time"].retired == Retired(date(2026, 1, 1), "Replaced")
    assert "on_time" not in [metric.id for metric in loaded.live_metrics()]


def test_a_not_over_a_column_that_is_always_filled_is_no_worry(write):
    text = ON_TIME.replace("topic =", "topic not in ('x') and number <> '1' and topic =")
    assert catalogue.check(write(TOWN | {RATIO: text})) == []


# --- files -------------------------------------------------------------------------------------


def test_a_file_of_another_encoding_is_told(write):
    folder = write(TOWN)
    (folder / COUNT).write_bytes(OPENED.replace("A. Person", "José").encode("cp1252"))
    [mistake] = catalogue.check(folder)
    assert (mistake.file, mistake.place) == (COUNT, "")
    assert "is not UTF-8" in mistake.message


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(write):
    folder = write(TOWN)
    plain = catalogue.load(folder)
    (folder / COUNT).write_bytes(b"\xef\xbb\xbf" + OPENED.replace("\n", "\r\n").encode())
    assert catalogue.load(folder) == plain


def test_a_file_that_is_not_read_is_told(write):
    [mistake] = catalogue.check(write(TOWN | {"metrics/new.tml": "", "metrics/.hidden": ""}))
    assert (mistake.level, mistake.file) == ("warning", "metrics/new.tml")


def test_a_folder_that_is_none_is_told_in_one_mistake(tmp_path):
    [mistake] = catalogue.check(tmp_path / "nowhere")
    assert "nowhere" in mistake.message


def test_a_city_without_its_file_is_told(write):
    [mistake] = catalogue.check(write({D: DEPARTMENTS}))
    assert (mistake.file, mistake.message) == (C, "the file is missing.")


# --- cities small and large --------------------------------------------------------------------


def test_an_empty_city_is_valid(write):
    empty = catalogue.load(write({C: 'id = "bare"\nname = "Bare"\ntime_zone = "UTC"\n'}))
    assert (empty.city.id, empty.metrics, empty.districts, empty.sources) == ("bare", {}, {}, {})
    assert catalogue.from_text(empty.text) == empty


def test_one_metric_only_is_valid(write):
    one = {name: TOWN[name] for name in (C, D, S, COUNT)}
    assert list(catalogue.load(write(one)).metrics) == ["opened"]


def test_a_city_without_districts_is_valid(write):
    folder = write(TOWN)
    (folder / G).unlink()
    assert catalogue.check(folder) == []
    assert catalogue.load(folder).districts == {}


def test_definitions_are_what_the_files_say(write):
    town = catalogue.load(write(TOWN))
    assert town.city.holidays == (date(2026, 5, 2),)
    assert (town.city.holiday_country, town.city.holiday_subdivision) == ("DE", "BE")
    assert town.city.closures[0].calendar == "business"
    assert town.districts["north"].aliases == ("N",)
    assert town.districts["south"].population is None
    source = town.sources["requests"]
    assert source.column("due") == Column("due", "instant", planned=True)
    assert source.options == {"path": "requests.csv", "since": date(2026, 1, 1)}
    assert source.gaps[0].declared == date(2026, 1, 5)
    metric = town.metrics["on_time"]
    assert metric.aggregation is Aggregation.RATIO
    assert metric.direction is Direction.HIGHER_IS_BETTER
    assert metric.targets == (Target(0.8, date(2016, 1, 1), "Promised", "The council"),)
    assert metric.weights == (Weight(1.0, date.min, "as first defined"),)
    assert town.metrics["filling"].targets[0].floor == (10.0, 90.0)


def test_holidays_may_be_written_flat(write):
    flat = 'id = "a"\nname = "A"\ntime_zone = "UTC"\nholidays = [2026-05-02]\nholiday_country = "DE"\n'
    city = catalogue.load(write({C: flat})).city
    assert (city.holidays, city.holiday_country) == ((date(2026, 5, 2),), "DE")


def test_targets_come_in_the_order_of_their_dates(write):
    earlier = A_SECOND_TARGET.replace("2016-01-01", "2012-01-01")
    metric = catalogue.load(write(TOWN | {RATIO: ON_TIME.replace(COUNCIL, earlier)})).metrics["on_time"]
    assert [target.valid_from.year for target in metric.targets] == [2012, 2016]


# --- the text ----------------------------------------------------------------------------------


def test_the_text_gives_the_catalogue_back(write):
    town = catalogue.load(write(TOWN))
    assert catalogue.from_text(town.text) == town
    assert json.loads(town.text) == TOWN
    assert town.hash == sha256(town.text.encode()).hexdigest()


def test_the_text_does_not_depend_on_the_place_of_the_folder(write, tmp_path):
    folder = write(TOWN)
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert catalogue.load(tmp_path / "elsewhere") == catalogue.load(folder)


def test_every_change_of_a_file_changes_the_hash(write):
    before = catalogue.load(write(TOWN)).hash
    after = {catalogue.load(write(TOWN | {name: TOWN[name] + "\n"})).hash for name in TOWN}
    assert before not in after
    assert len(after) == len(TOWN)


def test_a_stored_text_is_not_judged_by_the_rules_of_today(write):
    """What was published under older rules must recompute for ever."""
    files = TOWN | {RATIO: ON_TIME.replace("0.80", "80")}
    assert catalogue.from_text(json.dumps(files)).metrics["on_time"].targets[0].value == 80


def test_a_text_of_another_shape_is_refused():
    with pytest.raises(CatalogueError, match=r"metrics/on_time\.toml"):
        catalogue.from_text(json.dumps(TOWN | {RATIO: ON_TIME.replace("where", "were")}))
    with pytest.raises(CatalogueError, match=r"city\.toml"):
        catalogue.from_text("{}")


# --- approved targets --------------------------------------------------------------------------

APPROVED = Target(0.85, date(2027, 1, 1), "A second crew", "The council")


def test_an_approved_target_joins_those_of_the_file(write):
    town = catalogue.load(write(TOWN))
    merged = catalogue.with_targets(town, [("on_time", APPROVED)])
    assert merged.metrics["on_time"].targets == (*town.metrics["on_time"].targets, APPROVED)
    assert merged.hash != town.hash
    assert town.metrics["on_time"].targets[-1] != APPROVED


def test_of_the_same_day_the_approved_target_wins_and_a_later_row_over_an_earlier(write):
    town = catalogue.load(write(TOWN))
    first, last = (replace(APPROVED, valid_from=date(2016, 1, 1), value=value) for value in (0.7, 0.75))
    merged = catalogue.with_targets(town, [("on_time", first), ("on_time", last)])
    assert merged.metrics["on_time"].targets == (last,)


def test_the_text_of_a_merged_catalogue_gives_it_back(write):
    band = Target((45.0, 55.0), date(2027, 1, 1), "Tighter", "The council", (10.0, 90.0))
    town = catalogue.load(write(TOWN))
    merged = catalogue.with_targets(town, [("on_time", APPROVED), ("filling", band)])
    again = catalogue.from_text(merged.text)
    assert again == merged
    assert again.metrics["filling"].targets[-1] == band
    later = replace(APPROVED, valid_from=date(2028, 1, 1))
    assert catalogue.with_targets(again, [("on_time", later)]).metrics["on_time"].targets[1:] == (
        APPROVED,
        later,
    )


def test_rows_that_only_repeat_the_file_change_nothing(write):
    town = catalogue.load(write(TOWN))
    assert catalogue.with_targets(town, []) == town
    assert catalogue.with_targets(town, [("on_time", town.metrics["on_time"].targets[0])]) == town


def test_a_row_of_an_old_id_counts_for_the_metric_renamed_from_it(write):
    renamed = ON_TIME.replace("family", 'renamed_from = "potholes"\nfamily')
    town = catalogue.load(write(TOWN | {RATIO: renamed}))
    assert catalogue.with_targets(town, [("potholes", APPROVED)]).metrics["on_time"].targets[-1] == APPROVED


def test_a_row_of_no_metric_is_refused_with_the_lines_to_add(write):
    town = catalogue.load(write(TOWN))
    with pytest.raises(CatalogueError, match=r'renamed_from = "gone"'):
        catalogue.with_targets(town, [("gone", APPROVED)])


def test_an_approved_target_is_held_to_the_rules(write):
    town = catalogue.load(write(TOWN))
    with pytest.raises(CatalogueError, match="80 is no share"):
        catalogue.with_targets(town, [("on_time", replace(APPROVED, value=80.0))])


def test_a_withdrawn_target_counts_no_more_whoever_set_it(write):
    later = '[[target]]\nvalue = 0.9\nvalid_from = 2026-01-01\nreason = "A crew"\napproved_by = "The mayor"\n'
    town = catalogue.load(write(TOWN | {RATIO: ON_TIME + later}))
    gone = Withdrawn(date(2026, 1, 1), "No crew after all", "The council")
    merged = catalogue.with_targets(town, [("on_time", APPROVED), ("on_time", gone)])
    assert merged.metrics["on_time"].targets == (town.metrics["on_time"].targets[0], APPROVED)
    assert catalogue.from_text(merged.text) == merged
    assert catalogue.beside_the_files(merged) == {
        ("on_time", APPROVED.valid_from): APPROVED,
        ("on_time", gone.valid_from): gone,
    }


def test_to_withdraw_what_no_file_says_changes_nothing(write):
    town = catalogue.load(write(TOWN))
    gone = Withdrawn(APPROVED.valid_from, "No crew after all", "The council")
    assert catalogue.with_targets(town, [("on_time", APPROVED), ("on_time", gone)]) == town


def test_the_last_target_of_a_scored_metric_cannot_be_withdrawn(write):
    town = catalogue.load(write(TOWN))
    gone = Withdrawn(date(2016, 1, 1), "No more", "The council")
    with pytest.raises(CatalogueError, match="nothing can be scored without a target"):
        catalogue.with_targets(town, [("on_time", gone)])


BAD_TARGETS = {
    "a_zero_without_a_floor": (0.0, None, "a target of 0 has no floor"),
    "a_floor_on_the_wrong_side": (0.8, 0.9, "on the wrong side of the target"),
    "a_pair_for_one_number": ((0.7, 0.8), (0.1, 0.9), "a pair of numbers is for direction within"),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_an_approved_target_that_cannot_be_scored_is_refused_with_the_fix(write, case):
    value, floor, message = BAD_TARGETS[case]
    town = catalogue.load(write(TOWN))
    with pytest.raises(CatalogueError, match=f"{message}.* Fix: "):
        catalogue.with_targets(town, [("on_time", replace(APPROVED, value=value, floor=floor))])


def test_an_approved_band_upside_down_is_refused_with_the_fix(write):
    band = Target((55.0, 45.0), date(2027, 1, 1), "Tighter", "The council", (10.0, 90.0))
    town = catalogue.load(write(TOWN))
    with pytest.raises(CatalogueError, match=r"55 is above 45.* Fix: Write value = \[low, high\]"):
        catalogue.with_targets(town, [("filling", band)])


@pytest.fixture(scope="module")
def plain_town(tmp_path_factory):
    return catalogue.load(write_folder(tmp_path_factory.mktemp("plain") / "town", TOWN))


DAYS = st.dates(date(2015, 12, 30), date(2016, 1, 5))
SOME_TARGETS = st.builds(
    Target,
    value=st.floats(0.1, 0.9),
    valid_from=DAYS,
    reason=st.sampled_from(["More crews", "Fewer crews"]),
    approved_by=st.just("The council"),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(SOME_TARGETS, unique_by=lambda target: target.valid_from), st.randoms())
def test_the_order_of_rows_is_no_matter_a_row_wins_and_no_dated_target_is_lost(plain_town, targets, dice):
    rows = [("on_time", target) for target in targets]
    merged = catalogue.with_targets(plain_town, rows)
    in_file = {target.valid_from: target for target in plain_town.metrics["on_time"].targets}
    expected = in_file | {target.valid_from: target for target in targets}
    assert merged.metrics["on_time"].targets == tuple(expected[day] for day in sorted(expected))
    dice.shuffle(rows)
    half = len(rows) // 2
    again = catalogue.with_targets(catalogue.with_targets(plain_town, rows[:half]), rows[half:])
    assert again == merged == catalogue.with_targets(merged, rows)
    assert again.hash == merged.hash


# --- finding a city ----------------------------------------------------------------------------


def test_a_city_is_found_by_its_name_and_by_its_path(write):
    assert catalogue.find_city("boston") == CITIES / "boston"
    folder = write(TOWN)
    assert catalogue.find_city(str(folder)) == folder


@pytest.mark.parametrize("name", ["bostn", "", " "])
def test_a_city_that_is_none_is_told_with_those_there_are(name):
    with pytest.raises(CatalogueError, match="boston") as missing:
        catalogue.find_city(name)
    assert "\n" not in str(missing.value)


# --- the document ------------------------------------------------------------------------------


def blocks() -> list[str]:
    return [block.split("```")[0] for block in DOCUMENT.read_text(encoding="utf-8").split("```toml\n")[1:]]


def test_the_example_of_the_document_is_a_metric_of_boston(tmp_path):
    shutil.copytree(CITIES / "boston", tmp_path / "boston")
    (tmp_path / "boston" / "metrics" / "rodents_on_time.toml").write_text(blocks()[0], encoding="utf-8")
    assert catalogue.check(tmp_path / "boston") == []
    metric = catalogue.load(tmp_path / "boston").metrics["rodents_on_time"]
    assert [target.value for target in metric.targets] == [0.80, 0.85]


def test_the_holidays_and_the_end_of_a_metric_are_written_as_the_document_says(write):
    city = 'id = "a"\nname = "A"\ntime_zone = "UTC"\n' + blocks()[1]
    ended = ON_TIME.replace("weight", blocks()[2] + "weight")
    town = catalogue.load(write(TOWN | {C: city, RATIO: ended}))
    assert town.city.closures[0].calendar == "all"
    assert town.metrics["on_time"].retired is not None


def test_the_document_names_every_word_of_a_metric():
    spoken = {"targets": "[[target]]", "weights": "[[weight]]"}
    text = DOCUMENT.read_text(encoding="utf-8")
    words = [spoken.get(one.name, one.name) for one in fields(Metric)]
    assert [word for word in words if word not in text] == []
