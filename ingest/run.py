"""One run of one source, isolated and repeatable: read, parse, stage, then one transaction for all of it."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from zoneinfo import ZoneInfo

from ingest import http, profiles, registry
from ingest.cells import Value
from ingest.contract import Copy, Entered, Extract, ReadRequest, SourceError
from ingest.desk import BUSY, Asked, Desk, RunReport
from ingest.memory import Memory, recalled
from ingest.parse import Parser
from ingest.places import Places
from ingest.quarantine import readable
from ingest.redaction import Secrets
from ingest.scrubbing import finish_open, without
from ingest.staging import Filling
from ingest.turns import place, turn, workplace
from ingest.vanished import Gone, missing_from_ids, missing_from_rows, refuse_fewer
from metrics.derived import computed
from metrics.model import Source
from metrics.periods import beginning, local_day
from store import entries, erasures, quarantine, records, runs, snapshots
from store.engine import (
    StoreError,
    Writing,
    instant_text,
    reading,
    writing,
)
from store.erasures import Marks
from store.reduce import prepare_workdays

Seen = TypeVar("Seen")
Do = Callable[[Writing], RunReport]
"""Does a run within a transaction."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How a disk, or what may be used of it, says that it takes no more."""

READING = 1
"""Raised when the code understands the same bytes differently: every source is then read whole again."""


@dataclass(frozen=True)
class _Before:
    """What the last good run left: its memory as usable, and as kept."""

    memory: Memory
    kept: str | None
    known_until: datetime | None


@dataclass
class _Run:
    """One run under way: its number, its start, and the paths of the snapshots it kept.

    keeps: whether it keeps snapshots at all. marks: the records that were erased. lost: the names of what was
    not kept, as it cannot be kept without them.
    """

    desk: Desk
    source: Source
    asked: Asked
    id: int
    started: datetime
    keeps: bool = True
    marks: Marks = field(default_factory=Marks)
    kept: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)

    def __post_init__(self) -> None:
        for word in _texts([self.source.url, self.source.options]):
            self.secrets.see(word)

    def keep(self, copy: Copy) -> None:
        if not self.keeps:
            return
        if not self.marks:
            self._keep(copy)
            return
        with TemporaryDirectory(prefix=f"ingest-{self.source.id}-", dir=self.desk.snapshots.parent) as work:
            fresh = without(copy, self.source, self.desk, self.marks, Path(work))
            if fresh is None:
                self.lost.append(copy.name)
            else:
                self._keep(fresh)

    def _keep(self, copy: Copy) -> None:
        stamp = instant_text(self.started)
        kept = snapshots.keep(self.desk.snapshots, self.source.id, stamp, copy.name, copy.path)
        self.kept.append(str(kept.path.relative_to(self.desk.snapshots)))

    @property
    def snapshot(self) -> str | None:
        return "\n".join(self.kept) or None


@dataclass(frozen=True)
class _Staged:
    """What was read of a source and is about to become records.

    sizes: the rows of every place that was read whole. ids: every key the source still has, None where
    that is not known. told: what is said of the sweep.
    """

    before: _Before
    extract: Extract
    parser: Parser
    filling: Filling
    stage: records.Stage
    sizes: Mapping[str, int]
    ids: set[Value] | None
    told: list[str]


def run_source(
    desk: Desk, source: Source, asked: Asked | None = None, *, dated: Iterable[str] = ()
) -> RunReport:
    """Runs one source and says what became of it; nothing that goes wrong inside stops another source.

    dated: the columns metrics count by. Of two runs of one source at once the second is `busy`, and so
    is one more run than may be under way at once. A failed run is a row of the ledger with its reason and
    changes nothing else.
    """
    asked = asked or Asked()
    try:
        with turn(desk, source), place(desk):
            finish_open(desk, source)
            started = desk.clock()
            run_id = runs.start(desk.engine, desk.clock, source.id, asked.trigger)
            return _guarded(_Run(desk, source, asked, run_id, started), tuple(dated))
    except runs.UnderWayError as error:
        return RunReport(source.id, BUSY, message=str(error))
    except (SourceError, StoreError, OSError) as error:
        return RunReport(source.id, "failed", message=told(error))


