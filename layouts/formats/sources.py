"""The sentences about sources for whoever looks after them: how they came along, what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from layouts.formats import days, freshness, numbers
from layouts.formats.language import _, ngettext
from layouts.sources_view import Arrival, DayMark, SourceLine, SourcesView, SourceView
from metrics.model import Catalogue, City, Grain
from store.requests import Request
from store.source_ledger import Run
from store.source_requests import BACKFILL, DRY_RUN, REPLAY, RUN

WELL = ("succeeded", "unchanged")
BROKEN = ("failed", "interrupted", "refused", "given_up")


def headline(view: SourcesView) -> str:
    """What there is to see to, in one sentence."""
    count, late, failed = len(view.lines), len(view.late), len(view.failed)
    if not count:
        return _("{city} has no sources yet").format(city=view.city.name)
    if all(one.run is None for one in view.lines):
        return _("No source has run yet")
    parts = [] if late else [on_time(count)]
    if late:
        parts.append(
            ngettext("{late} of {count} sources is late", "{late} of {count} sources are late", late).format(
                late=numbers.count(late), count=numbers.count(count)
            )
        )
    if failed:
        parts.append(
            ngettext("the last run of {count} failed", "the last runs of {count} failed", failed).format(
                count=numbers.count(failed)
            )
        )
    if view.refused:
        parts.append(rows_wait(view.refused))
    return _sentence(parts)


def on_time(count: int) -> str:
    """That every source is on time."""
    return ngettext("the one source is on time", "all {count} sources are on time", count).format(
        count=numbers.count(count)
    )


def rows_wait(count: int) -> str:
    """How many refused rows are open."""
    return ngettext("{count} refused row waits", "{count} refused rows wait", count).format(
        count=numbers.count(count)
    )


def source_headline(line: SourceLine) -> str:
    """One source: how it stands, and what there is to see to."""
    name = line.source.name
    if line.run is None:
        return _("{source} has never run").format(source=name)
    behind = line.status.behind
    if behind is None:
        parts = [_("nothing is known of it")]
    elif line.status.is_late:
        parts = [_("it is {time} late").format(time=freshness.length(behind))]
    else:
        parts = [_("it is on time")]
    if line.has_failed:
        parts.append(_("its last run failed"))
    if line.refused:
        parts.append(rows_wait(line.refused))
    return _("{source}: {finding}").format(source=name, finding=", ".join(parts))


def about(line: SourceLine, catalogue: Catalogue) -> str:
    """Where a source comes from and who counts by it."""
    named = [catalogue.departments[one].name for one in line.departments]
    parts = []
    if line.source.publisher:
        parts.append(_("Published by {publisher}.").format(publisher=line.source.publisher))
    parts.append(_("Kind {kind}.").format(kind=line.source.kind))
    if named:
        parts.append(_("Measures of {departments} count by it.").format(departments=_listed(named)))
    else:
        parts.append(_("No measure counts by it."))
    return " ".join(parts)


def worker(view: SourcesView | SourceView) -> str:
    """What is said where nobody would answer; empty where a worker is there."""
    if view.is_worked:
        return ""
    return _("No worker is at work: what is asked for here waits until one is started.")


def as_of(now: datetime, city: City) -> str:
    """The moment a page speaks of."""
    return _("As of {instant}, {zone}").format(instant=days.instant(now, city), zone=city.time_zone)


# --- the strip of days -------------------------------------------------------------------------


def arrival_word(arrival: Arrival) -> str:
    """How a day came along, in a word or two."""
    return {
        Arrival.ON_TIME: _("On time"),
        Arrival.LATE: _("Late"),
        Arrival.FAILED: _("Failed"),
        Arrival.MISSING: _("Missing"),
        Arrival.BEFORE: _("Before its first run"),
    }[arrival]


def arrival_meaning(arrival: Arrival) -> str:
    """What the word means."""
    return {
        Arrival.ON_TIME: _("known when it was due"),
        Arrival.LATE: _("known after it was due"),
        Arrival.FAILED: _("not known: the last run failed"),
        Arrival.MISSING: _("not known, though no run failed"),
        Arrival.BEFORE: _("due before the source ever ran"),
    }[arrival]


def strip_sentence(marks: Iterable[DayMark]) -> str:
    """The days counted by how they came along."""
    all_days = list(marks)
    if not all_days:
        return _("It has never run.")
    counted = [(one, sum(mark.arrival is one for mark in all_days)) for one in Arrival]
    said = [
        _("{count} {word}").format(count=numbers.count(count), word=arrival_word(one).lower())
        for one, count in counted
        if count
    ]
    return _("Of the last {days} days: {parts}.").format(
        days=numbers.count(len(all_days)), parts=_listed(said)
    )


def strip_caption(marks: Sequence[DayMark]) -> str:
    """From when to when the days are, and how they came along."""
    first, last = marks[0].day, marks[-1].day
    span = _("{first} to {last}.").format(first=days.day(first), last=days.day(last))
    return f"{span} {strip_sentence(marks)}"


def mark_words(mark: DayMark) -> str:
    """A day and how it came along, for whoever points at it."""
    return _("{day}: {word}").format(day=days.day(mark.day), word=arrival_word(mark.arrival))


def known_since(mark: DayMark, city: City) -> str:
    """Since when a day is known; a dash for never."""
    return numbers.NOTHING if mark.known_at is None else days.instant(mark.known_at, city)


def mark_runs(mark: DayMark) -> str:
    """How many runs there were for a day, and how many of them broke."""
    if not mark.failed:
        return numbers.count(mark.runs)
    return _("{runs}, {failed} failed").format(
        runs=numbers.count(mark.runs), failed=numbers.count(mark.failed)
    )


# --- runs ------------------------------------------------------------------------------------------


def asked_by(trigger: str) -> str:
    """What a run was for."""
    if trigger.startswith("backfill "):
        return _("Backfill of {days}").format(days=trigger.removeprefix("backfill ").replace("..", " – "))
    if trigger.startswith("delivery "):
        return _("Rows that were sent in")
    return {
        "schedule": _("On schedule"),
        "request": _("Asked for on a page"),
        "command": _("Asked for by command"),
        "replay": _("Replay of refused rows"),
        "enter": _("Values given by hand"),
    }.get(trigger, trigger)


def run_outcome(run: Run | None) -> str:
    """How a run ended."""
    if run is None:
        return _("Has never run")
    return {
        "running": _("Running now"),
        "succeeded": _("Succeeded"),
        "unchanged": _("Nothing new"),
        "failed": _("Failed"),
        "interrupted": _("Interrupted"),
    }.get(run.outcome, _("Ended"))


def took(run: Run) -> str:
    """How long a run took; a dash while it is under way."""
    if run.finished_at is None:
        return numbers.NOTHING
    passed = run.finished_at - run.started_at
    if passed < timedelta(minutes=1):
        return _("{seconds} s").format(seconds=numbers.count(max(1, round(passed.total_seconds()))))
    return freshness.length(passed)


def seen_to(line: SourceLine) -> str:
    """What is unusual of a source's last run, counted; empty for nothing."""
    count = len(line.unusual)
    if not count:
        return ""
    return ngettext("{count} thing unusual", "{count} things unusual", count).format(
        count=numbers.count(count)
    )


