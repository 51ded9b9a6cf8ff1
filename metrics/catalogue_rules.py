"""The rules of a metric, one small function each, and `mistakes`: every mistake of a catalogue at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from metrics import suppression
from metrics.catalogue_city_rules import MOST_SMALL, bad_id, blank_words, city_mistakes, file_names_its_id
from metrics.catalogue_files import DEPARTMENTS, FROM_THE_START, METRICS, SOURCES, Draft
from metrics.catalogue_shapes import Mistake, did_you_mean, error, warning
from metrics.catalogue_source_rules import TIMES, column_of, source_mistakes
from metrics.catalogue_target_rules import TARGET_RULES
from metrics.expressions import Expression, ExpressionError, parse
from metrics.model import Aggregation, ColumnType, Family, Metric, Weight

Rule = Callable[[Metric, Draft], Iterable[Mistake]]

NEEDS: dict[Aggregation, tuple[str, ...]] = {
    Aggregation.RATIO: ("numerator",),
    Aggregation.COUNT: (),
    Aggregation.MEAN: ("value",),
    Aggregation.MEDIAN: ("value",),
    Aggregation.PERCENTILE: ("value", "percentile"),
    Aggregation.STOCK: ("until",),
}
MAY_HAVE: dict[Aggregation, tuple[str, ...]] = {
    Aggregation.RATIO: ("denominator",),
    Aggregation.COUNT: ("quantity",),
}
OF_AGGREGATIONS = ("numerator", "denominator", "value", "quantity", "percentile", "until")

DURATIONS = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")
UNITS = ("percent", "count", *DURATIONS, "rating", "points", "people", "dollars", "euros")
"""Units of values; counts, stocks and ratios of two sums may have a word of their own (`potholes`)."""

SPLIT = (Aggregation.RATIO, Aggregation.COUNT, Aggregation.MEAN)
SPLIT_TYPES: tuple[ColumnType, ...] = ("text", "integer", "boolean", "district")
"""What may be taken apart (its parts add up to it), and by columns of which types."""

MOST_DECIMALS = 6
_TIMED = re.compile(r"\b(minutes|hours|days|workdays)_between\s*\(", re.IGNORECASE)


def mistakes(draft: Draft) -> list[Mistake]:
    """Everything wrong or doubtful in a catalogue, in the order of the files; errors of one file first."""
    found = [*draft.mistakes, *city_mistakes(draft), *source_mistakes(draft), *_between_metrics(draft)]
    for stem, metric in draft.metrics.items():
        found += file_names_its_id(_file(stem), stem, metric.id)
        rules = RULES if metric.retired is None else RULES_OF_THE_RETIRED
        for rule in rules:
            found += [replace(mistake, file=_file(stem)) for mistake in rule(metric, draft)]
    return sorted(found, key=lambda mistake: (mistake.file, mistake.level))


# --- what it belongs to ------------------------------------------------------------------------


def _says_what_it_is(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    words = ("name", "theme", "unit", "definition", "limitations", "owner")
    yield from blank_words((word, getattr(metric, word)) for word in words)
    yield from blank_words([("retired, reason", metric.retired.reason)] if metric.retired else [])


def _department_is_known(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    broken = any(mistake.file == DEPARTMENTS for mistake in draft.mistakes)
    if metric.department not in draft.departments and not broken:
        message = f"there is no department `{metric.department}` in {DEPARTMENTS}."
        yield error("department", message, did_you_mean(metric.department, draft.departments))


def _source_is_known(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    if f"{SOURCES}/{metric.source}.toml" not in draft.files:
        message = f"there is no source `{metric.source}` in {SOURCES}/."
        yield error("source", message, did_you_mean(metric.source, draft.sources))


def _between_metrics(draft: Draft) -> Iterator[Mistake]:
    """An old id may lead to one metric only, and to none that still has it."""
    taken: dict[str, str] = {}
    for stem, metric in draft.metrics.items():
        old = metric.renamed_from
        if old is None:
            continue
        file = _file(stem)
        yield from (replace(one, file=file, place="renamed_from") for one in bad_id(old))
        if _file(old) in draft.files:
            message = f"`{old}` is still the id of a metric."
            yield error("renamed_from", message, f"Delete {_file(old)}, or leave this out.", file)
        elif old in taken:
            message = f"`{taken[old]}` is renamed from `{old}` as well."
            yield error("renamed_from", message, "An id goes on in one metric; leave one out.", file)
        taken.setdefault(old, metric.id)


# --- how it is counted -------------------------------------------------------------------------


def _aggregation_has_its_words(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    kind = metric.aggregation
    for word in NEEDS[kind]:
        if getattr(metric, word) is None:
            yield error(word, f"a {kind} needs `{word}`.", _FIX_OF_NEED[word])
    for word in OF_AGGREGATIONS:
        if getattr(metric, word) is not None and word not in (*NEEDS[kind], *MAY_HAVE.get(kind, ())):
            yield error(word, f"a {kind} has no `{word}`.", "Leave it out, or choose another aggregation.")


_FIX_OF_NEED = {
    "numerator": 'Say which of the records count: numerator = "close_date <= due_date".',
    "value": 'Say what is measured of a record: value = "days_between(open_date, close_date)".',
    "percentile": "Say which one: percentile = 0.9.",
    "until": 'Name the column that says when a record leaves: until = "close_date".',
}


def _percentile_is_a_share(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.percentile is not None and not 0 < metric.percentile < 1:
        fix = "Write a fraction between 0 and 1: the 90th percentile is 0.9."
        yield error("percentile", f"{metric.percentile:g} is not between 0 and 1.", fix)


def _dates_are_times(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    yield from _refers(metric, draft, "date", metric.date, TIMES)
    if metric.until is not None:
        yield from _refers(metric, draft, "until", metric.until, TIMES)


def _district_is_text(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    if metric.district is not None:
        yield from _refers(metric, draft, "district", metric.district, ("text", "district"))


def _expressions_parse(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    for word, _, parsed in _expressions(metric, draft):
        if isinstance(parsed, ExpressionError):
            at = f", line {parsed.position[0]}, column {parsed.position[1]}" if parsed.position else ""
            yield error(f"{word}{at}", f"{parsed.what}.", parsed.fix)


def _emptiness_is_meant(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    source = draft.sources.get(metric.source)
    for word, _, parsed in _expressions(metric, draft):
        if source is None or isinstance(parsed, ExpressionError):
            continue
        filled = {source.key} | {column.name for column in source.columns if column.required}
        for name in sorted(parsed.negated_columns - filled):
            message = f"`{name}` can be empty: such a record passes a not, and fails a <>."
            fix = f"Say which is meant with coalesce({name}, …), or make the column required in its source."
            yield warning(word, message, fix)


def _clock_is_told(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    texts = [text for _, text, _ in _clauses(metric)]
    if metric.unit not in DURATIONS and not any(_TIMED.search(text) for text in texts):
        return
    for word, said in (("clock_start", metric.clock_start), ("clock_stop", metric.clock_stop)):
        if not (said or "").strip():
            message = f"this metric times something, and `{word}` is missing."
            yield error(
                word, message, f"Say which moment {'starts' if word == 'clock_start' else 'stops'} it."
            )


def _unit_is_known(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    free = metric.aggregation in (Aggregation.COUNT, Aggregation.STOCK) or metric.denominator is not None
    if metric.unit in ("%", "share", "fraction", "per cent") or (not free and metric.unit not in UNITS):
        shares = "a share is stored as a fraction and called percent"
        fix = f"Write one of {', '.join(UNITS)}; {shares}."
        yield error("unit", f"`{metric.unit}` is not a unit that is known.", fix)


def _shares_are_percent(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    kind = metric.aggregation
    is_share_of_records = kind is Aggregation.RATIO and metric.denominator is None
    if is_share_of_records and metric.unit in UNITS and metric.unit != "percent":
        message = f"a share of records is no number of {metric.unit}."
        yield error("unit", message, 'Write unit = "percent", or give a denominator.')
    if kind in (Aggregation.COUNT, Aggregation.STOCK) and metric.unit == "percent":
        yield error("unit", f"a {kind} is no share.", 'Name what is counted, or use aggregation = "ratio".')


def _numbers_in_range(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if not 0 <= metric.decimals <= MOST_DECIMALS:
        yield error("decimals", f"{metric.decimals} is out of range.", f"Write 0 to {MOST_DECIMALS}.")
    if metric.small_counts is not None and not 0 <= metric.small_counts <= MOST_SMALL:
        message = f"{metric.small_counts} is out of range."
        yield error("small_counts", message, f"Write 0 to {MOST_SMALL}; 0 hides nothing.")
    if metric.cap < 1:
        message = f"with a cap of {metric.cap:g} nothing could be on target, which is 1."
        yield error("cap", message, "Write 1 or more.")


def _per_is_for_counts(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.per != "open_day" and metric.aggregation is not Aggregation.COUNT:
        message = f"`per` says what one target of a count stands for; this is a {metric.aggregation}."
        yield error("per", message, "Leave it out.")


# --- what it weighs ----------------------------------------------------------------------------


def _service_in_the_headline_is_public(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    weighs = any(weight.value > 0 for weight in metric.weights)
    if metric.family is Family.SERVICE and weighs and not metric.public:
        message = "a service with a weight is in the public headline, and this one is not public."
        yield error("public", message, "Write public = true, or weight = 0.")


def _hidden_city_weighs_nothing(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.hide_small_city and any(weight.value > 0 for weight in metric.weights):
        message = "its part of the headline would give away what is hidden of the city."
        yield error("hide_small_city", message, "Leave it out, or write weight = 0.")
    if metric.hide_small_city and metric.historical:
        message = "a target from the metric's own past would give away what is hidden of it."
        yield error("hide_small_city", message, "Leave it out, or give a [[target]].")


def _small_counts_agree(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    if metric.small_counts is None or draft.city is None:
        return
    held_by = suppression.limits(draft.city, draft.metrics.values()).get(metric.id, 0)
    if held_by > metric.small_counts:
        message = f"metrics of the same records hide counts up to {held_by}, so this one does too."
        yield warning("small_counts", message, "Give all of them the same.")


def _condition_weighs_nothing(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.family is Family.CONDITION and metric.weights:
        message = "a condition stands beside the headline and has no weight."
        yield error("weight", message, 'Leave weight out, or write family = "service".')


def _scored_service_weighs(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    if metric.family is Family.SERVICE and metric.scored_at and not metric.weights:
        yield error("weight", "a scored service has no weight.", "Add weight = 1.0 (0 keeps it out).")


def _weights_are_in_order(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    for number, weight in enumerate(metric.weights, 1):
        if weight.value < 0:
            yield error(_place_of(metric, number), f"{weight.value:g} is negative.", "Write 0 or more.")
    yield from _dated_once("weight", [weight.valid_from for weight in metric.weights])


def _targets_are_dated_once(metric: Metric, _draft: Draft) -> Iterator[Mistake]:
    yield from _dated_once("target", [target.valid_from for target in metric.targets])


# --- what keeps it honest ----------------------------------------------------------------------


def _pairs_are_other_metrics(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    for number, name in enumerate(metric.pairs):
        if name == metric.id:
            yield error("pairs", "a metric is no counter-metric of itself.", "Leave it out.")
        elif name in metric.pairs[:number]:
            yield error("pairs", f"`{name}` stands there twice.", "Keep one of them.")
        elif _file(name) not in draft.files:
            yield error("pairs", f"there is no metric `{name}`.", did_you_mean(name, draft.metrics))
        elif name in draft.metrics and draft.metrics[name].retired is not None:
            yield error("pairs", f"`{name}` is retired and watches nothing.", "Name one that is in use.")


def _splits_are_columns(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    source = draft.sources.get(metric.source)
    if metric.split_by and metric.aggregation not in SPLIT:
        message = f"a {metric.aggregation} is not the sum of its parts."
        yield error("split_by", message, f"Leave it out; it is for {', '.join(SPLIT)}.")
    for number, name in enumerate(metric.split_by if source else ()):
        known = {one.name: one.type for one in source.columns} if source else {}
        if name in metric.split_by[:number]:
            yield error("split_by", f"`{name}` stands there twice.", "Keep one of them.")
        elif name not in known:
            yield error("split_by", f"the source has no column `{name}`.", did_you_mean(name, known))
        elif known[name] not in SPLIT_TYPES:
            message = f"`{name}` is of type {known[name]}, which is different in nearly every record."
            yield error("split_by", message, f"Name a column of type {', '.join(SPLIT_TYPES)}.")


def _what_is_excluded_is_watched(metric: Metric, draft: Draft) -> Iterator[Mistake]:
    """Records can be dropped to look better, so some pair has to count by what `exclude` reads."""
    dropped = _columns_of(metric, draft, "exclude")
    pairs = [draft.metrics[name] for name in metric.pairs if name in draft.metrics]
    if dropped and not any(dropped & _counted(one, draft) for one in pairs if one.source == metric.source):
        message = "records are dropped, and no metric in `pairs` watches how many."
        yield warning("exclude", message, 'Name one that counts them: pairs = ["requests_excluded"].')


def _counted(metric: Metric, draft: Draft) -> frozenset[str]:
    """What decides which records a metric counts, where it drops none by the same."""
    return _columns_of(metric, draft, "where", "numerator") - _columns_of(metric, draft, "exclude")


def _columns_of(metric: Metric, draft: Draft, *words: str) -> frozenset[str]:
    found = [one for word, _, one in _expressions(metric, draft) if word in words]
    return frozenset().union(*(one.columns for one in found if isinstance(one, Expression)))


RULES_OF_THE_RETIRED: tuple[Rule, ...] = (_says_what_it_is,)
"""A retired metric's source and columns may be gone."""

