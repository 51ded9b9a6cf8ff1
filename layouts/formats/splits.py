"""The sentences of a metric taken apart by a column of its records."""

from __future__ import annotations

from layouts.formats import numbers, sentences, signals, words
from layouts.formats.language import _, ngettext
from layouts.split_view import SplitPart, SplitView
from metrics.model import Aggregation, Column


def column_word(name: str) -> str:
    """A column as a sentence names it."""
    return name.replace("_", " ")


def title(view: SplitView) -> str:
    """The heading."""
    return _("By {column}, {weekly}").format(
        column=column_word(view.column.name), weekly=words.how_often(view.grain)
    )


def name(part: SplitPart, column: Column) -> str:
    """The name of a part: what its records say."""
    if part.share.together:
        return ngettext("{count} other", "{count} others together", part.share.together).format(
            count=numbers.count(part.share.together)
        )
    if part.share.value is None:
        return _("Empty")
    if column.type == "boolean":
        return _("Yes") if part.share.value == "1" else _("No")
    return part.share.value


def findings(view: SplitView) -> list[str]:
    """What the charts say together, and whether the parts are the whole."""
    if not view.parts:
        return [_("No record of these periods is known.")]
    counted = ngettext(
        "{count} record of the last {periods} periods, taken apart as the publication knew it.",
        "{count} records of the last {periods} periods, taken apart as the publication knew them.",
        view.records,
    ).format(count=numbers.count(view.records), periods=numbers.count(len(view.city)))
    said = [counted, _signals(view)]
    if not view.adds_up:
        said.append(
            _(
                "The parts do not add up to what was published of every period: some of its records are no "
                "longer there."
            )
        )
    return [text for text in said if text]


def figures(view: SplitView, part: SplitPart) -> str:
    """The newest value of a part and what it is made of."""
    if part.newest.value is None:
        return _("No record")
    value = numbers.value(view.metric, part.newest.value)
    if view.metric.aggregation is Aggregation.COUNT:
        return value
    return " · ".join(text for text in (value, sentences.parts(view.metric, part.newest)) if text)


def usual(view: SplitView, part: SplitPart) -> str:
    """Between what its values lie while nothing changes; a dash where that cannot be said."""
    point = signals.judged_point(part.chart) if part.chart else None
    if point is None or part.chart is None:
        return numbers.NOTHING
    return signals.expected_range(view.metric, part.chart, point)


def picture_text(view: SplitView, part: SplitPart) -> str:
    """What the picture of a part shows where it has no limits."""
    return _("{part}: {metric}, {weekly}, newest {figures}").format(
        part=name(part, view.column),
        metric=view.metric.name,
        weekly=words.how_often(view.grain),
        figures=figures(view, part),
    )


def _signals(view: SplitView) -> str:
    tally = view.tally
    if not tally.charts:
        return _("None has enough periods for limits.")
    by_chance = numbers.plain(tally.expected, 1)
    return ngettext(
        "{signals} of {charts} charts shows a signal; by chance alone about {expected} would.",
        "{signals} of {charts} charts show a signal; by chance alone about {expected} would.",
        tally.signals,
    ).format(signals=numbers.count(tally.signals), charts=numbers.count(tally.charts), expected=by_chance)