# --- refused rows --------------------------------------------------------------------------------


def refused_reason(column: str | None, rule: str) -> str:
    """Why rows are refused: the column and what is wrong with its cell."""
    return f"{column} {rule}" if column else rule


def fix_words(means: str) -> str:
    """What a rule does with the rows."""
    return {
        "format": _("Read this way of writing times too."),
        "empty": _("Take these cells for empty: they mean nothing."),
        "value": _("Say what these cells mean, in place of the dots."),
        "keep": _("Keep cells that are none of the values declared, as they are."),
        "unfit": _("Keep the row, and empty the cell."),
        "optional": _("Keep the row: the cell may be empty."),
    }[means]


def no_fix() -> str:
    """Where no rule can let rows in."""
    return _(
        "No rule can mend these rows: what a row says, or which record it is, cannot be told. "
        "Let its source send them again; the next run that reads them has the answer."
    )


def fix_lead(source: str) -> str:
    """What to do with a rule."""
    return _(
        "Choose one, add it to sources/{source}.toml under the heading of the column, start the worker and "
        "the pages anew, and replay: rows that fit then become records."
    ).format(source=source)


def replay_words(count: int) -> str:
    """The button that reads refused rows again."""
    return ngettext("Read {count} refused row again", "Read {count} refused rows again", count).format(
        count=numbers.count(count)
    )


def some_of(shown: int, count: int) -> str:
    """How many rows are shown of how many; empty where all are."""
    if shown >= count:
        return ""
    return _("The first {shown} of {count}.").format(shown=numbers.count(shown), count=numbers.count(count))


def refused_hidden(departments: list[str]) -> str:
    """What somebody is told who may not see the rows."""
    if not departments:
        return _("The rows may hold personal data. Administrators see them.")
    return _(
        "The rows may hold personal data. Editors and owners of {departments} and administrators see them."
    ).format(departments=_listed(departments))


# --- what is asked for -------------------------------------------------------------------------------


