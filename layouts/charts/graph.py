"""The one way to show a Plotly figure: our template, our settings, nothing that leaves the machine."""

from __future__ import annotations

from typing import Any

from dash import dcc
from plotly import graph_objects as go

from layouts.theme import TEMPLATE

CONFIG: Any = {
    "displaylogo": False,
    "showSendToCloud": False,
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
"""Plotly offers to upload the figure to its cloud unless told not to."""


def graph(id: str, figure: go.Figure) -> dcc.Graph:
    """A figure in our look. Its data stand beside it as a table: no keyboard reaches a figure."""
    figure.update_layout(template=TEMPLATE)
    return dcc.Graph(id=id, figure=figure, config=CONFIG, className="graph")
