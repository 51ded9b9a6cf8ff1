"""The sentences of how much a department had to do beside how it did."""

from __future__ import annotations

from layouts.demand_view import DemandView
from layouts.formats import days, numbers, words
from layouts.formats.language import _, ngettext

ABOUT = 0.05
"""So near to what is usual a number is called about as usual."""


def finding(view: DemandView) -> str:
    """How many records the newest period had beside what is usual: more work explains no score by itself."""
    newest, usual = view.newest.records, view.usual
    if newest is None:
        return _("Not all records of the newest period are known yet.")
    counted = ngettext("{count} record", "{count} records", newest).format(count=numbers.count(newest))
    if usual is None:
        return _("{records} in {period}.").format(records=counted, period=_period(view))
    if abs(newest - usual) <= ABOUT * usual:
        text = _("{records} in {period}, about as many as usual ({usual}).")
    elif newest > usual:
        text = _("{records} in {period}, more than the usual {usual}.")
    else:
        text = _("{records} in {period}, fewer than the usual {usual}.")
    return text.format(records=counted, period=_period(view), usual=numbers.count(round(usual)))


def beside(view: DemandView) -> str:
    """The year before, and what is counted."""
    said = []
    if view.year_before is not None:
        said.append(_("A year before: {count}.").format(count=numbers.count(view.year_before)))
    said.append(
        _("Counted: the records behind {metrics}.").format(
            metrics=", ".join(one.name for one in view.metrics)
        )
    )
    return " ".join(said)


def caption(view: DemandView) -> str:
    """What the parts of the drawing are."""
    said = _("Above: the score, dashed at 1.00. Below, over the same periods: records.")
    if view.usual is not None:
        said = f"{said} {_('Dotted: the usual number, the median of the periods before.')}"
    return said


def title(view: DemandView) -> str:
    """The heading."""
    return _("Demand beside the score, {weekly}").format(weekly=words.how_often(view.grain))


def picture_text(view: DemandView) -> str:
    """What the drawing shows, for those who do not see it."""
    return f"{title(view)}: {finding(view)} " + _("Score: {score}.").format(
        score=numbers.score(view.newest.score)
    )


def _period(view: DemandView) -> str:
    return days.period(view.newest.period)
