"""The tables of a city's database, the same on SQLite and PostgreSQL.

Instants are text `YYYY-MM-DDTHH:MM:SS.ffffffZ` in UTC, days are text `YYYY-MM-DD`: both sort as they
count. Text is compared byte by byte on either engine. Records have a table per source
(`store.records`); everything else is here.
"""

from __future__ import annotations

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Constraint,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()

PlainText: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
"""Text compared by its bytes, whatever the language of the database."""

Number: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
Identity = BigInteger().with_variant(Integer(), "sqlite")


def _table(name: str, *columns: Column | Constraint | Index, by_key: bool = False) -> Table:
    """by_key: SQLite keeps the rows in their key and not beside it, which halves a table of wide keys."""
    return Table(name, metadata, *columns, sqlite_strict=True, sqlite_with_rowid=not by_key)


def _text(name: str, *, optional: bool = False, primary_key: bool = False) -> Column:
    return Column(name, PlainText, nullable=optional, primary_key=primary_key)


def _number(name: str, *, optional: bool = True) -> Column:
    return Column(name, Number, nullable=optional)


def _count(name: str, *, optional: bool = True) -> Column:
    return Column(name, Integer, nullable=optional)


def _written() -> tuple[Column, ...]:
    """Who wrote a row, by number and by name as it was then, and when; nobody's number for the public."""
    return Column("writer", Identity, nullable=True), _text("writer_name"), _text("written_at")


def _withdrawn() -> tuple[Column, ...]:
    """Who took a row back, when and why; all empty while it stands."""
    return tuple(_text(f"withdrawn_{what}", optional=True) for what in ("by", "at", "why"))


def _identity() -> Column:
    return Column("id", Identity, primary_key=True, autoincrement=True)


house = _table(
    "house",
    Column("only", Integer, primary_key=True),
    _text("city"),
    _text("time_zone"),
    _text("week_start"),
    _text("last_written_at"),
    _count("state", optional=False),
    CheckConstraint("only = 1", name="house_has_one_row"),
)
"""One row: whose database this is, when it was last written, and the number of the public state."""

migrations = _table("migrations", _text("name", primary_key=True), _text("applied_at"))

catalogues = _table("catalogues", _text("hash", primary_key=True), _text("text"), _text("first_seen"))

runs = _table(
    "runs",
    _identity(),
    _text("source"),
    _text("trigger"),
    _text("started_at"),
    _text("finished_at", optional=True),
    _text("outcome"),
    _count("read", optional=False),
    _count("new", optional=False),
    _count("changed", optional=False),
    _count("unchanged", optional=False),
    _count("rejected", optional=False),
    _count("withdrawn", optional=False),
    _text("known_until", optional=True),
    _text("cursor", optional=True),
    _text("snapshot", optional=True),
    _text("message", optional=True),
    CheckConstraint(
        "outcome in ('running', 'succeeded', 'failed', 'interrupted', 'unchanged')", name="run_outcome"
    ),
    Index("runs_by_source", "source", "id"),
)
"""The ledger. `read = new + changed + unchanged + rejected` on every finished row.

known_until and cursor are what holds after the run; a failed run leaves them empty.
"""

quarantine = _table(
    "quarantine",
    _identity(),
    Column("run", Identity, nullable=False),
    _text("source"),
    _count("line", optional=True),
    _text("key", optional=True),
    _text("column", optional=True),
    _text("value", optional=True),
    _text("reason"),
    _text("row"),
    _text("recorded_at"),
    _text("place", optional=True),
    _text("rule", optional=True),
    _text("form", optional=True),
    Column("left_by", Identity),
    Index("quarantine_by_source", "source", "run"),
)
"""Rows that were refused, whole (`row` is a JSON object of the fields).

left_by is the run that had an answer for the row, empty while it is open."""

run_profiles = _table(
    "run_profiles",
    Column("run", Identity, primary_key=True, autoincrement=False),
    _text("source"),
    _text("trigger"),
    _text("started_at"),
    _text("profile"),
    _text("unusual"),
    Index("run_profiles_by_source", "source", "run"),
)
"""What each good run looked like (a JSON object), and a JSON list of sentences on what was unusual of it."""

