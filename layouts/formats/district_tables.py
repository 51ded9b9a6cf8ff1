"""The tables of districts: a metric by district, and every metric of one district."""

from __future__ import annotations

from dataclasses import dataclass

from layouts.district_view import DistrictMetric, DistrictsView
from layouts.formats import numbers, sentences, standings, words
from layouts.formats.language import _
from layouts.formats.numbers import Level
from metrics.districts import PER, ByDistrict, Comparison, Standing
from metrics.model import Metric


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text with others beneath; with a level it is a chip."""

    text: str
    style: str = ""
    beneath: tuple[str, ...] = ()
    level: Level | None = None


def heads(view: DistrictsView) -> list[tuple[str, str]]:
    """The headings of the table of a metric by district, with their styles."""
    word = view.edition.city.district_word
    made = [
        (words.capital(word), ""),
        (_("Value"), "number-cell"),
        (_("Chance explains"), "number-cell"),
        (_("Beyond chance"), ""),
        (_("Against the rest"), "number-cell"),
        (_("Drawn to the city"), "number-cell"),
        (_("Score"), "number-cell"),
        (_("Per {thousand} residents").format(thousand=numbers.count(PER)), "number-cell"),
    ]
    if view.edition.city.need and any(row.need is not None for row in view.by.rows):
        made.append((_("Need"), "number-cell"))
    if view.proxy is not None:
        made.append((_("Repeats"), "number-cell"))
    return made


def cells(view: DistrictsView, row: Standing) -> list[Cell]:
    """The cells of a row under `heads`, the first one apart."""
    by, found = view.by, row.comparison
    made = [
        _value_cell(view.metric, row),
        Cell(standings.limits(by, row), "number-cell"),
        _place_cell(view.metric, row),
        _gap_cell(by, found),
        Cell(standings.level(by, found.shrunken if found else None), "number-cell"),
        Cell(numbers.score(row.score.score), "number-cell"),
        Cell(standings.per_1000(row.per_1000), "number-cell"),
    ]
    if len(heads(view)) > len(made) + 1 + (view.proxy is not None):
        made.append(Cell(standings.need(row.need), "number-cell"))
    if view.proxy is not None:
        made.append(Cell(report_share(view, row), "number-cell"))
    return made


def city_cells(view: DistrictsView) -> list[Cell]:
    """The cells of the whole city under `heads`, the first one apart."""
    city, blanks = view.by.city, len(heads(view)) - 2
    parts = tuple(_told(sentences.parts(view.metric, city)))
    value = Cell(numbers.value(view.metric, city.value), "number-cell", parts)
    made = [value, *(Cell("", "number-cell") for _blank in range(blanks))]
    made[5] = Cell(numbers.score(city.score), "number-cell")
    return made


def district_heads() -> list[tuple[str, str]]:
    """The headings of the table of one district."""
    return [
        (_("Measure"), ""),
        (_("Value"), "number-cell"),
        (_("Chance explains"), "number-cell"),
        (_("Beyond chance"), ""),
        (_("Against the rest"), "number-cell"),
        (_("Score"), "number-cell"),
    ]


def district_cells(line: DistrictMetric) -> list[Cell]:
    """The cells of a metric under `district_heads`, the first one apart."""
    row = line.standing
    if row is None:
        nothing = Cell(numbers.NOTHING, "number-cell")
        nothing_word = standings.hidden_word() if line.is_hidden else _("No data")
        return [nothing, nothing, Cell(nothing_word), nothing, nothing]
    return [
        _value_cell(line.metric, row),
        Cell(standings.limits(line.by, row), "number-cell"),
        _place_cell(line.metric, row),
        _gap_cell(line.by, row.comparison),
        Cell(numbers.score(row.score.score), "number-cell"),
    ]


def report_share(view: DistrictsView, row: Standing) -> str:
    """The share that stands in for reporting, in one district."""
    found = (view.reports or {}).get(row.district)
    return numbers.value(view.proxy, found.value) if view.proxy and found else numbers.NOTHING


def _value_cell(metric: Metric, row: Standing) -> Cell:
    few = standings.few_word() if standings.is_few(row) else ""
    about = _told(standings.interval(metric, row), sentences.parts(metric, row.score), few)
    return Cell(standings.value(metric, row), "number-cell", tuple(about))


def _told(*texts: str) -> list[str]:
    return [text for text in texts if text]


def _place_cell(metric: Metric, row: Standing) -> Cell:
    if row.place is None:
        return Cell(numbers.NOTHING)
    found = standings.place_level(metric, row.place)
    return Cell(standings.place_word(metric, row.place), level=None if found is Level.NONE else found)


def _gap_cell(by: ByDistrict, found: Comparison | None) -> Cell:
    """The distance to the rest, its interval, and how many times the rest it is."""
    if found is None or found.gap is None:
        return Cell(numbers.NOTHING, "number-cell")
    low, high = (standings.difference(by, end, bare=True) for end in (found.gap.low, found.gap.high))
    beneath = [_("{low} to {high}").format(low=low, high=high)]
    times = standings.ratio(found)
    if times:
        beneath.append(_("{ratio} times").format(ratio=times))
    return Cell(standings.difference(by, found.gap.value), "number-cell", tuple(beneath))