RULES: tuple[Rule, ...] = (
    _says_what_it_is,
    _department_is_known,
    _source_is_known,
    _aggregation_has_its_words,
    _percentile_is_a_share,
    _dates_are_times,
    _district_is_text,
    _expressions_parse,
    _emptiness_is_meant,
    _clock_is_told,
    _unit_is_known,
    _shares_are_percent,
    _numbers_in_range,
    _per_is_for_counts,
    _service_in_the_headline_is_public,
    _hidden_city_weighs_nothing,
    _condition_weighs_nothing,
    _scored_service_weighs,
    _weights_are_in_order,
    _targets_are_dated_once,
    _pairs_are_other_metrics,
    _splits_are_columns,
    _small_counts_agree,
    _what_is_excluded_is_watched,
    *TARGET_RULES,
)


# --- inside ------------------------------------------------------------------------------------


def _file(stem: str) -> str:
    return f"{METRICS}/{stem}.toml"


def _clauses(metric: Metric) -> list[tuple[str, str, Literal["test", "number"]]]:
    """The expressions of a metric: word, text, and what it must be."""
    of_sums = metric.denominator is not None
    clauses: list[tuple[str, str | None, Literal["test", "number"]]] = [
        ("where", metric.where, "test"),
        ("exclude", metric.exclude, "test"),
        ("numerator", metric.numerator, "number" if of_sums else "test"),
        ("denominator", metric.denominator, "number"),
        ("value", metric.value, "number"),
        ("quantity", metric.quantity, "number"),
    ]
    return [(word, text, expects) for word, text, expects in clauses if text is not None]