observations = _table(
    "observations",
    _text("metric"),
    _text("district"),
    _text("day"),
    _text("as_of"),
    _text("recorded_at"),
    _number("numerator"),
    _number("denominator"),
    _text("amounts", optional=True),
    PrimaryKeyConstraint("metric", "day", "district", "as_of", "recorded_at"),
    by_key=True,
)
"""Daily facts with vintages. The fact of a day as of D known at K is the row with the newest as_of
up to D and then the newest recorded_at up to K; no row is no record. `amounts` is the day's multiset
as JSON [[value, count], …] in rising order for mean, median and percentile."""

reductions = _table(
    "reductions",
    _text("metric", primary_key=True),
    _text("definition"),
    _text("as_of"),
    _text("recorded_at"),
)
"""The last reduction of each metric: what a later one may build on."""

publications = _table(
    "publications",
    _identity(),
    _text("as_of"),
    _text("known_at"),
    _text("published_at"),
    _text("catalogue"),
    _text("knowledge"),
    _count("is_current", optional=False),
    _text("reason", optional=True),
    _text("arithmetic", optional=True),
)
"""knowledge is JSON {source: [first_day, known_until]}: how far each source was known.

arithmetic names the code that planned it: what other code planned is planned again whole."""

scores = _table(
    "scores",
    Column("publication", Identity, nullable=False),
    _text("metric"),
    _text("district"),
    _text("grain"),
    _text("start"),
    _text("end"),
    _number("value"),
    _number("numerator"),
    _number("denominator"),
    Column("n", Identity),
    _number("end_value"),
    _number("target"),
    _number("target_high"),
    _number("floor"),
    _number("floor_high"),
    _number("score"),
    _number("ceiling"),
    _text("status"),
    _text("reason", optional=True),
    _number("weight"),
    _number("seat"),
    _number("change"),
    _count("known_days"),
    _count("open_days"),
    _number("completeness"),
    _text("baseline", optional=True),
    _number("low"),
    _number("high"),
    _text("verdict", optional=True),
    PrimaryKeyConstraint("metric", "district", "grain", "start", "publication"),
    Index("scores_by_publication", "publication"),
    Index("scores_by_period", "grain", "start", "district"),
    by_key=True,
)

composites = _table(
    "composites",
    Column("publication", Identity, nullable=False),
    _text("scope"),
    _text("scope_id"),
    _text("grain"),
    _text("start"),
    _text("end"),
    _number("score"),
    _text("reason", optional=True),
    _number("coverage"),
    _number("ceiling"),
    _count("total", optional=False),
    _count("scored", optional=False),
    _count("on_target", optional=False),
    _text("late"),
    _text("lowest"),
    _text("before", optional=True),
    _number("change"),
    _number("change_matched"),
    _text("contributions"),
    _count("meets"),
    _count("cannot_tell"),
    _count("misses"),
    _number("geometric"),
    _number("leave_one_out_low"),
    _number("leave_one_out_high"),
    _number("weight_band_low"),
    _number("weight_band_high"),
    _number("sampling_band_low"),
    _number("sampling_band_high"),
    _number("cityscore"),
    PrimaryKeyConstraint("scope", "scope_id", "grain", "start", "publication"),
    Index("composites_by_publication", "publication"),
    by_key=True,
)

maturities = _table(
    "maturities",
    Column("publication", Identity, nullable=False),
    _text("metric"),
    _text("curve", optional=True),
    _text("last_mature_day", optional=True),
    _text("waiting", optional=True),
    PrimaryKeyConstraint("publication", "metric"),
    by_key=True,
)
"""How late each metric's records come and how long its cases wait, as of a publication; all of it anew.

curve is JSON [numerator, denominator, weekdays]: the share of a day known at age 0, 1 … up to the last age at
which it is not whole, null for a part that is not measured; waiting is a JSON object."""

