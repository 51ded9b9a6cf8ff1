"""The definitions of a city as those who keep them see them: every metric with what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from layouts.formats import _
from layouts.public.answer import Refusal, legible
from layouts.target_view import TargetLine, is_settable, line_of
from metrics.catalogue import warnings
from metrics.catalogue_shapes import Mistake
from metrics.model import Catalogue, Metric, Reason
from store import people, publications, selftests, targets
from store.engine import Connection
from store.people import Role

DEPARTMENT, ONLY, NAMED = "department", "only", "named"
"""The words of the address."""

DEFECTS = "defects"
"""What `only=` says: those with a defect."""

REVIEW_AFTER_YEARS = 3
"""A target that nobody has looked at for so long is overdue for review."""

_KEPT: dict[str, Sequence[Mistake]] = {}
"""The findings about one catalogue by its hash: all expressions are read anew to make them."""


class Defect(StrEnum):
    """What is wrong with a metric, whatever its file says."""

    NO_OWNER = "no_owner"
    NO_TARGET = "no_target"
    REVIEW = "review"


@dataclass(frozen=True)
class DefinedLine:
    """A metric in the browser. review: until when its target is to be looked at; None where it has none."""

    target: TargetLine
    review: date | None
    defects: tuple[Defect, ...]
    findings: tuple[Mistake, ...]
    warnings: tuple[Reason, ...]

    @property
    def metric(self) -> Metric:
        """The metric."""
        return self.target.metric

    @property
    def has_defect(self) -> bool:
        """Whether anything is to be mended."""
        return bool(self.defects or self.findings or self.warnings)


@dataclass(frozen=True)
class CatalogueView:
    """What is chosen of a city's metrics. others: the findings about files that are no metric's.

    ownerless: the ids of departments with metrics for which nobody who can sign in answers. tested_on: the
    date whose year the warnings are of; None where there was no self-test yet.
    """

    catalogue: Catalogue
    lines: tuple[DefinedLine, ...]
    others: tuple[Mistake, ...]
    metrics: int
    defective: int
    ownerless: tuple[str, ...]
    tested_on: date | None
    department: str
    only_defects: bool
    named: str

    @property
    def is_narrowed(self) -> bool:
        """Whether the address chooses among metrics."""
        return bool(self.department or self.only_defects or self.named)


def catalogue_view(
    connection: Connection, catalogue: Catalogue, query: Mapping[str, str], today: date
) -> CatalogueView:
    """The metrics that the address chooses. Raises Refusal for a department there is none of."""
    department, named = query.get(DEPARTMENT, ""), query.get(NAMED, "").strip()
    if department and department not in catalogue.departments:
        detail = _("There is no department {department}.").format(department=legible(department))
        raise Refusal(404, _("This cannot be answered"), detail)
    now = targets.merged(connection, catalogue)
    found = _findings(now)
    reading = publications.current(connection)
    tested = selftests.known_to(connection, reading.publication) if reading else None
    tests = tested.tests if tested else {}
    owned = _owned(connection, now)
    lines = [
        _line(one, today, owned, found, tests[one.id].warnings if one.id in tests else ())
        for one in now.live_metrics()
    ]
    only = query.get(ONLY) == DEFECTS
    chosen = [line for line in lines if _is_meant(line, department, named) and (line.has_defect or not only)]
    files = {_file(one.metric) for one in lines}
    return CatalogueView(
        now,
        tuple(sorted(chosen, key=lambda line: (not line.has_defect, line.metric.name))),
        tuple(one for one in found if one.file not in files),
        len(lines),
        sum(line.has_defect for line in lines),
        tuple(name for name in now.departments if name in {one.metric.department for one in lines} - owned),
        tested.as_of if tested else None,
        department,
        only,
        named,
    )


def _line(
    metric: Metric,
    today: date,
    owned: frozenset[str],
    found: Sequence[Mistake],
    warned: Sequence[Reason],
) -> DefinedLine:
    target = line_of(metric, today)
    review = None if target.now is None else _years_after(target.now.valid_from, REVIEW_AFTER_YEARS)
    defects = [
        *([Defect.NO_OWNER] if metric.department not in owned else []),
        *([Defect.NO_TARGET] if is_settable(metric) and not metric.targets else []),
        *([Defect.REVIEW] if review is not None and review <= today else []),
    ]
    mine = tuple(one for one in found if one.file == _file(metric))
    return DefinedLine(target, review, tuple(defects), mine, tuple(warned))


def _is_meant(line: DefinedLine, department: str, named: str) -> bool:
    metric, wanted = line.metric, named.casefold()
    is_of_it = department in ("", metric.department)
    return is_of_it and (wanted in metric.name.casefold() or wanted in metric.id)


def _owned(connection: Connection, catalogue: Catalogue) -> frozenset[str]:
    """The departments for which somebody who can sign in answers."""
    let_in = [one for one in people.everybody(connection) if one.disabled_at is None]
    return frozenset().union(*(one.departments(Role.OWNER) for one in let_in)) & catalogue.departments.keys()


def _findings(catalogue: Catalogue) -> Sequence[Mistake]:
    if catalogue.hash not in _KEPT:
        found = tuple(warnings(catalogue))
        _KEPT.clear()
        _KEPT[catalogue.hash] = found
    return _KEPT[catalogue.hash]


def _file(metric: Metric) -> str:
    return f"metrics/{metric.id}.toml"


def _years_after(day: date, years: int) -> date:
    """The same day so many years later; of a 29 February the 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
