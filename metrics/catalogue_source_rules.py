"""The rules of a source: its key, what its columns refer to, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from metrics.catalogue_city_rules import bad_id, blank_words, file_names_its_id, runs_forwards
from metrics.catalogue_column_rules import TIMES, column_mistakes
from metrics.catalogue_files import SOURCES, Draft
from metrics.catalogue_secrets import is_signed_in, is_variable, names_a_secret
from metrics.catalogue_shapes import Mistake, did_you_mean, error, warning
from metrics.model import Column, Source

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CRON = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
"""The words of a schedule in their order, with the least and the greatest number of each."""

Rule = Callable[[Source], Iterable[Mistake]]


def source_mistakes(draft: Draft) -> Iterator[Mistake]:
    """Every mistake of every source."""
    for stem, source in draft.sources.items():
        file = f"{SOURCES}/{stem}.toml"
        yield from file_names_its_id(file, stem, source.id)
        for rule in RULES:
            yield from (replace(mistake, file=file) for mistake in rule(source))
        yield from (replace(mistake, file=file) for mistake in column_mistakes(source, draft))


def column_of(source: Source, name: str) -> Column | None:
    """The column called `name`, or None."""
    return next((column for column in source.columns if column.name == name), None)


def _source_words(source: Source) -> Iterator[Mistake]:
    yield from blank_words([("name", source.name), ("kind", source.kind)])


def _key_is_a_column(source: Source) -> Iterator[Mistake]:
    yield from _refers(source, "key", source.key, ("text", "integer"))


def _arrival_is_a_time(source: Source) -> Iterator[Mistake]:
    if source.arrival is None:
        return
    yield from _refers(source, "arrival", source.arrival, TIMES)
    column = column_of(source, source.arrival)
    if column and column.planned:
        message = f"`{source.arrival}` is planned: it says nothing of what has arrived."
        yield error("arrival", message, "Name the time at which a record is made.")


def _modified_is_a_mark(source: Source) -> Iterator[Mistake]:
    if source.modified is None:
        return
    yield from _refers(source, "modified", source.modified, ("instant", "day", "integer"))
    column = column_of(source, source.modified)
    if column and column.planned:
        message = f"`{source.modified}` is planned: it does not say when a row was touched."
        yield error("modified", message, "Name the column that every change of a row raises.")


def _closed_is_what_happened(source: Source) -> Iterator[Mistake]:
    if source.closed is None:
        return
    if source.closed == source.key:
        yield error("closed", "the key is never empty.", "Name the column that an open record leaves empty.")
        return
    yield from _refers(source, "closed", source.closed, (*TIMES, "text"))
    column = column_of(source, source.closed)
    if column and (column.planned or column.required):
        word = "planned" if column.planned else "required"
        message = f"`{source.closed}` is {word}: it is filled from the start."
        yield error("closed", message, "Name the column that an open record leaves empty.")


def _columns_have_names(source: Source) -> Iterator[Mistake]:
    # An instant has a companion column with its local day; see the tables of records.
    companions = {f"{column.name}_day" for column in source.columns if column.type == "instant"}
    for column in source.columns:
        place = f"columns.{column.name}"
        yield from (replace(mistake, place=place) for mistake in bad_id(column.name))
        if column.name in companions:
            message = "this name is kept for the local day of the instant beside it."
            yield error(place, message, "Rename the column and give the file's word as an alias.")


def _aliases_are_not_shared(source: Source) -> Iterator[Mistake]:
    owners: dict[str, str] = {column.name: column.name for column in source.columns}
    for column in source.columns:
        for alias in column.aliases:
            owner = owners.setdefault(alias, column.name)
            if owner != column.name:
                message = f"the alias `{alias}` belongs to `{owner}` already."
                yield error(f"columns.{column.name}", message, "Leave it with one of them.")


def _known_with_is_an_instant(source: Source) -> Iterator[Mistake]:
    for column in source.columns:
        if column.known_with is not None:
            place = f"columns.{column.name}, known_with"
            yield from _refers(source, place, column.known_with, TIMES, itself=column)


def _not_before_is_a_time(source: Source) -> Iterator[Mistake]:
    for column in source.columns:
        if column.not_before is None:
            continue
        place = f"columns.{column.name}, not_before"
        yield from _refers(source, place, column.not_before, TIMES, itself=column)
        if column.type not in TIMES:
            message = f"only an instant or a day has a before; this column is a {column.type}."
            yield error(place, message, "Leave not_before out.")


def _clocks_have_bounds(source: Source) -> Iterator[Mistake]:
    for column in source.columns:
        other = column_of(source, column.not_before or "")
        within, beyond = column.not_within_seconds, column.not_beyond_minutes
        for word, number in (("not_within_seconds", within), ("not_beyond_minutes", beyond)):
            place = f"columns.{column.name}, {word}"
            if number is not None and number < 0:
                yield error(place, f"{number} is negative.", "Write 0 or more.")
            if number is not None and (other is None or {column.type, other.type} != {"instant"}):
                message = "it is counted between this instant and the one in not_before."
                yield error(place, message, "Name an instant in not_before, or leave it out.")
        if within is not None and beyond is not None and within >= beyond * 60:
            message = "no time fits between not_within_seconds and not_beyond_minutes."
            yield error(f"columns.{column.name}", message, "Correct one of the two.")


def _gaps_run_forwards(source: Source) -> Iterator[Mistake]:
    for number, gap in enumerate(source.gaps, 1):
        yield from runs_forwards(f"gap {number}", gap.from_day, gap.to_day)


def _minutes_are_not_negative(source: Source) -> Iterator[Mistake]:
    for place, minutes in (
        ("quiet_minutes", source.quiet_minutes),
        ("due_after_minutes", source.due_after_minutes),
    ):
        if minutes is not None and minutes < 0:
            yield error(place, f"{minutes} is negative.", "Write 0 or more minutes.")


def _schedule_is_cron(source: Source) -> Iterator[Mistake]:
    words = source.schedule.lower().split()
    if len(words) != len(CRON):
        message = f"`{source.schedule}` is not minute, hour, day, month and weekday."
        yield error("schedule", message, 'Write five words, like "0 4 * * *" for 4 o\'clock every day.')
        return
    for word, (name, low, high) in zip(words, CRON, strict=True):
        if not all(_is_cron(part, name, low, high) for part in word.split(",")):
            fix = f"Write * or numbers from {low} to {high}, like {low}, {low}-{high} or */2."
            yield error("schedule", f"`{word}` says no {name}.", fix)
    if "*" not in (words[2], words[4]):
        message = "A day and a weekday are both given, and nobody agrees what that means."
        yield error("schedule", message, "Write * for one of the two.")


def _is_cron(part: str, name: str, low: int, high: int) -> bool:
    """Whether a part between commas is `*`, `*/n`, `a`, `a-b` or `a-b/n`; weekdays may run over Sunday."""
    found = re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", part)
    if found is None:
        return False
    first, last, step = found.groups()
    if first is None:
        start, end = low, high
    else:
        values = _cron_number(first, name), _cron_number(last or first, name)
        if None in values or not all(low <= one <= high for one in values if one is not None):
            return False
        start, end = (one or 0 for one in values)
    if step is not None and (first is not None and last is None):
        return False
    span = end - start if name != "weekday" else high
    return (start <= end or name == "weekday") and (step is None or 1 <= int(step) <= span)


def _cron_number(word: str, name: str) -> int | None:
    if word.isascii() and word.isdecimal():
        return int(word)
    if name == "weekday":
        return WEEKDAYS.index(word) if word in WEEKDAYS else None
    return MONTHS.index(word) + 1 if name == "month" and word in MONTHS else None


def _without_arrival(source: Source) -> Iterator[Mistake]:
    if source.arrival is None and source.quiet_minutes:
        message = "quiet_minutes count from the newest arrival, and no arrival is named."
        yield warning("quiet_minutes", message, "Name the arrival column, or leave quiet_minutes out.")


def _options_hold_no_secret(source: Source) -> Iterator[Mistake]:
    """A catalogue is public: options name the variable of the environment that has a secret."""
    said = [("url", source.url), *_words(source.options, "options")]
    for place, word in said:
        name = place.rpartition(".")[2]
        is_secret = names_a_secret(name) and not is_variable(word)
        if word and (is_secret or is_signed_in(word)):
            fix = "Write the name of a variable, like COUNTS_TOKEN, and set it (or COUNTS_TOKEN_FILE) there."
            yield error(place, "this looks like a secret, and a catalogue is read by everybody.", fix)


def _words(options: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every text of the options of a source, and where it stands."""
    if isinstance(options, Mapping):
        for name, one in options.items():
            yield from _words(one, f"{place}.{name}")
    elif isinstance(options, list | tuple):
        for one in options:
            yield from _words(one, place)
    elif isinstance(options, str):
        yield place, options


