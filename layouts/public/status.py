"""The page that says how fresh everything is, for people; programs get the same facts as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from layouts import formats
from layouts.desk import Desk
from layouts.formats import freshness
from layouts.public.answer import HTML, Answer
from layouts.public.asking import Query
from layouts.public.site import environment
from layouts.status_view import status_view


@dataclass(frozen=True)
class StatusPage:
    """The page over one city's database, at the moment the clock tells."""

    desk: Desk
    clock: Callable[[], datetime]

    def __call__(self, _query: Query) -> Answer:
        """Every source: how far it is known, how late it is, how its last run went."""
        city = self.desk.catalogue.city
        view = status_view(self.desk.engine, self.desk.catalogue, self.clock())
        with formats.speaking(formats.language(city.language)):
            text = (
                environment()
                .get_template("status.html")
                .render(
                    city=city,
                    language=formats.spoken().tag,
                    build=self.desk.build,
                    view=view,
                    fresh=freshness,
                )
            )
        return Answer(text.encode(), HTML, follows_state=False)
