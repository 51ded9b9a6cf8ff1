"""One table of a file becomes one definition, and what is wrong with its shape is said in words."""

from __future__ import annotations

import difflib
import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from metrics.model import City, Closure, Column, Gap, Metric, Retired, Source, Target, Weight

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Table = dict[str, Any]
Shape = TypeVar("Shape")

TOML_WORDS: Mapping[type, Mapping[str, str]] = {
    City: {"closure": "closures"},
    Source: {"gap": "gaps"},
    Metric: {"target": "targets", "weight": "weights"},
}
"""Where a file's word differs from the field's: a repeated table is written in the singular."""

INSIDE: Mapping[str, type] = {
    "closures": Closure,
    "columns": Column,
    "gaps": Gap,
    "retired": Retired,
    "targets": Target,
    "weights": Weight,
}
"""The shapes of the tables inside a definition, by field."""

FIXES = {
    "float_type": "Write a number without quotes.",
    "finite_number": "Write an ordinary number.",
    "int_type": "Write a whole number without quotes.",
    "string_type": "Write text in quotes.",
    "bool_type": "Write true or false, without quotes.",
    "date_type": "Write a day like 2026-01-31, without quotes.",
    "date_parsing": "Write a day like 2026-01-31, without a time.",
    "tuple_type": "Write a list in square brackets.",
    "dataclass_type": "Write a table of named values.",
}

MISSING = {
    "definition": "Say in plain words which records are counted and when one counts as good.",
    "limitations": "Say what the number does not show.",
    "owner": "Name who answers for the number.",
    "key": "Name the column that is different in every record.",
    "time_zone": 'Add the city\'s time zone, like time_zone = "America/New_York".',
}


@dataclass(frozen=True)
class Mistake:
    """Something in a catalogue that must (error) or should (warning) be mended, and how.

    file is relative to the city's folder; place is the word or table inside it, or empty.
    """

    level: Literal["error", "warning"]
    file: str
    place: str
    message: str
    fix: str

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.level, self.file)))
        return f"{': '.join(filter(None, (where, self.place, self.message)))} Fix: {self.fix}"


def error(place: str, message: str, fix: str, file: str = "") -> Mistake:
    """What must be mended; a rule about one file leaves the file to its caller."""
    return Mistake("error", file, place, message, fix)


def warning(place: str, message: str, fix: str, file: str = "") -> Mistake:
    """What should be mended."""
    return Mistake("warning", file, place, message, fix)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A fix for an unknown word: the nearest known one, else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean `{near[0]}`?"
    return f"Known here: {', '.join(known)}." if known else "None is defined yet; define it or leave it out."


def named_rows(
    file: str, tables: Any, word: str, mistakes: list[Mistake], *, inside: str = ""
) -> list[Table]:
    """Tables whose name is one of their fields, as rows that have it."""
    rows: list[Table] = []
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if not isinstance(table, dict) or word in table:
            message = f"a table [{inside}{name}] without `{word}` was expected."
            fix = f"Write [{inside}{name}] and its words below it; its name is its {word}."
            mistakes.append(error(f"{inside}{name}", message, fix, file))
        else:
            rows.append({word: name, **table})
    return rows


def read_shape(
    shape: type[Shape], file: str, table: Table, mistakes: list[Mistake], *, inside: str = ""
) -> Shape | None:
    """The definition in `table`; None with its mistakes when it has no readable shape.

    Unknown words alone do not hide the rest: they are reported and left out.
    """
    words = TOML_WORDS.get(shape, {})
    plain = {words.get(word, f"{word} " if word in words.values() else word): table[word] for word in table}
    try:
        return _validated(shape, plain)
    except ValidationError as fault:
        problems = fault.errors(include_url=False)
    mistakes += _described(shape, file, plain, problems, inside)
    unknown = [problem["loc"][1:] for problem in problems if problem["type"] == "unexpected_keyword_argument"]
    if len(unknown) < len(problems) or any(len(place) > 1 for place in unknown):
        return None
    return _validated(shape, {word: value for word, value in plain.items() if (word,) not in unknown})


