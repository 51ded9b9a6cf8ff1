"""Forms of our pages as native HTML: labels, inputs, lists and buttons that need no script to be filled in.

`shown(form("add_note", text_field(...), button=_("Add")))` puts one into a Dash page. Every text is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from dash.development.base_component import Component
from flask import Flask, current_app
from markupsafe import Markup

from layouts.charts.embedded import Svg
from layouts.fields import LONGEST_LINE, LONGEST_TEXT
from layouts.formats import _

CSRF_FIELD = "csrf"
_KEY = "form_token"


@dataclass(frozen=True)
class Field:
    """A field before its form gives it an id of its own.

    control: makes its markup, given the attributes that say its id, its name and what describes it.
    is_group: it is made of several controls, named together by the label.
    """

    name: str
    label: str
    control: Callable[[Markup], Markup]
    hint: str = ""
    is_group: bool = False


def put_token(server: Flask, token: Callable[[], str]) -> None:
    """Gives a server what tells the token that forms of whoever asks right now carry; "" for nobody."""
    server.extensions[_KEY] = token


def token() -> str:
    """The token that forms of whoever asks right now carry; "" for nobody, whose forms are refused."""
    found: Callable[[], str] | None = current_app.extensions.get(_KEY)
    return "" if found is None else found()


def form(
    act: str,
    *fields: Field,
    button: str,
    id: str = "",
    hidden: Mapping[str, str | int] | None = None,
    action: str = "",
    with_token: bool = True,
) -> Markup:
    """A form that is sent to `/act/<act>`, or to `action` without a token.

    id: what the ids of its parts begin with, where a page has several forms of one act. hidden: what the
    page already knows, like the metric; it is sent along and proves nothing.
    """
    name = id or act
    kept = {**({CSRF_FIELD: token()} if with_token else {}), **(hidden or {})}
    inside = [
        *(
            Markup('<input type="hidden" name="{}" value="{}">').format(word, said)
            for word, said in kept.items()
        ),
        *(_written(name, field) for field in fields),
        Markup('<p class="wrong" id="{}-wrong" data-failed="{}" hidden></p>').format(
            name, _("This could not be sent; nothing was changed. Try again in a minute.")
        ),
        Markup('<p class="send"><button type="submit">{}</button></p>').format(button),
    ]
    return Markup(
        '<form class="form" id="{}" method="post" action="{}" enctype="multipart/form-data" novalidate>'
        "{}</form>"
    ).format(name, action or f"/act/{act}", Markup("").join(inside))


def asking(
    action: str,
    *fields: Field,
    button: str,
    id: str,
    clear: str = "",
    hidden: Mapping[str, str] | None = None,
) -> Markup:
    """A form that asks for a page: what is chosen ends up in its address.

    id: as for `form`. clear: what the link says that chooses nothing; "" where nothing is chosen.
    """
    kept = Markup("").join(
        Markup('<input type="hidden" name="{}" value="{}">').format(word, said)
        for word, said in (hidden or {}).items()
    )
    inside = Markup("").join(_written(id, field) for field in fields)
    again = Markup(' <a href="{}">{}</a>').format(action, clear) if clear else Markup("")
    return Markup(
        '<form class="choose" method="get" action="{}">{}<div class="fields">{}</div>'
        '<p class="does"><button type="submit">{}</button>{}</p></form>'
    ).format(action, kept, inside, button, again)


def folded(summary: str, inside: Markup, *, id: str = "") -> Markup:
    """A form behind a line that opens it."""
    named = Markup(' id="{}"').format(id) if id else Markup("")
    return Markup('<details class="folded"{}><summary>{}</summary>{}</details>').format(
        named, summary, inside
    )


def shown(made: Markup) -> Component:
    """A form in a Dash page."""
    return Svg(made)


# --- fields --------------------------------------------------------------------------------------


def line_field(
    name: str, label: str, *, value: str = "", most: int = LONGEST_LINE, hint: str = "", kind: str = "text"
) -> Field:
    """One line of text; kind is another type of input, like `number`, `search` or `file`."""
    length = Markup(' maxlength="{}"').format(most) if kind == "text" else Markup("")

    def control(named: Markup) -> Markup:
        return Markup('<input type="{}" value="{}"{}{}>').format(kind, value, length, named)

    return Field(name, label, control, hint)


def text_field(
    name: str, label: str, *, value: str = "", most: int = LONGEST_TEXT, rows: int = 4, hint: str = ""
) -> Field:
    """Several lines of text."""

    def control(named: Markup) -> Markup:
        written = Markup('<textarea rows="{}" maxlength="{}"{}>\n{}</textarea>')
        return written.format(rows, most, named, value)

    return Field(name, label, control, hint)


def day_field(
    name: str,
    label: str,
    *,
    value: date | None = None,
    earliest: date | None = None,
    latest: date | None = None,
    hint: str = "",
) -> Field:
    """A day."""
    limits = Markup("").join(
        Markup(' {}="{}"').format(word, limit.isoformat())
        for word, limit in (("min", earliest), ("max", latest))
        if limit is not None
    )
    chosen = value.isoformat() if value else ""

    def control(named: Markup) -> Markup:
        return Markup('<input type="date" value="{}"{}{}>').format(chosen, limits, named)

    return Field(name, label, control, hint)


def choice_field(
    name: str, label: str, options: Iterable[tuple[str, str]], *, chosen: str = "", hint: str = ""
) -> Field:
    """One of several in a list: pairs of what is sent and what is read."""
    written = Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == chosen else "", text
        )
        for value, text in options
    )
    return Field(name, label, lambda named: Markup("<select{}>{}</select>").format(named, written), hint)


def radio_field(
    name: str, label: str, options: Sequence[tuple[str, str]], *, chosen: str = "", hint: str = ""
) -> Field:
    """One of a few, all of them seen at once."""
    return Field(name, label, _boxes("radio", name, options, {chosen}), hint, is_group=True)


def boxes_field(
    name: str, label: str, options: Sequence[tuple[str, str]], *, chosen: Iterable[str] = (), hint: str = ""
) -> Field:
    """Any of a few."""
    return Field(name, label, _boxes("checkbox", name, options, set(chosen)), hint, is_group=True)


def check_field(name: str, label: str, *, checked: bool = False, hint: str = "") -> Field:
    """A box to check, which is sent as `yes`."""
    return boxes_field(name, "", [("yes", label)], chosen=["yes"] if checked else [], hint=hint)


def optional(field: Field) -> Field:
    """A field that may stay empty, and says so."""
    return replace(field, label=_("{label} (if you like)").format(label=field.label))


# --- writing them --------------------------------------------------------------------------------


def _boxes(
    kind: str, name: str, options: Sequence[tuple[str, str]], chosen: set[str]
) -> Callable[[Markup], Markup]:
    made = Markup("").join(
        Markup('<label class="box"><input type="{}" name="{}" value="{}"{}><span>{}</span></label>').format(
            kind, name, value, Markup(" checked") if value in chosen else "", text
        )
        for value, text in options
    )
    return lambda _named: made


def _written(form: str, field: Field) -> Markup:
    id = f"{form}-{field.name}"
    describes = f"{id}-hint {id}-wrong" if field.hint else f"{id}-wrong"
    hint = Markup('<p class="hint" id="{}-hint">{}</p>').format(id, field.hint) if field.hint else ""
    wrong = Markup('<p class="wrong" id="{}-wrong" hidden></p>').format(id)
    if field.is_group:
        legend = Markup("<legend>{}</legend>").format(field.label) if field.label else ""
        return Markup('<fieldset class="field" id="{}" aria-describedby="{}">{}{}{}{}</fieldset>').format(
            id, describes, legend, hint, field.control(Markup("")), wrong
        )
    named = Markup(' id="{}" name="{}" aria-describedby="{}"').format(id, field.name, describes)
    label = Markup('<label for="{}">{}</label>').format(id, field.label)
    return Markup('<div class="field">{}{}{}{}</div>').format(label, hint, field.control(named), wrong)
