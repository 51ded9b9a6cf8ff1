"""What a reader asks for, taken from the query of a URL; what cannot be meant is refused with the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TypedDict

from layouts.desk import Desk, public_metric
from layouts.district_view import GRAINS as DISTRICT_GRAINS
from layouts.formats import _, captions
from layouts.public.answer import NothingPublished, Refusal, legible
from layouts.views import Edition
from metrics.model import UNKNOWN_DISTRICT, WHOLE_CITY, Grain, Metric
from store import withheld
from store.engine import Connection
from store.withheld import Audience, Hidden

Query = Mapping[str, str]

PIN = ("publication", "as_of")
SERIES = ("grain", "since", "until", "district")
"""What a series is asked with."""


@dataclass(frozen=True)
class Series:
    """A series of a metric as a reader asks for it."""

    metric: Metric
    grain: Grain
    since: date | None
    until: date | None
    district: str


def known_words(query: Query, allowed: Iterable[str]) -> None:
    """Refuses a query word that means nothing: a typing error must not silently change the answer."""
    known = (*PIN, *allowed)
    for word in query:
        if word not in known:
            raise _bad(
                _("There is no parameter {word}. Known here: {known}.").format(
                    word=legible(word), known=", ".join(known)
                )
            )


@contextmanager
def opened(
    desk: Desk, query: Query, audience: Audience = Audience.PUBLIC
) -> Iterator[tuple[Connection, Edition]]:
    """The publication that `publication=` or `as_of=` names, else the current one.

    audience: who is shown what is read. Refuses (400) what is no number or date or both at once, (404) what
    does not exist; raises NothingPublished where the city has no publication at all.
    """
    number, as_of = publication_number(query), day(query, "as_of")
    if number is not None and as_of is not None:
        raise _bad(_("Give either publication or as_of, not both."))
    with desk.open(number=number, as_of=as_of, audience=audience) as (connection, edition):
        if edition is None and (number is not None or as_of is not None):
            raise _missing(number, as_of)
        if edition is None:
            raise NothingPublished
        yield connection, edition


def publication_number(query: Query) -> int | None:
    """The number in `publication=`; None where it is not given."""
    text = query.get("publication")
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < len(text) <= 15:
        raise _bad(
            _("publication is {text!r}; give the number of a publication, for example publication=1.").format(
                text=legible(text)
            )
        )
    return int(text)


def day(query: Query, word: str) -> date | None:
    """The date given as `word`; None where it is not given."""
    text = query.get(word)
    if text is None:
        return None
    try:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise _bad(
            _("{word} is {text!r}; give a date like {word}=2026-01-31.").format(word=word, text=legible(text))
        ) from None


def switch(query: Query, word: str) -> bool:
    """Whether `word` is switched on, by 1; 0 is the same as leaving it out."""
    text = query.get(word, "0")
    if text not in ("0", "1"):
        raise _bad(
            _("{word} is {text!r}; give {word}=1 or leave it out.").format(word=word, text=legible(text))
        )
    return text == "1"


def grain(query: Query, default: Grain | None) -> Grain | None:
    """The grain asked for."""
    text = query.get("grain")
    if text is None:
        return default
    if text not in list(Grain):
        raise _bad(
            _("grain is {text!r}; give one of {known}.").format(text=legible(text), known=", ".join(Grain))
        )
    return Grain(text)


def district_grain(query: Query) -> Grain | None:
    """The grain of a comparison of districts; None where it is not given.

    Refuses days and weeks: of so few cases a district says nothing, and they would add up to what is hidden.
    """
    found = grain(query, None)
    if found in (None, *DISTRICT_GRAINS):
        return found
    raise _bad(
        _(
            "There are no districts by {grain}: so few cases in each would say more of chance and of single "
            "people than of the city. Give grain=month or grain=quarter."
        ).format(grain=found)
    )


def district(query: Query, edition: Edition) -> str:
    """The district asked for; WHOLE_CITY where none is."""
    wanted = query.get("district")
    if wanted is None:
        return WHOLE_CITY
    known = [*edition.catalogue.districts, UNKNOWN_DISTRICT]
    if wanted not in known:
        raise _bad(
            _("There is no district {wanted!r}; give one of {known}.").format(
                wanted=legible(wanted), known=", ".join(known)
            )
        )
    return wanted


def series(query: Query, edition: Edition, wanted: str) -> Series:
    """The series asked for, by month unless the grain is given."""
    since, until = day(query, "since"), day(query, "until")
    if since is not None and until is not None and since > until:
        raise _bad(_("since lies after until; exchange the two dates."))
    found = metric(edition, wanted)
    return Series(found, grain(query, None) or Grain.MONTH, since, until, district(query, edition))


class Told(TypedDict):
    """How the store is asked for a series: which periods, where, and what of it the reader does not see."""

    since: date | None
    until: date | None
    district: str
    hidden: Hidden


def words_of(connection: Connection, edition: Edition, asked: Series) -> Told:
    """A series as the store is asked for it by this reader."""
    hidden = withheld.for_audience(connection, asked.metric, edition.audience)
    return Told(since=asked.since, until=asked.until, district=asked.district, hidden=hidden)


def public_metrics(edition: Edition) -> list[Metric]:
    """The public metrics of a publication, without those withdrawn since: withdrawal outranks pins."""
    live = edition.catalogue.live_metrics()
    return [one for one in live if one.public and edition.withdrawn(one.id) is None]


def metric(edition: Edition, wanted: str) -> Metric:
    """The public metric of this id, or the one it was renamed to.

    Refuses (404) an unknown one and one that is not public alike, (410) a retired one with the reason.
    Retired and not public are judged by the newest definitions too: withdrawal outranks pins.
    """
    gone = edition.withdrawn(wanted)
    if gone is not None and gone.retired is not None:
        raise Refusal(410, captions.retired_title(gone), captions.retired_reason(gone))
    renamed = [one.id for one in edition.catalogue.metrics.values() if one.renamed_from == wanted]
    found = public_metric(edition, renamed[0] if renamed else wanted)
    if found is None or gone is not None:
        raise Refusal(
            404,
            _("There is no such metric"),
            _("No public metric is called {wanted}; /api/v1/metrics lists them.").format(
                wanted=legible(wanted)
            ),
        )
    return found


def _bad(detail: str) -> Refusal:
    return Refusal(400, _("This cannot be answered"), detail)


def _missing(number: int | None, as_of: date | None) -> Refusal:
    title = _("There is no such publication")
    if number is not None:
        detail = _("No publication has the number {number}; /api/v1/publications lists them.")
        return Refusal(404, title, detail.format(number=number))
    detail = _("No publication was made for {as_of} or earlier; /api/v1/publications lists them.")
    return Refusal(404, title, detail.format(as_of=as_of))
