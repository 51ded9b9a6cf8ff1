"""The rules of how a source's cells are cleaned: which word has a meaning for which column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from metrics.catalogue_files import DISTRICTS, Draft
from metrics.catalogue_shapes import Mistake, did_you_mean, error
from metrics.derived import EXPECTS, computed, expression
from metrics.expressions import ExpressionError
from metrics.model import Column, Source

TIMES = ("instant", "day")
NUMBERS = ("integer", "number")
FARTHEST_AHEAD = 36_525
LONGEST_PAD = 64

ColumnRule = Callable[[Source, Column, Draft], Iterable[Mistake]]

MEANT_FOR: dict[str, tuple[str, ...]] = {
    "planned": TIMES,
    "format": TIMES,
    "stamps": ("instant",),
    "local_until": ("instant",),
    "earliest": TIMES,
    "latest": TIMES,
    "ahead_days": TIMES,
    "min": NUMBERS,
    "max": NUMBERS,
    "pad": ("text",),
    "latitude": ("district",),
    "longitude": ("district",),
}
"""The words that have a meaning for some types only."""

OF_COMPUTED = ("name", "type", "expression", "planned", "known_with", "min", "max", "unfit")
"""The words a computed column may have; all others are about reading it."""

_PLAIN = Column("", "text")


def column_mistakes(source: Source, draft: Draft) -> Iterator[Mistake]:
    """Every mistake in the cleaning of a source's columns."""
    for column in source.columns:
        for rule in RULES:
            yield from rule(source, column, draft)
    yield from _computed_is_not_read(source)


def _words_fit_the_type(_source: Source, column: Column, _draft: Draft) -> Iterator[Mistake]:
    for word, types in MEANT_FOR.items():
        if getattr(column, word) != getattr(_PLAIN, word) and column.type not in types:
            message = f"`{word}` has no meaning for a column of type {column.type}."
            yield error(_place(column), message, f"Leave {word} out, or correct the type.")


def _words_fit_together(_source: Source, column: Column, _draft: Draft) -> Iterator[Mistake]:
    if column.others != "keep" and not column.values and column.type != "district":
        message = "`others` says what becomes of cells that `values` does not name."
        yield error(_place(column), message, 'Add values = {"as written" = "as kept"}, or leave others out.')
    if column.others == "locate" and not column.latitude:
        message = "nothing says where a record lies."
        fix = "Name the columns: latitude = …, longitude = …"
        yield error(f"{_place(column)}, others", message, fix)
    if column.local_until is not None and column.stamps == "local":
        message = "all stamps are the city's clock already."
        yield error(f"{_place(column)}, local_until", message, 'Write stamps = "utc" or "offset".')


def _ranges_run_forwards(_source: Source, column: Column, _draft: Draft) -> Iterator[Mistake]:
    pairs: tuple[tuple[str, float | date | None, str, float | date | None], ...] = (
        ("min", column.min, "max", column.max),
        ("earliest", column.earliest, "latest", column.latest),
    )
    for low_word, low, high_word, high in pairs:
        if low is not None and high is not None and low > high:  # type: ignore[operator]
            fix = f"Exchange {low_word} and {high_word}."
            yield error(_place(column), f"{low_word} is above {high_word}, so nothing fits.", fix)


def _numbers_make_sense(_source: Source, column: Column, _draft: Draft) -> Iterator[Mistake]:
    for word, value, least, most in (
        ("pad", column.pad, 1, LONGEST_PAD),
        ("ahead_days", column.ahead_days, 0, FARTHEST_AHEAD),
    ):
        if value is not None and not least <= value <= most:
            fix = f"Write a number from {least} to {most}."
            yield error(f"{_place(column)}, {word}", f"{value} is out of range.", fix)


def _spellings_are_told_apart(_source: Source, column: Column, _draft: Draft) -> Iterator[Mistake]:
    """Case and outer blanks do not tell two spellings apart."""
    taken: dict[str, str] = {}
    for word, value in [*column.values.items(), *((word, "") for word in column.empty)]:
        spelling = word.strip().casefold()
        if not spelling:
            yield error(_place(column), "an empty cell has no value anyway.", 'Leave "" out.')
        elif taken.setdefault(spelling, value) != value:
            yield error(_place(column), f"`{word}` is given two values.", "Keep one of them.")


