"""The sentences about districts: who stands out beyond chance, what need does, what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from layouts.district_view import DistrictMetric, DistrictsView, DistrictView
from layouts.formats import days, evidence, numbers, sentences, words
from layouts.formats.language import _, ngettext
from layouts.formats.numbers import Level
from metrics.district_facts import PER, ByDistrict, Comparison, Estimate, Scale, Shade, Standing
from metrics.fairness import Index, Place
from metrics.model import WITHHELD, Aggregation, City, Direction, Grain, Metric

MOST_NAMES = 3
SMALL_RATE = 10
"""Under this a rate is printed with two digits."""

_TURNED = {Place.ABOVE: Place.BELOW, Place.BELOW: Place.ABOVE}


# --- a metric by district ----------------------------------------------------------------------


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
    bad = [one for one in out if _side(view.metric, one.place) is Place.BELOW]
    if view.metric.direction in (Direction.NEUTRAL, Direction.WITHIN):
        bad = out
    if not out:
        return _("{metric}: no {district} stands out beyond chance").format(metric=name, district=word)
    if not bad:
        return _("{metric}: {who} better than chance explains").format(metric=name, who=_who(view, out))
    if view.metric.direction in (Direction.NEUTRAL, Direction.WITHIN):
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


def report_share(view: DistrictsView, row: Standing) -> str:
    """The share that stands in for reporting, in one district."""
    found = (view.reports or {}).get(row.district)
    return numbers.value(view.proxy, found.value) if view.proxy and found else numbers.NOTHING


def row_name(view: DistrictsView, row: Standing) -> str:
    """The name of a row."""
    return words.place(row.district, view.name(row.district), row.together)


def order(city: City) -> str:
    """In which order districts stand."""
    return _(
        "In order of the value drawn towards the city’s where a {district} tells little: no ranking "
        "of raw values."
    ).format(district=city.district_word)


# --- tables ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text with others beneath; with a level it is a chip."""

    text: str
    style: str = ""
    beneath: tuple[str, ...] = ()
    level: Level | None = None


def heads(view: DistrictsView) -> list[tuple[str, str]]:
    """The headings of the table of a metric by district, with their styles."""
    word = view.edition.city.district_word
    made = [
        (word[:1].upper() + word[1:], ""),
        (_("Value"), "number-cell"),
        (_("Chance explains"), "number-cell"),
        (_("Beyond chance"), ""),
        (_("Against the rest"), "number-cell"),
        (_("Drawn to the city"), "number-cell"),
        (_("Score"), "number-cell"),
        (_("Per {thousand} residents").format(thousand=numbers.count(PER)), "number-cell"),
    ]
    if view.edition.city.need and any(row.need is not None for row in view.by.rows):
        made.append((_("Need"), "number-cell"))
    if view.proxy is not None:
        made.append((_("Repeats"), "number-cell"))
    return made


def cells(view: DistrictsView, row: Standing) -> list[Cell]:
    """The cells of a row under `heads`, the first one apart."""
    by, found = view.by, row.comparison
    made = [
        _value_cell(view.metric, row),
        Cell(limits(by, row), "number-cell"),
        _place_cell(view.metric, row),
        _gap_cell(by, found),
        Cell(level(by, found.shrunken if found else None), "number-cell"),
        Cell(numbers.score(row.score.score), "number-cell"),
        Cell(per_1000(row.per_1000), "number-cell"),
    ]
    if len(heads(view)) > len(made) + 1 + (view.proxy is not None):
        made.append(Cell(need(row), "number-cell"))
    if view.proxy is not None:
        made.append(Cell(report_share(view, row), "number-cell"))
    return made


def district_heads() -> list[tuple[str, str]]:
    """The headings of the table of one district."""
    return [
        (_("Measure"), ""),
        (_("Value"), "number-cell"),
        (_("Chance explains"), "number-cell"),
        (_("Beyond chance"), ""),
        (_("Against the rest"), "number-cell"),
        (_("Score"), "number-cell"),
    ]


