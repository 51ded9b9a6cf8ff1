"""Takes the problems with numbers that anybody reports, without sign-in or cookie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import request

from layouts import formats
from layouts.desk import Desk
from layouts.fields import Fields, Wrong
from layouts.formats import _
from layouts.formats import notes as sentences
from layouts.public import asking
from layouts.public.answer import HTML, Answer, NothingPublished, Refusal
from layouts.public.asking import Query
from layouts.public.problem_form import MOST_WORDS
from layouts.public.site import rendered
from store import problems
from store.engine import Clock, writing
from store.problems import About

TOO_MANY = 429


@dataclass(frozen=True)
class ProblemDesk:
    """Takes what the public reports. address: where a request comes from, which is counted, not kept."""

    desk: Desk
    clock: Clock
    address: Callable[[], str]

    def receive(self, query: Query, metric: str) -> Answer:
        """Keeps a report and says its number; 422 for an empty one, 429 for too many from one address."""
        with formats.speaking(formats.language(self.desk.catalogue.city.language)):
            try:
                return self._received(query, metric)
            except Refusal as refusal:
                return self._page(refusal.status, refusal.title, refusal.detail, metric)
            except NothingPublished:
                return self._page(404, _("Nothing has been published yet"), "", "")
            except Wrong as wrong:
                return self._page(422, _("This was not sent"), wrong.sentence, "")

    def _received(self, query: Query, wanted: str) -> Answer:
        asking.known_words(query, ())
        with asking.opened(self.desk, {}) as (_connection, edition):
            metric = asking.metric(edition, wanted)
        given = Fields(request.form.to_dict(), {}, {})
        words = given.text("words", most=MOST_WORDS)
        with writing(self.desk.engine, self.clock) as write:
            number = problems.report(write, About(metric.id), words, None, self.address())
        if number is None:
            detail = _("There have been many reports in a short time. Try again in a quarter of an hour.")
            return self._page(TOO_MANY, _("This was not sent"), detail, "")
        return self._page(200, _("Thank you"), sentences.thanks(number, metric.name), metric.id)

    def _page(self, status: int, title: str, detail: str, metric: str) -> Answer:
        onward = f"/metric/{metric}#problems" if metric and status == 200 else ""
        values = {"title": title, "detail": detail, "onward": onward}
        body = rendered("act.html", self.desk.catalogue.city, self.desk.build, **values)
        return Answer(body, HTML, status)