def _empty_days_exist(_source: Source, column: Column, _draft: Draft) -> Iterator[Mistake]:
    for word in column.empty:
        looks_like_a_day = len(word) == len("2026-01-31") and word.replace("-", "").isdecimal()
        if column.type in TIMES and looks_like_a_day and not _is_day(word):
            yield error(f"{_place(column)}, empty", f"`{word}` is no day.", "Write a day that exists.")


def _places_are_known(source: Source, column: Column, draft: Draft) -> Iterator[Mistake]:
    if column.type != "district":
        return
    if not draft.districts and DISTRICTS not in {mistake.file for mistake in draft.mistakes}:
        message = f"the city has no districts in {DISTRICTS}."
        yield error(_place(column), message, 'Add them, or write type = "text".')
    if (column.latitude is None) != (column.longitude is None):
        yield error(_place(column), "a place is a latitude and a longitude.", "Name both columns, or none.")
    for word, name in (("latitude", column.latitude), ("longitude", column.longitude)):
        if name is not None:
            yield from _is_number_column(source, f"{_place(column)}, {word}", name)
    if column.latitude and draft.districts and not any(one.geometry for one in draft.districts):
        message = f"the districts in {DISTRICTS} have no shapes to look in."
        yield error(_place(column), message, "Add their geometry, or leave latitude and longitude out.")


def _is_number_column(source: Source, place: str, name: str) -> Iterator[Mistake]:
    found = next((one for one in source.columns if one.name == name), None)
    if found is None:
        known = [one.name for one in source.columns if one.type == "number"]
        yield error(place, f"there is no column `{name}`.", did_you_mean(name, known))
    elif found.type != "number" or found.expression is not None:
        yield error(place, f"`{name}` is not a number that is read.", "Name a column of type number.")


def _expression_parses(source: Source, column: Column, draft: Draft) -> Iterator[Mistake]:
    if column.expression is None:
        return
    place = f"{_place(column)}, expression"
    if column.type not in EXPECTS:
        fix = f"Write one of {', '.join(EXPECTS)}."
        yield error(place, f"no expression gives a value of type {column.type}.", fix)
        return
    try:
        expression(source, column, _zone(draft))
    except ExpressionError as fault:
        at = f", line {fault.position[0]}, column {fault.position[1]}" if fault.position else ""
        yield error(f"{place}{at}", f"{fault.what}.", fault.fix)


def _computed_has_no_words_of_reading(_source: Source, column: Column, _draft: Draft) -> Iterator[Mistake]:
    if column.expression is None:
        return
    for word in vars(_PLAIN):
        if word not in OF_COMPUTED and getattr(column, word) != getattr(_PLAIN, word):
            message = f"`{word}` is about cells that are read, and this column is computed."
            yield error(_place(column), message, f"Leave {word} or expression out.")


RULES: tuple[ColumnRule, ...] = (
    _words_fit_the_type,
    _words_fit_together,
    _ranges_run_forwards,
    _numbers_make_sense,
    _spellings_are_told_apart,
    _empty_days_exist,
    _places_are_known,
    _expression_parses,
    _computed_has_no_words_of_reading,
)


def _computed_is_not_read(source: Source) -> Iterator[Mistake]:
    """What a run needs before anything is computed."""
    named = {"key": source.key, "arrival": source.arrival}
    named |= {f"columns.{one.name}, not_before": one.not_before for one in source.columns}
    made = {column.name for column in computed(source)}
    for place, name in named.items():
        if name in made:
            yield error(place, f"`{name}` is computed, and this must be read.", "Name a column that is read.")


def _place(column: Column) -> str:
    return f"columns.{column.name}"


def _is_day(word: str) -> bool:
    try:
        date.fromisoformat(word)
    except ValueError:
        return False
    return True


def _zone(draft: Draft) -> ZoneInfo:
    try:
        return ZoneInfo(draft.city.time_zone if draft.city else "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
