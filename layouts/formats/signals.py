"""The words and sentences of charts that tell signal from noise."""

from __future__ import annotations

from datetime import date

from layouts.formats import days, numbers, words
from layouts.formats.language import _, ngettext
from layouts.views import MetricView
from metrics.limits import ChartKind
from metrics.model import Grain, Metric
from metrics.signal_rules import Signal
from metrics.signals import Assurance, Border, Caution, Chart, Point, Proposal, Tally, Variation

LEAST_PRINTED = 0.05
"""What is expected by chance is printed to a tenth; less than half of one is said in words."""


def variation_word(given: Variation | None) -> str:
    """What the newest judged point says of change; that nothing can be said for None."""
    if given is None:
        return _("Too few periods")
    return {
        Variation.IMPROVEMENT: _("Improvement"),
        Variation.CONCERN: _("Concern"),
        Variation.HIGH: _("Unusually high"),
        Variation.LOW: _("Unusually low"),
        Variation.COMMON_CAUSE: _("No signal"),
    }[given]


def assurance_word(given: Assurance | None) -> str:
    """Whether the target will be met as things are; empty without limits or target."""
    if given is None:
        return ""
    return {
        Assurance.PASS: _("Reliably on target"),
        Assurance.FAIL: _("Reliably off target"),
        Assurance.HIT_OR_MISS: _("Hit or miss"),
    }[given]


def meaning_word(given: Variation | Assurance) -> str:
    """The word of either, for a key."""
    return variation_word(given) if isinstance(given, Variation) else assurance_word(given)


def both_words(variation: Variation | None, assurance: Assurance | None) -> str:
    """Variation and assurance in one line; empty where nothing can be said of either."""
    if variation is None and assurance is None:
        return ""
    return " · ".join(text for text in (variation_word(variation), assurance_word(assurance)) if text)


def spoken_words(variation: Variation | None, assurance: Assurance | None, grain: Grain) -> str:
    """The same for those who do not see the glyphs of a row; empty for neither."""
    said = both_words(variation, assurance)
    return (
        _("{weekly} chart: {words}").format(weekly=words.capital(words.how_often(grain)), words=said)
        if said
        else ""
    )


def chart_words(view: MetricView) -> str:
    """What the chart of a metric says, in a line that stands alone; empty where it says nothing."""
    if view.chart is None:
        return ""
    return spoken_words(view.chart.variation, view.chart.assurance, view.chart_grain)


def signal_words(given: Signal | None) -> str:
    """Why a point is a signal; empty for one that is none."""
    if given is None:
        return ""
    return {
        Signal.ABOVE: _("above the upper limit"),
        Signal.BELOW: _("below the lower limit"),
        Signal.RISING: _("one of seven that rise in a row"),
        Signal.FALLING: _("one of seven that fall in a row"),
        Signal.TWO_OF_THREE_HIGH: _("one of two near the upper limit within three"),
        Signal.TWO_OF_THREE_LOW: _("one of two near the lower limit within three"),
        Signal.SHIFT_HIGH: _("one of seven or more in a row above the centre"),
        Signal.SHIFT_LOW: _("one of seven or more in a row below the centre"),
    }[given]


def tally(given: Tally, *, is_pinned: bool = False) -> str:
    """How many measures show a signal, always beside how many would by chance; empty without charts."""
    if not given.charts:
        return ""
    text = (
        ngettext(
            "{count} of {charts} measures showed a signal that week; {expected} would by chance alone.",
            "{count} of {charts} measures showed a signal that week; {expected} would by chance alone.",
            given.signals,
        )
        if is_pinned
        else ngettext(
            "{count} of {charts} measures shows a signal this week; {expected} would by chance alone.",
            "{count} of {charts} measures show a signal this week; {expected} would by chance alone.",
            given.signals,
        )
    )
    return text.format(
        count=numbers.count(given.signals),
        charts=numbers.count(given.charts),
        expected=_expected(given.expected),
    )


