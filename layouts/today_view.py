"""What the mayor's page shows beside the city's scores: what improves, what is silent, the days around it.

Everything here is picked from published numbers by a rule that the page states; no score is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from layouts.city_view import city_view
from layouts.company_view import CompanyView, company_view
from layouts.formats import numbers, words
from layouts.notes_view import WrittenView, written_view
from layouts.restated_view import Restated, restated
from layouts.today_query import Column, Grouping, Sort
from layouts.views import CityView, Edition, Line
from metrics.model import Contribution, Grain, Part, Period, Score, Status
from store import publications
from store.engine import Connection

MOST_IMPROVING = 2
MOST_SILENT = 3
MOST_PARTS = 3
JUDGED = 8
"""Over how many of the newest periods it is said how often a metric missed its target."""

_NOISE = 1e-9


@dataclass(frozen=True)
class Improvement:
    """A metric whose score rose from one final period to the next. before: its score in the earlier one."""

    line: Line
    before: Score


@dataclass(frozen=True)
class Silence:
    """A metric whose data are missing. score: at the finest grain that says so.

    since: the first day without data, else the day after the last period with a score; None for not known.
    """

    line: Line
    score: Score
    since: date | None


@dataclass(frozen=True)
class Group:
    """Rows of the scoreboard under one heading. department: its id where the group is one."""

    name: str
    lines: tuple[Line, ...]
    department: str | None = None


@dataclass(frozen=True)
class TodayView:
    """The mayor's page of one publication.

    asked: the date in the address, where it names another than the publication was made for.
    day_before, day_after: the nearest days published for; None at the ends. first_day, last_day: of all days
    published for. restated: what of a pinned page is said otherwise now.
    """

    city: CityView
    sure: CompanyView | None
    improving: tuple[Improvement, ...]
    silent: tuple[Silence, ...]
    asked: date | None
    day_before: date | None
    day_after: date | None
    first_day: date
    last_day: date
    written: WrittenView
    restated: tuple[Restated, ...] = ()

    @property
    def edition(self) -> Edition:
        """The publication everything is taken from."""
        return self.city.edition


def today_view(connection: Connection, edition: Edition, asked: date | None = None) -> TodayView:
    """The mayor's page of a publication, with the metrics too that are not public.

    asked: the date in the address by which the publication was found.
    """
    city = city_view(connection, edition, public_only=False)
    as_of = edition.publication.as_of
    before, after = publications.days_around(connection, as_of)
    return TodayView(
        city=city,
        sure=company_view(connection, city),
        improving=improving(city),
        silent=silent(city),
        asked=asked if asked != as_of else None,
        day_before=before,
        day_after=after,
        first_day=publications.days_around(connection, date.min)[1] or as_of,
        last_day=publications.days_around(connection, date.max)[0] or as_of,
        written=written_view(connection, edition, city.lowest),
        restated=restated(connection, city),
    )


def improving(view: CityView) -> tuple[Improvement, ...]:
    """The services whose score rose most from the period before to this one, at most two.

    Both periods are final, the rise is one in print, and performance itself rose: a target that was lowered
    is no improvement. Empty where the city has no change to compare with.
    """
    composite = view.composite
    if composite is None or composite.before is None:
        return ()
    performed = {part.metric for part in composite.contributions if _is_good_performance(part)}
    found = [
        Improvement(line, before)
        for line in view.services
        if line.metric.id in performed and (before := _risen_from(line, composite.before)) is not None
    ]
    found.sort(key=lambda one: (-_rise(one.line), one.line.metric.id))
    return tuple(found[:MOST_IMPROVING])


def silent(view: CityView) -> tuple[Silence, ...]:
    """The metrics that are late at any grain, or that should say something at the grain of the page."""
    found = []
    for line in (*view.services, *view.conditions):
        late = (line.scores[grain] for grain in Grain if grain in line.scores)
        score = next((one for one in late if one.status is Status.LATE), None)
        if score is None and line in view.unheard:
            score = line.score
        if score is not None:
            found.append(Silence(line, score, _silent_since(line, score, view.edition)))
    return tuple(found)


def grouped(view: CityView, lines: Sequence[Line], by: Grouping) -> tuple[Group, ...]:
    """Rows in groups, each in the order it came: by the word of their chip, by department, or all in one."""
    if by is Grouping.NEED:
        return (Group("", tuple(lines)),)
    if by is Grouping.STATUS:
        named = {_standing(line): _standing(line) for line in lines}
        return tuple(Group(word, tuple(line for line in lines if _standing(line) == word)) for word in named)
    departments = view.edition.catalogue.departments
    groups = [
        Group(one.name, tuple(line for line in lines if line.metric.department == one.id), one.id)
        for one in departments.values()
    ]
    return tuple(group for group in groups if group.lines)


def in_order(lines: Sequence[Line], sort: Sort | None) -> tuple[Line, ...]:
    """Rows in the order asked for; those without a number come last either way. None: as they came."""
    if sort is None:
        return tuple(lines)
    if sort.column is Column.MEASURE:
        return tuple(sorted(lines, key=lambda one: one.metric.name.casefold(), reverse=sort.is_falling))
    sign, grain = (-1 if sort.is_falling else 1), Grain(sort.column)
    return tuple(sorted(lines, key=lambda one: _by_score(one.scores.get(grain), sign)))


def matching(lines: Sequence[Line], wanted: str) -> tuple[Line, ...]:
    """The rows whose name or department holds what was typed."""
    text = wanted.casefold()
    return tuple(
        one for one in lines if text in one.metric.name.casefold() or text in one.department.casefold()
    )


def _by_score(score: Score | None, sign: int) -> tuple[bool, float]:
    number = score.score if score is not None else None
    return number is None, sign * (number or 0.0)


def missed(line: Line) -> tuple[int, int]:
    """In how many of its newest scored periods a metric missed its target, and of how many."""
    scores = [score.score for score in line.recent if score.score is not None][-JUDGED:]
    return sum(1 for score in scores if score < 1), len(scores)


def _is_good_performance(part: Contribution) -> bool:
    return part.part is Part.PERFORMANCE and part.contribution > 0


def _risen_from(line: Line, before: Period) -> Score | None:
    """The score a metric rose from, in the period named; None where it did not rise or may still change."""
    now = line.score
    if now is None or now.status is not Status.FINAL or now.score is None or now.change is None:
        return None
    earlier = next((score for score in line.recent if score.period == before), None)
    if earlier is None or earlier.status is not Status.FINAL or earlier.score is None:
        return None
    is_compared = abs(now.score - now.change - earlier.score) < _NOISE
    return earlier if is_compared and _rise(line) > 0 else None


def _rise(line: Line) -> float:
    moved = numbers.movement(line.score) if line.score else None
    return float(moved.amount) if moved else 0.0


def _silent_since(line: Line, score: Score, edition: Edition) -> date | None:
    """The local day from which a source is not known, else the end of the last period with a score."""
    known_until = score.reason.arguments.get("known_until") if score.reason else None
    if isinstance(known_until, str):
        instant = datetime.fromisoformat(known_until)
        return instant.astimezone(ZoneInfo(edition.city.time_zone)).date()
    return max((score.period.end for score in line.recent if score.score is not None), default=None)


def _standing(line: Line) -> str:
    return words.standing_word(line.score, numbers.level(line.score.score if line.score else None))
