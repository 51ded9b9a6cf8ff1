"""The records behind a published number as a page lists them: which are asked for, and some of them.

No sentence is made here and no score is computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from layouts.formats import _
from layouts.metric_view import metric_grain
from layouts.public import asking
from layouts.public.answer import Refusal, legible
from layouts.views import Edition
from metrics.model import WHOLE_CITY, Column, Grain, Metric, Score, Source
from store import cases, publications, withheld
from store.cases import Chosen, Page, Place
from store.engine import StoreError
from store.publications import Reading

if TYPE_CHECKING:
    from store.engine import Connection

IS, EMPTY, MET, AFTER, BEFORE = "is_", "empty", "met", "after", "before"
"""How the words of the address begin or read that choose cases and a page of them."""

SHOWN = 50
COUNTED = 1000
"""Up to so many chosen cases are counted: a page of them costs the same whatever there is."""

COMMONEST = 12


@dataclass(frozen=True)
class Listed:
    """What a page of cases is asked for: after and before are the place it begins or ends at."""

    chosen: Chosen
    after: Place | None = None
    before: Place | None = None


@dataclass(frozen=True)
class CasesView:
    """A page of the cases behind a score. found: how many are chosen, None for more than COUNTED.

    commonest: by column its commonest values among the first COUNTED cases of the number.
    """

    edition: Edition
    metric: Metric
    source: Source
    score: Score
    listed: Listed
    page: Page
    found: int | None
    commonest: Mapping[str, tuple[str, ...]]

    @property
    def is_narrowed(self) -> bool:
        """Whether some of the cases behind the number are left out."""
        return self.listed.chosen.met is not None or bool(self.listed.chosen.values)

    @property
    def is_share(self) -> bool:
        """Whether each case either counts for the number or does not."""
        return cases.is_share_of_cases(self.metric)


def cases_view(
    connection: Connection, edition: Edition, metric: Metric, query: Mapping[str, str]
) -> CasesView:
    """A page of the cases behind a number. Raises Refusal for what cannot be meant."""
    score, listed = listed_of(connection, edition, metric, query)
    reading = reading_of(connection, edition)
    whole = replace(listed.chosen, met=None, values={})
    try:
        first = cases.page(connection, reading, whole, most=COUNTED)
        narrowed = first
        if listed.chosen != whole:
            narrowed = cases.page(connection, reading, listed.chosen, most=COUNTED)
        shown = cases.page(connection, reading, listed.chosen, listed.after, SHOWN, before=listed.before)
    except StoreError as error:
        raise Refusal(400, _("This cannot be answered"), str(error)) from error
    source = edition.catalogue.sources[metric.source]
    return CasesView(
        edition,
        metric,
        source,
        score,
        listed,
        shown,
        None if narrowed.after else len(narrowed.cases),
        {name: _commonest(first, name) for name in cases.filters(source)},
    )


def listed_of(
    connection: Connection, edition: Edition, metric: Metric, query: Mapping[str, str]
) -> tuple[Score, Listed]:
    """The score whose cases are asked for, and which of them. Raises Refusal for what cannot be meant."""
    source = edition.catalogue.sources[metric.source]
    fields = [f"{IS}{name}" for name in cases.filters(source)]
    empty = [f"{EMPTY}_{name}" for name in cases.filters(source)]
    asking.known_words(query, ("grain", "start", "district", MET, AFTER, BEFORE, *fields, *empty))
    given = {word: text for word, text in query.items() if text != ""}
    score = _score(connection, edition, metric, given)
    values = {word.removeprefix(IS): text for word, text in given.items() if word in fields}
    values |= {word.removeprefix(f"{EMPTY}_"): "" for word in given if word in empty}
    met = None if MET not in given else asking.switch(given, MET)
    chosen = Chosen(metric.id, score.period, score.district, met, values)
    return score, Listed(chosen, _place(source, given, AFTER), _place(source, given, BEFORE))


def reading_of(connection: Connection, edition: Edition) -> Reading:
    """The publication of an edition, opened for its records."""
    found = publications.find(connection, number=edition.publication.id)
    assert found is not None, "the page was made from it"
    return found


def place_text(place: Place) -> str:
    """A place as an address carries it."""
    return f"{place.day.isoformat()}~{place.key}"


def chosen_words(listed: Listed) -> dict[str, str]:
    """A choice as an address carries it, without the place."""
    chosen = listed.chosen
    words = {"grain": str(chosen.period.grain), "start": chosen.period.start.isoformat()}
    if chosen.district != WHOLE_CITY:
        words["district"] = chosen.district
    if chosen.met is not None:
        words[MET] = str(int(chosen.met))
    words |= {f"{IS}{name}": value for name, value in chosen.values.items() if value}
    return words | {f"{EMPTY}_{name}": "1" for name, value in chosen.values.items() if not value}


def _score(connection: Connection, edition: Edition, metric: Metric, query: Mapping[str, str]) -> Score:
    """The published score of the period and district asked for, the newest where none is."""
    start, district = asking.day(query, "start"), asking.district(query, edition)
    grain = asking.grain(query, None) or _grain(connection, edition, metric)
    found = publications.series(
        connection,
        edition.publication,
        metric.id,
        grain,
        since=start,
        district=district,
        hidden=withheld.for_audience(connection, metric, edition.audience),
    )
    scores = [one for one in found if start in (None, one.period.start)]
    if not scores:
        raise Refusal(404, _("There are no such cases"), _no_period(grain, start))
    return scores[-1]


def _grain(connection: Connection, edition: Edition, metric: Metric) -> Grain:
    newest = publications.latest_scores(connection, edition.publication)
    return metric_grain(metric, newest.get(metric.id, {}))


def _no_period(grain: Grain, start: date | None) -> str:
    if start is None:
        return _("Nothing was published of it by {grain}.").format(grain=grain)
    return _(
        "No {grain} that starts on {day} was published; the page of the metric lists those there are."
    ).format(grain=grain, day=start.isoformat())


def _place(source: Source, query: Mapping[str, str], word: str) -> Place | None:
    """The place in an address like `2026-07-03~101005`."""
    text = query.get(word)
    if text is None:
        return None
    day, mark, key = text.partition("~")
    try:
        found = Place(date.fromisoformat(day), key if source.column(source.key).type == "text" else int(key))
    except ValueError:
        mark = ""
    if not mark or not key:
        raise Refusal(
            400,
            _("This cannot be answered"),
            _("{word} is {text!r}; follow the links of the page instead.").format(
                word=word, text=legible(text)
            ),
        )
    return found


def _commonest(page: Page, column: str) -> tuple[str, ...]:
    values = [one.fields[column] for one in page.cases]
    counted = Counter(str(value) for value in values if value is not None)
    return tuple(value for value, _count in counted.most_common(COMMONEST))


def listed_columns(source: Source) -> list[Column]:
    """The columns in the order they are shown: the key first, then as in the catalogue."""
    return [source.column(source.key), *(one for one in source.columns if one.name != source.key)]
