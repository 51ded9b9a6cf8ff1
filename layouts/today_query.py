"""What the address of the mayor's page asks for: which day, which rows, in which order and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from layouts.formats import _
from layouts.formats import boards as sentences
from layouts.links import PREFIX, today_link
from layouts.public.answer import Refusal, legible
from layouts.public.asking import PIN
from layouts.views import Edition

WORDS = (*PIN, "group", "sort", "q", "show", "view")
"""What the address of the page may say."""

BOSTON = "boston"
ALL = "all"


class Grouping(StrEnum):
    """How the rows of the scoreboard are put together."""

    NEED = "need"
    STATUS = "status"
    DEPARTMENT = "department"


class Column(StrEnum):
    """By what the rows can be sorted: the name of the measure, or its score at a grain."""

    MEASURE = "measure"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True)
class Sort:
    """A column the rows stand in the order of, from the least on or from the most."""

    column: Column
    is_falling: bool = False

    @property
    def word(self) -> str:
        """As the address says it: `week`, or `-week` from the most on."""
        return f"-{self.column}" if self.is_falling else str(self.column)


@dataclass(frozen=True)
class Asked:
    """What is asked of the scoreboard. sort: None for the order of need. is_all: no row is left out."""

    by: Grouping = Grouping.NEED
    sort: Sort | None = None
    wanted: str = ""
    is_all: bool = False
    is_boston: bool = False

    def words(self, **changed: str) -> dict[str, str]:
        """The words of the address that ask for this; those changed to "" are left out."""
        said = {
            "view": BOSTON if self.is_boston else "",
            "group": "" if self.by is Grouping.NEED else str(self.by),
            "sort": self.sort.word if self.sort else "",
            "q": self.wanted,
            "show": ALL if self.is_all else "",
        }
        return {word: text for word, text in (said | changed).items() if text}

    def link(self, edition: Edition, part: str = "services", **changed: str) -> str:
        """The address of the same page with some words changed, at one of its parts."""
        return today_link(edition, part=part, **self.words(**changed))

    def day_link(self, day: date) -> str:
        """The address of the same page of another day."""
        return f"{PREFIX}today?{urlencode({**self.words(), 'as_of': day.isoformat()})}"


def given_words(query: Mapping[str, Any]) -> dict[str, str]:
    """The words of an address that mean something here; one left empty in a form is none."""
    return {word: str(query[word]) for word in WORDS if word in query and str(query[word])}


def asked_of(given: Mapping[str, str]) -> Asked:
    """What is asked for. Raises Refusal with the fix for a word that cannot be meant."""
    return Asked(
        by=Grouping(_one_of(given, "group", list(Grouping), Grouping.NEED)),
        sort=_sort(given),
        wanted=given.get("q", "").strip(),
        is_all=_one_of(given, "show", [ALL], "") == ALL,
        is_boston=_one_of(given, "view", [BOSTON], "") == BOSTON,
    )


def _sort(given: Mapping[str, str]) -> Sort | None:
    if "sort" not in given:
        return None
    known = [one.word for column in Column for one in (Sort(column), Sort(column, is_falling=True))]
    word = _one_of(given, "sort", known, "")
    return Sort(Column(word.removeprefix("-")), word.startswith("-"))


def _one_of(given: Mapping[str, str], word: str, known: list[Any], default: str) -> str:
    text = given.get(word, default)
    if word in given and text not in known:
        detail = sentences.one_of([str(one) for one in known], word, legible(text))
        raise Refusal(400, _("This cannot be answered"), detail)
    return text