def _guarded(run: _Run, dated: tuple[str, ...]) -> RunReport:
    """The run boundary: whatever happens inside becomes a row of the ledger."""
    fail = (run.desk.engine, run.desk.clock, run.id)
    try:
        return _ingest(run, dated)
    except (KeyboardInterrupt, SystemExit):
        runs.fail(*fail, "The run was stopped.", outcome="interrupted", snapshot=run.snapshot)
        raise
    except Exception as error:  # noqa: BLE001 - one source must not stop the others
        message = run.secrets.hidden(told(error))
        try:
            runs.fail(*fail, message, snapshot=run.snapshot)
        except StoreError as second:
            # The row stays as it is until the next run of the source closes it.
            message = message if told(second) == message else f"{message} And not entered: {told(second)}"
        return RunReport(run.source.id, "failed", message=message)


def try_source(
    desk: Desk, source: Source, asked: Asked, look: Callable[[Writing, Do], Seen], dated: Iterable[str] = ()
) -> Seen:
    """Does a run in a transaction that is rolled back, and keeps no snapshot; gives what `look` saw.

    look is called within the transaction and decides when the run is done there. Raises SourceError and
    StoreError where a run would have failed, and runs.UnderWayError.
    """
    run = _Run(desk, source, asked, 0, desk.clock(), keeps=False)
    with turn(desk, source), place(desk), _without_secrets(run):
        if computed(source):
            with writing(desk.engine, desk.clock) as write:
                # The business days of the city are no part of the run: whoever reduces writes them too.
                prepare_workdays(write.connection, desk.city)
        with _staged(run) as staged, staged.stage.trying(desk.clock) as write:

            def do(held: Writing) -> RunReport:
                records.prepare(held.connection, source, tuple(dated))
                run.id = runs.start_within(held, source.id, asked.trigger)
                return _settled(held, run, staged)

            return look(write, do)


@contextmanager
def _without_secrets(run: _Run) -> Iterator[None]:
    """What goes wrong in the block, in a sentence that repeats no secret of the run."""
    try:
        yield
    except (SourceError, OSError) as error:
        raise SourceError(run.secrets.hidden(told(error))) from None


def _ingest(run: _Run, dated: tuple[str, ...]) -> RunReport:
    """From the source to the records: rows are staged without a lock, then one transaction does the rest."""
    desk, source = run.desk, run.source
    with writing(desk.engine, desk.clock) as write:
        records.prepare(write.connection, source, dated)
        if computed(source):
            prepare_workdays(write.connection, desk.city)
    with _staged(run) as staged, staged.stage.writing(desk.clock) as write:
        return _settled(write, run, staged)


@contextmanager
def _staged(run: _Run) -> Iterator[_Staged]:
    """Reads the source into a stage, which ends with the block."""
    desk, source, asked = run.desk, run.source, run.asked
    before = _before(run)
    with reading(desk.engine) as connection:
        run.marks = erasures.marks(connection, source.id)
    parser = Parser(
        source,
        desk.city.time_zone,
        records.stage_columns(source),
        asked.since,
        asked.until,
        places=Places(desk.districts),
        today=local_day(desk.city, run.started),
    )
    filling = Filling(source, instant_text(run.started), marks=run.marks)
    with (
        workplace(desk.snapshots.parent, source) as work,
        records.staging(desk.engine, source) as stage,
        http.paced(source.requests_per_second),
    ):
        extract = _open(run, before, work)
        filling.fill(stage, extract.pages, parser, desk.progress)
        sizes = _sizes(run, extract, filling, before)
        ids, told = _ids(run, extract, parser)
        computing = stage.compute(ZoneInfo(desk.city.time_zone))
        filling.add_unfit(computing.unfit)
        parser.count_emptied(computing.emptied)
        yield _Staged(before, extract, parser, filling, stage, sizes, ids, told)


def _settled(write: Writing, run: _Run, staged: _Staged) -> RunReport:
    """What is staged becomes records, with everything else that the run leaves behind."""
    before, extract, filling, stage = staged.before, staged.extract, staged.filling, staged.stage
    counts = stage.merge(write, run.id)
    filling.add_conflicts(counts.conflicts)
    gone = _gone(run, extract, filling, stage, staged.ids)
    _keep_refused(write, run, extract, before, filling, stage)
    notes = [
        *_of_erased(run, filling),
        *extract.notes,
        *staged.parser.notes(),
        *staged.told,
        *gone.notes,
        *counts.notes,
        *filling.refusals.notes(),
    ]
    report = RunReport(
        source=run.source.id,
        outcome="unchanged" if extract.unchanged else "succeeded",
        read=filling.read,
        new=counts.new,
        changed=counts.changed,
        unchanged=counts.unchanged + counts.repeated,
        rejected=filling.refusals.count,
        withdrawn=records.withdraw(write, run.source, gone.keys, run.id),
        known_until=_known_until(run, extract, filling, before),
        message=readable(run.secrets.hidden("; ".join(notes))),
        rejections=tuple(map(readable, filling.refusals.tally.lines())),
    )
    report = _checked(write, run, report, stage, whole=_is_whole(run, extract, before))
    _enter(write, run, report, _kept(run, extract, before, gone, staged.sizes))
    return report


