"""Why there is no value or no score, as a sentence for every reason id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from layouts.formats import days, numbers
from layouts.formats.language import _
from layouts.formats.words import how_often
from metrics.model import Catalogue, Grain, Reason

Arguments = Mapping[str, str | int | float]


def reason(given: Reason | None, catalogue: Catalogue) -> str:
    """The sentence of a reason; one that is always true where the id is not known; empty for none."""
    if given is None:
        return ""
    sentence = _SENTENCES.get(given.id)
    return sentence(given.arguments, catalogue) if sentence else _("There is no score for this period.")


def _late(arguments: Arguments, catalogue: Catalogue) -> str:
    name = _source(arguments, catalogue)
    if arguments.get("never_ran"):
        return _("{source} has never been loaded.").format(source=name)
    since = _known_until(arguments, catalogue)
    if since is None:
        return _("The data of {source} should be here and are not.").format(source=name)
    return _("{source} is known only until {instant}.").format(source=name, instant=since)


def _not_due_yet(arguments: Arguments, catalogue: Catalogue) -> str:
    name = _source(arguments, catalogue)
    since = _known_until(arguments, catalogue)
    if since is None:
        return _("The data of {source} are not here yet; they are not due yet either.").format(source=name)
    return _("{source} is known until {instant}; more is not due yet.").format(source=name, instant=since)


def _gap(arguments: Arguments, catalogue: Catalogue) -> str:
    why = str(arguments.get("why", "")).rstrip(".")
    if not why:
        return _("{source} is known to be incomplete in this period.").format(
            source=_source(arguments, catalogue)
        )
    return _("{source} is incomplete in this period: {why}.").format(
        source=_source(arguments, catalogue), why=why
    )


def _not_known(arguments: Arguments, catalogue: Catalogue) -> str:
    return _("Part of this period lies before {source} begins.").format(source=_source(arguments, catalogue))


def _closed(arguments: Arguments, _catalogue: Catalogue) -> str:
    if arguments.get("calendar") == "school":
        return _("Schools were closed.")
    if arguments.get("calendar") == "business":
        return _("The service was closed: a weekend or a holiday.")
    return _("The service was closed.")


def _grain_not_scored(arguments: Arguments, _catalogue: Catalogue) -> str:
    grain = arguments.get("grain")
    if grain not in list(Grain):
        return _("This metric is not scored for periods of this length.")
    return _("Not scored {daily}: too few events for a fair score.").format(daily=how_often(Grain(grain)))


def _coverage_below_minimum(arguments: Arguments, _catalogue: Catalogue) -> str:
    coverage, minimum = arguments.get("coverage"), arguments.get("minimum")
    if not isinstance(coverage, int | float) or not isinstance(minimum, int | float):
        return _("Too few services have a score for one number that speaks for all.")
    return _("Only {share} of the weight has a score; one number for all needs {minimum}.").format(
        share=numbers.share(coverage), minimum=numbers.share(minimum)
    )


def _immature(arguments: Arguments, _catalogue: Catalogue) -> str:
    known = arguments.get("completeness")
    if not isinstance(known, int | float):
        return _(
            "Too much of what belongs to this period is usually reported later; it is scored from 90% on."
        )
    return _(
        "By now usually only {share} of what belongs to this period is known; it is scored from 90% on."
    ).format(share=numbers.share(known))


def _always(sentence: Callable[[], str]) -> Callable[[Arguments, Catalogue], str]:
    return lambda _arguments, _catalogue: sentence()


_SENTENCES: Mapping[str, Callable[[Arguments, Catalogue], str]] = {
    "late": _late,
    "not_due_yet": _not_due_yet,
    "gap": _gap,
    "not_known": _not_known,
    "closed": _closed,
    "grain_not_scored": _grain_not_scored,
    "coverage_below_minimum": _coverage_below_minimum,
    "no_opportunity": _always(
        lambda: _("There was nothing to do in this period, so there is nothing to score.")
    ),
    "neutral": _always(
        lambda: _("Neither more nor less of this is better, so it is shown and never scored.")
    ),
    "no_target": _always(lambda: _("No target has been set, so there is nothing to hold it against.")),
    "target_not_in_force": _always(lambda: _("No target was in force in this period.")),
    "no_value": _always(lambda: _("Nothing in the records of this period can be measured.")),
    "no_district_target": _always(lambda: _("The target is for the whole city, not for a part of it.")),
    "method_gives_no_score": _always(
        lambda: _("Boston's arithmetic would have to divide by zero here, so there is no score.")
    ),
    "insufficient_baseline": _always(
        lambda: _("The target is the city's own past, and too little of it is known yet.")
    ),
    "nothing_scored_at_this_grain": _always(lambda: _("No service is scored for periods of this length.")),
    "no_period": _always(lambda: _("No period of this length has ended yet.")),
    "all_closed": _always(lambda: _("Every service was closed.")),
    "immature": _immature,
    "small_counts": _always(
        lambda: _("Hidden: so few cases stand behind it that people could be recognised.")
    ),
    "no_longer_known": _always(lambda: _("The records this was made of are gone from the source.")),
}


def _source(arguments: Arguments, catalogue: Catalogue) -> str:
    source = str(arguments.get("source", ""))
    found = catalogue.sources.get(source)
    return found.name if found else (source or _("the source"))


def _known_until(arguments: Arguments, catalogue: Catalogue) -> str | None:
    text = arguments.get("known_until")
    if not isinstance(text, str):
        return None
    try:
        return days.instant(datetime.fromisoformat(text), catalogue.city)
    except ValueError:
        return None