def district_cells(line: DistrictMetric) -> list[Cell]:
    """The cells of a metric under `district_heads`, the first one apart."""
    row = line.standing
    if row is None:
        nothing = Cell(numbers.NOTHING, "number-cell")
        return [nothing, nothing, Cell(line_word(line)), nothing, nothing]
    return [
        _value_cell(line.metric, row),
        Cell(limits(line.by, row), "number-cell"),
        _place_cell(line.metric, row),
        _gap_cell(line.by, row.comparison),
        Cell(numbers.score(row.score.score), "number-cell"),
    ]


def _value_cell(metric: Metric, row: Standing) -> Cell:
    about = (interval(metric, row), sentences.parts(metric, row.score))
    return Cell(value(metric, row), "number-cell", tuple(text for text in about if text))


def _place_cell(metric: Metric, row: Standing) -> Cell:
    if row.place is None:
        return Cell(numbers.NOTHING)
    found = place_level(metric, row.place)
    return Cell(place_word(metric, row.place), level=None if found is Level.NONE else found)


def _gap_cell(by: ByDistrict, found: Comparison | None) -> Cell:
    """The distance to the rest, its interval, and how many times the rest it is."""
    if found is None or found.gap is None:
        return Cell(numbers.NOTHING, "number-cell")
    said = _signed(by, found.gap)
    around = _("{low} to {high}").format(low=said["low"], high=said["high"])
    times = ratio(found)
    return Cell(
        said["gap"], "number-cell", (around, *([_("{ratio} times").format(ratio=times)] if times else []))
    )


# --- one row -----------------------------------------------------------------------------------


def hidden_word() -> str:
    """What is said of a district that is hidden."""
    return words.place(WITHHELD, None)


def place_word(metric: Metric, place: Place | None) -> str:
    """Where a district lies in its funnel, in words that say whether that is good."""
    if place is None:
        return _("Cannot be said")
    if place is Place.WITHIN:
        return _("Within chance")
    if metric.direction in (Direction.NEUTRAL, Direction.WITHIN):
        return _("More than chance explains") if place is Place.ABOVE else _("Less than chance explains")
    if _side(metric, place) is Place.ABOVE:
        return _("Better than chance explains")
    return _("Worse than chance explains")


def place_level(metric: Metric, place: Place | None) -> Level:
    """The colour and glyph that go with it."""
    if place is None or place is Place.WITHIN:
        return Level.NONE
    if metric.direction in (Direction.NEUTRAL, Direction.WITHIN):
        return Level.WATCH
    return Level.ABOVE if _side(metric, place) is Place.ABOVE else Level.BELOW


def _side(metric: Metric, place: Place | None) -> Place | None:
    """The place if higher were better."""
    is_turned = metric.direction is Direction.LOWER_IS_BETTER
    return _TURNED.get(place, place) if is_turned and place else place


def value(metric: Metric, row: Standing) -> str:
    """A district's value."""
    return numbers.value(metric, row.score.value)


def interval(metric: Metric, row: Standing) -> str:
    """Where its value lies by chance; empty without interval."""
    return evidence.interval(metric, row.score)


def level(by: ByDistrict, number: float | None) -> str:
    """A number on the scale that is compared."""
    return numbers.value(_on(by, number), number)


def axis(by: ByDistrict, number: float, digits: int) -> str:
    """The same beside an axis."""
    return numbers.axis(_on(by, number), number, digits)


def per_1000(number: float | None) -> str:
    """So many for each thousand residents."""
    if number is None:
        return numbers.NOTHING
    return _hundredths(number) if abs(number) < SMALL_RATE else numbers.plain(round(number, 1), 1)


def limits(by: ByDistrict, row: Standing) -> str:
    """What chance explains for a district of its size, like `72% to 88%`; a dash where it cannot be said."""
    found = row.comparison.limits if row.comparison else None
    if found is None:
        return numbers.NOTHING
    low, high = numbers.apart(_on(by, found.high), found.low, found.high)
    return _("{low} to {high}").format(low=low, high=high)


def ratio(comparison: Comparison) -> str:
    """How many times the rest of the city, with its interval; empty where it cannot be said."""
    found = comparison.ratio
    if found is None:
        return ""
    low, middle, high = (_hundredths(one) for one in (found.low, found.value, found.high))
    return _("{ratio} ({low} to {high})").format(ratio=middle, low=low, high=high)