withheld_cells = _table(
    "withheld_cells",
    _text("metric"),
    _text("district"),
    _text("month"),
    _count("up_to", optional=False),
    PrimaryKeyConstraint("metric", "district", "month"),
    by_key=True,
)
"""District cells the public never sees, by the first day of the month; up_to: the limit it was hidden by."""

workdays = _table("workdays", _text("day", primary_key=True), _count("number", optional=False))
"""How many business days of the city have passed up to and including each day (`workdays_between`)."""

requests = _table(
    "requests",
    _identity(),
    _text("kind"),
    _text("arguments"),
    _text("created_at"),
    _text("claimed_at", optional=True),
    _text("progress", optional=True),
    _text("finished_at", optional=True),
    _text("result", optional=True),
    Column("losses", Integer, nullable=False, server_default="0"),
)
"""What a page or a timer asks of the worker, how far it is, and how it ended.

losses: how many workers ended in the middle of it."""

lease = _table(
    "lease",
    Column("only", Integer, primary_key=True),
    _text("holder"),
    _text("host"),
    _count("pid", optional=False),
    _text("taken_at"),
    _text("expires_at"),
    CheckConstraint("only = 1", name="lease_has_one_row"),
)
"""At most one row: which worker works, until it has not said so for too long."""

jobs = _table(
    "jobs",
    _text("job"),
    _text("due_at"),
    _text("holder"),
    _text("claimed_at"),
    _count("losses", optional=False),
    _text("progress", optional=True),
    _text("finished_at", optional=True),
    _text("outcome", optional=True),
    _text("result", optional=True),
    PrimaryKeyConstraint("job", "due_at"),
    CheckConstraint("outcome in ('succeeded', 'failed', 'given_up', 'overtaken')", name="job_outcome"),
)
"""Every execution of a job that came due. progress and result are JSON objects."""

self_tests = _table(
    "self_tests",
    _count("publication", optional=False),
    _text("as_of"),
    _text("catalogue"),
    _text("tests"),
    PrimaryKeyConstraint("publication"),
)
"""What chance does to the scores of an unchanged city, found with a publication; tests is JSON."""

approved_targets = _table(
    "approved_targets",
    _identity(),
    _text("metric"),
    _text("valid_from"),
    _number("low"),
    _number("high"),
    _number("floor_low"),
    _number("floor_high"),
    _text("kind"),
    _text("reason"),
    _text("approved_by"),
    _text("approved_at"),
    CheckConstraint("kind in ('approval', 'correction')", name="approved_kind"),
)
"""Every decision about a target, in the order they were made; rows are only added.

Of a metric and first day the newest row counts. high and floor_high are the other ends of a band; no low
at all withdraws the target that began on the day."""

target_proposals = _table(
    "target_proposals",
    _identity(),
    _text("metric"),
    _text("valid_from"),
    _number("low", optional=False),
    _number("high"),
    _number("floor_low"),
    _number("floor_high"),
    _text("kind"),
    _text("reason"),
    _text("preview"),
    Column("author", Identity, nullable=False),
    _text("author_name"),
    _text("made_at"),
    _text("state"),
    _text("decided_by", optional=True),
    _text("decided_at", optional=True),
    _text("why", optional=True),
    CheckConstraint("kind in ('approval', 'correction')", name="proposal_kind"),
    CheckConstraint("state in ('open', 'approved', 'refused', 'withdrawn')", name="proposal_state"),
    Index("target_proposals_by_metric", "metric", "id"),
)
"""Targets that owners propose, decided once by somebody else; preview is what its author was shown of it.

The numbers are as in approved_targets, which gets a row where one is approved."""

heaps = _table(
    "heaps",
    _count("publication", optional=False),
    _text("metric"),
    _text("since"),
    _text("until"),
    _count("before", optional=False),
    _count("after", optional=False),
    _text("usual_since"),
    _text("usual_until"),
    _count("usual_before", optional=False),
    _count("usual_after", optional=False),
    PrimaryKeyConstraint("publication", "metric"),
)
"""Closings in the hour before and after their deadline, of cases due on [since, until), and the same of a
year to compare with; counted with a publication where the last count is a week old."""

