"""The sentences of a metric by district: who stands out beyond chance, what need does, what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from layouts.district_view import DistrictsView
from layouts.formats import days, numbers, sentences, standings
from layouts.formats.language import _, ngettext
from layouts.formats.numbers import Level
from layouts.views import Edition
from metrics.districts import PER, ByDistrict, Scale, Shade, Standing
from metrics.fairness import Index, Place
from metrics.model import WITHHELD, City, Direction, Grain, Metric

MOST_NAMES = 3

# --- what stands out ---------------------------------------------------------------------------


def title(view: DistrictsView) -> str:
    """The name of the comparison."""
    return _("{metric} by {district}").format(
        metric=view.metric.name, district=view.edition.city.district_word
    )


def headline(view: DistrictsView) -> str:
    """The finding: which districts lie beyond what chance explains."""
    name, word = view.metric.name, view.edition.city.district_word
    if not view.by.judged:
        return _("{metric}: too little is known to compare by {district}").format(metric=name, district=word)
    out = [one for one in view.by.at(Place.ABOVE, Place.BELOW) if one.district != WITHHELD]
    bad = [one for one in out if standings.place_level(view.metric, one.place) is not Level.ABOVE]
    if not out:
        return _("{metric}: no {district} stands out beyond chance").format(metric=name, district=word)
    if not bad:
        return _("{metric}: {who} better than chance explains").format(metric=name, who=_who(view, out))
    if not standings.has_better(view.metric):
        return _("{metric}: {who} apart from the rest beyond chance").format(metric=name, who=_who(view, bad))
    return _("{metric}: {who} worse than chance explains").format(metric=name, who=_who(view, bad))


def _who(view: DistrictsView, rows: Sequence[Standing]) -> str:
    names = [view.name(one.district) or one.district for one in rows]
    if len(names) > MOST_NAMES:
        return _("{count} of {all} are").format(
            count=numbers.count(len(names)), all=numbers.count(view.by.judged)
        )
    if len(names) == 1:
        return _("{name} is").format(name=names[0])
    return _("{names} and {last} are").format(names=", ".join(names[:-1]), last=names[-1])


def expected(view: DistrictsView) -> str:
    """How many would stand out by chance alone."""
    out = len(view.by.at(Place.ABOVE, Place.BELOW))
    return _(
        "{found} of {all} lie outside their limits; by chance alone it would be about {expected}."
    ).format(
        found=numbers.count(out),
        all=numbers.count(view.by.judged),
        expected=numbers.plain(view.by.by_chance, 1),
    )


def widened(by: ByDistrict) -> str:
    """That districts differ anyway, and by how much the limits allow for it; empty where they do not."""
    if by.dispersion <= 1:
        return ""
    return _(
        "Districts differ more than chance explains (by a factor of {factor} in variance); the "
        "limits are widened by "
        "its root, so that outside means more than that."
    ).format(factor=numbers.plain(by.dispersion, 1))


def hidden(view: DistrictsView) -> str:
    """How many are hidden and why; empty for none."""
    count = len(view.hidden)
    if not count:
        return ""
    return ngettext(
        "{count} place is hidden, because so few cases would point at people; whatever is worked out here "
        "takes it as part of the row left over.",
        "{count} places are hidden, because so few cases would point at people; whatever is worked out here "
        "takes them together as one.",
        count,
    ).format(count=numbers.count(count))


def caution() -> str:
    """Reports are not need."""
    return _(
        "Reports are not need: only what somebody reports is counted, and people do not report "
        "equally readily "
        "everywhere. Few requests can mean little trouble or little trust."
    )


def proxy(view: DistrictsView) -> str:
    """What stands in for how readily people report; empty where the city names nothing."""
    if view.proxy is None:
        return ""
    return _(
        "How readily people report shows in “{metric}”: where it is low, many things may go unreported."
    ).format(metric=view.proxy.name)


def order(city: City) -> str:
    """In which order districts stand."""
    return _(
        "In order of the value drawn towards the city’s where a {district} tells little: no ranking "
        "of raw values."
    ).format(district=city.district_word)


def districts_word(city: City) -> str:
    """The heading over all districts."""
    return _("Every {district}").format(district=city.district_word)


def your_district(city: City) -> str:
    """The heading of the links to every district."""
    return _("Your {district}").format(district=city.district_word)


def pinned_view(edition: Edition) -> str:
    """The name of the address that shows a page as it is published now, for ever."""
    return _("This view as published for {day}, for staff").format(day=days.day(edition.publication.as_of))


def no_districts(metric: Metric, grain: Grain, start: date | None) -> tuple[str, str]:
    """Why a metric has no districts in a period, as a title and what would help."""
    title = _("There are no districts here")
    if metric.district is None:
        return title, _("The records of {metric} name no district.").format(metric=metric.id)
    if start is None:
        return title, _("No {grain} of {metric} has ended yet.").format(grain=grain, metric=metric.id)
    return title, _(
        "{metric} has no {grain} that starts on {start}; /api/v1/metrics/{metric}/series lists its periods."
    ).format(metric=metric.id, grain=grain, start=start.isoformat())


def no_such_district(city: City) -> tuple[str, str]:
    """What is said of a district that is none, as a title and what would help."""
    return (
        _("There is no such {district}").format(district=city.district_word),
        _("The pages of measures list every {district}.").format(district=city.district_word),
    )


def adds_up(view: DistrictsView) -> str:
    """That the rows of the table make the whole city; empty where that cannot be said."""
    parts = sentences.parts(view.metric, view.by.city)
    if not view.adds_up or not parts:
        return ""
    return _("All rows together, records that name no {district} among them, make the city: {parts}.").format(
        district=view.edition.city.district_word, parts=parts
    )


# --- how it is shared out ----------------------------------------------------------------------


def equity(view: DistrictsView) -> str:
    """The equity score beside what equal service shows; empty without a target."""
    found = view.indices.equity
    if found is None:
        return ""
    said = _(
        "Equity score {score}: the mean over residents of their {district}’s score, none above 1.00."
    ).format(score=numbers.score(found.value), district=view.edition.city.district_word)
    if found.expected is None:
        return said
    return " ".join(
        [
            said,
            _(
                "Equal service everywhere would show {expected} on average, because chance takes and "
                "never gives."
            ).format(expected=numbers.score(found.expected)),
        ]
    )


def by_need(view: DistrictsView) -> list[str]:
    """The order by need in sentences; none where there is no such order."""
    found = view.indices
    if found.slope is None:
        return []
    said = [
        _(
            "From least to greatest need ({need}) the value changes by {slope}; under equal service "
            "it stays within "
            "{reach} 95 times in 100. {judgement}"
        ).format(
            need=view.edition.city.need,
            slope=standings.difference(view.by, found.slope.value),
            reach=standings.difference(view.by, found.slope.reach).removeprefix("+"),
            judgement=_judgement(found.slope),
        )
    ]
    if found.concentration is not None:
        said.append(
            _("Concentration index {index} (under equal service within {reach}).").format(
                index=_plus(found.concentration.value),
                reach=numbers.plain(round(found.concentration.reach, 3), 3),
            )
        )
    return said


def _judgement(index: Index) -> str:
    if abs(index.value) <= index.reach:
        return _("That is no more than chance.")
    return _("That is more than chance.")


def _plus(number: float) -> str:
    text = numbers.plain(round(number, 3), 3)
    return f"+{text}" if number > 0 else text


# --- pictures ----------------------------------------------------------------------------------


def shade_word(by: ByDistrict, shade: Shade | None) -> str:
    """What a shade of the map means."""
    if shade is None:
        return _("No value")
    if by.rule is not None:
        return {
            Shade.FAR_WORSE: _("Far below target"),
            Shade.WORSE: _("Below target"),
            Shade.NEAR: _("Near target"),
            Shade.BETTER: _("Better than target"),
            Shade.FAR_BETTER: _("Far better than target"),
        }[shade]
    less_to_more = [_("Far less"), _("Less"), _("Like the city"), _("More"), _("Far more")]
    order = list(Shade)
    if by.metric.direction is Direction.LOWER_IS_BETTER:
        order.reverse()
    return less_to_more[order.index(shade)]


def map_text(view: DistrictsView) -> str:
    """What the map shows, for those who do not see it."""
    return _("Map by {district}, {period}. {headline}.").format(
        district=view.edition.city.district_word,
        period=days.period(view.period),
        headline=headline(view),
    )


def dots_text(view: DistrictsView) -> str:
    """What the dot plot shows, for those who do not see it."""
    shown = view.by.compared
    if not shown or view.by.base is None:
        return headline(view)
    first, last = shown[0], shown[-1]
    return _(
        "Values of {count} with intervals and limits, {period}: from {first} ({low}) to {last} "
        "({high}); together {base}."
    ).format(
        count=numbers.count(len(shown)),
        period=days.period(view.period),
        first=standings.row_name(view, first),
        low=standings.level(view.by, first.comparison.level if first.comparison else None),
        last=standings.row_name(view, last),
        high=standings.level(view.by, last.comparison.level if last.comparison else None),
        base=standings.level(view.by, view.by.base),
    )


def map_caption(view: DistrictsView) -> str:
    """What the shades of the map stand for."""
    return _(
        "Shades follow the value drawn towards the city’s where a {district} tells little. "
        "The numbers are those of the table."
    ).format(district=view.edition.city.district_word)


def dots_key(view: DistrictsView) -> str:
    """How to read the dot plot."""
    scale = ""
    if view.by.scale is Scale.PER_1000:
        scale = _("For each {thousand} residents. ").format(thousand=numbers.count(PER))
    return scale + _(
        "Dot: value, with its 95% interval. Short bar: drawn towards the city. Bands: where a "
        "{district} of that size "
        "lies by chance 95 and 99.8 times in 100. Diamond: outside. Line: all together; dashed: target."
    ).format(district=view.edition.city.district_word)