def need(row: Standing) -> str:
    """How much a district needs, as it was given; a dash where that is not known."""
    if row.need is None:
        return numbers.NOTHING
    return numbers.share_of_one(row.need) if row.need < 1 else numbers.plain(row.need, 2)


def _hundredths(number: float) -> str:
    return numbers.hundredths(Decimal(repr(round(number, 2))))


def _signed(by: ByDistrict, found: Estimate) -> dict[str, str]:
    said = {}
    for name in ("value", "low", "high"):
        said[name] = _difference(by, getattr(found, name), bare=name != "value")
    return {"gap": said["value"], "low": said["low"], "high": said["high"]}


def _difference(by: ByDistrict, number: float, *, bare: bool = False) -> str:
    metric, times = _on(by, number), 1
    if metric.unit == numbers.PERCENT:
        metric, times = replace(metric, unit=_("points")), 100
    text = numbers.value(replace(metric, unit="") if bare else metric, abs(number) * times)
    if not any(letter in "123456789" for letter in text):
        return text
    return f"+{text}" if number > 0 else f"{numbers.MINUS}{text}"


def _on(by: ByDistrict, number: float | None) -> Metric:
    """The metric as its compared scale prints it."""
    if by.scale is Scale.VALUE:
        return by.metric
    digits = 2 if abs(number or 0.0) < SMALL_RATE else 1
    unit = _("per {thousand}").format(thousand=numbers.count(PER))
    return replace(by.metric, aggregation=Aggregation.MEAN, decimals=digits, unit=unit)


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
            slope=_difference(view.by, found.slope.value),
            reach=_difference(view.by, found.slope.reach).removeprefix("+"),
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
        first=row_name(view, first),
        low=level(view.by, first.comparison.level if first.comparison else None),
        last=row_name(view, last),
        high=level(view.by, last.comparison.level if last.comparison else None),
        base=level(view.by, view.by.base),
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


# --- one district ------------------------------------------------------------------------------


def district_headline(view: DistrictView) -> str:
    """The finding of a district's page."""
    name = view.district.name
    judged = [one for one in view.lines if one.standing and one.standing.place]
    if not judged:
        return _("{district}: nothing can be compared yet").format(district=name)
    bad = [one for one in judged if line_level(one) is Level.BELOW]
    good = [one for one in judged if line_level(one) is Level.ABOVE]
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


def districts_word(city: City) -> str:
    """The heading over all districts."""
    return _("Every {district}").format(district=city.district_word)


def district_caption() -> str:
    """What the table of a district shows."""
    return _(
        "Against the rest: the value less that of the rest of the city, with its 95% interval. "
        "Counts are compared "
        "for each {thousand} residents."
    ).format(thousand=numbers.count(PER))


def district_expected(view: DistrictView) -> str:
    """How many would stand out by chance alone; empty where nothing can be compared."""
    judged = [one for one in view.lines if one.standing and one.standing.place]
    if not judged:
        return ""
    return _("By chance alone about {expected} of {all} would lie outside their limits.").format(
        expected=numbers.plain(round(view.by_chance, 1), 1), all=numbers.count(len(judged))
    )


def district_facts(view: DistrictView) -> str:
    """Who lives there and what they need, as far as it is known."""
    said = []
    if view.district.population is not None:
        said.append(
            ngettext("{count} resident", "{count} residents", view.district.population).format(
                count=numbers.count(view.district.population)
            )
        )
    if view.district.need is not None and view.edition.city.need:
        share = view.district.need
        text = numbers.share_of_one(share) if share < 1 else numbers.plain(share, 2)
        said.append(f"{view.edition.city.need}: {text}")
    return " · ".join(said)


def line_level(line: DistrictMetric) -> Level:
    """The colour and glyph of a metric in a district."""
    return place_level(line.metric, line.standing.place if line.standing else None)


def line_word(line: DistrictMetric) -> str:
    """Where a metric of a district lies in its funnel, or that it is hidden."""
    if line.is_hidden:
        return hidden_word()
    return _("No data") if line.standing is None else place_word(line.metric, line.standing.place)


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