bunchings = _table(
    "bunchings",
    _count("publication", optional=False),
    _text("metric"),
    _text("since"),
    _text("until"),
    _count("before", optional=False),
    _count("after", optional=False),
    _text("days"),
    PrimaryKeyConstraint("publication", "metric"),
)
"""The same two hours, and in `days` (JSON, [before, after]) those at the same time on the days beside the
deadline; kept with the counts of `heaps`."""

audit_samples = _table(
    "audit_samples",
    _identity(),
    _text("metric"),
    _text("since"),
    _text("until"),
    Column("seed", BigInteger, nullable=False),
    _count("closed", optional=False),
    _text("cases"),
    _text("drawn_at"),
)
"""Closed cases drawn at random to be checked in the field; rows are only added.

Of `closed` cases closed on [since, until) those whose keys are in the JSON array `cases`."""

audit_results = _table(
    "audit_results",
    _identity(),
    _count("sample", optional=False),
    _text("case_key"),
    _text("found"),
    _text("checked_by"),
    _text("note"),
    _text("recorded_at"),
    CheckConstraint("found in ('done', 'not_done')", name="audit_found"),
)
"""What was found of a drawn case; rows are only added, and of a case the newest counts."""

signals = _table(
    "signals",
    Column("publication", Identity, nullable=False),
    _text("metric"),
    _text("grain"),
    _text("chart"),
    _text("judged", optional=True),
    _text("variation", optional=True),
    _text("assurance", optional=True),
    _text("signal", optional=True),
    _number("expected", optional=False),
    _count("trial", optional=False),
    _text("warnings"),
    PrimaryKeyConstraint("publication", "metric", "grain"),
    by_key=True,
)
"""What the chart of each metric and grain says at its newest judged point, as of a publication; all anew.

expected: how likely chance alone makes a signal there. warnings is a JSON list."""

rebases = _table(
    "rebases",
    _identity(),
    _text("metric"),
    _text("grain"),
    _text("from_day"),
    _text("kind"),
    _text("reason"),
    _text("approved_by"),
    _text("approved_at"),
    CheckConstraint("kind in ('rebase', 'withdrawal')", name="rebase_kind"),
)
"""Every decision about where a chart begins anew, in the order they were made; rows are only added.

Of a metric, grain and day the newest row counts; no grain (an empty text) is every grain."""

tokens = _table(
    "tokens",
    _identity(),
    _text("name"),
    _text("hash"),
    _text("sources"),
    _text("created_at"),
    _text("expires_at", optional=True),
    _text("revoked_at", optional=True),
    Index("tokens_by_hash", "hash", unique=True),
)
"""Who may deliver rows: the SHA-256 of a secret that is nowhere else, and a JSON list of sources."""

deliveries = _table(
    "deliveries",
    _identity(),
    Column("token", Identity, nullable=False),
    _text("repeat_key"),
    _text("source"),
    _text("media_type"),
    _text("sha256"),
    _count("bytes", optional=False),
    _text("body", optional=True),
    _text("known_until", optional=True),
    Column("request", Identity, nullable=False),
    _text("received_at"),
    Index("deliveries_by_repeat_key", "token", "repeat_key", unique=True),
    Index("deliveries_by_request", "request", unique=True),
    Index("deliveries_by_token", "token", "received_at"),
)
"""What was delivered, each with the request that loads it. repeat_key is the sender's Idempotency-Key.

body is the bytes packed with gzip, in base64, until a run has kept them as a snapshot."""

entries = _table(
    "entries",
    _identity(),
    _text("source"),
    _text("key"),
    _text("day"),
    _text("cells"),
    _text("kind"),
    _text("reason"),
    _text("entered_by"),
    _text("entered_at"),
    CheckConstraint("kind in ('value', 'withdrawal')", name="entry_kind"),
    Index("entries_by_key", "source", "key", "id"),
)
"""Daily values given by people, in the order they were given; rows are only added.

Of a source and key the newest row counts; cells is a JSON object of texts as they were given."""

