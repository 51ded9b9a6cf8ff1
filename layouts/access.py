"""Who may see a staff page or use its callback: one decorator, which refuses unless somebody may."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app

from layouts.desk import at_hand
from store.people import ANY_DEPARTMENT, OF_DEPARTMENTS, Person, Role

__all__ = ["ANY_DEPARTMENT", "OF_DEPARTMENTS", "Need", "NotAllowed", "Person", "Role"]

_KEY = "staff_judge"

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Need:
    """What it takes to be let in: a role, and for one department alone where that matters.

    A role of departments without a department is refused to everybody but admins: it could not be told.
    ANY_DEPARTMENT: whoever has the role somewhere, for a page that itself shows of each department only
    what its reader may see.
    """

    role: Role
    department: str | None = None


Judge = Callable[[], Person | None]
"""Says who is asking right now; None for somebody who is not signed in."""

Telling = Callable[[Mapping[str, Any]], str | None]
"""Tells from the arguments of a page or a callback, by name, whose department it is; None: it cannot tell."""


@dataclass(frozen=True)
class Stands:
    """What stands before a function: the role, and the department or how it is told."""

    role: Role
    department: str | Telling | None = None

    def need(self, function: Callable[..., Any], arguments: Any, named: Mapping[str, Any]) -> Need:
        """What a call of the function needs. A call that does not fit its parameters has no department."""
        if not callable(self.department):
            return Need(self.role, self.department)
        try:
            bound = inspect.signature(function).bind(*arguments, **named)
        except TypeError:
            return Need(self.role)
        bound.apply_defaults()
        return Need(self.role, self.department(_by_name(bound)))


class NotAllowed(Exception):
    """Whoever asks may not see this."""


def admit(server: Flask, judge: Judge) -> None:
    """Puts a judge in charge of a server; without one everybody is refused."""
    server.extensions[_KEY] = judge


def person() -> Person | None:
    """Who is asking right now; None for somebody who is not signed in, and where nobody judges."""
    judge: Judge | None = current_app.extensions.get(_KEY)
    return None if judge is None else judge()


def signed_in() -> Person:
    """Who is asking right now. Raises NotAllowed where that is nobody."""
    found = person()
    if found is None:
        raise NotAllowed
    return found


def is_allowed(need: Need) -> bool:
    """Whether whoever is asking right now may have what they ask for; no judge, no."""
    asking = person()
    return asking is not None and asking.may(need.role, need.department)


def require(need: Need) -> Person:
    """Who is asking, where they may have what they ask for. Raises NotAllowed otherwise."""
    if not is_allowed(need):
        raise NotAllowed
    return signed_in()


def guarded(
    role: Role, department: str | Telling | None = None
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Stands before the layout of every page and before every callback; raises NotAllowed.

    department: a department, or how it is told from the arguments (`of_department`, `of_metric`). Where that
    gives None, a role of departments is refused.
    """
    stands = Stands(role, department)

    def stand_before(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(function)
        def judged(*arguments: _P.args, **named: _P.kwargs) -> _R:
            if not is_allowed(stands.need(function, arguments, named)):
                raise NotAllowed
            return function(*arguments, **named)

        judged.needs = stands  # type: ignore[attr-defined]
        return judged

    return stand_before


def needs(function: object) -> Stands | None:
    """What stands before a function (what Dash wraps around it is looked through); None: nothing."""
    while function is not None:
        found = getattr(function, "needs", None)
        if isinstance(found, Stands):
            return found
        function = getattr(function, "__wrapped__", None)
    return None


def is_guarded(function: object) -> bool:
    """Whether the decorator stands before a function."""
    return needs(function) is not None


def of_department(arguments: Mapping[str, Any]) -> str | None:
    """The department in the argument `department_id`, where there is one of that name."""
    given = arguments.get("department_id")
    return given if isinstance(given, str) and given in at_hand().catalogue.departments else None


def of_metric(arguments: Mapping[str, Any]) -> str | None:
    """The department of the metric in the argument `metric_id`; None where there is no such metric."""
    return department_of_metric(arguments.get("metric_id"))


def of_source(arguments: Mapping[str, Any]) -> str | None:
    """A department with metrics on the source in the argument `source_id`; None where there is none.

    It is one whose records whoever asks may see, where there is such a one: rows that were refused may belong
    to any of them.
    """
    given = arguments.get("source_id")
    on_it = sorted({one.department for one in at_hand().catalogue.metrics.values() if one.source == given})
    asking = person()
    own = asking.departments(Role.EDITOR) if asking else frozenset()
    return next((one for one in on_it if one in own), next(iter(on_it), None))


def department_of_metric(metric: object) -> str | None:
    """The department of a metric: as published, else as its files say; None where there is no such metric."""
    if not isinstance(metric, str):
        return None
    desk = at_hand()
    found = desk.find_metric(metric) or desk.catalogue.metrics.get(metric)
    return None if found is None else found.department


def _by_name(bound: inspect.BoundArguments) -> dict[str, Any]:
    """Every argument by its name, those of `**query` among them."""
    found: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            found |= value
        else:
            found[name] = value
    return found
