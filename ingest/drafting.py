"""The text of a source's file and of its metrics' files, from what a table seems to be, guesses marked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from ingest.guessing import AFTERWARDS, Guess, Guesses
from ingest.looking import Address
from ingest.spellings import Spelled
from metrics.model import UNKNOWN_DISTRICT, Catalogue

GUESS = "GUESS"
"""The word before everything that an analyst has to check."""

LEAST_TARGET, MOST_TARGET = 0.05, 0.95
EARLY = 0.01
"""The share of cases closed before they were opened from which on they are not refused."""

STANDARD_SHARE = 0.75
"""The share of closed cases that the guessed standard holds for."""

MOST_SPELLINGS = 60
"""How many spellings are listed for somebody to say which district each one means."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Draft:
    """Files to be written, their text by path in the city's folder, and why some are not among them."""

    files: Mapping[str, str]
    left_out: Sequence[str]


def draft(
    id_: str, address: Address, found: Guesses, catalogue: Catalogue, districts: Spelled | None = None
) -> Draft:
    """A source called `id_` and the metrics its columns allow. The key must have been found."""
    files = {f"sources/{id_}.toml": _source(id_, address, found, catalogue, districts)}
    left_out = []
    for name, needs, text in (
        ("on_time", ("opened", "due", "closed"), _on_time),
        ("days_to_close", ("opened", "closed"), _days_to_close),
        ("within_standard", ("opened", "closed"), _within_standard),
        ("opened", ("opened",), _volume),
        ("open", ("opened", "closed"), _backlog),
    ):
        missing = [role for role in needs if role not in found.roles]
        if missing:
            left_out.append(f"{id_}_{name}: no column tells when a case is {' or '.join(missing)}")
        else:
            metric = _Metric(f"{id_}_{name}", id_, found, catalogue, districts)
            files[f"metrics/{metric.id}.toml"] = text(metric)
    return Draft(files, left_out)


def known_days(found: Guesses, time_zone: str) -> date | None:
    """The day to publish for: the one before it is the last that the rows surely cover whole."""
    opening = found.of("opened")
    if opening is None or found.newest is None:
        return None
    until = found.newest + timedelta(minutes=found.quiet_minutes)
    if opening.column.type == "instant":
        until = until.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone))
    return until.date()


# --- the source ------------------------------------------------------------------------------------


def _source(
    id_: str, address: Address, found: Guesses, catalogue: Catalogue, districts: Spelled | None
) -> str:
    roles, is_joined = found.roles, len(found.key) > 1
    key = f"{id_}_key" if is_joined else found.key[0]
    lines = [
        f"# Written by `python -m ingest discover`. What is marked {GUESS} is to be checked by somebody who",
        "# knows the data; a line that is wrong is changed here and tried with `ingest run --dry-run`.",
        f"id = {_text(id_)}",
        f"name = {_text(id_.replace('_', ' ').capitalize())}",
        f"kind = {_text(address.kind)}",
        f"key = {_text(key)}  # {GUESS}: {found.reasons['key']}",
    ]
    for word, role in (("arrival", "opened"), ("modified", "modified"), ("closed", "closed")):
        if role in roles:
            lines.append(f"{word} = {_text(roles[role])}  # {GUESS}: {found.reasons[role]}")
    if "opened" in roles:
        why = "99 of 100 times the next record came sooner"
        lines.append(f"quiet_minutes = {found.quiet_minutes}  # {GUESS}: {why}")
    if address.kind == "open311":
        lines.append(
            f"begins = {_first_day(found)}  # {GUESS}: the first day that was seen; put an earlier one"
        )
    lines += ['schedule = "0 4 * * *"', f"publisher = {_text(catalogue.city.name)}", 'licence = ""', ""]
    lines.append("[options]")
    lines += [f"{word} = {_value(value)}" for word, value in address.options.items()]
    if is_joined:
        lines += [
            f"key_from = {_value(list(found.key))}  # {GUESS}: {found.reasons['key']}",
            "",
            f"[columns.{key}]",
            'type = "text"',
        ]
    for one in found.columns:
        is_place = districts is not None and one.column.name == districts.column
        lines += ["", *(_district(one, districts) if districts and is_place else _column(one, found))]
    return "\n".join(lines) + "\n"


