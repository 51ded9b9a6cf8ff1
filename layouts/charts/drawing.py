"""Our own SVG: elements as text, escaped, styled by the classes of the style sheet alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

Attribute = str | float | None
Place = tuple[float, float]


def element(name: str, *children: Markup | str, **attributes: Attribute) -> Markup:
    """One element; attributes of None are left out. `class_` loses its bar, `text_anchor` changes it."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")


def picture(
    width: float, height: float, parts: Iterable[Markup], *, text: str = "", class_: str = ""
) -> Markup:
    """A whole SVG. With a text it is an image that says it; without it is decoration."""
    spoken = {"role": "img", "aria_label": text} if text else {"aria_hidden": "true", "focusable": "false"}
    return element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        width=width,
        height=height,
        class_=class_ or None,
        # Numbers and dates run from left to right on pages of any script.
        direction="ltr",
        **spoken,
    )


def path(points: Iterable[Place | None]) -> str:
    """The `d` of a line through the points; None breaks it."""
    written: list[str] = []
    pen = "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        written.append(f"{pen}{_number(point[0])} {_number(point[1])}")
        pen = "L"
    return "".join(written)


def stepped(points: Sequence[Place | None]) -> list[Place | None]:
    """The points of a level that changes from one to the next: it stays until there, then it steps."""
    found: list[Place | None] = []
    before: Place | None = None
    for point in points:
        if point is not None and before is not None and point[1] != before[1]:
            found.append((point[0], before[1]))
        found.append(point)
        before = point
    return found


def lone(points: Sequence[Place | None]) -> list[Place]:
    """The points without a neighbour: a line through them would show nothing of them."""
    around = [None, *points, None]
    return [
        point
        for before, point, after in zip(around, points, around[2:], strict=False)
        if point is not None and before is None and after is None
    ]


def _number(value: Attribute) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
