"""The scoreboard of the staff pages: every metric of a list as a row, which on phones becomes a card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts import formats
from layouts.access import Need, Role, is_allowed
from layouts.charts.small import sparkline
from layouts.components import (
    Children,
    behind,
    drawing,
    row,
    score_chip,
    signs,
    small_score,
    table_in_parts,
    with_bar,
)
from layouts.formats import _
from layouts.formats import today as sentences
from layouts.links import department_link, metric_link, records_link
from layouts.today_view import Group, Grouping, grouped
from layouts.views import CityView, Edition, Line
from metrics.model import Catalogue, Grain, Score, Status


def board(view: CityView, lines: Sequence[Line], caption: str, by: Grouping = Grouping.NEED) -> html.Div:
    """Every metric of a list at the grain of the page, its other grains beside, in groups where asked."""
    opening = view.opening or Grain.WEEK
    others = [grain for grain in Grain if grain is not opening]
    heads = [
        (_("Measure"), ""),
        (_("Value"), "number-cell"),
        (_("Target"), "number-cell"),
        (_("Status"), ""),
        (_("{week} score (1.00 = target)").format(week=formats.grain_word(opening)), ""),
        (_("Recent"), "spark-cell"),
        *((formats.grain_word(grain), "number-cell other-cell") for grain in others),
    ]
    parts = [_part(group, others, view.edition, len(heads)) for group in grouped(view, lines, by)]
    return html.Div(table_in_parts(caption, heads, parts, className="board"), className="sheet")


def _part(group: Group, others: Sequence[Grain], edition: Edition, width: int) -> list[html.Tr]:
    rows = [_row(line, others, edition) for line in group.lines]
    return [_heading(group, edition, width), *rows] if group.name else rows


def _heading(group: Group, edition: Edition, width: int) -> html.Tr:
    shown: str | Component = group.name
    if group.department is not None:
        shown = dcc.Link(group.name, href=department_link(edition, group.department))
    head = html.Th(shown, scope="rowgroup", colSpan=width, role="rowheader")
    return html.Tr(head, role="row", className="group")


def _row(line: Line, others: Sequence[Grain], edition: Edition) -> html.Tr:
    score, metric = line.score, line.metric
    aim = formats.target(metric, score.target, score.target_high) if score else formats.NOTHING
    made = row(
        [
            dcc.Link(metric.name, href=metric_link(edition, metric.id)),
            html.Span(line.department, className="muted"),
        ],
        (aim, "number-cell aim aim-cell"),
        (_standing(line), "status-cell"),
        (_score_cell(score, edition.catalogue), "score-cell" if _has_score(score) else "score-cell why"),
        (drawing(sparkline(line.recent, formats.sparkline_text(line))), "spark-cell"),
        *((small_score(line.scores.get(grain)), "number-cell other-cell") for grain in others),
    )
    made.children.insert(1, _value_cell(line, aim, edition))
    return made


def _value_cell(line: Line, aim: str, edition: Edition) -> html.Td:
    shown: list[Component | str] = [formats.NOTHING]
    if line.score is not None:
        value = html.Span(formats.value_beside_target(line.metric, line.score), **_beside_on_phones(aim))
        based = sentences.based_on(line.metric, line.score)
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