def kind_word(kind: str) -> str:
    """What was asked for."""
    return {
        RUN: _("Run"),
        DRY_RUN: _("Dry run"),
        BACKFILL: _("Backfill"),
        REPLAY: _("Replay of refused rows"),
    }.get(kind, kind)


def asked_for(kind: str) -> str:
    """What is said when it was asked for."""
    return {
        RUN: _("The run is asked for; its result stands here when it is over."),
        DRY_RUN: _("The dry run is asked for; nothing it reads is kept."),
        BACKFILL: _("The backfill is asked for; it is read step by step, the newest first."),
        REPLAY: _("The refused rows are read again; the result stands here when that is done."),
    }[kind]


def request_title(request: Request) -> str:
    """What was asked for and how it stands, as a heading."""
    return _("{what}: {state}").format(what=kind_word(request.kind), state=request_state(request))


def request_state(request: Request) -> str:
    """How something that was asked for stands, in words."""
    if request.finished_at is not None:
        outcome = str((request.result or {}).get("outcome"))
        return {
            "succeeded": _("done"),
            "unchanged": _("done, nothing was new"),
            "published": _("done"),
            "failed": _("failed"),
            "interrupted": _("interrupted"),
            "refused": _("refused"),
            "busy": _("not begun: another run of the source is under way"),
            "stopped": _("stopped"),
            "given_up": _("given up"),
        }.get(outcome, outcome.replace("_", " "))
    if request.claimed_at is not None or request.progress:
        return _("under way")
    return _("waiting for the worker")


def request_asked(request: Request, city: City) -> str:
    """Who asked for it, when, and for which days."""
    since, until = (request.arguments.get(word) for word in ("since", "until"))
    by = str(request.arguments.get("by") or _("somebody"))
    told = _("Asked for by {name}, {instant}.").format(
        name=by, instant=days.instant(request.created_at, city)
    )
    if since or until:
        span = _("Days {since} to {until}.").format(since=_day(since), until=_day(until))
        told = f"{told} {span}"
    if request.finished_at is not None:
        told = f"{told} " + _("Answered {instant}.").format(instant=days.instant(request.finished_at, city))
    return told


def request_sentence(request: Request) -> str:
    """The newest that the worker said of it."""
    words: Mapping[str, Any] = request.result or request.progress or {}
    return str(words.get("sentence") or "")


def steps_words(done: int, of: int) -> str:
    """How far a backfill is."""
    return _("{done} of {of} steps").format(done=numbers.count(done), of=numbers.count(of))


# --- a dry run -----------------------------------------------------------------------------------


def counted(words: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The counts of a run by their names."""
    names = (
        ("read", _("Rows read")),
        ("new", _("New")),
        ("changed", _("Changed")),
        ("unchanged", _("Unchanged")),
        ("withdrawn", _("Vanished")),
        ("rejected", _("Rejected")),
    )
    return [(name, int(words[key])) for key, name in names if isinstance(words.get(key), int)]


def effect_sentence(effect: Mapping[str, Any] | None) -> str:
    """What a dry run would do to the scores, in one sentence."""
    if effect is None:
        return _("What it would do to the scores is not known, as the run would fail.")
    if effect.get("why_not"):
        return _("Nothing would be published: {why}").format(why=effect["why_not"])
    scores, composites = int(effect["scores"]), int(effect["composites"])
    if not scores and not composites:
        return _("No score would change.")
    restated = int(effect["restated"])
    said = _(
        "{scores} scores of measures and {composites} of departments and the city would be new or changed."
    )
    told = said.format(scores=numbers.count(scores), composites=numbers.count(composites))
    if not restated:
        return told
    return f"{told} " + ngettext(
        "{count} final score would be restated.", "{count} final scores would be restated.", restated
    ).format(count=numbers.count(restated))


def moved_period(moved: Mapping[str, Any]) -> str:
    """The period of a score that would be another."""
    word = {
        Grain.DAY: _("day of {day}"),
        Grain.WEEK: _("week of {day}"),
        Grain.MONTH: _("month of {day}"),
        Grain.QUARTER: _("quarter of {day}"),
    }[Grain(moved["grain"])]
    return word.format(day=_day(moved["start"]))


def _day(text: str | None) -> str:
    """A day as it is stored; dots where there is none."""
    return "…" if text is None else days.day(date.fromisoformat(text))


def _sentence(parts: list[str]) -> str:
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def _listed(words: list[str]) -> str:
    """Words one after the other, `and` before the last."""
    if len(words) < 2:
        return "".join(words)
    return _("{some} and {last}").format(some=", ".join(words[:-1]), last=words[-1])