erasures = _table(
    "erasures",
    _identity(),
    _text("source"),
    _text("mark"),
    _text("salt"),
    _text("erased_by"),
    _text("reason"),
    _text("erased_at"),
    _text("counts"),
    _text("finished_at", optional=True),
    Index("erasures_by_mark", "source", "mark", unique=True),
)
"""Records that were erased, without anything they said: mark is a hash of the key, salted for the source.

counts is a JSON object; finished_at is empty until the snapshots are without the record, too."""

people = _table(
    "people",
    _identity(),
    _text("name"),
    _text("email"),
    _text("email_key"),
    _text("created_at"),
    _text("disabled_at", optional=True),
    Index("people_by_email", "email_key", unique=True),
)
"""Who may sign in. email_key is the address in case-folded NFC form; disabled_at: not let in since then."""

grants = _table(
    "grants",
    _identity(),
    Column("person", Identity, nullable=False),
    _text("role"),
    _text("department", optional=True),
    _text("granted_by"),
    _text("granted_at"),
    _text("ended_by", optional=True),
    _text("ended_at", optional=True),
    CheckConstraint("role in ('viewer', 'editor', 'owner', 'approver', 'admin')", name="grant_role"),
    CheckConstraint("(role in ('editor', 'owner')) = (department is not null)", name="grant_department"),
    Index("grants_by_person", "person", "id"),
)
"""The roles of people, each from one instant until another: ended, never deleted."""

passwords = _table(
    "passwords",
    Column("person", Identity, primary_key=True, autoincrement=False),
    _text("hash"),
    _text("changed_at"),
)
"""The hash of each person's password; who signs in elsewhere has none."""

identities = _table(
    "identities",
    _identity(),
    Column("person", Identity, nullable=False),
    _text("issuer"),
    _text("subject"),
    _text("linked_at"),
    Index("identities_by_subject", "issuer", "subject", unique=True),
    Index("identities_by_person", "person", "issuer", unique=True),
)
"""Under which subject an OpenID Connect provider knows a person."""

sessions = _table(
    "sessions",
    _identity(),
    _text("hash"),
    Column("person", Identity, nullable=False),
    _text("agent"),
    _text("created_at"),
    _text("seen_at"),
    _text("ended_at", optional=True),
    Index("sessions_by_hash", "hash", unique=True),
    Index("sessions_by_person", "person", "id"),
)
"""Who is signed in where: the hash of the cookie's secret, the name of the browser, when it was seen."""

one_time_links = _table(
    "one_time_links",
    _identity(),
    _text("hash"),
    _text("purpose"),
    Column("person", Identity, nullable=True),
    _text("email", optional=True),
    _text("made_by"),
    _text("made_at"),
    _text("expires_at"),
    _text("used_at", optional=True),
    CheckConstraint("purpose in ('invite', 'reset', 'admin')", name="link_purpose"),
    Index("one_time_links_by_hash", "hash", unique=True),
)
"""Links that let somebody in once: the hash of the secret. person is empty for who is not there yet."""

devices = _table(
    "devices",
    _identity(),
    _text("hash"),
    Column("person", Identity, nullable=False),
    _text("made_at"),
    Index("devices_by_hash", "hash", unique=True),
)
"""Browsers in which somebody has signed in before: the hash of a cookie's secret, and who it was."""

attempts = _table(
    "attempts",
    _identity(),
    _text("key"),
    _text("at"),
    Index("attempts_by_key", "key", "at"),
)
"""Tries to sign in that came to nothing, by what they are counted for: an address, an account, a device."""

