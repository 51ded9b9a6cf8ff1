"""The Dash app of the staff pages: mounted under /staff/ on our server, everything served by ourselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

from dash import Dash, dcc, html, page_container, page_registry
from dash.exceptions import DependencyException
from flask import Flask, request
from werkzeug.exceptions import BadRequest, NotFound

from layouts import access, formats
from layouts.access import Role, guarded
from layouts.charts.embedded import Svg
from layouts.charts.glyphs import MARK
from layouts.components import labelled, theme_switch
from layouts.desk import Desk, at_hand, put
from layouts.formats import _
from layouts.formats.districts import districts_word
from layouts.links import PREFIX
from layouts.public.site import rendered
from layouts.rooms import open_rooms
from metrics.model import City

NOT_FOR_STAFF = r"^(?!style\.css$|svg\.js$|pages\.js$|forms\.js$|session\.js$)"
"""Of the assets, Dash would put every script and style sheet it finds into every page."""

MOUNTED = "staff_pages"
"""Under this name a server keeps the Dash app of its staff pages."""

CALLBACKS = f"{PREFIX}_dash-update-component"

INDEX = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
{{%metas%}}
<title>{{%title%}}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
{{%css%}}
<script src="/assets/theme.js?v={build}"></script>
</head>
<body>
{{%app_entry%}}
{{%config%}}
{{%scripts%}}
{{%renderer%}}
</body>
</html>"""
"""Dash's own page has no language and puts its scripts into a second footer."""


def mount(
    server: Flask,
    desk: Desk,
    judge: access.Judge,
    assets: Path,
    csrf: tuple[str, str] = ("csrf", "X-CSRFToken"),
) -> Dash:
    """Puts the staff pages on a server: the judge says who asks.

    csrf: the cookie with the token that Dash shows with every call, and the header it shows it in.
    """
    put(server, desk)
    access.admit(server, judge)
    city = desk.catalogue.city
    spoken = formats.language(city.language)
    app = Dash(
        "layouts",
        server=server,  # type: ignore[arg-type]
        url_base_pathname=PREFIX,
        use_pages=True,
        pages_folder=str(Path(__file__).resolve().parent / "pages"),
        assets_folder=str(assets),
        assets_ignore=NOT_FOR_STAFF,
        title=city.name,
        update_title="",
        include_pages_meta=False,
        serve_locally=True,
        # Otherwise Dash would call every page's layout at start, before anybody asks.
        suppress_callback_exceptions=True,
        index_string=INDEX.format(language=spoken.tag, direction=spoken.direction, build=desk.build),
        add_log_handler=False,
        csrf_token_name=csrf[0],
        csrf_header_name=csrf[1],
    )
    app.layout = frame
    server.extensions[MOUNTED] = app
    server.register_error_handler(access.NotAllowed, _not_allowed)
    # Dash's own scripts by another name than theirs.
    server.register_error_handler(
        DependencyException, lambda _error: server.handle_http_exception(NotFound())
    )
    server.before_request(lambda: _refuse_malformed_calls(app))
    server.before_request(_turn_away)
    _set_up(server)
    return app


def is_page(path: str) -> bool:
    """Whether a path inside /staff/ (`/today`) is the address of a registered page."""
    return any(_is_there(page, path) for page in page_registry.values())


def frame() -> html.Div:
    """What stands around every staff page; it shows nothing that was published."""
    city = at_hand().catalogue.city
    with formats.speaking(formats.language(city.language)):
        return html.Div(
            [
                html.A(_("Skip to the content"), href="#content", className="skip"),
                html.Header(
                    html.Div(
                        [
                            dcc.Link(
                                [Svg(MARK), city.name, html.Span(_("For staff"))],
                                href=f"{PREFIX}today",
                                className="city-name",
                            ),
                            html.Nav(
                                [
                                    dcc.Link(_("Today"), href=f"{PREFIX}today"),
                                    *_districts(city),
                                    dcc.Link(_("Sources"), href=f"{PREFIX}sources"),
                                    *_administration(),
                                    html.A(_("Public page"), href="/"),
                                ],
                                **labelled(_("Main")),
                            ),
                            *_account(),
                            theme_switch(),
                        ]
                    ),
                    className="masthead",
                ),
                html.P(id="done", role="status", className="done"),
                _session_ending(),
                html.Main(page_container, id="content", tabIndex="-1"),
                html.Div(id="announced", role="status", className="unseen"),
            ]
        )


def _account() -> list[html.Div]:
    """Who is signed in, with the way out."""
    who = access.person()
    if who is None:
        return []
    out = html.Form(html.Button(_("Sign out"), type="submit"), action="/sign-out", method="post")
    return [html.Div([html.A(who.name, href="/account"), out], className="who")]


def _session_ending() -> html.Div:
    """What `session.js` shows some minutes before a session ends."""
    return html.Div(
        html.Div(
            [
                html.P(_("You will be signed out in a few minutes.")),
                html.Button(_("Stay signed in"), id="session-stay", type="button"),
            ],
            id="session-ending",
            hidden=True,
        ),
        role="alert",
        className="session",
    )


