"""The words of how far back a control chart is shown, and of what is drawn beside its points."""

from __future__ import annotations

from layouts.formats import days
from layouts.formats.language import _
from layouts.metric_asked import Reach
from layouts.signal_view import ControlView


def word(reach: Reach) -> str:
    """A reach, for a choice of them."""
    return {
        Reach.WEEKS_52: _("52 weeks"),
        Reach.YEARS_3: _("3 years"),
        Reach.SEASON: _("Same season last year"),
    }[reach]


def caption(view: ControlView) -> str:
    """What is drawn beside the chart: targets in force, what was before, the year before."""
    said = [_("Dashed: the target in force.")] if view.aims else []
    if view.earlier and view.chart:
        said.append(
            _("Grey: before {day}, from where on the limits are reckoned; nothing there is judged.").format(
                day=days.day(view.chart.points[0].start)
            )
        )
    if view.year_ago:
        said.append(_("Dotted with crosses: the same periods a year before."))
    return " ".join(said)
