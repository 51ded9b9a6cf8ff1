"""The steps that bring a city's database to the shape this code expects, each applied once.

A migration that has ever run somewhere is frozen: its text never changes, a later one mends it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, insert, inspect, select, update
from sqlalchemy.exc import OperationalError, ProgrammingError

from metrics.model import City
from store.engine import Clock, StoreError, instant_text, locked, reading, writing
from store.schema import house, migrations, publications, runs

Step = Callable[[Connection], None]


@dataclass(frozen=True)
class _House:
    """What a database says of itself: the names applied, and the city's calendar (None before the first)."""

    applied: tuple[str, ...]
    city: str | None = None
    time_zone: str | None = None
    week_start: str | None = None


def migrate(engine: Engine, city: City, clock: Clock) -> list[str]:
    """Brings the database of `city` up to date; gives the names applied, [] when nothing was missing.

    Each step and its record are one transaction, so a step is applied whole or not at all, whatever
    is killed and however many processes migrate at once. Raises StoreError for a database of another
    city, one newer than this code, and a calendar that changed once numbers rest on it.
    """
    known = [name for name, _ in MIGRATIONS]
    found = _glance(engine, city)
    if found is not None and _is_current(found, city, known):
        return []
    applied = [name for name, step in MIGRATIONS if _apply(engine, city, clock, name, step)]
    _change_calendar(engine, city, clock)
    return applied


def lay(connection: Connection, names: Collection[str]) -> None:
    """Applies the steps of these names in the caller's transaction without recording them.

    For `store.restore` alone, which brings the records of them along. Raises StoreError for a name that
    is not known here.
    """
    refuse_unknown(names, "This backup")
    for name, step in MIGRATIONS:
        if name in names:
            step(connection)


def refuse_unknown(names: Collection[str], what: str) -> None:
    """Raises StoreError where `what` (`This database`) has had a migration this code does not know."""
    unknown = sorted(set(names) - {name for name, _ in MIGRATIONS})
    if unknown:
        raise StoreError(
            f"{what} is newer than the program (it has {', '.join(unknown)}); update the program."
        )


def _glance(engine: Engine, city: City) -> _House | None:
    """What the database says in one query; None when it has no tables yet."""
    try:
        with reading(engine) as connection:
            found = _read(connection)
    except (OperationalError, ProgrammingError):
        return None
    _refuse_strangers(found, city)
    return found


def _read(connection: Connection) -> _House:
    statement = select(migrations.c.name, house.c.city, house.c.time_zone, house.c.week_start).select_from(
        migrations.outerjoin(house, house.c.only == 1)
    )
    rows = connection.execute(statement).all()
    if not rows:
        return _House(())
    return _House(tuple(row.name for row in rows), *rows[0][1:])


def _is_current(found: _House, city: City, known: list[str]) -> bool:
    calendar = (found.time_zone, found.week_start) == (city.time_zone, city.week_start)
    return calendar and set(found.applied) == set(known)


def _refuse_strangers(found: _House, city: City) -> None:
    if found.city is not None and found.city != city.id:
        raise StoreError(
            f"This database belongs to the city {found.city}, not to {city.id}; "
            "set CITY, or give each city its own DATABASE_URL."
        )
    refuse_unknown(found.applied, "This database")


def _apply(engine: Engine, city: City, clock: Clock, name: str, step: Step) -> bool:
    with locked(engine) as connection:
        found = _read(connection) if inspect(connection).has_table("migrations") else _House(())
        _refuse_strangers(found, city)
        if name in found.applied:
            return False
        step(connection)
        now = instant_text(clock())
        if found.city is None:
            connection.execute(insert(house).values(_new_house(city, now)))
        connection.execute(insert(migrations).values(name=name, applied_at=now))
    return True


def _new_house(city: City, now: str) -> dict[str, str | int]:
    return {
        "only": 1,
        "city": city.id,
        "time_zone": city.time_zone,
        "week_start": city.week_start,
        "last_written_at": now,
        "state": 0,
    }