audit_log = _table(
    "audit_log",
    _identity(),
    _text("at"),
    Column("actor", Identity, nullable=True),
    _text("actor_name"),
    _text("act"),
    _text("subject"),
    _text("words"),
    Index("audit_log_by_subject", "subject", "id"),
    Index("audit_log_by_actor", "actor", "id"),
)
"""What people changed, written with the change: who, what, about whom or what, and a JSON object of words.

Rows are only added: triggers refuse everything else. actor is empty for what was done by hand here."""

notes = _table(
    "notes",
    _identity(),
    _text("metric"),
    _text("grain"),
    _text("start"),
    _text("kind"),
    Column("is_public", Integer, nullable=False),
    _text("words"),
    *_written(),
    *_withdrawn(),
    CheckConstraint("kind in ('explanation', 'reply')", name="note_kind"),
    Index("notes_by_metric", "metric", "start"),
)
"""What people wrote about a metric in a period: an explanation, or a reply of whom the number is about."""

marks = _table(
    "marks",
    _identity(),
    _text("metric"),
    _text("day"),
    _text("kind"),
    Column("is_public", Integer, nullable=False),
    _text("words"),
    *_written(),
    *_withdrawn(),
    CheckConstraint("kind in ('event', 'definition')", name="mark_kind"),
    Index("marks_by_metric", "metric", "day"),
)
"""What happened on a day, drawn on the charts of a metric: an event, or a change of its definition."""

actions = _table(
    "actions",
    _identity(),
    _text("metric"),
    _text("words"),
    Column("is_public", Integer, nullable=False),
    Column("opener", Identity, nullable=True),
    _text("opener_name"),
    _text("opened_at"),
    Index("actions_by_metric", "metric", "id"),
)
"""What somebody set out to do so that a metric moves; where it stands is its newest turn."""

action_turns = _table(
    "action_turns",
    _identity(),
    Column("action", Identity, nullable=False),
    _text("state"),
    Column("owner", Identity, nullable=False),
    _text("due"),
    _text("words"),
    *_written(),
    CheckConstraint("state in ('open', 'done', 'dropped')", name="action_state"),
    Index("action_turns_by_action", "action", "id"),
)
"""All of an action from an instant on: state, its one owner, due day; words: the promise or the reason."""

release_steps = _table(
    "release_steps",
    _identity(),
    _text("metric"),
    _text("step"),
    _text("words"),
    *_written(),
    CheckConstraint("step in ('seen', 'approved', 'refused')", name="release_step"),
    Index("release_steps_by_metric", "metric", "id"),
)
"""What was decided of a metric before the public first saw it: its owner saw it, it is approved, refused."""

problems = _table(
    "problems",
    _identity(),
    _text("metric"),
    _text("grain"),
    _text("start"),
    _text("district"),
    _text("words"),
    *_written(),
    Index("problems_by_metric", "metric", "id"),
)
"""What readers say is wrong with a number; writer_name is empty for the public, of whom nothing is kept."""

problem_turns = _table(
    "problem_turns",
    _identity(),
    Column("problem", Identity, nullable=False),
    _text("state"),
    _text("words"),
    Column("is_public", Integer, nullable=False),
    *_written(),
    CheckConstraint("state in ('new', 'answered', 'closed')", name="problem_state"),
    Index("problem_turns_by_problem", "problem", "id"),
)
"""How a problem went on; one without a turn is new. words is the answer."""

corrections = _table(
    "corrections",
    _identity(),
    _text("source"),
    _text("key"),
    _text("metric"),
    _text("column_name", optional=True),
    _text("was"),
    _text("cells", optional=True),
    _text("note"),
    Column("author", Identity, nullable=False),
    _text("author_name"),
    _text("made_at"),
    _text("state"),
    _text("decided_by", optional=True),
    _text("decided_at", optional=True),
    _text("why", optional=True),
    _text("applied_at", optional=True),
    CheckConstraint(
        "state in ('open', 'accepted', 'refused', 'withdrawn', 'lapsed')", name="correction_state"
    ),
    Index("corrections_by_record", "source", "key"),
    Index("corrections_by_metric", "metric", "state"),
)
"""Records flagged as wrong, with what became of it; they leave with their record when it is erased."""
