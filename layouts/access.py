"""Who may see a staff page or use its callback: one decorator, which refuses unless somebody may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, current_app

_KEY = "staff_judge"

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Role(StrEnum):
    """What somebody may do."""

    READER = "reader"


@dataclass(frozen=True)
class Need:
    """What it takes to be let in: a role, and for one department alone where that matters."""

    role: Role
    department: str | None = None


Judge = Callable[[Need], bool]
"""Says whether whoever is asking right now may have what they ask for."""


class NotAllowed(Exception):
    """Whoever asks may not see this."""


def admit(server: Flask, judge: Judge) -> None:
    """Puts a judge in charge of a server; without one everybody is refused."""
    server.extensions[_KEY] = judge


def is_allowed(need: Need) -> bool:
    """Whether whoever is asking right now may have what they ask for; no judge, no."""
    judge: Judge | None = current_app.extensions.get(_KEY)
    return judge is not None and judge(need)


def guarded(role: Role) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Stands before the layout of every page and before every callback; raises NotAllowed."""

    def stand_before(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(function)
        def judged(*arguments: _P.args, **named: _P.kwargs) -> _R:
            if not is_allowed(Need(role)):
                raise NotAllowed
            return function(*arguments, **named)

        judged.needs = role  # type: ignore[attr-defined]
        return judged

    return stand_before


def is_guarded(function: object) -> bool:
    """Whether the decorator stands before a function (what Dash wraps around it is looked through)."""
    while function is not None:
        if hasattr(function, "needs"):
            return True
        function = getattr(function, "__wrapped__", None)
    return False