def caution(given: Caution) -> str:
    """What makes a chart less sure than it looks."""
    return {
        Caution.TRIAL: _("The limits are on trial: they come from fewer than 12 periods."),
        Caution.AUTOCORRELATED: _(
            "Neighbouring periods resemble each other, so there are more false signals than stated."
        ),
        Caution.TREND: _("It rises or falls all along, so one pair of limits does not fit it."),
        Caution.SEASON: _("Years resemble each other, so a season can look like a signal."),
        Caution.WEEKDAYS: _("Weekdays differ, so each has a centre of its own."),
        Caution.WEEKDAYS_UNKNOWN: _(
            "There are too few days to tell weekdays apart, so an ordinary weekday can look like a signal."
        ),
        Caution.OVERDISPERSED: _(
            "Periods differ by more than chance among their records, so false signals are more than stated."
        ),
    }[given]


def why_nothing(chart: Chart | None) -> str:
    """Why a chart says nothing; empty where it says something."""
    if chart is None:
        return _("There is nothing to chart: no period of this length has a value.")
    if chart.judged is None:
        return _("There are too few settled periods for limits, so nothing can be called a signal yet.")
    return ""


def findings(metric: Metric, grain: Grain, chart: Chart) -> list[str]:
    """What a chart says, in sentences: its newest point, its limits, the target, chance."""
    point = judged_point(chart)
    if point is None:
        return [why_nothing(chart)]
    said = (
        _newest(grain, chart, point),
        _limits(metric, grain, chart, point),
        _target(chart.assurance),
        _chance(chart),
    )
    return [text for text in said if text]


def remarks(grain: Grain, chart: Chart) -> list[str]:
    """What to know beside it: warnings, where limits begin anew, and a base that is proposed."""
    said = [caution(one) for one in chart.warnings]
    said += [border(one) for one in chart.borders]
    return [*said, *([proposal(grain, chart, chart.proposal)] if chart.proposal else [])]


def border(given: Border) -> str:
    """Since when a chart has limits of its own, and why."""
    said = _("New limits from {day}, approved: {reason}.")
    return said.format(day=days.day(given.day), reason=given.reason.rstrip("."))


def proposal(grain: Grain, chart: Chart, given: Proposal) -> str:
    """That a new base may be approved; it is never made by itself."""
    many = ngettext("{count} value", "{count} values", given.points).format(count=numbers.count(given.points))
    text = (
        _("{many} in a row, since {start}, lie above the centre.")
        if given.is_high
        else _("{many} in a row, since {start}, lie below the centre.")
    )
    said = text.format(many=many, start=when(grain, chart.kind, given.start))
    return f"{said} {_('Once the cause is named new limits can be approved; until then these stay.')}"


def chart_alt(metric: Metric, grain: Grain, chart: Chart) -> str:
    """What a control chart shows, for those who do not see it."""
    signals = sum(one.signal is not None for one in chart.points)
    drawn = _(
        "Control chart of {metric}, {weekly}: {count} points, {signals} of them marked as signals."
    ).format(
        metric=metric.name,
        weekly=words.how_often(grain),
        count=numbers.count(sum(one.value is not None for one in chart.points)),
        signals=numbers.count(signals),
    )
    return " ".join([drawn, *findings(metric, grain, chart)])


def title(grain: Grain) -> str:
    """The heading of a control chart."""
    return _("Signal or noise, {weekly}").format(weekly=words.how_often(grain))


def caption(chart: Chart) -> str:
    """What the parts of the drawing are."""
    said = [_("Band: where nearly all values lie while nothing changes. Line through it: the centre.")]
    if any(one.provisional for one in chart.points):
        said.append(_("Hollow: may still change and is not judged."))
    if chart.kind is ChartKind.G:
        said.append(_("Events are rare, so the days between them are charted."))
    return " ".join(said)


def amount(metric: Metric, chart: Chart, number: float | None) -> str:
    """A number of a chart: on the metric's scale, or days where the days between events are charted."""
    if number is None:
        return numbers.NOTHING
    if chart.kind is not ChartKind.G:
        return numbers.value(metric, number)
    return ngettext("{count} day", "{count} days", round(number)).format(count=numbers.count(round(number)))