def _district(one: Guess, districts: Spelled) -> list[str]:
    """The column of districts, with the spellings that name none as a value map to be filled in."""
    column, strange = one.column, districts.strange
    lines = [
        f"[columns.{column.name}]  # {one.empty} empty, {one.distinct} different",
        f'type = "district"  # {GUESS}: {districts.named} of {districts.filled} cells name one of the city',
    ]
    if column.aliases:
        lines.append(f"aliases = {_value(list(column.aliases))}")
    if districts.latitude and districts.longitude:
        lines.append(f"latitude = {_text(districts.latitude)}  # {GUESS}: where a cell is empty")
        lines.append(f"longitude = {_text(districts.longitude)}  # {GUESS}")
    if not strange:
        return lines
    listed = dict(list(strange.items())[:MOST_SPELLINGS])
    why = f"{len(strange)} spellings name no district; put its id in the place of {_text(UNKNOWN_DISTRICT)}"
    lines += ["", f"[columns.{column.name}.values]", f"# {GUESS}: {why}."]
    for spelling, rows in listed.items():
        perhaps = f", perhaps {districts.likely[spelling]}" if spelling in districts.likely else ""
        lines.append(f"{_text(spelling)} = {_text(UNKNOWN_DISTRICT)}  # {rows} rows{perhaps}")
    if len(listed) < len(strange):
        lines.append(f"# and {len(strange) - len(listed)} more, which are unknown as well")
    return lines


def _column(one: Guess, found: Guesses) -> list[str]:
    column = one.column
    counts = f"{one.empty} empty, {one.distinct} different"
    if one.personal and column.name not in found.key:
        note = "looks like names, addresses or free text, and is not kept"
        return [f"# {GUESS}: [columns.{column.name}] ({one.written!a}: {counts}) {note}."]
    lines = [f"[columns.{column.name}]  # {counts}", f"type = {_text(column.type)}  # {GUESS}"]
    if column.aliases:
        lines.append(f"aliases = {_value(list(column.aliases))}")
    if column.formats:
        lines.append(f"format = {_text(column.formats[0])}  # {GUESS}: the first form that fits the cells")
    if column.stamps == "local":
        why = "the offset that is written puts the working day into the night"
        lines.append(f'stamps = "local"  # {GUESS}: {why}')
    if column.unfit == "empty":
        lines.append(f'unfit = "empty"  # {GUESS}: {one.misfits} cells are not of this type')
    return [*lines, *_clock_words(one, found)]


def _clock_words(one: Guess, found: Guesses) -> list[str]:
    roles, name = found.roles, one.column.name
    if name == roles.get("due"):
        return [f"planned = true  # {GUESS}: a due date lies ahead"]
    if name == roles.get("closed") and "opened" in roles:
        pairs = found.pairs("opened", "closed")
        early = sum(closed < opened for opened, closed in pairs)
        opening = found.of("opened")
        is_alike = opening is not None and opening.column.type == one.column.type
        if is_alike and early <= len(pairs) * EARLY:
            return [
                f"not_before = {_text(roles['opened'])}  # {GUESS}: {early} rows are, and will be refused"
            ]
    is_later = one.column.type in ("text", "boolean") and AFTERWARDS.search(name) and name not in found.key
    if is_later and "closed" in roles:
        return [
            f"known_with = {_text(roles['closed'])}  # {GUESS}: what it says is known at the closing only"
        ]
    return []


# --- the metrics -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Metric:
    """What every text of a metric needs."""

    id: str
    source: str
    found: Guesses
    catalogue: Catalogue
    districts: Spelled | None = None

    def role(self, role: str) -> str:
        return self.found.roles[role]

    def text(self, name: str, words: Mapping[str, str], counted: Mapping[str, object], *more: str) -> str:
        """The file: what people read, what is counted, and lines behind."""
        department = next(iter(self.catalogue.departments), "city")
        read = {
            "id": self.id,
            "name": name,
            "department": department,
            "theme": "services",
            **words,
            "owner": f"to be named ({department})",
        }
        if "closed" in self.found.roles and "opened" in self.found.roles:
            read["clock_start"] = f"the case is opened ({self.role('opened')})"
            read["clock_stop"] = f"the case is closed ({self.role('closed')})"
        lines = [f"# Written by `python -m ingest discover`. {GUESS}: every word of it is to be checked."]
        lines += [f"{word} = {_value(value)}" for word, value in read.items()]
        lines += ["", f"source = {_text(self.source)}"]
        lines += [f"{word} = {_value(value)}" for word, value in counted.items()]
        if self.districts:
            lines.append(f"district = {_text(self.districts.column)}  # {GUESS}")
        return "\n".join([*lines, *more]) + "\n"


def _on_time(metric: _Metric) -> str:
    closed, due = metric.role("closed"), metric.role("due")
    due_by = _cohort(metric.found)
    share = sum(is_kept for is_kept in due_by) / len(due_by) if due_by else 0.8
    words = {
        "family": "service",
        "question": "If I ask for something, is it done by the date I am given?",
        "definition": "Of the cases due on a day, the share closed by their due date. A case that is late "
        "and still open counts as late, on the day it was due.",
        "limitations": "A closed case says that somebody closed it, not that the work holds. Cases without a "
        "due date are not counted.",
    }
    counted = {"aggregation": "ratio", "date": due, "numerator": f"{closed} <= {due}"}
    return metric.text("Closed on time", words, counted, *_scored("percent", "higher_is_better"),
                       *_target(metric, _share(share)))  # fmt: skip


