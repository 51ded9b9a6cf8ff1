"""The words for levels, statuses, grains, directions and parts of a change."""

from __future__ import annotations

from layouts.formats.language import _, ngettext
from layouts.formats.numbers import Level
from metrics.model import (
    UNKNOWN_DISTRICT,
    WITHHELD,
    Aggregation,
    Direction,
    Grain,
    Metric,
    Part,
    Score,
    Status,
    Verdict,
)


def level_word(given: Level) -> str:
    """The word beside the glyph of a score."""
    return {
        Level.ABOVE: _("Above target"),
        Level.ON: _("On target"),
        Level.WATCH: _("Just under"),
        Level.BELOW: _("Below target"),
        Level.NONE: _("No score"),
    }[given]


def status_word(given: Status) -> str:
    """One word or two for where a score stands between missing and final."""
    return {
        Status.SUPPRESSED: _("Hidden"),
        Status.CLOSED: _("Closed"),
        Status.LATE: _("Late"),
        Status.MISSING: _("Missing"),
        Status.NO_OPPORTUNITY: _("Nothing to do"),
        Status.NOT_SCORED: _("Not scored"),
        Status.INSUFFICIENT: _("Not enough data"),
        Status.IMMATURE: _("Too early"),
        Status.PROVISIONAL: _("Provisional"),
        Status.FINAL: _("Final"),
    }[given]


def verdict_word(given: Verdict) -> str:
    """What the evidence says of value against target."""
    return {
        Verdict.MEETS: _("meets its target"),
        Verdict.CANNOT_TELL: _("too close to tell"),
        Verdict.MISSES: _("misses its target"),
    }[given]


def grain_word(given: Grain) -> str:
    """The name of a grain."""
    return {
        Grain.DAY: _("Day"),
        Grain.WEEK: _("Week"),
        Grain.MONTH: _("Month"),
        Grain.QUARTER: _("Quarter"),
    }[given]


def how_often(given: Grain) -> str:
    """The adverb of a grain."""
    return {
        Grain.DAY: _("daily"),
        Grain.WEEK: _("weekly"),
        Grain.MONTH: _("monthly"),
        Grain.QUARTER: _("quarterly"),
    }[given]


def themes() -> tuple[tuple[str, str], ...]:
    """The themes a page may be shown in, each with the name of its button."""
    return (("auto", _("As the system has it")), ("light", _("Light")), ("dark", _("Dark")))


def that_period(given: Grain) -> str:
    """The period of a page, as a sentence speaks of it."""
    return {
        Grain.DAY: _("that day"),
        Grain.WEEK: _("that week"),
        Grain.MONTH: _("that month"),
        Grain.QUARTER: _("that quarter"),
    }[given]


def before_word(given: Grain) -> str:
    """What a change is counted from."""
    return {
        Grain.DAY: _("on the open day before"),
        Grain.WEEK: _("on the week before"),
        Grain.MONTH: _("on the month before"),
        Grain.QUARTER: _("on three months before"),
    }[given]


def part_word(given: Part) -> str:
    """Where a contribution to a change comes from."""
    return {
        Part.PERFORMANCE: _("performance"),
        Part.TARGET: _("target changed"),
        Part.DEFINITION: _("definition changed"),
        Part.WEIGHT: _("weight changed"),
        Part.COVERAGE: _("who was counted"),
    }[given]


def direction_words(given: Direction) -> str:
    """Which way is good, in a sentence's part."""
    return {
        Direction.HIGHER_IS_BETTER: _("higher is better"),
        Direction.LOWER_IS_BETTER: _("lower is better"),
        Direction.WITHIN: _("good inside a band"),
        Direction.NEUTRAL: _("shown without a target"),
    }[given]


def aggregation_words(metric: Metric) -> str:
    """How records become the value."""
    if metric.aggregation is Aggregation.PERCENTILE:
        return _("the {percentile}th percentile of records").format(
            percentile=f"{100 * (metric.percentile or 0):g}"
        )
    if metric.denominator is not None:
        return _("one sum divided by another")
    return {
        Aggregation.RATIO: _("a share: records that count as good, of all records"),
        Aggregation.COUNT: _("a total of records"),
        Aggregation.MEAN: _("the mean of records"),
        Aggregation.MEDIAN: _("the median of records"),
        Aggregation.STOCK: _("how many are open, on average over the days"),
    }[metric.aggregation]


def standing_word(score: Score | None, reached: Level) -> str:
    """The word of a metric's chip: its level where it has a score, else why it has none."""
    if score is None:
        return _("No data")
    return level_word(reached) if score.score is not None else status_word(score.status)


def place(district: str, name: str | None, together: int = 0) -> str:
    """The name of a district; of records that name none; of all that are hidden for their small counts."""
    if district == UNKNOWN_DISTRICT:
        return _("Not known")
    if district != WITHHELD:
        return name or district
    if not together:
        return _("Hidden for small counts")
    return ngettext(
        "Hidden for small counts: {count} place", "Hidden for small counts: {count} together", together
    ).format(count=together)


def capital(text: str) -> str:
    """A text as it stands at the beginning of a line."""
    return text[:1].upper() + text[1:]


def uncapital(text: str) -> str:
    """A text as it stands inside a sentence."""
    return text[:1].lower() + text[1:]