def _requests_have_a_rate(source: Source) -> Iterator[Mistake]:
    rate = source.requests_per_second
    if rate is not None and rate <= 0:
        message = f"{rate:.15g} requests a second are none."
        yield error("requests_per_second", message, "Write a number above 0, like 2 or 0.5.")


def _snapshots_are_kept_a_while(source: Source) -> Iterator[Mistake]:
    if source.keep_days is not None and source.keep_days < 1:
        yield error("keep_days", f"{source.keep_days} days are none.", "Write 1 or more days.")


RULES: tuple[Rule, ...] = (
    _snapshots_are_kept_a_while,
    _requests_have_a_rate,
    _options_hold_no_secret,
    _source_words,
    _key_is_a_column,
    _arrival_is_a_time,
    _modified_is_a_mark,
    _closed_is_what_happened,
    _columns_have_names,
    _aliases_are_not_shared,
    _known_with_is_an_instant,
    _not_before_is_a_time,
    _clocks_have_bounds,
    _gaps_run_forwards,
    _minutes_are_not_negative,
    _schedule_is_cron,
    _without_arrival,
)


def _refers(
    source: Source, place: str, name: str, types: tuple[str, ...], itself: Column | None = None
) -> Iterator[Mistake]:
    """`name` must be another column of one of the types."""
    column = column_of(source, name)
    if column is None:
        known = [column.name for column in source.columns]
        yield error(place, f"there is no column `{name}`.", did_you_mean(name, known))
    elif column == itself:
        yield error(place, "a column cannot refer to itself.", "Name another column.")
    elif column.type not in types:
        message = f"`{name}` is a column of type {column.type}."
        yield error(place, message, f"Name a column of type {' or '.join(types)}.")