def _validated(shape: type[Shape], table: Table) -> Shape:
    kind: Any = shape
    [definition] = adapter(kind).validate_json(json.dumps([table], default=plain_text))
    return definition


@cache
def adapter(shape: Hashable) -> TypeAdapter[Any]:
    """The validator of one definition, as a list of one."""
    # In a tuple, because pydantic hands its configuration down to a dataclass but not to one on top.
    return TypeAdapter(tuple[shape], config=STRICT)  # type: ignore[valid-type]


def plain_text(value: Any) -> str:
    """A day of TOML as JSON can say it."""
    return value.isoformat()


def _described(
    shape: type, file: str, table: Table, problems: Iterable[Any], inside: str
) -> Iterable[Mistake]:
    """One mistake per place, in words."""
    found: dict[tuple[Any, ...], Mistake] = {}
    for problem in problems:
        either = [part for part in problem["loc"] if _is_one_of_two(part)]
        loc = problem["loc"][1 : problem["loc"].index(either[0])] if either else problem["loc"][1:]
        place = ", ".join(filter(None, (inside, _place(shape, loc, table))))
        if loc not in found:
            message, fix = _either(problem, loc) if either else _message(shape, loc, problem)
            found[loc] = error(place, message, fix, file)
    return found.values()


def _place(shape: type, loc: tuple[Any, ...], table: Table) -> str:
    spoken = {field: word for word, field in TOML_WORDS.get(shape, {}).items()}
    parts: list[str] = []
    for part in loc:
        if isinstance(part, int) and parts == ["columns"]:
            parts = [f"columns.{table['columns'][part]['name']}"]
        elif isinstance(part, int):
            parts[-1] += f" {part + 1}"
        else:
            parts.append(spoken.get(part, part).strip())
    return ", ".join(parts)


def _message(shape: type, loc: tuple[Any, ...], problem: Mapping[str, Any]) -> tuple[str, str]:
    word = str(loc[-1])
    match problem["type"]:
        case "unexpected_keyword_argument":
            holder = INSIDE.get(loc[0], shape) if len(loc) > 1 else shape
            return f"`{word.strip()}` is not a word that is known here.", did_you_mean(word, _words(holder))
        case "missing":
            return f"`{word}` is missing.", MISSING.get(word, f"Add {word} = …")
        case "enum" | "literal_error":
            expected = problem["ctx"]["expected"].replace("'", "`")
            return f"{problem['input']!r} is not known.", f"Write {expected}."
    repeated = {of_field: word for word, of_field in TOML_WORDS.get(shape, {}).items()}
    fix = FIXES.get(problem["type"], "Write it as asked.")
    if word in repeated:
        fix = f"Write [[{repeated[word]}]] and its words below it."
    message = problem["msg"].replace("Input should be", "this should be")
    return f"{message}, not {json.dumps(problem['input'])}.", fix


def _is_one_of_two(part: int | str) -> bool:
    """Whether a place names one of the types a word may have."""
    return part in ("float", "str") or str(part).startswith("tuple[")


def _either(problem: Mapping[str, Any], loc: tuple[Any, ...]) -> tuple[str, str]:
    if loc[-1] == "format":
        message = f"{json.dumps(problem['input'])} is neither a text nor a list of texts."
        return message, 'Write "%m/%d/%Y", or ["%m/%d/%Y", "%d %b %Y"] for several.'
    message = f"{json.dumps(problem['input'])} is neither a number nor a pair of numbers."
    return message, "Write a number without quotes, or [low, high] where direction is within."


def _words(shape: type) -> set[str]:
    words = TOML_WORDS.get(shape, {})
    return {one.name for one in fields(shape)} - set(words.values()) | set(words)
