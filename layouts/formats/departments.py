"""The sentences of a department's page: its finding, a year before, how fresh its sources are."""

from __future__ import annotations

from datetime import date, timedelta

from layouts.department_view import DepartmentView, SourceKnown
from layouts.formats import days, numbers, sentences, words
from layouts.formats.freshness import how_fresh
from layouts.formats.language import _, ngettext
from layouts.formats.reasons import reason
from layouts.views import Line
from metrics.model import Composite, Grain, Metric, Period, Score

FEW = 10
"""Below so many records a single one moves a value a lot."""

_DAY = timedelta(days=1)


def headline(view: DepartmentView) -> str:
    """The finding of a department in one sentence: always true, whatever there is to say."""
    name, composite = view.department.name, view.scores.composite
    if not view.lines:
        return _("{department} has no measures yet").format(department=name)
    if not view.scores.services:
        return _("{department}: nothing here is held against a target").format(department=name)
    if composite is None:
        return _("{department}: no period has ended yet").format(department=name)
    if not composite.total:
        why = reason(composite.reason, view.edition.catalogue).rstrip(".")
        return _("{department}: {why}").format(department=name, why=words.uncapital(why))
    if composite.score is None:
        return _without_score(name, composite)
    return _counted(name, composite)


def late_measures_note(view: DepartmentView) -> str:
    """Which measures are late, said above all else; empty for none."""
    names = [line.metric.name for line in view.lines if line.metric.id in _late(view)]
    if not names:
        return ""
    return ngettext(
        "{names} is late: its newest periods have no score yet",
        "Late, without a score for the newest periods: {names}",
        len(names),
    ).format(names=", ".join(names))


def when(period: Period) -> str:
    """A period as a sentence ends with it: `in the week to Nov 22, 2026`."""
    if period.grain is Grain.DAY:
        return _("on {day}").format(day=days.short_period(period))
    if period.grain is Grain.WEEK:
        return _("in the week to {day}").format(day=days.day(_last(period)))
    return _("in {months}").format(months=days.period(period))


def head(view: DepartmentView) -> str:
    """Who answers for the department; empty where nobody is named."""
    name = view.department.head
    return _("{person} answers for it").format(person=name) if name else ""


def year_before(before: Composite | None) -> str:
    """A composite of a year before, to stand under that of today; says so where there is none."""
    if before is None:
        return _("A year before: not published")
    if before.score is None:
        return _("A year before: no score")
    return _("A year before: {score}, {on_target}").format(
        score=numbers.score(before.score), on_target=sentences.on_target(before)
    )


def value_year_before(metric: Metric, before: Score | None) -> str:
    """A metric's value in the same period a year before; a dash for none."""
    return numbers.NOTHING if before is None else numbers.value(metric, before.value)


def compared_period(view: DepartmentView) -> str:
    """Which period `a year before` is; empty where nothing is compared."""
    found = next(iter(view.scores_before.values()), None)
    return _("A year before: {period}").format(period=days.short_period(found.period)) if found else ""


def few_records(metric: Metric, score: Score | None) -> str:
    """That a value stands on few records; empty where it stands on enough or on none."""
    if score is None or score.value is None or not sentences.counts_records(metric):
        return ""
    if score.n is None or not 0 < score.n < FEW:
        return ""
    return ngettext(
        "Only {count} record behind it", "Only {count} behind it, so one moves it a lot", score.n
    ).format(count=numbers.count(score.n))


def multiple_text(line: Line, grain: Grain) -> str:
    """What one of the small pictures shows, in words."""
    known = [score for score in line.recent if score.value is not None]
    if not known:
        return _("No values to draw for {metric}.").format(metric=line.metric.name)
    amounts = [score.value for score in known if score.value is not None]
    last = known[-1]
    return _("{metric} {daily}: from {lowest} to {highest} in {count} periods; last {last} {when}.").format(
        metric=line.metric.name,
        daily=words.how_often(grain),
        lowest=numbers.value(line.metric, min(amounts)),
        highest=numbers.value(line.metric, max(amounts)),
        count=numbers.count(len(known)),
        last=numbers.value(line.metric, last.value),
        when=when(last.period),
    )


def freshness(known: SourceKnown, view: DepartmentView) -> str:
    """How far a source was known when the publication was made."""
    return how_fresh(known.known_until, view.edition)


def late_measures(known: SourceKnown) -> str:
    """Which measures wait for a source; empty for none."""
    names = [line.metric.name for line in known.late]
    if not names:
        return ""
    return ngettext("Waiting for it: {names}", "Waiting for it: {names}", len(names)).format(
        names=", ".join(names)
    )


def _late(view: DepartmentView) -> set[str]:
    return {line.metric.id for known in view.sources for line in known.late}


def _counted(name: str, composite: Composite) -> str:
    if composite.scored == 1:
        sentence = (
            _("{department}: its one scored measure was on target {when}")
            if composite.on_target
            else _("{department}: its one scored measure missed its target {when}")
        )
        return sentence.format(department=name, when=when(composite.period))
    return _("{department}: {on_target} of {scored} measures on target {when}").format(
        department=name,
        on_target=numbers.count(composite.on_target),
        scored=numbers.count(composite.scored),
        when=when(composite.period),
    )


def _without_score(name: str, composite: Composite) -> str:
    if composite.late and len(composite.late) >= composite.total:
        return _("{department}: no score {when}, everything is late").format(
            department=name, when=when(composite.period)
        )
    return ngettext(
        "{department}: no score {when}, {scored} of {total} measure has one",
        "{department}: no score {when}, {scored} of {total} measures have one",
        composite.total,
    ).format(
        department=name,
        when=when(composite.period),
        scored=numbers.count(composite.scored),
        total=numbers.count(composite.total),
    )


def _last(period: Period) -> date:
    return period.end - _DAY
