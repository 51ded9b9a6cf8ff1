"""The scoreboard of the staff pages: every metric of a list as a row, which on phones becomes a card."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.charts.embedded import Svg
from layouts.charts.glyphs import arrow
from layouts.charts.small import sparkline
from layouts.components import (
    Children,
    Head,
    behind,
    drawing,
    row,
    score_chip,
    signs,
    small_score,
    table_in_parts,
    with_bar,
)
from layouts.formats import _, boards
from layouts.links import department_link, metric_link, records_link
from layouts.today_query import Column, Grouping, Sort
from layouts.today_view import Group, grouped, in_order
from layouts.views import CityView, Edition, Line
from metrics.model import Catalogue, Grain, Score, Status

WIDTH = 9
"""How many columns there are."""


@dataclass(frozen=True)
class Ordering:
    """How the rows of a table stand: in what groups, sorted by what, and how many of them there are.

    address: of the page that is sorted anew, from the word for `sort`; None where nothing sorts.
    most: how many rows there are at most; few: how many of them a phone shows before it is asked for all.
    """

    by: Grouping = Grouping.NEED
    sort: Sort | None = None
    address: Callable[[str], str] | None = None
    most: int | None = None
    few: int | None = None


AS_IT_COMES = Ordering()


def board(view: CityView, lines: Sequence[Line], caption: str, ordering: Ordering = AS_IT_COMES) -> html.Div:
    """Every metric of a list at the grain of the page, its other grains beside, in groups where asked."""
    opening = view.opening or Grain.WEEK
    others = [grain for grain in Grain if grain is not opening]
    shown = in_order(lines, ordering.sort)[: ordering.most]
    rest = {one.metric.id for one in shown[ordering.few :]} if ordering.few is not None else set()
    parts = [_part(group, opening, others, view.edition, rest) for group in grouped(view, shown, ordering.by)]
    heads = _heads(opening, others, ordering)
    return html.Div(table_in_parts(caption, heads, parts, className="board"), className="sheet")


def _heads(opening: Grain, others: Sequence[Grain], ordering: Ordering) -> list[Head]:
    score = _("{week} score (1.00 = target)").format(week=formats.grain_word(opening))
    return [
        _sorting(_("Measure"), "", Column.MEASURE, ordering),
        (_("Value"), "number-cell"),
        (_("Target"), "number-cell"),
        (_("Status"), ""),
        _sorting(score, "", Column(opening), ordering, is_default=True),
        (boards.recent_head(opening), "spark-cell"),
        *(
            _sorting(formats.grain_word(grain), "number-cell other-cell", Column(grain), ordering)
            for grain in others
        ),
    ]


def _sorting(text: str, style: str, column: Column, ordering: Ordering, *, is_default: bool = False) -> Head:
    """A heading that sorts: it says how the rows stand now, and following it turns them round."""
    if ordering.address is None:
        return text, style
    now = ordering.sort
    is_here = (now is None and is_default) or (now is not None and now.column is column)
    is_falling = now is not None and now.is_falling
    next_one = Sort(column, is_falling=is_here and not is_falling)
    named: dict[str, Any] = {}
    mark: list[Component] = []
    if is_here:
        named["aria-sort"] = "descending" if is_falling else "ascending"
        mark = [Svg(arrow("down" if is_falling else "up"))]
    name = boards.sort_name(text, is_falling=next_one.is_falling)
    link = dcc.Link([text, *mark], href=ordering.address(next_one.word), title=name, className="sorts")
    return html.Th(link, scope="col", className=style or None, role="columnheader", **named)


def _part(
    group: Group, opening: Grain, others: Sequence[Grain], edition: Edition, rest: Collection[str]
) -> list[html.Tr]:
    rows = [_row(line, opening, others, edition, line.metric.id in rest) for line in group.lines]
    if not group.name:
        return rows
    is_rest = bool(rest) and all(line.metric.id in rest for line in group.lines)
    return [_heading(group, edition, WIDTH, is_rest), *rows]


def _heading(group: Group, edition: Edition, width: int, is_rest: bool) -> html.Tr:
    shown: str | Component = group.name
    if group.department is not None:
        shown = dcc.Link(group.name, href=department_link(edition, group.department))
    head = html.Th(shown, scope="rowgroup", colSpan=width, role="rowheader")
    return html.Tr(head, role="row", className=f"group{' rest' if is_rest else ''}")


def _row(line: Line, opening: Grain, others: Sequence[Grain], edition: Edition, is_rest: bool) -> html.Tr:
    score, metric = line.score, line.metric
    recent = replace(line, recent=line.recent[-boards.SPANS.get(opening, len(line.recent)) :])
    aim = formats.target(metric, score.target, score.target_high) if score else formats.NOTHING
    made = row(
        [
            dcc.Link(metric.name, href=metric_link(edition, metric.id)),
            html.Span(line.department, className="muted"),
        ],
        (aim, "number-cell aim aim-cell"),
        (_standing(line), "status-cell"),
        (_score_cell(score, edition.catalogue), "score-cell" if _has_score(score) else "score-cell why"),
        (drawing(sparkline(recent.recent, formats.sparkline_text(recent))), "spark-cell"),
        *((small_score(line.scores.get(grain)), "number-cell other-cell") for grain in others),
        className="rest" if is_rest else None,
    )
    made.children.insert(1, _value_cell(line, aim, edition))
    return made


def _value_cell(line: Line, aim: str, edition: Edition) -> html.Td:
    shown: list[Component | str] = [formats.NOTHING]
    if line.score is not None:
        value = html.Span(formats.value_beside_target(line.metric, line.score), **_beside_on_phones(aim))
        based = boards.based_on(line.metric, line.score)
        shown = [
            value,
            *([html.Span(_based(line, based, edition), className="muted based")] if based else []),
        ]
    return html.Td(shown, className="number-cell value-cell", role="cell")


def _based(line: Line, said: str, edition: Edition) -> Children:
    """What a value stands on: the way to its records for those who work with them."""
    if line.score is None or not is_allowed(Need(Role.EDITOR, line.metric.department)):
        return said
    parts = formats.parts(line.metric, line.score)
    if not parts:
        return said
    before, _same, after = said.partition(parts)
    return [before, behind(parts, records_link(edition, line.score)), after]


def _has_score(score: Score | None) -> bool:
    return score is not None and score.score is not None


def _beside_on_phones(aim: str) -> dict[str, Any]:
    return {"data-target": aim}


def _standing(line: Line) -> list[Component | str]:
    score = line.score
    shown: list[Component | str] = [score_chip(score)]
    if score is not None and score.verdict is not None:
        shown.append(html.Span(f" {formats.verdict_word(score.verdict)}", className="mark-small"))
    if score is not None and score.status is Status.PROVISIONAL:
        shown.append(html.Span(f" {formats.status_word(score.status)}", className="mark-small"))
    made = signs(line.finding)
    if made is not None:
        shown += [" ", made]
    return shown


def _score_cell(score: Score | None, catalogue: Catalogue) -> Children:
    if score is None:
        return formats.NOTHING
    if score.score is None:
        return html.Span(formats.reason(score.reason, catalogue), className="small muted")
    return with_bar(score.score)
