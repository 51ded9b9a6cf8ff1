"""The rules of a city and of what it is made of: its calendar, departments and districts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from metrics import periods
from metrics.catalogue_files import CITY, DEPARTMENTS, DISTRICTS, METRICS, Draft
from metrics.catalogue_shapes import Mistake, did_you_mean, error
from metrics.model import UNKNOWN_DISTRICT, WITHHELD, Aggregation, City, Metric

ID = re.compile(r"[a-z][a-z0-9_]*")
A_YEAR_WITH_HOLIDAYS = date(2026, 1, 1)
MOST_SMALL = 1000
"""More than this many people cannot be told apart anyway; a larger number is a slip of the hand."""

OURS = {UNKNOWN_DISTRICT: "records that name none", WITHHELD: "what is hidden for its small counts"}
"""Ids that no district of a city can have, and what has them."""

CityRule = Callable[[City], Iterable[Mistake]]


def bad_id(word: str) -> Iterator[Mistake]:
    """An id is part of addresses, files and tables for ever."""
    if not ID.fullmatch(word):
        fix = "Write small letters, digits and _ only, a letter first."
        yield error("id", f"`{word}` is not an id.", fix)


def file_names_its_id(file: str, stem: str, word: str) -> Iterator[Mistake]:
    """A definition is found by its file's name."""
    yield from (replace(mistake, file=file) for mistake in bad_id(word))
    if word != stem:
        message = f"the id `{word}` differs from the file's name."
        yield error("id", message, f'Write id = "{stem}", or rename the file to {word}.toml.', file)


def blank_words(place_and_text: Iterable[tuple[str, str]]) -> Iterator[Mistake]:
    """What a reader is promised cannot be empty."""
    for place, text in place_and_text:
        if not text.strip():
            yield error(place, "this is empty.", "Write at least one sentence or name.")


def city_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Every mistake of city.toml, departments.toml and districts.geojson."""
    if CITY not in draft.files:
        fix = "Add city.toml with at least id, name and time_zone."
        yield error("", "the file is missing.", fix, CITY)
    if draft.city:
        for rule in CITY_RULES:
            yield from (replace(mistake, file=CITY) for mistake in rule(draft.city))
        yield from (replace(mistake, file=CITY) for mistake in _reporting_proxy(draft.city, draft))
    for word in draft.departments:
        yield from (replace(mistake, file=DEPARTMENTS, place=word) for mistake in bad_id(word))
    yield from (replace(mistake, file=DISTRICTS) for mistake in _districts(draft))


def runs_forwards(place: str, first: date, last: date) -> Iterator[Mistake]:
    """A range of days does not end before it begins."""
    if first > last:
        yield error(
            place, f"it ends on {last}, before it begins on {first}.", "Exchange from_day and to_day."
        )


# --- the city ----------------------------------------------------------------------------------


def _city_id(city: City) -> Iterator[Mistake]:
    yield from bad_id(city.id)
    yield from blank_words([("name", city.name)])


def _time_zone_exists(city: City) -> Iterator[Mistake]:
    try:
        ZoneInfo(city.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"there is no time zone `{city.time_zone}`."
        yield error("time_zone", message, "Write a name like America/New_York or Europe/Berlin.")


def _numbers_in_range(city: City) -> Iterator[Mistake]:
    for place, value, low, high in (
        ("publication_hour", city.publication_hour, 0, 23),
        ("minimum_coverage", city.minimum_coverage, 0, 1),
        ("fiscal_year_start", city.fiscal_year_start, 1, 12),
        ("small_counts", city.small_counts, 0, MOST_SMALL),
    ):
        if not low <= value <= high:
            yield error(place, f"{value:g} is out of range.", f"Write a number from {low} to {high}.")


def _holidays_are_known(city: City) -> Iterator[Mistake]:
    if city.holiday_subdivision and not city.holiday_country:
        message = f"the subdivision `{city.holiday_subdivision}` stands without its country."
        yield error("holidays", message, 'Add country = "…" to [holidays].')
    try:
        periods.is_open(city, "business", A_YEAR_WITH_HOLIDAYS)
    except ValueError:
        place = " ".join(filter(None, (city.holiday_country, city.holiday_subdivision)))
        fix = "Correct country and subdivision (US and MA, for example), or list the days as dates."
        yield error("holidays", f"no holidays are known for `{place}`.", fix)


def _closures_run_forwards(city: City) -> Iterator[Mistake]:
    for number, closure in enumerate(city.closures, 1):
        yield from runs_forwards(f"closure {number}", closure.from_day, closure.to_day)


def _reporting_proxy(city: City, draft: Draft) -> Iterator[Mistake]:
    """How readily people report is read from a share that is published by district."""
    word = city.reporting_proxy
    if not word or (word not in draft.metrics and f"{METRICS}/{word}.toml" in draft.files):
        return
    found = draft.metrics.get(word)
    if found is None:
        yield error("reporting_proxy", f"there is no metric `{word}`.", did_you_mean(word, draft.metrics))
    elif not _tells_of_reporting(found):
        message = f"`{word}` is no public share of records by district."
        fix = "Name a public ratio without denominator that has a district, or leave it out."
        yield error("reporting_proxy", message, fix)


def _tells_of_reporting(metric: Metric) -> bool:
    is_share = metric.aggregation is Aggregation.RATIO and metric.denominator is None
    return bool(is_share and metric.district and metric.public and metric.retired is None)


CITY_RULES: tuple[CityRule, ...] = (
    _city_id,
    _time_zone_exists,
    _numbers_in_range,
    _holidays_are_known,
    _closures_run_forwards,
)


# --- districts ---------------------------------------------------------------------------------


def _districts(draft: Draft) -> Iterator[Mistake]:
    for number, district in enumerate(draft.districts, 1):
        place = f"feature {number}"
        yield from (replace(mistake, place=f"{place}, id") for mistake in bad_id(district.id))
        if district.id in OURS:
            message = f"`{district.id}` is the district of {OURS[district.id]}."
            yield error(f"{place}, id", message, "Choose another id, or leave the feature out.")
        if district.population is not None and district.population < 0:
            yield error(f"{place}, population", "nobody cannot live there.", "Write a count, or null.")
    for word, times in Counter(district.id for district in draft.districts).items():
        if times > 1:
            yield error(word, f"{times} districts have this id.", "Give each district its own id.")
    yield from _needs(draft)
    yield from _shared_spellings(draft)


def _needs(draft: Draft) -> Iterator[Mistake]:
    """An order by need is one of all districts, and says what need is."""
    without = [district for district in draft.districts if district.need is None]
    if len(without) == len(draft.districts):
        return
    for district in without:
        yield error(f"{district.id}, need", "other districts have one.", "Give it one as well, or none.")
    if not without and draft.city and not draft.city.need:
        fix = 'Say what it counts in city.toml, like need = "residents in poverty", or leave it out.'
        yield error("need", "nobody says what this number is.", fix)


def _shared_spellings(draft: Draft) -> Iterator[Mistake]:
    """Case and outer blanks do not tell two spellings apart."""
    owners: dict[str, str] = {}
    for district in draft.districts:
        for spelling in (district.id, district.name, *district.aliases):
            owner = owners.setdefault(spelling.strip().casefold(), district.id)
            if owner != district.id:
                message = f"the spelling `{spelling}` belongs to `{owner}` already."
                yield error(district.id, message, "Leave it with one of them, or with none.")