def expected_range(metric: Metric, chart: Chart, point: Point) -> str:
    """The limits of a point, for a table; a dash without."""
    if point.lower is None or point.upper is None:
        return numbers.NOTHING
    return _("{low} to {high}").format(
        low=amount(metric, chart, point.lower), high=amount(metric, chart, point.upper)
    )


def point_note(point: Point) -> str:
    """What a table says of a point: its signal, or that it is not judged."""
    if point.signal is not None:
        return words.capital(signal_words(point.signal))
    return _("Not judged: may still change") if point.provisional else ""


def when(grain: Grain, kind: ChartKind, start: date) -> str:
    """A point of a chart, as a sentence speaks of it."""
    day = days.day(start)
    if kind is ChartKind.G:
        return _("the event of {day}").format(day=day)
    return {
        Grain.DAY: day,
        Grain.WEEK: _("the week from {day}").format(day=day),
        Grain.MONTH: _("the month from {day}").format(day=day),
        Grain.QUARTER: _("the quarter from {day}").format(day=day),
    }[grain]


def judged_point(chart: Chart) -> Point | None:
    """The newest point that rules could judge."""
    return next((one for one in chart.points if one.start == chart.judged), None)


# --- inside ---------------------------------------------------------------------------------------


def _newest(grain: Grain, chart: Chart, point: Point) -> str:
    where = words.capital(when(grain, chart.kind, point.start))
    if point.signal is None:
        return _(
            "{newest}, the newest that is settled, is no signal: it lies within the usual ups and downs."
        ).format(newest=where)
    meaning = {
        Variation.IMPROVEMENT: _("a change for the better"),
        Variation.CONCERN: _("a change for the worse"),
    }.get(chart.variation or Variation.HIGH, _("a change"))
    return _("{newest}, the newest that is settled, is {rule}: {meaning} that chance seldom makes.").format(
        newest=where, rule=signal_words(point.signal), meaning=meaning
    )


def _limits(metric: Metric, grain: Grain, chart: Chart, point: Point) -> str:
    given = {
        "low": amount(metric, chart, point.lower),
        "high": amount(metric, chart, point.upper),
        "center": amount(metric, chart, point.center),
    }
    if chart.kind is ChartKind.G:
        return _(
            "While nothing changes nearly always {low} to {high} pass between two events, half of the time "
            "more than {center}."
        ).format(**given)
    text = {
        Grain.DAY: _(
            "While nothing changes nearly all such days lie between {low} and {high}, around {center}."
        ),
        Grain.WEEK: _(
            "While nothing changes nearly all weeks lie between {low} and {high}, around {center}."
        ),
        Grain.MONTH: _(
            "While nothing changes nearly all months lie between {low} and {high}, around {center}."
        ),
        Grain.QUARTER: _(
            "While nothing changes nearly all quarters lie between {low} and {high}, around {center}."
        ),
    }[grain]
    return text.format(**given)


def _target(given: Assurance | None) -> str:
    if given is None:
        return ""
    return {
        Assurance.PASS: _(
            "The target lies beyond the limits on the good side: as things are it is met every time."
        ),
        Assurance.FAIL: _(
            "The target lies beyond the limits on the bad side: as things are it is missed every time, "
            "and only another way of working will meet it."
        ),
        Assurance.HIT_OR_MISS: _(
            "The target lies between the limits: as things are it is met or missed by chance."
        ),
    }[given]


def _chance(chart: Chart) -> str:
    rate = chart.false_alarms.last
    if rate <= 0:
        return ""
    return _("By chance alone the newest point of such a chart is a signal about once in {many}.").format(
        many=numbers.count(max(1, round(1 / rate)))
    )


def _expected(amount: float) -> str:
    if amount < LEAST_PRINTED:
        return _("fewer than 0.1")
    return _("about {number}").format(number=numbers.plain(amount, 1))
