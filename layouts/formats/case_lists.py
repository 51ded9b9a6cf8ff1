"""The sentences about the records behind a number: how many, which, and who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from layouts.formats import days, numbers, sentences
from layouts.formats.language import _, ngettext
from metrics.model import WHOLE_CITY, Aggregation, City, Column, Metric, Score, Source
from store.case_versions import Version
from store.corrections import Correction, State
from store.engine import from_text

if TYPE_CHECKING:
    from layouts.cases_view import CasesView


def headline(view: CasesView) -> str:
    """How many records the number counts, of what and when."""
    return _("{counted}: {metric}, {where}").format(
        counted=_counted(view), metric=view.metric.name, where=_where(view)
    )


def equality(view: CasesView) -> str:
    """That the list is what the publication counted, or by how much it is not."""
    number = view.edition.publication.id
    expected = _expected(view)
    if view.is_narrowed or view.found is None or expected is None or view.found == expected:
        return _(
            "These are the records as publication {number} read them; later changes are not in it."
        ).format(number=number)
    return _(
        "Publication {number} counted {expected}; {found} are left to list, since records have been erased."
    ).format(number=number, expected=numbers.count(expected), found=numbers.count(view.found))


def chosen(view: CasesView) -> str:
    """How many the filters leave."""
    if not view.listed.chosen.values:
        return ""
    if view.found is None:
        return _("More than a thousand of them match the filters; the file has them all.")
    return ngettext(
        "{count} of them matches the filters.", "{count} of them match the filters.", view.found
    ).format(count=numbers.count(view.found))


def outcomes(score: Score) -> list[tuple[str, str]]:
    """The outcomes by which cases of a share can be chosen: the word of the address and its name."""
    numerator, denominator = score.numerator or 0.0, score.denominator or 0.0
    return [
        ("", _("All {count}").format(count=numbers.count(denominator))),
        ("1", _("The {count} that count").format(count=numbers.count(numerator))),
        ("0", _("The {count} that do not").format(count=numbers.count(denominator - numerator))),
    ]


def rule(metric: Metric) -> str:
    """Before the expression that decides which cases of a share count."""
    return _("A record counts where this holds:") if metric.numerator else ""


def adds(metric: Metric, numerator: float) -> str:
    """What one record adds to the number."""
    if metric.aggregation is Aggregation.RATIO and not metric.denominator:
        return _("Counts") if numerator else _("Does not count")
    return numbers.plain(numerator, 2)


def adds_word(metric: Metric) -> str:
    """The head over what a record adds; empty where each adds one and nothing else."""
    if metric.aggregation is Aggregation.RATIO:
        return _("For the number")
    is_one_each = metric.aggregation in (Aggregation.COUNT, Aggregation.STOCK) and not metric.quantity
    return "" if is_one_each else _("Adds")


def cell(column: Column, given: str | float | None, city: City) -> str:
    """A field as a person reads it: instants on the city's clocks."""
    if given is None:
        return numbers.NOTHING
    if column.type == "instant":
        return days.instant(from_text(str(given)), city)
    if column.type == "day":
        return days.day(date.fromisoformat(str(given)))
    if column.type == "boolean":
        return _("yes") if given else _("no")
    return str(given)


def file_cell(column: Column, given: str | float | None, city: City) -> str | float | None:
    """A field as a file holds it: instants on the city's clocks with their offset."""
    if given is None or column.type != "instant":
        return given
    local = from_text(str(given)).astimezone(ZoneInfo(city.time_zone))
    return local.isoformat(sep=" ", timespec="seconds")


def page_words(view: CasesView) -> str:
    """Which part of the cases a page shows."""
    some = view.page.cases
    if not some:
        return _("No record matches.")
    first, last = days.day(some[0].day), days.day(some[-1].day)
    shown = ngettext("{count} record", "{count} records", len(some)).format(count=numbers.count(len(some)))
    if first == last:
        return _("{records} of {first}").format(records=shown, first=first)
    return _("{records} from {first} to {last}").format(records=shown, first=first, last=last)


def dated_by(metric: Metric) -> str:
    """What day a record belongs to."""
    return _("Oldest first, by {column}.").format(column=metric.date)


