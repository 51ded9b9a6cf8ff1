"""The look of Plotly figures: no background of their own, colours left to the style sheet."""

from __future__ import annotations

from plotly import graph_objects as go

CLEAR = "rgba(0,0,0,0)"
GREY = "#7c8896"
ACCENT = "#2f5fb3"
TARGET = "#2a7180"
"""Where the style sheet does not reach (before it is loaded, in a saved picture) these colours show."""

VALUE_ON_BOTH, TARGET_ON_BOTH = "#4f7fd0", "#3f8a99"
BETTER_ON_BOTH, WORSE_ON_BOTH = "#3f7fd6", "#d6455c"
"""Colours that stand out from light and dark cards, where the style sheet cannot tell traces apart."""

MARGIN = {"l": 56, "r": 110, "t": 12, "b": 40}

TEMPLATE = go.layout.Template(
    layout={
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"size": 13, "color": GREY},
        "margin": MARGIN,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": CLEAR, "font": {"size": 13}},
        "showlegend": False,
        "colorway": [ACCENT],
        "xaxis": {"showgrid": False, "zeroline": False, "ticks": "", "automargin": True},
        "yaxis": {"gridcolor": GREY, "griddash": "solid", "zeroline": False, "ticks": "", "automargin": True},
    }
)