def _of_erased(run: _Run, filling: Filling) -> Iterator[str]:
    if filling.passed_over:
        yield f"{filling.passed_over} rows of erased records were passed over"
    if run.lost:
        yield f"no snapshot was kept of {', '.join(run.lost)}, out of which erased records cannot be taken"


def _open(run: _Run, before: _Before, work: Path) -> Extract:
    request = ReadRequest(
        city=run.desk.city,
        now=run.started,
        cursor=None if run.asked.is_ranged or run.asked.accept_fewer else before.memory.cursor,
        since=run.asked.since,
        until=run.asked.until,
        folder=run.desk.folder,
        work=work,
        keep=run.keep,
        progress=lambda said: run.desk.progress(run.secrets.hidden(said)),
        sweep=not run.asked.is_partial and (run.asked.sweep or before.memory.wants_sweep(run.started)),
        open_keys=lambda: _open_keys(run),
        secret=lambda name: _secret(run, name),
        largest=run.desk.largest,
        entered=lambda: _entered(run),
    )
    if run.asked.file is not None:
        return registry.file_reader(run.source.kind)(run.source, run.asked.file, request)
    return registry.kind(run.source.kind).read(run.source, request)


def _before(run: _Run) -> _Before:
    source = run.source
    with reading(run.desk.engine) as connection:
        kept = runs.cursor(connection, source.id)
        known = runs.knowledge(connection, {source.id: source})[source.id]
    return _Before(recalled(kept, _definition(run)), kept, known.known_until)


def _open_keys(run: _Run) -> list[str]:
    with reading(run.desk.engine) as connection:
        return records.open_keys(connection, run.source)


def _entered(run: _Run) -> list[Entered]:
    if run.asked.entered is not None:
        return list(run.asked.entered)
    with reading(run.desk.engine) as connection:
        found = entries.current(connection, run.source.id)
    return [Entered(one.id, one.given.day, one.given.cells) for one in found]


def _secret(run: _Run, name: str) -> str | None:
    try:
        found = run.desk.secret(name)
    except ValueError as error:
        raise SourceError(str(error)) from error
    run.secrets.add(found)
    return found


def _texts(words: object) -> Iterator[str]:
    """Every text in the options of a source, however deep, but for those of another language."""
    if isinstance(words, str):
        yield words
    elif isinstance(words, Mapping):
        yield from _texts([one for name, one in words.items() if name not in ("query", "where")])
    elif isinstance(words, list | tuple):
        for one in words:
            yield from _texts(one)


def _definition(run: _Run) -> str:
    """A mark of everything that decides how the same bytes are understood."""
    source = run.source
    read_by = (source.kind, source.key, source.modified, source.columns, dict(source.options))
    words: tuple[object, ...] = (READING, run.desk.city.time_zone, *read_by)
    if any(column.type == "district" for column in source.columns):
        words = (*words, Places(run.desk.districts).mark)
    if computed(source):
        city = run.desk.city
        words = (*words, city.holiday_country, city.holiday_subdivision, city.holidays, city.closures)
    return hashlib.sha256(repr(words).encode()).hexdigest()[:16]


def _kept(run: _Run, extract: Extract, before: _Before, gone: Gone, sizes: Mapping[str, int]) -> str | None:
    """What the next run begins with: a reading of a range or of some file leaves it as it was."""
    if run.asked.is_partial:
        return before.kept
    memory = before.memory
    swept = run.started if gone.known else memory.swept
    return replace(memory, cursor=extract.cursor, swept=swept, sizes={**memory.sizes, **sizes}).text()