def refused(metric: Metric, department: str) -> tuple[str, str]:
    """Why somebody does not see the records, and whom to ask."""
    return (
        _("The records of {department} are for those who work with them").format(department=department),
        _(
            "They may say something of single people. Editors and owners of the department see them. "
            "Ask {owner}, who answers for “{metric}”, or an administrator for that role."
        ).format(owner=metric.owner, metric=metric.name),
    )


def see_cases(count: str) -> str:
    """The way to the records, under the name of how many they are."""
    return _("{count}: see the records").format(count=count)


def _where(view: CasesView) -> str:
    """The period, and the district where it is one."""
    period = days.period(view.score.period)
    if view.score.district == WHOLE_CITY:
        return period
    found = view.edition.catalogue.districts.get(view.score.district)
    place = found.name if found else _("district unknown")
    return _("{period}, {district}").format(period=period, district=place)


def _expected(view: CasesView) -> int | None:
    """How many records the published row counts; None where it does not say."""
    metric, score = view.metric, view.score
    if view.is_share:
        return None if score.denominator is None else int(score.denominator)
    if metric.aggregation is Aggregation.STOCK:
        return None if score.end_value is None or metric.quantity else int(score.end_value)
    return score.n if sentences.counts_records(metric) else None


def _counted(view: CasesView) -> str:
    metric, score, met = view.metric, view.score, view.listed.chosen.met
    if view.is_share and score.denominator is not None:
        count, all_of_them = numbers.count(score.numerator or 0.0), numbers.count(score.denominator)
        if met is None:
            return _("{count} of {all}").format(count=count, all=all_of_them)
        if met:
            return _("The {count} of {all} that count").format(count=count, all=all_of_them)
        rest = numbers.count(score.denominator - (score.numerator or 0.0))
        return _("The {count} of {all} that do not count").format(count=rest, all=all_of_them)
    expected = _expected(view)
    if metric.aggregation is Aggregation.STOCK and expected is not None:
        return _("{count} open at the end").format(count=numbers.count(expected))
    if expected is not None:
        return ngettext("{count} record", "{count} records", expected).format(count=numbers.count(expected))
    return sentences.parts(metric, score) or _("The records")


def version_count(found: Sequence[Version]) -> str:
    """How many versions of a record were ever known."""
    if len(found) == 1:
        return _("Nothing of it has changed since it was first read.")
    return ngettext(
        "{count} version of it was known; nothing is overwritten.",
        "{count} versions of it were known, one after the other; nothing is overwritten.",
        len(found),
    ).format(count=len(found))


def flag_words(source: Source, one: Correction, city: City) -> str:
    """What a flag says is wrong, and what would be right."""
    if one.column is None or one.cells is None:
        return _("The record does not belong here")
    column = source.column(one.column)
    before, after = (cell(column, said.get(one.column), city) for said in (one.was, one.cells))
    return _("{column}: {after}, not {before}").format(column=one.column, after=after, before=before)


def flag_state(one: Correction, city: City) -> str:
    """Who flagged it, and what became of it."""
    said = [
        _("Flagged by {name}, {when}.").format(name=one.author_name, when=days.instant(one.made_at, city))
    ]
    if one.decided_at is not None and one.state is not State.OPEN:
        when = days.instant(one.decided_at, city)
        said.append(_decided(one).format(name=one.decided_by, when=when))
    if one.state is State.OPEN:
        said.append(_("It waits for a decision."))
    if one.state is State.ACCEPTED and one.applied_at is None:
        said.append(_("The record follows in a minute."))
    if one.why:
        said.append(one.why)
    return " ".join(said)


def flags_waiting(count: int) -> str:
    """How many flags nobody has decided."""
    return ngettext(
        "{count} record is flagged as wrong and waits for a decision:",
        "{count} records are flagged as wrong and wait for a decision:",
        count,
    ).format(count=numbers.count(count))


def _decided(one: Correction) -> str:
    words = {
        State.ACCEPTED: _("Accepted by {name}, {when}."),
        State.REFUSED: _("Refused by {name}, {when}."),
        State.WITHDRAWN: _("Taken back by {name}, {when}."),
        State.LAPSED: _("Accepted by {name}, {when}; it holds no longer."),
    }
    return words[one.state]


def joined(texts: Sequence[str]) -> str:
    """Sentences in a row, without the empty ones."""
    return " ".join(text for text in texts if text)
