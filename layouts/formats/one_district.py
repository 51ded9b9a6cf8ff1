"""The sentences of the page of one district: where it stands out, who lives there, what they need."""

from __future__ import annotations

from layouts.district_view import DistrictMetric, DistrictView
from layouts.formats import numbers, standings
from layouts.formats.language import _, ngettext
from layouts.formats.numbers import Level
from metrics.districts import PER


def headline(view: DistrictView) -> str:
    """The finding of a district's page."""
    name = view.district.name
    judged = [one for one in view.lines if one.standing and one.standing.place]
    if not judged:
        return _("{district}: nothing can be compared yet").format(district=name)
    bad = [one for one in judged if _level(one) is Level.BELOW]
    good = [one for one in judged if _level(one) is Level.ABOVE]
    if not bad and not good:
        return _("{district}: all {count} measures are within chance of the rest of the city").format(
            district=name, count=numbers.count(len(judged))
        )
    return _("{district}: {bad} of {all} measures worse than chance explains, {good} better").format(
        district=name,
        bad=numbers.count(len(bad)),
        good=numbers.count(len(good)),
        all=numbers.count(len(judged)),
    )


def expected(view: DistrictView) -> str:
    """How many would stand out by chance alone; empty where nothing can be compared."""
    judged = [one for one in view.lines if one.standing and one.standing.place]
    if not judged:
        return ""
    return _("By chance alone about {expected} of {all} would lie outside their limits.").format(
        expected=numbers.plain(round(view.by_chance, 1), 1), all=numbers.count(len(judged))
    )


def facts(view: DistrictView) -> str:
    """Who lives there and what they need, as far as it is known."""
    said = []
    if view.district.population is not None:
        said.append(
            ngettext("{count} resident", "{count} residents", view.district.population).format(
                count=numbers.count(view.district.population)
            )
        )
    if view.district.need is not None and view.edition.city.need:
        said.append(f"{view.edition.city.need}: {standings.need(view.district.need)}")
    return " · ".join(said)


def caption() -> str:
    """What the table of a district shows."""
    return _(
        "Against the rest: the value less that of the rest of the city, with its 95% interval. "
        "Counts are compared "
        "for each {thousand} residents."
    ).format(thousand=numbers.count(PER))


def _level(line: DistrictMetric) -> Level:
    return standings.place_level(line.metric, line.standing.place if line.standing else None)
