"""The Flask server: the table of routes behind one guard, with headers, entity tags and compression."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from serving import compression, guard, headers
from serving.kept import StateWatch, entity_tag
from serving.ready import FOR_EVER, STATE, ReadyAnswers
from serving.routes import ASSETS, OPEN, STAFF, Answer, Kind, Kinds, Route
from store.engine import StoreError

MOST_BYTES_SENT_IN = 1_000_000
A_YEAR = 31_536_000
A_DAY = 86_400
KINDS = "kinds"
"""Under this name a server keeps the kinds of its routes."""


@dataclass(frozen=True)
class Wiring:
    """What a server is made of.

    state: the number of the public state. build: the name of this version. is_page: whether a path under
    /staff/ is a page. entrance: the way in from /staff/ itself. failure: the answer for a status and a
    path, with the sentence for it where there is one. base_url: the public address of the site, under
    which a proxy passes requests on; empty where there is none. doorkeeper: tells who is signed in; without
    one nobody is.
    """

    routes: tuple[Route, ...]
    state: Callable[[], int]
    build: str
    assets: Path
    is_page: Callable[[str], bool]
    failure: Callable[[int, str, str | None], Answer]
    entrance: Callable[..., Answer]
    base_url: str = ""
    doorkeeper: guard.Doorkeeper | None = None


def create(wiring: Wiring) -> Flask:
    """A server that answers the table of routes, and nothing that has no kind."""
    server = _Server("serving", static_folder=str(wiring.assets), static_url_path=ASSETS)
    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES_SENT_IN
    kinds, way = Kinds(wiring.routes), guard.Way(wiring.base_url)
    server.extensions[KINDS] = kinds
    # Last registered runs first on the way out: the headers are set before the body is compressed.
    compression.install(server)
    server.after_request(lambda response: headers.protect(response, kinds.of(_rule())))
    server.after_request(lambda response: _keep_files(response, wiring.build))
    server.before_request(lambda: guard.check(request, _kind(kinds), wiring.is_page, way, wiring.doorkeeper))
    server.before_request(lambda: _response(wiring.entrance({})) if request.path == STAFF else None)
    _answer_failures(server, wiring)
    watch = StateWatch(wiring.state)
    for route in wiring.routes:
        view = _view(route, wiring, watch)
        name = f"{route.method} {route.path}"
        server.add_url_rule(route.path, endpoint=name, view_func=view, methods=[route.method])
    server.wsgi_app = ReadyAnswers(server.wsgi_app, watch, way.public_name)  # type: ignore[method-assign]
    return server


class _Server(Flask):
    """Flask whose log holds a path as it can be read, and no line that a reader has written."""

    def log_exception(self, exc_info: Any) -> None:
        self.logger.error("%s %r", request.method, _told_path(), exc_info=exc_info)


def _told_path() -> str:
    """The path as a log may hold it: of an address that holds a secret only which it is."""
    found = request.url_rule
    return found.rule if found is not None and "<secret>" in found.rule else request.path


def _rule() -> str:
    return request.url_rule.rule if request.url_rule else ""


def _kind(kinds: Kinds) -> Kind | None:
    return kinds.of(_rule())


def _view(route: Route, wiring: Wiring, watch: StateWatch) -> Callable[..., Response]:
    # Absolute links are part of an answer.
    build = f"{wiring.build} {wiring.base_url}"

    def tagged(response: Response, state: int, tag: str) -> Response:
        request.environ[STATE] = state
        response.set_etag(tag)
        response.headers["Cache-Control"] = "public, no-cache"
        return response

    def answered(**parts: str) -> Response:
        query = request.args.to_dict()
        if route.kind not in OPEN:
            return _response(route.answer(query, **parts))
        if request.if_none_match:
            state = watch()
            tag = entity_tag(state, build, _address())
            if _has(tag):
                return tagged(Response(status=304), state, tag)
        answer = route.answer(query, **parts)
        if answer.state is None:
            return _response(answer)
        # The tag is of the state that was read, not of the one before or after it.
        return tagged(_response(answer), answer.state, entity_tag(answer.state, build, _address()))

    return answered


def _address() -> str:
    """The path and query, the parameters in a fixed order."""
    return f"{request.path}?{sorted(request.args.items(multi=True))}"


def _has(tag: str) -> bool:
    """Whether the reader has the answer with this tag, compressed (`tag:gzip`) or not."""
    return any(one.split(":")[0] == tag for one in request.if_none_match.as_set(include_weak=True))


def _response(answer: Answer) -> Response:
    body = getattr(answer, "stream", None) or answer.body
    response = Response(body, status=answer.status, content_type=answer.media_type)
    response.headers.update(answer.headers)
    if answer.state is None:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _keep_files(response: Response, build: str) -> Response:
    """Files asked for by the name of this build never change; others are asked for again each day.

    Another name proves nothing: who asks for tomorrow's build today must not keep today's file under it.

    They are read into memory: what is streamed would not be compressed.
    """
    if _rule().startswith(ASSETS) and response.status_code == 200:
        seconds = A_YEAR if request.args.get("v") == build else A_DAY
        response.headers["Cache-Control"] = f"public, max-age={seconds}"
        response.direct_passthrough = False
        response.get_data()
        request.environ[STATE] = FOR_EVER
    return response


def _answer_failures(server: Flask, wiring: Wiring) -> None:
    def failed(status: int, detail: str | None = None) -> Response:
        return _response(wiring.failure(status, request.path, detail))

    @server.errorhandler(guard.Refused)
    def refused(error: guard.Refused) -> Response:
        return failed(error.status, None if error.status == 404 else error.detail)

    @server.errorhandler(guard.SignInNeeded)
    def not_signed_in(error: guard.SignInNeeded) -> Response:
        if error.location is None:
            return Response(json.dumps({"detail": error.detail}), 401, mimetype="application/problem+json")
        return Response(status=303, headers={"Location": error.location})

    @server.errorhandler(StoreError)
    def store_failed(error: StoreError) -> Response:
        server.logger.error("%s %r: %s", request.method, _told_path(), error)
        return failed(503)

    @server.errorhandler(HTTPException)
    def http_failed(error: HTTPException) -> Response:
        allowed = sorted(getattr(error, "valid_methods", None) or ())
        is_read = "GET" in allowed
        response = failed(error.code or 500, None if is_read or not allowed else _only(allowed))
        if error.code == 405:
            response.headers["Allow"] = ", ".join(allowed)
        return response


def _only(allowed: list[str]) -> str:
    return f"This address takes {' and '.join(one for one in allowed if one != 'OPTIONS')} only."
