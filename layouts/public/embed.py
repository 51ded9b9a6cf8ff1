"""Embeds: the score, the scoreboard and metrics for pages of other sites, as HTML, SVG and PNG."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from layouts import formats
from layouts.charts.cards import DRAWING_RULES, rules
from layouts.charts.lettering import ELLIPSIS
from layouts.charts.palette import Theme, as_properties
from layouts.city_view import city_view
from layouts.desk import Desk
from layouts.formats import _
from layouts.metric_view import metric_view
from layouts.public import asking, png
from layouts.public.answer import HTML, RETRY_SECONDS, Answer, NothingPublished, Refusal, legible
from layouts.public.asking import Query
from layouts.public.embed_shown import Look, Shown, message, of_metric, of_score, of_scoreboard
from layouts.public.site import TEMPLATES, environment
from layouts.views import CityView

SVG = "image/svg+xml; charset=utf-8"
PNG = "image/png"
WORDS = ("grain", "theme", "title")
TITLES = {"yes": True, "no": False}

POLICY = (
    "default-src 'none'; style-src {styles}; script-src {script}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors *"
)
"""An embed may stand anywhere, runs our one script, and loads nothing."""

PLAIN = " ,.:;()/'"
"""What a header may hold beside letters and digits as it is."""

MOST_IN_A_HEADER = 2000
ANYONE = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Alt-Text"}


class Form(StrEnum):
    """As what an embed is asked for."""

    HTML = ""
    SVG = ".svg"
    PNG = ".png"


@dataclass(frozen=True)
class Embeds:
    """The embeds over one city's database."""

    desk: Desk

    def addresses(self) -> list[tuple[str, Callable[..., Answer]]]:
        """Every address below /embed/ and what answers it, called with the query and the path's parts."""
        found = [
            (f"/embed/{name}{form.value}", _bound(self._answer, make, form))
            for name, make in (("score", self._score), ("scoreboard", self._scoreboard))
            for form in Form
        ]
        found += [
            (f"/embed/metric/<metric>{form.value}", _bound(self._answer, self._metric, form)) for form in Form
        ]
        return [*found, ("/embed/<path:unknown>", _bound(self._answer, _unknown, Form.HTML))]

    # --- answering -----------------------------------------------------------------------------

    def _answer(self, make: Callable[..., Shown], form: Form, query: Query, **parts: str) -> Answer:
        with formats.speaking(formats.language(self.desk.catalogue.city.language)):
            look = Look(_theme_or(query, form))
            try:
                look = _look(query, form)
                asking.known_words(query, WORDS)
                return self._given(make(query, **parts), form, look)
            except Refusal as refusal:
                said = message(refusal.title, refusal.detail)
                return self._given(said, form, look, status=refusal.status)
            except NothingPublished:
                detail = _("The numbers appear here as soon as the first publication is made.")
                said = message(_("Nothing has been published yet"), detail)
                return self._given(said, form, look, status=503)

    def _given(self, shown: Shown, form: Form, look: Look, *, status: int = 200) -> Answer:
        headers = {**ANYONE, "X-Alt-Text": _in_a_header(shown.alt)}
        if status == 503:
            headers["Retry-After"] = str(RETRY_SECONDS)
        language = shown.edition.city.language if shown.edition else self.desk.catalogue.city.language
        with formats.speaking(formats.language(language)):
            body, media_type = self._form(shown, form, look)
        headers["Content-Security-Policy"] = _policy(body, form)
        return Answer(body, media_type, status, headers, shown.edition.state if shown.edition else None)

    def _form(self, shown: Shown, form: Form, look: Look) -> tuple[bytes, str]:
        if form is Form.HTML:
            return self._page(shown, look).encode(), HTML
        if form is Form.SVG:
            return str(shown.card(look)).encode(), SVG
        texts = {"Title": shown.title, "Description": shown.alt, **shown.facts}
        return png.draw(str(shown.card(look)), texts), PNG

    def _page(self, shown: Shown, look: Look) -> str:
        return (
            environment()
            .get_template(shown.template)
            .render(
                language=formats.spoken().tag,
                direction=formats.spoken().direction,
                style=Markup(_style(look.theme)),
                script=Markup(_script()),
                title=shown.title,
                alt=shown.alt,
                titled=look.titled,
                edition=shown.edition,
                city=shown.edition.city if shown.edition else self.desk.catalogue.city,
                **shown.values,
            )
        )

    # --- what is shown -------------------------------------------------------------------------

    def _score(self, query: Query) -> Shown:
        return of_score(self._city(query))

    def _scoreboard(self, query: Query) -> Shown:
        return of_scoreboard(self._city(query))

    def _metric(self, query: Query, metric: str) -> Shown:
        grain = asking.grain(query, None)
        with asking.opened(self.desk, query) as (connection, edition):
            view = metric_view(connection, edition, asking.metric(edition, metric), grain)
        return of_metric(view)

    def _city(self, query: Query) -> CityView:
        grain = asking.grain(query, None)
        with asking.opened(self.desk, query) as (connection, edition):
            return city_view(connection, edition, grain)


