"""Our own SVG inside a Dash page: the same drawings the public pages show."""

from __future__ import annotations

from dash.development.base_component import Component
from markupsafe import Markup


class Svg(Component):
    """A drawing of `layouts.charts` in a Dash page (its browser side is assets/svg.js).

    It takes Markup only: text that was never made as a drawing cannot get into the page.
    """

    _children_props: list[str] = []  # noqa: RUF012 - Dash looks for a plain list
    _base_nodes: list[str] = []  # noqa: RUF012
    _namespace = "city_drawings"
    _type = "Svg"

    def __init__(self, drawing: Markup) -> None:
        if not isinstance(drawing, Markup):
            raise TypeError("Svg takes a drawing made by layouts.charts, not text")
        self._prop_names = ["drawing"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = ["drawing"]
        self.available_wildcard_properties: list[str] = []
        super().__init__(drawing=str(drawing))