def _days_to_close(metric: _Metric) -> str:
    opened, closed = metric.role("opened"), metric.role("closed")
    words = {
        "family": "condition",
        "question": "How long does it usually take?",
        "definition": "The median number of days from opening to closing, over the cases closed on a day.",
        "limitations": "Cases that are still open are not in it: clearing old ones makes it look worse. Read "
        "it beside the cases that are open.",
    }
    counted = {
        "aggregation": "median",
        "date": closed,
        "value": f"days_between({opened}, {closed})",
        "unit": "days",
        "direction": "lower_is_better",
    }
    return metric.text("Days to close", words, counted)


def _within_standard(metric: _Metric) -> str:
    """A service where no due date says what was promised, else beside the one that has it."""
    opened, closed = metric.role("opened"), metric.role("closed")
    lasted = sorted(max(timedelta(0), b - a) for a, b in metric.found.pairs("opened", "closed"))
    usual = lasted[int(len(lasted) * STANDARD_SHARE)] if lasted else DAY
    days = max(1, ceil(usual / DAY))
    share = sum(one <= days * DAY for one in lasted) / len(lasted) if lasted else STANDARD_SHARE
    is_service = "due" not in metric.found.roles
    words = {
        "family": "service" if is_service else "condition",
        "question": f"Is a case done within {_days(days)}?",
        "definition": f"Of the cases closed on a day, the share that was closed within {_days(days)} of its "
        "opening.",
        "limitations": "Cases that are still open are not in it; read it beside the cases that are open.",
    }
    within = f"days_between({opened}, {closed}) <= {days}"
    counted = {"aggregation": "ratio", "date": closed, "numerator": within}
    more = _scored("percent", "higher_is_better") if is_service else _shown("percent", "higher_is_better")
    more = [f"# {GUESS}: three of four cases took no longer than {_days(days)}", *more]
    target = _target(metric, _share(share)) if is_service else []
    return metric.text(f"Closed within {_days(days)}", words, counted, *more, *target)


def _volume(metric: _Metric) -> str:
    words = {
        "family": "condition",
        "question": "How much do residents ask of the city?",
        "definition": "All cases opened on a day.",
        "limitations": "It counts what is reported, which is neither good nor bad. A case without an opening "
        "date is not counted.",
    }
    counted = {"aggregation": "count", "date": metric.role("opened"), "unit": "cases", "decimals": 0}
    return metric.text("Cases opened", words, counted | {"direction": "neutral"})


def _backlog(metric: _Metric) -> str:
    words = {
        "family": "condition",
        "question": "How much work is waiting?",
        "definition": "Cases that are opened and not yet closed at the end of a day; over a longer period "
        "the mean of its days.",
        "limitations": "A case that was done and never closed counts as open. There is no target: more "
        "requests mean more open ones.",
    }
    counted = {"aggregation": "stock", "date": metric.role("opened"), "until": metric.role("closed"),
               "unit": "cases", "decimals": 0, "direction": "lower_is_better"}  # fmt: skip
    return metric.text("Cases open", words, counted)


def _cohort(found: Guesses) -> list[bool]:
    """Of the cases due before the newest record came: whether each was closed by its due date."""
    due, closed = found.of("due"), found.of("closed")
    newest = found.newest or datetime.max
    if due is None or closed is None:
        return []
    pairs = ((str(a), b) for a, b in zip(due.values, closed.values, strict=True) if a is not None)
    cut = newest.isoformat()
    return [b is not None and str(b) <= a for a, b in pairs if a <= cut]


def _scored(unit: str, direction: str) -> list[str]:
    return [*_shown(unit, direction), 'scored_at = ["week", "month", "quarter"]', "weight = 1.0"]


def _shown(unit: str, direction: str) -> list[str]:
    return [f"unit = {_text(unit)}", f"direction = {_text(direction)}"]


def _first_day(found: Guesses) -> str:
    """The day of the oldest row, in UTC."""
    opening = found.of("opened")
    days = [str(value)[:10] for value in opening.values if value is not None] if opening else []
    return min(days, default="2020-01-01")


def _target(metric: _Metric, value: float) -> list[str]:
    """A target that the rows themselves show: an unchanged city scores 1.00 until somebody decides."""
    begins = max(_first_day(metric.found), "2000-01-01")
    return [
        "",
        "[[target]]",
        f"value = {value}  # {GUESS}: what the rows show; put here what the department has promised",
        f"valid_from = {begins[:4]}-01-01",
        'reason = "As it was in the rows from which discovery wrote this; not yet decided by anybody"',
        'approved_by = "nobody yet"',
    ]


def _share(share: float) -> float:
    return min(max(round(share, 2), LEAST_TARGET), MOST_TARGET)


def _days(number: int) -> str:
    return "a day" if number == 1 else f"{number} days"


def _text(text: str) -> str:
    return _value(text)


def _value(value: object) -> str:
    """A string, number, truth or list of strings as TOML writes it, which has no half of a surrogate pair."""
    written = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return written.replace("\x7f", "\\u007f")