def _bound(answer: Callable[..., Answer], make: Callable[..., Shown], form: Form) -> Callable[..., Answer]:
    return lambda query, **parts: answer(make, form, query, **parts)


# --- asking --------------------------------------------------------------------------------------


def _look(query: Query, form: Form) -> Look:
    theme, title = query.get("theme", Theme.AUTO), query.get("title", "yes")
    if theme not in list(Theme):
        raise _bad("theme", theme, Theme)
    if title not in TITLES:
        raise _bad("title", title, TITLES)
    return Look(_drawable(Theme(theme), form), TITLES[title])


def _theme_or(query: Query, form: Form) -> Theme:
    """The theme a refusal is shown in: the one asked for, where that is one."""
    theme = query.get("theme", Theme.AUTO)
    return _drawable(Theme(theme) if theme in list(Theme) else Theme.AUTO, form)


def _drawable(theme: Theme, form: Form) -> Theme:
    """A PNG cannot follow its reader's system: it is light where nobody said dark."""
    return Theme.LIGHT if form is Form.PNG and theme is Theme.AUTO else theme


def _bad(word: str, text: str, known: Any) -> Refusal:
    detail = _("{word} is {text!r}; give one of {known}.")
    return Refusal(
        400,
        _("This cannot be answered"),
        detail.format(word=word, text=legible(text), known=", ".join(known)),
    )


def _unknown(_query: Query, unknown: str) -> Shown:
    detail = _("There is no embed called {unknown}; there are score, scoreboard and metric/ with an id.")
    raise Refusal(404, _("There is no such embed"), detail.format(unknown=legible(unknown)))


# --- the page in a frame -------------------------------------------------------------------------


@lru_cache
def _style(theme: Theme) -> str:
    page = (TEMPLATES / "embed.css").read_text("utf-8").replace("\n", "")
    return as_properties(theme) + page + rules(DRAWING_RULES)


@lru_cache
def _script() -> str:
    """The script of the frame, without its comments."""
    text = (TEMPLATES / "embed_frame.js").read_text("utf-8")
    kept = [line.strip() for line in text.splitlines() if not line.strip().startswith("//")]
    return "\n".join(kept)


def _in_a_header(text: str) -> str:
    """A text percent-encoded as UTF-8, cut where servers in between would refuse so long a header."""
    kept = text
    while len(quote(kept, safe=PLAIN)) > MOST_IN_A_HEADER:
        kept = kept[: len(kept) * 9 // 10]
    return quote(kept if kept == text else kept.rstrip() + ELLIPSIS, safe=PLAIN)


def _policy(body: bytes, form: Form) -> str:
    """The policy of one answer: it names its style and its script by what they are."""
    style = _hashed(_between(body, b"<style>", b"</style>"))
    script = _hashed(_between(body, b"<script>", b"</script>")) if form is Form.HTML else "'none'"
    return POLICY.format(styles=style, script=script)


def _between(body: bytes, start: bytes, end: bytes) -> bytes:
    return body.partition(start)[2].partition(end)[0]


def _hashed(text: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" if text else "'none'"