def _expressions(metric: Metric, draft: Draft) -> Iterator[tuple[str, str, Expression | ExpressionError]]:
    source = draft.sources.get(metric.source)
    if source is None:
        return
    columns: dict[str, ColumnType] = {column.name: column.type for column in source.columns}
    for word, text, expects in _clauses(metric):
        try:
            yield word, text, parse(text, columns, _zone(draft), expects=expects)
        except ExpressionError as refused:
            yield word, text, refused


def _zone(draft: Draft) -> ZoneInfo:
    """The city's zone; any other where it is wrong, which another rule reports."""
    try:
        return ZoneInfo(draft.city.time_zone if draft.city else "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _refers(metric: Metric, draft: Draft, place: str, name: str, types: Sequence[str]) -> Iterator[Mistake]:
    source = draft.sources.get(metric.source)
    if source is None:
        return
    column = column_of(source, name)
    if column is None:
        message = f"source `{source.id}` has no column `{name}`."
        yield error(place, message, did_you_mean(name, [column.name for column in source.columns]))
    elif column.type not in types:
        message = f"`{name}` is a column of type {column.type}."
        yield error(place, message, f"Name a column of type {' or '.join(types)}.")


def _place_of(metric: Metric, number: int) -> str:
    only: tuple[Weight, ...] = metric.weights
    return "weight" if len(only) == 1 and only[0].valid_from == FROM_THE_START else f"weight {number}"


def _dated_once(word: str, days: Sequence[date]) -> Iterator[Mistake]:
    for number, (one, following) in enumerate(pairwise(days), 1):
        if one == following:
            message = f"two are valid from {one}."
            yield error(f"{word} {number + 1}", message, "Keep one of them, or correct its date.")
