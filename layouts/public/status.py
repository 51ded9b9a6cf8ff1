"""The page that says how fresh everything is, for people; programs get the same facts as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from layouts import formats
from layouts.desk import Desk
from layouts.public.answer import HTML, Answer
from layouts.public.asking import Query
from layouts.public.site import rendered
from layouts.status_view import StatusView


@dataclass(frozen=True)
class StatusPage:
    """The page over one city's database. look: how everything is at the moment of asking."""

    desk: Desk
    look: Callable[[], StatusView]

    def __call__(self, _query: Query) -> Answer:
        """Every source: how far it is known, how late it is, how its last run went."""
        city = self.desk.catalogue.city
        view = self.look()
        with formats.speaking(formats.language(city.language)):
            body = rendered("status.html", city, self.desk.build, view=view)
        return Answer(body, HTML)
