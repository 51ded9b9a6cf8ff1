"""Cities in every state a page must bear: empty, late, silent, with long names, written from the right."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from babel import Locale

from layouts.formats import Language
from metrics.model import Catalogue, Knowledge
from metrics.plan import Plan
from store.engine import Engine
from tests.layouts.published_city import (
    AS_OF,
    CITY,
    FIRST,
    KNOWLEDGE,
    NOW,
    SKETCHES,
    catalogue_of,
    city_files,
    fill,
    plan_of,
)

LONG = "Sidewalk panels mended within the time that the city promises to everybody who reports one " * 3
LONG_AGO = datetime(2026, 10, 10, 9, 0, tzinfo=UTC)

Made = tuple[Catalogue, Plan, dict[str, Knowledge]]


def empty() -> Made:
    """A city that measures nothing."""
    files = {name: text for name, text in city_files(()).items() if not name.startswith("sources/")}
    return catalogue_of(files), Plan((), ()), {}


def one_metric() -> Made:
    """A city that measures one thing."""
    return _made((SKETCHES[0],))


def late() -> Made:
    """A city whose sources all stopped weeks ago."""
    return _made(SKETCHES, {one: Knowledge(one, FIRST, LONG_AGO) for one in KNOWLEDGE})


def never_loaded() -> Made:
    """A city none of whose sources was ever loaded."""
    return _made(SKETCHES, {one: Knowledge(one, None, None) for one in KNOWLEDGE})


def withheld() -> Made:
    """A city where too few services have a score for one number."""
    heard = {"response_minutes", "tree_on_time", "library_on_time"}
    sketches = tuple(replace(one, source="library" if one.id in heard else "water") for one in SKETCHES)
    return _made(sketches, {**KNOWLEDGE, "library": Knowledge("library", FIRST, NOW)})


def long_names() -> Made:
    """A city whose every metric has a name of 200 letters."""
    names = (f"{number} {LONG}"[:200].strip() for number in range(len(SKETCHES)))
    return _made(tuple(replace(one, name=name) for one, name in zip(SKETCHES, names, strict=True)))


def few_records() -> Made:
    """A city where a handful of things happen."""
    return _made(tuple(replace(one, amount=1) if one.amount < 50 else one for one in SKETCHES))


class Mirrored(gettext.GNUTranslations):
    """Translations into words that begin with a letter written from the right."""

    def gettext(self, message: str) -> str:
        return f"\N{ARABIC LETTER ALEF} {message}"

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.gettext(one if count == 1 else many)


def arabic() -> Language:
    """Arabic, as if its sentences were translated."""
    return Language("ar", Locale("ar"), Mirrored())


def from_the_right() -> Made:
    """A city whose language is written from the right; until `arabic` is spoken its sentences are English."""
    files = city_files()
    files["city.toml"] = f'{CITY}language = "ar"\n'
    catalogue = catalogue_of(files)
    planned, knowledge = plan_of(catalogue)
    return catalogue, planned, knowledge


STATES: dict[str, Callable[[], Made]] = {
    one.__name__: one
    for one in (empty, one_metric, late, never_loaded, withheld, long_names, few_records, from_the_right)
}


@dataclass(frozen=True)
class Days:
    """A city that published on three days. as_of: for which; potholes: the score of a metric in each."""

    catalogue: Catalogue
    as_of: tuple[date, ...]
    potholes: tuple[float, ...]


def fill_days(engine: Engine, catalogue: Catalogue) -> Days:
    """Publishes three times, each time with another score of the potholes."""
    planned, knowledge = plan_of(catalogue)
    days = (AS_OF, AS_OF + timedelta(days=1), AS_OF + timedelta(days=3))
    potholes = (0.11, 0.22, 0.33)
    for day, score in zip(days, potholes, strict=True):
        scores = tuple(
            replace(one, score=score) if one.metric == "pothole_on_time" and one.score is not None else one
            for one in planned.scores
        )
        made = replace(planned, scores=scores)
        fill(engine, catalogue, made, knowledge, as_of=day, now=NOW + (day - AS_OF))
    return Days(catalogue, days, potholes)


def _made(sketches: tuple, knowledge: dict[str, Knowledge] | None = None) -> Made:
    catalogue = catalogue_of(city_files(sketches))
    planned, known = plan_of(catalogue, sketches, knowledge or KNOWLEDGE)
    return catalogue, planned, known
