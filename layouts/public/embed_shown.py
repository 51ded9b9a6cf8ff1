"""What an embed shows, whatever its form: its picture, its words, its page in a frame, its facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from layouts import formats
from layouts.charts.cards import message_card, metric_card, score_card, scoreboard_card
from layouts.charts.course import NARROW, WIDE, Size
from layouts.charts.line import line_with_target
from layouts.charts.palette import Theme
from layouts.formats import _, captions
from layouts.views import CityView, Edition, MetricView
from metrics.model import Grain

FRAME_WIDE = Size(WIDE.name, 640.0, 240.0, 6)
FRAME_NARROW = Size(NARROW.name, 320.0, 210.0, 4)
"""The two drawings of a frame: the style sheet shows the one that fits."""


@dataclass(frozen=True)
class Look:
    """How an embed shall look: its theme, and whether it says its finding as a title."""

    theme: Theme = Theme.LIGHT
    titled: bool = True


@dataclass(frozen=True)
class Shown:
    """An embed that can be given in every form.

    card: the picture. facts: what a PNG carries as texts. template, values: the page in a frame.
    """

    title: str
    alt: str
    card: Callable[[Look], Markup]
    template: str
    edition: Edition | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def of_score(view: CityView) -> Shown:
    """The city's number."""
    return Shown(
        title=formats.headline(view),
        alt=captions.city_alt(view),
        card=lambda look: score_card(view, look.theme, titled=look.titled),
        template="embed_score.html",
        edition=view.edition,
        values={"view": view, "grains": list(Grain), **_city_caption(view)},
        facts=_city_facts(view),
    )


def of_scoreboard(view: CityView) -> Shown:
    """Every public service in a row."""
    return Shown(
        title=formats.headline(view),
        alt=captions.board_alt(view),
        card=lambda look: scoreboard_card(view, look.theme, titled=look.titled),
        template="embed_scoreboard.html",
        edition=view.edition,
        values={"view": view, "grain": view.opening or Grain.WEEK, **_city_caption(view)},
        facts=_city_facts(view),
    )


def of_metric(view: MetricView) -> Shown:
    """One metric with its chart."""
    return Shown(
        title=formats.metric_headline(view),
        alt=captions.metric_alt(view),
        card=lambda look: metric_card(view, look.theme, titled=look.titled),
        template="embed_metric.html",
        edition=view.edition,
        values=_metric_values(view),
        facts=_metric_facts(view),
    )


def message(title: str, detail: str) -> Shown:
    """Why there is no embed, in the place of one."""
    return Shown(
        title=title,
        alt=f"{title}. {detail}",
        card=lambda look: message_card(title, detail, look.theme),
        template="embed_message.html",
        values={"detail": detail},
    )


def _metric_values(view: MetricView) -> dict[str, Any]:
    metric, grain = view.metric, view.grain
    pin = f"publication={view.edition.publication.id}"
    return {
        "view": view,
        "wide": line_with_target(view, FRAME_WIDE),
        "narrow": line_with_target(view, FRAME_NARROW),
        "chart_title": _("{metric}, {daily}").format(metric=metric.name, daily=formats.how_often(grain)),
        "origin": captions.origin(view.edition, [view.source]),
        "notes": captions.metric_notes(view),
        "link": f"/metric/{metric.id}?grain={grain}" + (f"&{pin}" if view.edition.is_pinned else ""),
        "data": f"/api/v1/metrics/{metric.id}/series.csv?grain={grain}&{pin}",
    }


def _city_caption(view: CityView) -> dict[str, Any]:
    pin = f"publication={view.edition.publication.id}"
    return {
        "origin": captions.origin(view.edition, captions.sources_of(view)),
        "notes": captions.city_notes(view),
        "link": f"/?{pin}" if view.edition.is_pinned else "/",
        "pin": f"?{pin}" if view.edition.is_pinned else "",
        "data": f"/api/v1/scores?{pin}",
    }


def _metric_facts(view: MetricView) -> dict[str, str]:
    """What is known of a metric's picture, for whom the file is all there is."""
    score = view.score
    found = {**_facts(view.edition), "Metric": view.metric.id, "Grain": str(view.grain)}
    found["Source"] = captions.origin(view.edition, [view.source])
    if score is not None:
        found |= {
            "Period": formats.short_period(score.period),
            "Period Start": score.period.start.isoformat(),
        }
        found |= {"Status": str(score.status), "Score": formats.score(score.score)}
        found |= {"Verdict": str(score.verdict or ""), "Interval": formats.interval(view.metric, score)}
        found |= _chart_facts(view)
        found["Value"] = formats.value_beside_target(view.metric, score)
        found["Value Unrounded"] = "" if score.value is None else repr(score.value)
        found["Score Unrounded"] = "" if score.score is None else repr(score.score)
    return found


def _chart_facts(view: MetricView) -> dict[str, str]:
    chart = view.chart
    return {
        "Chart Grain": str(view.chart_grain),
        "Variation": str(chart.variation or "") if chart else "",
        "Assurance": str(chart.assurance or "") if chart else "",
    }


def _city_facts(view: CityView) -> dict[str, str]:
    found = {**_facts(view.edition), "Source": captions.origin(view.edition, captions.sources_of(view))}
    composite = view.composite
    if composite is not None:
        found |= {"Grain": str(composite.period.grain), "Period": formats.short_period(composite.period)}
        found |= {
            "Period Start": composite.period.start.isoformat(),
            "Score": formats.score(composite.score),
            "Score Unrounded": "" if composite.score is None else repr(composite.score),
            "Verdicts": formats.verdicts(composite),
            "Coverage": "" if composite.coverage is None else repr(composite.coverage),
        }
    return found


def _facts(edition: Edition) -> dict[str, str]:
    return {"Publication": str(edition.publication.id), "As Of": edition.publication.as_of.isoformat()}