def _known_until(run: _Run, extract: Extract, filling: Filling, before: _Before) -> datetime | None:
    """Method 1; never earlier than before, and no later than before when no row could be used."""
    nothing_usable = filling.read > 0 and not filling.staged
    if run.asked.is_ranged or nothing_usable:
        return before.known_until
    told = run.asked.known_until or extract.updated_at
    if told is None and filling.newest is not None:
        newest = beginning(run.desk.city, filling.newest)
        told = newest + timedelta(minutes=run.source.quiet_minutes)
    candidates = [before.known_until, None if told is None else min(run.started, told)]
    return max((one for one in candidates if one is not None), default=None)


def _sizes(run: _Run, extract: Extract, filling: Filling, before: _Before) -> Mapping[str, int]:
    """The rows of every place that was read whole; SourceError when one is too small to be believed."""
    if run.asked.is_partial or extract.unchanged:
        return {}
    sizes = extract.sizes or ({"": filling.read} if extract.complete else {})
    if not run.asked.accept_fewer:
        refuse_fewer(run.source.id, sizes, before.memory.sizes)
    return sizes


def _ids(run: _Run, extract: Extract, parser: Parser) -> tuple[set[Value] | None, list[str]]:
    """Every key the source still has, None when that is not known; a sweep that fails stops no run."""
    if extract.ids is None or run.asked.is_partial:
        return None, []
    try:
        return parser.keys(list(extract.ids())), []
    except SourceError as error:
        return None, [f"what the source no longer has could not be asked: {told(error)}"]


def _gone(
    run: _Run, extract: Extract, filling: Filling, stage: records.Stage, ids: set[Value] | None
) -> Gone:
    """What is to be withdrawn, as the ids or else the rows of a complete reading tell."""
    if run.asked.is_partial:
        return Gone()
    if ids is not None:
        return missing_from_ids(ids, stage, accepted=run.asked.accept_fewer)
    if extract.complete:
        return missing_from_rows(filling, stage, accepted=run.asked.accept_fewer)
    return Gone()


def _is_whole(run: _Run, extract: Extract, before: _Before) -> bool:
    """Whether everything that the source has was read."""
    return not run.asked.is_partial and (extract.complete or before.memory.cursor is None)


def _checked(write: Writing, run: _Run, report: RunReport, stage: records.Stage, *, whole: bool) -> RunReport:
    """The report with what is unusual of the run; a run of a range or of some file is like no other."""
    if run.asked.is_partial:
        return report
    found = profiles.check(
        write,
        run.source,
        stage,
        run_id=run.id,
        started=run.started,
        trigger=run.asked.trigger,
        rows=None if report.outcome == "unchanged" else report.read,
        whole=whole,
        known_until=report.known_until,
    )
    said = [f"unusual: {sentence}" for sentence in found]
    return replace(report, message="; ".join(filter(None, [report.message, *said])))


def _keep_refused(
    write: Writing, run: _Run, extract: Extract, before: _Before, filling: Filling, stage: records.Stage
) -> None:
    """Keeps the refused rows, and lets earlier ones go that this reading has an answer for."""
    source = run.source.id
    keys = sorted({one.key for one in filling.refusals.kept if one.key is not None})
    rows = filling.refusals.rows(stage.staged(keys))
    quarantine.quarantine_rows(write, run.id, source, rows)
    if not extract.unchanged:
        whole = _is_whole(run, extract, before)
        quarantine.supersede(write, source, run.id, whole=whole, places=filling.places, staged=stage.staged)


def _enter(write: Writing, run: _Run, report: RunReport, cursor: str | None) -> None:
    runs.finish(
        write,
        run.id,
        outcome=report.outcome,
        read=report.read,
        new=report.new,
        changed=report.changed,
        unchanged=report.unchanged,
        rejected=report.rejected,
        withdrawn=report.withdrawn,
        known_until=report.known_until,
        cursor=cursor,
        snapshot=run.snapshot,
        message="; ".join(filter(None, [report.message, *report.rejections])) or None,
    )


def told(error: Exception) -> str:
    """One line for a person: our own errors say it themselves."""
    text = readable(" ".join(str(error).split()))
    if isinstance(error, SourceError | StoreError):
        return text
    if isinstance(error, OSError) and error.errno in FULL:
        return f"The disk is full ({error.strerror}); free space where DATA_DIR is and run again."
    if isinstance(error, OSError):
        place = readable(str(error.filename or "A file or the network"))
        return f"{place}: {error.strerror or text}; mend that and run again."
    return f"The program made a mistake ({type(error).__name__}: {text}); please report it."