def _change_calendar(engine: Engine, city: City, clock: Clock) -> None:
    """Takes over another time zone or week start, as long as nothing was counted by the old one."""
    with reading(engine) as connection:
        found = _read(connection)
    if (found.time_zone, found.week_start) == (city.time_zone, city.week_start):
        return
    with writing(engine, clock) as write:
        _refuse_new_calendar(write.connection, found, city)
        write.connection.execute(update(house).values(time_zone=city.time_zone, week_start=city.week_start))


def _refuse_new_calendar(connection: Connection, found: _House, city: City) -> None:
    if connection.execute(select(func.count()).select_from(publications)).scalar_one():
        changed = "time_zone" if found.time_zone != city.time_zone else "week_start"
        raise StoreError(
            f"city.toml says {changed} {getattr(city, changed)}, but this database has published with "
            f"{getattr(found, changed)}; put {changed} back, or begin a new database."
        )
    loaded = select(func.count()).select_from(runs).where(runs.c.outcome == "succeeded")
    if found.time_zone != city.time_zone and connection.execute(loaded).scalar_one():
        raise StoreError(
            f"city.toml says time_zone {city.time_zone}, but the days of the records were counted in "
            f"{found.time_zone}; put time_zone back, or begin a new database."
        )


def _run(connection: Connection, statements: str) -> None:
    """Runs statements ended by `;`, with {words} for the few types the two engines spell apart."""
    sqlite = connection.dialect.name == "sqlite"
    words = {
        "text": "TEXT" if sqlite else 'TEXT COLLATE "C"',
        "number": "REAL" if sqlite else "DOUBLE PRECISION",
        "id": "INTEGER" if sqlite else "BIGINT",
        "serial": "INTEGER NOT NULL PRIMARY KEY" if sqlite else "BIGSERIAL NOT NULL PRIMARY KEY",
        "strict": "STRICT" if sqlite else "",
        "by_key": "STRICT, WITHOUT ROWID" if sqlite else "",
    }
    for statement in statements.format(**words).split(";"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def _first_tables(connection: Connection) -> None:
    _run(connection, _FIRST_TABLES)


_FIRST_TABLES = """
CREATE TABLE house (
    "only" INTEGER NOT NULL PRIMARY KEY,
    city {text} NOT NULL,
    time_zone {text} NOT NULL,
    week_start {text} NOT NULL,
    last_written_at {text} NOT NULL,
    state INTEGER NOT NULL,
    CONSTRAINT house_has_one_row CHECK ("only" = 1)
) {strict};
CREATE TABLE migrations (
    name {text} NOT NULL PRIMARY KEY,
    applied_at {text} NOT NULL
) {strict};
CREATE TABLE catalogues (
    hash {text} NOT NULL PRIMARY KEY,
    text {text} NOT NULL,
    first_seen {text} NOT NULL
) {strict};
CREATE TABLE runs (
    id {serial},
    source {text} NOT NULL,
    "trigger" {text} NOT NULL,
    started_at {text} NOT NULL,
    finished_at {text},
    outcome {text} NOT NULL,
    "read" INTEGER NOT NULL,
    "new" INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    known_until {text},
    cursor {text},
    snapshot {text},
    message {text},
    CONSTRAINT run_outcome CHECK (outcome in ('running', 'succeeded', 'failed', 'interrupted', 'unchanged'))
) {strict};
CREATE INDEX runs_by_source ON runs (source, id);
CREATE TABLE quarantine (
    id {serial},
    run {id} NOT NULL,
    source {text} NOT NULL,
    line INTEGER,
    "key" {text},
    "column" {text},
    value {text},
    reason {text} NOT NULL,
    "row" {text} NOT NULL,
    recorded_at {text} NOT NULL
) {strict};
CREATE INDEX quarantine_by_source ON quarantine (source, run);
CREATE TABLE observations (
    metric {text} NOT NULL,
    district {text} NOT NULL,
    day {text} NOT NULL,
    as_of {text} NOT NULL,
    recorded_at {text} NOT NULL,
    numerator {number},
    denominator {number},
    amounts {text},
    PRIMARY KEY (metric, day, district, as_of, recorded_at)
) {by_key};
CREATE TABLE reductions (
    metric {text} NOT NULL PRIMARY KEY,
    definition {text} NOT NULL,
    as_of {text} NOT NULL,
    recorded_at {text} NOT NULL
) {strict};
CREATE TABLE publications (
    id {serial},
    as_of {text} NOT NULL,
    known_at {text} NOT NULL,
    published_at {text} NOT NULL,
    catalogue {text} NOT NULL,
    knowledge {text} NOT NULL,
    is_current INTEGER NOT NULL,
    reason {text}
) {strict};
CREATE TABLE scores (
    publication {id} NOT NULL,
    metric {text} NOT NULL,
    district {text} NOT NULL,
    grain {text} NOT NULL,
    start {text} NOT NULL,
    "end" {text} NOT NULL,
    value {number},
    numerator {number},
    denominator {number},
    n {id},
    end_value {number},
    target {number},
    target_high {number},
    floor {number},
    floor_high {number},
    score {number},
    ceiling {number},
    status {text} NOT NULL,
    reason {text},
    weight {number},
    seat {number},
    change {number},
    known_days INTEGER,
    open_days INTEGER,
    completeness {number},
    baseline {text},
    PRIMARY KEY (metric, district, grain, start, publication)
) {by_key};
CREATE INDEX scores_by_publication ON scores (publication);
CREATE INDEX scores_by_period ON scores (grain, start, district);
CREATE TABLE composites (
    publication {id} NOT NULL,
    scope {text} NOT NULL,
    scope_id {text} NOT NULL,
    grain {text} NOT NULL,
    start {text} NOT NULL,
    "end" {text} NOT NULL,
    score {number},
    reason {text},
    coverage {number},
    ceiling {number},
    total INTEGER NOT NULL,
    scored INTEGER NOT NULL,
    on_target INTEGER NOT NULL,
    late {text} NOT NULL,
    lowest {text} NOT NULL,
    before {text},
    change {number},
    change_matched {number},
    contributions {text} NOT NULL,
    meets INTEGER,
    cannot_tell INTEGER,
    misses INTEGER,
    PRIMARY KEY (scope, scope_id, grain, start, publication)
) {by_key};
CREATE INDEX composites_by_publication ON composites (publication);
CREATE TABLE workdays (
    day {text} NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL
) {strict};
CREATE TABLE requests (
    id {serial},
    kind {text} NOT NULL,
    arguments {text} NOT NULL,
    created_at {text} NOT NULL,
    claimed_at {text},
    progress {text},
    finished_at {text},
    result {text}
) {strict};
"""


def _worker_tables(connection: Connection) -> None:
    _run(connection, _WORKER_TABLES)


_WORKER_TABLES = """
CREATE TABLE lease (
    "only" INTEGER NOT NULL PRIMARY KEY,
    holder {text} NOT NULL,
    host {text} NOT NULL,
    pid INTEGER NOT NULL,
    taken_at {text} NOT NULL,
    expires_at {text} NOT NULL,
    CONSTRAINT lease_has_one_row CHECK ("only" = 1)
) {strict};
CREATE TABLE jobs (
    job {text} NOT NULL,
    due_at {text} NOT NULL,
    holder {text} NOT NULL,
    claimed_at {text} NOT NULL,
    losses INTEGER NOT NULL,
    progress {text},
    finished_at {text},
    outcome {text},
    result {text},
    PRIMARY KEY (job, due_at),
    CONSTRAINT job_outcome CHECK (outcome in ('succeeded', 'failed', 'given_up', 'overtaken'))
) {strict};
ALTER TABLE requests ADD COLUMN losses INTEGER NOT NULL DEFAULT 0
"""


def _evidence_columns(connection: Connection) -> None:
    _run(connection, _EVIDENCE_COLUMNS)


_EVIDENCE_COLUMNS = """
ALTER TABLE scores ADD COLUMN low {number};
ALTER TABLE scores ADD COLUMN high {number};
ALTER TABLE scores ADD COLUMN verdict {text};
ALTER TABLE composites ADD COLUMN geometric {number};
ALTER TABLE composites ADD COLUMN leave_one_out_low {number};
ALTER TABLE composites ADD COLUMN leave_one_out_high {number};
ALTER TABLE composites ADD COLUMN weight_band_low {number};
ALTER TABLE composites ADD COLUMN weight_band_high {number};
ALTER TABLE composites ADD COLUMN sampling_band_low {number};
ALTER TABLE composites ADD COLUMN sampling_band_high {number};
ALTER TABLE composites ADD COLUMN cityscore {number}
"""


def _self_tests(connection: Connection) -> None:
    _run(connection, _SELF_TESTS)


_SELF_TESTS = """
CREATE TABLE self_tests (
    publication INTEGER NOT NULL PRIMARY KEY,
    as_of {text} NOT NULL,
    catalogue {text} NOT NULL,
    tests {text} NOT NULL
) {strict}"""


def _maturities(connection: Connection) -> None:
    _run(connection, _MATURITIES)


_MATURITIES = """
CREATE TABLE maturities (
    publication {id} NOT NULL,
    metric {text} NOT NULL,
    curve {text},
    last_mature_day {text},
    waiting {text},
    PRIMARY KEY (publication, metric)
) {by_key};
"""


def _approved_targets(connection: Connection) -> None:
    _run(connection, _APPROVED_TARGETS)


_APPROVED_TARGETS = """
CREATE TABLE approved_targets (
    id {serial},
    metric {text} NOT NULL,
    valid_from {text} NOT NULL,
    low {number},
    high {number},
    floor_low {number},
    floor_high {number},
    kind {text} NOT NULL,
    reason {text} NOT NULL,
    approved_by {text} NOT NULL,
    approved_at {text} NOT NULL,
    CONSTRAINT approved_kind CHECK (kind in ('approval', 'correction'))
) {strict};
"""


def _arithmetic_column(connection: Connection) -> None:
    _run(connection, _ARITHMETIC_COLUMN)


_ARITHMETIC_COLUMN = "ALTER TABLE publications ADD COLUMN arithmetic {text}"


def _withheld_cells(connection: Connection) -> None:
    _run(connection, _WITHHELD_CELLS)


_WITHHELD_CELLS = """
CREATE TABLE withheld_cells (
    metric {text} NOT NULL,
    district {text} NOT NULL,
    month {text} NOT NULL,
    up_to INTEGER NOT NULL,
    PRIMARY KEY (metric, district, month)
) {by_key};
"""


def _heaps(connection: Connection) -> None:
    _run(connection, _HEAPS)


_HEAPS = """
CREATE TABLE heaps (
    publication INTEGER NOT NULL,
    metric {text} NOT NULL,
    since {text} NOT NULL,
    until {text} NOT NULL,
    before INTEGER NOT NULL,
    after INTEGER NOT NULL,
    usual_since {text} NOT NULL,
    usual_until {text} NOT NULL,
    usual_before INTEGER NOT NULL,
    usual_after INTEGER NOT NULL,
    PRIMARY KEY (publication, metric)
) {strict};
"""


def _audits(connection: Connection) -> None:
    _run(connection, _AUDITS)


_AUDITS = """
CREATE TABLE audit_samples (
    id {serial},
    metric {text} NOT NULL,
    since {text} NOT NULL,
    until {text} NOT NULL,
    seed {id} NOT NULL,
    closed INTEGER NOT NULL,
    cases {text} NOT NULL,
    drawn_at {text} NOT NULL
) {strict};
CREATE TABLE audit_results (
    id {serial},
    sample INTEGER NOT NULL,
    case_key {text} NOT NULL,
    found {text} NOT NULL,
    checked_by {text} NOT NULL,
    note {text} NOT NULL,
    recorded_at {text} NOT NULL,
    CONSTRAINT audit_found CHECK (found in ('done', 'not_done'))
) {strict};
"""


def _signals(connection: Connection) -> None:
    _run(connection, _SIGNALS)


_SIGNALS = """
CREATE TABLE signals (
    publication {id} NOT NULL,
    metric {text} NOT NULL,
    grain {text} NOT NULL,
    chart {text} NOT NULL,
    judged {text},
    variation {text},
    assurance {text},
    signal {text},
    expected {number} NOT NULL,
    trial INTEGER NOT NULL,
    warnings {text} NOT NULL,
    PRIMARY KEY (publication, metric, grain)
) {by_key};
CREATE TABLE rebases (
    id {serial},
    metric {text} NOT NULL,
    grain {text} NOT NULL,
    from_day {text} NOT NULL,
    kind {text} NOT NULL,
    reason {text} NOT NULL,
    approved_by {text} NOT NULL,
    approved_at {text} NOT NULL,
    CONSTRAINT rebase_kind CHECK (kind in ('rebase', 'withdrawal'))
) {strict};
"""


def _push_and_entries(connection: Connection) -> None:
    _run(connection, _PUSH_AND_ENTRIES)


_PUSH_AND_ENTRIES = """
CREATE TABLE tokens (
    id {serial},
    name {text} NOT NULL,
    hash {text} NOT NULL,
    sources {text} NOT NULL,
    created_at {text} NOT NULL,
    expires_at {text},
    revoked_at {text}
) {strict};
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);
CREATE TABLE deliveries (
    id {serial},
    token {id} NOT NULL,
    repeat_key {text} NOT NULL,
    source {text} NOT NULL,
    media_type {text} NOT NULL,
    sha256 {text} NOT NULL,
    bytes INTEGER NOT NULL,
    body {text},
    known_until {text},
    request {id} NOT NULL,
    received_at {text} NOT NULL
) {strict};
CREATE UNIQUE INDEX deliveries_by_repeat_key ON deliveries (token, repeat_key);
CREATE UNIQUE INDEX deliveries_by_request ON deliveries (request);
CREATE INDEX deliveries_by_token ON deliveries (token, received_at);
CREATE TABLE entries (
    id {serial},
    source {text} NOT NULL,
    key {text} NOT NULL,
    day {text} NOT NULL,
    cells {text} NOT NULL,
    kind {text} NOT NULL,
    reason {text} NOT NULL,
    entered_by {text} NOT NULL,
    entered_at {text} NOT NULL,
    CONSTRAINT entry_kind CHECK (kind in ('value', 'withdrawal'))
) {strict};
CREATE INDEX entries_by_key ON entries (source, key, id);
"""


def _open_quarantine(connection: Connection) -> None:
    _run(connection, _OPEN_QUARANTINE)


_OPEN_QUARANTINE = """
ALTER TABLE quarantine ADD COLUMN place {text};
ALTER TABLE quarantine ADD COLUMN rule {text};
ALTER TABLE quarantine ADD COLUMN form {text};
ALTER TABLE quarantine ADD COLUMN left_by {id};
UPDATE quarantine SET left_by = (
    SELECT max(runs.id) FROM runs WHERE runs.source = quarantine.source AND runs.outcome = 'succeeded'
);
UPDATE quarantine SET left_by = NULL WHERE left_by = run;
"""


def _run_profiles(connection: Connection) -> None:
    _run(connection, _RUN_PROFILES)


_RUN_PROFILES = """
CREATE TABLE run_profiles (
    run {id} NOT NULL PRIMARY KEY,
    source {text} NOT NULL,
    trigger {text} NOT NULL,
    started_at {text} NOT NULL,
    profile {text} NOT NULL,
    unusual {text} NOT NULL
) {strict};
CREATE INDEX run_profiles_by_source ON run_profiles (source, run);
"""


def _bunchings(connection: Connection) -> None:
    _run(connection, _BUNCHINGS)


_BUNCHINGS = """
CREATE TABLE bunchings (
    publication INTEGER NOT NULL,
    metric {text} NOT NULL,
    since {text} NOT NULL,
    until {text} NOT NULL,
    before INTEGER NOT NULL,
    after INTEGER NOT NULL,
    days {text} NOT NULL,
    PRIMARY KEY (publication, metric)
) {strict};
"""


def _erasures(connection: Connection) -> None:
    _run(connection, _ERASURES)


_ERASURES = """
CREATE TABLE erasures (
    id {serial},
    source {text} NOT NULL,
    mark {text} NOT NULL,
    salt {text} NOT NULL,
    erased_by {text} NOT NULL,
    reason {text} NOT NULL,
    erased_at {text} NOT NULL,
    counts {text} NOT NULL,
    finished_at {text}
) {strict};
CREATE UNIQUE INDEX erasures_by_mark ON erasures (source, mark);
"""


def _people(connection: Connection) -> None:
    _run(connection, _PEOPLE)
    # Their bodies have a `;` of their own.
    for statement in _ONLY_ADDED[connection.dialect.name].split("\n\n"):
        connection.exec_driver_sql(statement)


_PEOPLE = """
CREATE TABLE people (
    id {serial},
    name {text} NOT NULL,
    email {text} NOT NULL,
    email_key {text} NOT NULL,
    created_at {text} NOT NULL,
    disabled_at {text}
) {strict};
CREATE UNIQUE INDEX people_by_email ON people (email_key);
CREATE TABLE grants (
    id {serial},
    person {id} NOT NULL,
    role {text} NOT NULL,
    department {text},
    granted_by {text} NOT NULL,
    granted_at {text} NOT NULL,
    ended_by {text},
    ended_at {text},
    CONSTRAINT grant_role CHECK (role in ('viewer', 'editor', 'owner', 'approver', 'admin')),
    CONSTRAINT grant_department CHECK ((role in ('editor', 'owner')) = (department is not null))
) {strict};
CREATE INDEX grants_by_person ON grants (person, id);
CREATE TABLE passwords (
    person {id} NOT NULL PRIMARY KEY,
    hash {text} NOT NULL,
    changed_at {text} NOT NULL
) {strict};
CREATE TABLE identities (
    id {serial},
    person {id} NOT NULL,
    issuer {text} NOT NULL,
    subject {text} NOT NULL,
    linked_at {text} NOT NULL
) {strict};
CREATE UNIQUE INDEX identities_by_subject ON identities (issuer, subject);
CREATE UNIQUE INDEX identities_by_person ON identities (person, issuer);
CREATE TABLE sessions (
    id {serial},
    hash {text} NOT NULL,
    person {id} NOT NULL,
    agent {text} NOT NULL,
    created_at {text} NOT NULL,
    seen_at {text} NOT NULL,
    ended_at {text}
) {strict};
CREATE UNIQUE INDEX sessions_by_hash ON sessions (hash);
CREATE INDEX sessions_by_person ON sessions (person, id);
CREATE TABLE one_time_links (
    id {serial},
    hash {text} NOT NULL,
    purpose {text} NOT NULL,
    person {id},
    email {text},
    made_by {text} NOT NULL,
    made_at {text} NOT NULL,
    expires_at {text} NOT NULL,
    used_at {text},
    CONSTRAINT link_purpose CHECK (purpose in ('invite', 'reset', 'admin'))
) {strict};
CREATE UNIQUE INDEX one_time_links_by_hash ON one_time_links (hash);
CREATE TABLE devices (
    id {serial},
    hash {text} NOT NULL,
    person {id} NOT NULL,
    made_at {text} NOT NULL
) {strict};
CREATE UNIQUE INDEX devices_by_hash ON devices (hash);
CREATE TABLE attempts (
    id {serial},
    key {text} NOT NULL,
    at {text} NOT NULL
) {strict};
CREATE INDEX attempts_by_key ON attempts (key, at);
CREATE TABLE audit_log (
    id {serial},
    at {text} NOT NULL,
    actor {id},
    actor_name {text} NOT NULL,
    act {text} NOT NULL,
    subject {text} NOT NULL,
    words {text} NOT NULL
) {strict};
CREATE INDEX audit_log_by_subject ON audit_log (subject, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor, id);
"""

_ONLY_ADDED = {
    "sqlite": """CREATE TRIGGER audit_log_keeps_rows BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END

CREATE TRIGGER audit_log_keeps_words BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END

CREATE TRIGGER audit_log_replaces_nothing BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END""",
    "postgresql": """CREATE OR REPLACE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $body$

CREATE TRIGGER audit_log_keeps_rows BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION audit_log_refuses()

CREATE TRIGGER audit_log_keeps_all BEFORE TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses()""",
}
"""REPLACE would take a row away in SQLite without asking the trigger that guards deletion."""


def _notes(connection: Connection) -> None:
    _run(connection, _NOTES)


_NOTES = """
CREATE TABLE notes (
    id {serial},
    metric {text} NOT NULL,
    grain {text} NOT NULL,
    start {text} NOT NULL,
    kind {text} NOT NULL,
    is_public INTEGER NOT NULL,
    words {text} NOT NULL,
    writer {id},
    writer_name {text} NOT NULL,
    written_at {text} NOT NULL,
    withdrawn_by {text},
    withdrawn_at {text},
    withdrawn_why {text},
    CONSTRAINT note_kind CHECK (kind in ('explanation', 'reply'))
) {strict};
CREATE INDEX notes_by_metric ON notes (metric, start);
CREATE TABLE marks (
    id {serial},
    metric {text} NOT NULL,
    day {text} NOT NULL,
    kind {text} NOT NULL,
    is_public INTEGER NOT NULL,
    words {text} NOT NULL,
    writer {id},
    writer_name {text} NOT NULL,
    written_at {text} NOT NULL,
    withdrawn_by {text},
    withdrawn_at {text},
    withdrawn_why {text},
    CONSTRAINT mark_kind CHECK (kind in ('event', 'definition'))
) {strict};
CREATE INDEX marks_by_metric ON marks (metric, day);
CREATE TABLE actions (
    id {serial},
    metric {text} NOT NULL,
    words {text} NOT NULL,
    is_public INTEGER NOT NULL,
    opener {id},
    opener_name {text} NOT NULL,
    opened_at {text} NOT NULL
) {strict};
CREATE INDEX actions_by_metric ON actions (metric, id);
CREATE TABLE action_turns (
    id {serial},
    action {id} NOT NULL,
    state {text} NOT NULL,
    owner {id} NOT NULL,
    due {text} NOT NULL,
    words {text} NOT NULL,
    writer {id},
    writer_name {text} NOT NULL,
    written_at {text} NOT NULL,
    CONSTRAINT action_state CHECK (state in ('open', 'done', 'dropped'))
) {strict};
CREATE INDEX action_turns_by_action ON action_turns (action, id);
CREATE TABLE release_steps (
    id {serial},
    metric {text} NOT NULL,
    step {text} NOT NULL,
    words {text} NOT NULL,
    writer {id},
    writer_name {text} NOT NULL,
    written_at {text} NOT NULL,
    CONSTRAINT release_step CHECK (step in ('seen', 'approved', 'refused'))
) {strict};
CREATE INDEX release_steps_by_metric ON release_steps (metric, id);
CREATE TABLE problems (
    id {serial},
    metric {text} NOT NULL,
    grain {text} NOT NULL,
    start {text} NOT NULL,
    district {text} NOT NULL,
    words {text} NOT NULL,
    writer {id},
    writer_name {text} NOT NULL,
    written_at {text} NOT NULL
) {strict};
CREATE INDEX problems_by_metric ON problems (metric, id);
CREATE TABLE problem_turns (
    id {serial},
    problem {id} NOT NULL,
    state {text} NOT NULL,
    words {text} NOT NULL,
    is_public INTEGER NOT NULL,
    writer {id},
    writer_name {text} NOT NULL,
    written_at {text} NOT NULL,
    CONSTRAINT problem_state CHECK (state in ('new', 'answered', 'closed'))
) {strict};
CREATE INDEX problem_turns_by_problem ON problem_turns (problem, id);
"""


def _corrections(connection: Connection) -> None:
    _run(connection, _CORRECTIONS)


_CORRECTIONS = """
CREATE TABLE corrections (
    id {serial},
    source {text} NOT NULL,
    key {text} NOT NULL,
    metric {text} NOT NULL,
    column_name {text},
    was {text} NOT NULL,
    cells {text},
    note {text} NOT NULL,
    author {id} NOT NULL,
    author_name {text} NOT NULL,
    made_at {text} NOT NULL,
    state {text} NOT NULL,
    decided_by {text},
    decided_at {text},
    why {text},
    applied_at {text},
    CONSTRAINT correction_state
        CHECK (state in ('open', 'accepted', 'refused', 'withdrawn', 'lapsed'))
) {strict};
CREATE INDEX corrections_by_record ON corrections (source, key);
CREATE INDEX corrections_by_metric ON corrections (metric, state);
"""


def _target_proposals(connection: Connection) -> None:
    _run(connection, _TARGET_PROPOSALS)


_TARGET_PROPOSALS = """
CREATE TABLE target_proposals (
    id {serial},
    metric {text} NOT NULL,
    valid_from {text} NOT NULL,
    low {number} NOT NULL,
    high {number},
    floor_low {number},
    floor_high {number},
    kind {text} NOT NULL,
    reason {text} NOT NULL,
    preview {text} NOT NULL,
    author {id} NOT NULL,
    author_name {text} NOT NULL,
    made_at {text} NOT NULL,
    state {text} NOT NULL,
    decided_by {text},
    decided_at {text},
    why {text},
    CONSTRAINT proposal_kind CHECK (kind in ('approval', 'correction')),
    CONSTRAINT proposal_state CHECK (state in ('open', 'approved', 'refused', 'withdrawn'))
) {strict};
CREATE INDEX target_proposals_by_metric ON target_proposals (metric, id);
"""

MIGRATIONS: tuple[tuple[str, Step], ...] = (
    ("0001_first_tables", _first_tables),
    ("0002_worker_tables", _worker_tables),
    ("0003_evidence_columns", _evidence_columns),
    ("0004_self_tests", _self_tests),
    ("0005_maturities", _maturities),
    ("0006_approved_targets", _approved_targets),
    ("0007_arithmetic_column", _arithmetic_column),
    ("0008_withheld_cells", _withheld_cells),
    ("0009_heaps", _heaps),
    ("0010_audits", _audits),
    ("0011_signals", _signals),
    ("0012_push_and_entries", _push_and_entries),
    ("0013_open_quarantine", _open_quarantine),
    ("0014_run_profiles", _run_profiles),
    ("0015_bunchings", _bunchings),
    ("0016_erasures", _erasures),
    ("0017_people", _people),
    ("0018_notes", _notes),
    ("0019_corrections", _corrections),
    ("0020_target_proposals", _target_proposals),
)
"""Every step by name, in the order of their application."""
