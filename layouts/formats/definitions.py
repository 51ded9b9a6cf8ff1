"""The sentences about the definitions of a city and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from layouts.formats import days, numbers
from layouts.formats.language import _, ngettext
from metrics.catalogue_shapes import Mistake

if TYPE_CHECKING:
    from layouts.catalogue_view import CatalogueView, Defect, DefinedLine


def headline(view: CatalogueView) -> str:
    """How many metrics have something to be mended."""
    if not view.defective:
        return _("Nothing is to be mended in {count} metrics").format(count=numbers.count(view.metrics))
    return ngettext(
        "{some} of {count} metric has something to be mended",
        "{some} of {count} metrics have something to be mended",
        view.metrics,
    ).format(some=numbers.count(view.defective), count=numbers.count(view.metrics))


def lead(view: CatalogueView) -> str:
    """Where the findings come from."""
    rules = _("The rules of the catalogue are held against the definitions as they are now")
    if view.tested_on is None:
        return _("{rules}; the last year has not been looked at yet.").format(rules=rules)
    return _("{rules}, and the year before {day} against the targets.").format(
        rules=rules, day=days.day(view.tested_on)
    )


def ownerless(names: Sequence[str]) -> str:
    """Which departments nobody answers for; "" for none."""
    if not names:
        return ""
    return _("Nobody has the role of an owner of {names}: give it to somebody.").format(
        names=", ".join(names)
    )


def no_owner() -> str:
    """The mark of a metric whose department nobody answers for."""
    return _("Nobody signs in for it")


def defect(which: Defect, line: DefinedLine) -> str:
    """What is wrong with a metric, with the fix; "" for what is said elsewhere."""
    return {
        "no_owner": "",
        "no_target": _("It has no target: set one, or say in its file that it is shown without."),
        "review": _("Its target was due for review on {day}: try it on the last year.").format(
            day=days.day(line.review) if line.review else ""
        ),
    }[which.value]


def finding(mistake: Mistake) -> str:
    """What a rule of the catalogue says, with the place in the file and the fix."""
    said = f"{mistake.message} {mistake.fix}"
    return f"{mistake.place}: {said}" if mistake.place else said


def finding_of_file(mistake: Mistake) -> str:
    """The same with the name of the file."""
    return f"{mistake.file}: {finding(mistake)}"


def review(line: DefinedLine) -> str:
    """Until when a target is to be looked at."""
    return "" if line.review is None else days.day(line.review)


def shown(view: CatalogueView) -> str:
    """How many metrics are chosen."""
    if not view.is_narrowed:
        return ""
    return _("{some} of {count}").format(
        some=numbers.count(len(view.lines)), count=numbers.count(view.metrics)
    )