def _districts(city: City) -> list[dcc.Link]:
    """The way to the comparison of districts, where the city has any."""
    if not at_hand().catalogue.districts:
        return []
    return [dcc.Link(districts_word(city), href=f"{PREFIX}districts")]


def _administration() -> list[dcc.Link]:
    """The way to the rooms of administration, for whoever may enter any."""
    return [dcc.Link(_("Administration"), href=f"{PREFIX}admin")] if open_rooms() else []


def staff_page(
    role: Role, department: str | access.Telling | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Stands before the layout of a page: lets in who may, and makes its sentences in the city's language.

    department: as for `access.guarded`.
    """

    def stand_before(layout: Callable[..., Any]) -> Callable[..., Any]:
        @guarded(role, department)
        @wraps(layout)
        def spoken(*arguments: Any, **named: Any) -> Any:
            with formats.speaking(formats.language(at_hand().catalogue.city.language)):
                return layout(*arguments, **named)

        return spoken

    return stand_before


def _not_allowed(_error: access.NotAllowed) -> tuple[str, int]:
    return _("You may not see this."), 403


def _turn_away() -> tuple[bytes, int] | None:
    """A page of its own for whoever opens one that is not for them: Dash would show them an empty one."""
    if request.method != "GET" or access.person() is None:
        return None
    inside = "/" + request.path.removeprefix(PREFIX)
    page = next((one for one in page_registry.values() if _is_there(one, inside)), None)
    stands = None if page is None else access.needs(page["layout"])
    if page is None or stands is None or not request.path.startswith(PREFIX):
        return None
    found = _pattern(page["path_template"] or page["path"]).fullmatch(inside)
    parts = found.groupdict() if found else {}
    if access.is_allowed(stands.need(page["layout"], (), {**request.args.to_dict(), **parts})):
        return None
    desk = at_hand()
    with formats.speaking(formats.language(desk.catalogue.city.language)):
        onward = f"{PREFIX}today" if access.is_allowed(access.Need(Role.VIEWER)) else "/account"
        detail = _("It takes a role that you do not have. An admin of the city can give it to you.")
        values = {"title": _("You may not see this"), "detail": detail, "onward": onward, "once": ""}
        return rendered("act.html", desk.catalogue.city, desk.build, **values), 403


def _refuse_malformed_calls(app: Dash) -> None:
    """Raises BadRequest for a call that no page of ours makes: Dash believes what it is sent."""
    if request.path != CALLBACKS or request.method != "POST":
        return
    try:
        body = request.get_json()
    except RecursionError:
        raise BadRequest from None
    if not (isinstance(body, dict) and _is_known(app, body) and _has_addresses(body["inputs"])):
        raise BadRequest


def _is_known(app: Dash, body: dict[str, Any]) -> bool:
    """Whether a call names a callback with the very outputs, inputs and states it was made with."""
    output, changed = body.get("output"), body.get("changedPropIds", [])
    known = app.callback_map.get(output) if isinstance(output, str) else None
    if known is None or "callback" not in known:
        return False
    made = known["output"] if isinstance(known["output"], list) else [known["output"]]
    outputs = body.get("outputs")
    return (
        _names(outputs if isinstance(outputs, list) else [outputs])
        == [(one.component_id, one.component_property) for one in made]
        and _names(body.get("inputs")) == _names(known["inputs"])
        and _names(body.get("state", [])) == _names(known["state"])
        and isinstance(changed, list)
        and all(isinstance(one, str) for one in changed)
    )


def _names(given: Any) -> list[tuple[Any, Any]] | None:
    """The component and property of each part of a call; None where it is no list of parts."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        return None
    return [(one.get("id"), one.get("property")) for one in given]


def _has_addresses(inputs: list[dict[str, Any]]) -> bool:
    """Whether what a call says of the browser's address are texts, the path one of ours."""
    said = {one["property"]: one.get("value") for one in inputs}
    path, search = said.get("pathname", PREFIX), said.get("search")
    return (
        isinstance(path, str)
        and f"{path}/".startswith(PREFIX)
        and (search is None or isinstance(search, str))
    )


def _set_up(server: Flask) -> None:
    """Dash sets itself up before its first request, which a guard may answer without asking Dash at all.

    A second request, on another thread, would find it half set up.
    """
    with server.test_request_context(PREFIX):
        for hook in server.before_request_funcs[None]:
            if (hook.__module__ or "").startswith("dash."):
                hook()


def _is_missing(page: dict[str, Any]) -> bool:
    return page["module"].endswith("not_found_404")


def _is_there(page: dict[str, Any], path: str) -> bool:
    """Whether a path is an address of a page; a page may say itself which of its addresses exist."""
    found = _pattern(page["path_template"] or page["path"]).fullmatch(path)
    if found is None or _is_missing(page):
        return False
    return bool(page.get("exists", _always)(**found.groupdict()))


def _always(**_variables: str) -> bool:
    return True


@lru_cache
def _pattern(template: str) -> re.Pattern[str]:
    """`/metric/<metric_id>` as a pattern: ids are lower-case letters, digits and bars."""
    pieces = re.split(r"<([a-z_]+)>", template)
    return re.compile(
        "".join(
            f"(?P<{piece}>[a-z0-9_]+)" if index % 2 else re.escape(piece)
            for index, piece in enumerate(pieces)
        )
    )
