"""The composition root of the web: puts the rooms together, and runs everything on one machine."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import settings
from layouts import forms, staff
from layouts.account import AccountPages
from layouts.acts import Door as Acts
from layouts.audit_file import PATH as AUDIT_FILE
from layouts.audit_file import AuditFile
from layouts.audit_file import is_file as is_audit_file
from layouts.case_file import PATH as CASE_FILE
from layouts.case_file import CaseFile, is_file
from layouts.desk import Desk
from layouts.public import api, embed, site
from layouts.public.problems import ProblemDesk
from layouts.public.status import StatusPage
from layouts.status_view import RunStatus, SourceStatus, StatusView, due_until
from layouts.views import SourceStart, StartView
from metrics.catalogue import CITIES, CatalogueError, find_city, load
from metrics.model import Catalogue, Source
from serving import guard, server
from serving.account import Account
from serving.city_account import BEGIN, CityAccount
from serving.cookies import CSRF
from serving.entering import Entry
from serving.kept import build_id
from serving.link_pages import LinkPages
from serving.processes import HOST, Child, PortInUse, refuse_port_in_use, serve_web, supervise
from serving.provider import Provider, Registration
from serving.push import Door, Limits
from serving.routes import Kind, Route, negotiated, redirect
from serving.sign_in import Example, SignIn
from serving.status import SourceState, alive, is_worked, source_states, status
from serving.who import CSRF_HEADER, Who
from store import jobs, publications, requests
from store.admin_command import first_admin_link
from store.deliveries import PUSHED
from store.engine import Clock, Engine, StoreError, database_url, open_engine, reading, system_clock
from store.migrations import migrate
from store.people import Role
from store.runs import GOOD_OUTCOMES

APP = settings.PROJECT / "app.py"
WORKER = settings.PROJECT / "worker.py"
ASSETS = settings.PROJECT / "assets"
ENTRANCE = "/staff/today"
DEMONSTRATION = "demo"
EXAMPLES = {
    "viewer": Example("Vera Lindqvist", "viewer@demo.invalid", Role.VIEWER),
    "head": Example("Omar Reyes", "head@demo.invalid", Role.OWNER, "public_works"),
    "approver": Example("Ana Petrova", "approver@demo.invalid", Role.APPROVER),
    "admin": Example("Adam Cole", "admin@demo.invalid", Role.ADMIN),
}
"""As whom one looks around in the demonstration; nobody has a password, so nobody can sign in elsewhere."""

CITY_ID = "[a-z][a-z0-9_]*"

NEW_CITY = {
    "city.toml": """\
# Who the city is and how its calendar runs. Time zone and week start cannot change once scores are published.
id = "CITY_ID"
name = "CITY_NAME"
time_zone = "America/New_York"
week_start = "monday"            # or "sunday"
quarter = "trailing"             # the last three whole months; or "calendar"
publication_hour = 5             # o'clock: from then on yesterday is published
minimum_coverage = 0.75          # the least share of the weight that one number for all needs
district_word = "district"
language = "en"

[holidays]                       # days on which services with calendar = "business" are closed
country = "US"
""",
    "departments.toml": """\
# One table for each department; its name in brackets is its id, for ever.
[public_works]
name = "Public Works"
""",
    "sources/requests.toml": """\
# Where records come from. This one reads every CSV file in the folder drop/ of this city.
id = "requests"
name = "Service requests"
kind = "file"
key = "id"                       # the column that is different in every record
arrival = "opened"               # its newest value tells how far the source is known
quiet_minutes = 60               # so long may pass without a new record
schedule = "0 4 * * *"           # minute hour day month weekday, on the city's clocks
publisher = "CITY_NAME"
licence = ""

[options]
path = "drop/*.csv"

[columns.id]
type = "text"
required = true

[columns.topic]
type = "text"

[columns.opened]
type = "instant"

[columns.due]
type = "instant"
planned = true                   # may lie ahead

[columns.closed]
type = "instant"
not_before = "opened"
""",
    "metrics/potholes_on_time.toml": """\
# What is measured. The id is for ever; everything else may change, with a date where it is a target.
id = "potholes_on_time"
name = "Potholes filled on time"
department = "public_works"
theme = "streets"
family = "service"               # in the city's score; "condition" stands beside it
question = "If I report a pothole, is it filled when it should be?"
definition = "Of the potholes due on a day, the share that was closed by its due date. Late and open is late."
limitations = "A closed case says that somebody was there, not that the hole stays filled."
owner = "Director of Public Works"
clock_start = "the request is opened"
clock_stop = "the request is closed"

source = "requests"
aggregation = "ratio"            # ratio, count, mean, median, percentile or stock
where = "topic = 'Pothole'"      # keeps a row only when true
date = "due"                     # the day a record belongs to
numerator = "closed <= due"      # counts only when true
unit = "percent"
direction = "higher_is_better"
scored_at = ["week", "month", "quarter"]
weight = 1.0

[[target]]
value = 0.80
valid_from = 2020-01-01
reason = "The service level the department has set itself"
approved_by = "Director of Public Works"
""",
}


def make_server(
    engine: Engine,
    catalogue: Catalogue,
    city: str,
    base_url: str = "",
    limits: Limits = Limits(),  # noqa: B008 - frozen
    clock: Clock = system_clock,
    provider: Provider | None = None,
) -> Any:
    """The whole web over a migrated database: public pages, API, staff pages, health.

    `city` is how the reader names the city to a command: a folder name or a path. base_url is the public
    address of the site; empty where there is none. limits are those of rows that departments send in.
    clock tells when sessions end and what is late. provider knows the accounts of the city; None: people
    have passwords alone.
    """
    build = build_id(settings.PROJECT)
    desk = Desk(engine, catalogue, lambda: start_view(engine, catalogue, city), build, base_url, clock)
    pages, calls = site.Site(desk), api.Api(desk)
    states = status(engine, catalogue.city.id, catalogue.sources, build)
    pushed = frozenset(name for name, source in catalogue.sources.items() if source.kind == PUSHED)
    door = Door(engine, pushed, limits)
    who = Who(engine, clock, guard.Way(base_url))
    entry = Entry(who, AccountPages(desk))
    status_page = StatusPage(desk, lambda: status_view(engine, catalogue))
    routes = (
        Route("/", Kind.PUBLIC, pages.home),
        Route("/metric/<metric>", Kind.PUBLIC, pages.metric),
        Route("/district/<district>", Kind.PUBLIC, pages.district),
        Route("/method", Kind.PUBLIC, pages.method),
        *(Route(path, Kind.EMBED, answer) for path, answer in embed.Embeds(desk).addresses()),
        Route("/api/v1/scores", Kind.PUBLIC, calls.scores),
        Route("/api/v1/metrics", Kind.PUBLIC, calls.metrics),
        Route("/api/v1/metrics/<metric>", Kind.PUBLIC, calls.metric),
        Route("/api/v1/metrics/<metric>/series", Kind.PUBLIC, calls.series),
        Route("/api/v1/metrics/<metric>/series.json", Kind.PUBLIC, calls.series),
        Route("/api/v1/metrics/<metric>/series.csv", Kind.PUBLIC, calls.series_csv),
        Route("/api/v1/metrics/<metric>/signals", Kind.PUBLIC, calls.signals),
        Route("/api/v1/metrics/<metric>/explain", Kind.PUBLIC, calls.explain),
        Route("/api/v1/metrics/<metric>/revisions", Kind.PUBLIC, calls.revisions),
        Route("/api/v1/metrics/<metric>/districts", Kind.PUBLIC, calls.districts),
        Route("/api/v1/metrics/<metric>/integrity", Kind.PUBLIC, calls.integrity),
        Route("/api/v1/publications", Kind.PUBLIC, calls.publications),
        Route("/api/v1/sources", Kind.PUBLIC, calls.sources),
        Route("/api/v1/ingest/<source>", Kind.PUSH, door.receive, method="POST"),
        Route("/api/v1/ingest/requests/<number>", Kind.PUSH, door.state),
        Route(
            "/metric/<metric>/problem",
            Kind.PUBLIC,
            ProblemDesk(desk, clock, who.address).receive,
            method="POST",
        ),
        Route("/act/<name>", Kind.ACT, Acts(desk, clock, who.is_own_form).receive, method="POST"),
        Route("/health", Kind.HEALTH, alive),
        Route(
            "/status",
            Kind.HEALTH,
            negotiated(states, status_page),
        ),
        Route("/status.json", Kind.HEALTH, states),
        *SignIn(
            entry,
            EXAMPLES if catalogue.city.id == DEMONSTRATION else {},
            BEGIN if provider is not None else None,
        ).routes(),
        *(CityAccount(entry, provider).routes() if provider is not None else ()),
        *LinkPages(entry).routes(),
        *Account(entry, provider is not None).routes(),
        Route("/today", Kind.STAFF, redirect(ENTRANCE)),
        Route("/staff", Kind.STAFF, redirect(ENTRANCE)),
        Route(CASE_FILE, Kind.STAFF, CaseFile(desk).download),
        Route(AUDIT_FILE, Kind.STAFF, AuditFile(desk).download),
    )
    made = server.create(
        server.Wiring(
            routes=routes,
            state=lambda: _state(engine),
            build=build,
            assets=ASSETS,
            is_page=lambda path: staff.is_page(path) or is_file(path) or is_audit_file(path),
            failure=pages.failure,
            entrance=redirect(ENTRANCE),
            base_url=base_url,
            doorkeeper=who,
        )
    )
    forms.put_token(made, who.token)
    staff.mount(made, desk, who.person, ASSETS, (CSRF, CSRF_HEADER))
    return made


def start_view(engine: Engine, catalogue: Catalogue, city: str) -> StartView:
    """How far the first loading of a city is, and the commands that load what nobody has loaded."""
    states = source_states(engine, catalogue.sources)
    return StartView(
        city=catalogue.city,
        metrics=len(catalogue.live_metrics()),
        sources=tuple(_source_start(one, catalogue.sources[one.id], city) for one in states),
        progress=_progress(engine),
    )


def status_view(engine: Engine, catalogue: Catalogue, clock: Clock = system_clock) -> StatusView:
    """How every source of a city is right now, and which publication it stands by."""
    now, states = clock(), source_states(engine, catalogue.sources)
    with reading(engine) as connection:
        current, state = publications.current(connection), publications.state(connection)
        at_work = is_worked(connection, now)
    return StatusView(
        city=catalogue.city,
        now=now,
        state=state,
        is_worked=at_work,
        publication=current.publication if current else None,
        sources=tuple(_source_status(one, catalogue, now) for one in states),
    )


def _source_status(state: SourceState, catalogue: Catalogue, now: datetime) -> SourceStatus:
    source, at = catalogue.sources[state.id], state.finished_at or state.started_at
    run = RunStatus(state.outcome, at, state.read, state.rejected) if state.outcome and at else None
    return SourceStatus(source, state.known_until, due_until(catalogue.city, source, now), run)


def _progress(engine: Engine) -> str | None:
    """What the worker says it is doing."""
    with reading(engine) as connection:
        told = [one.progress for one in jobs.under_way(connection)]
        told += [one.progress for one in requests.under_way(connection)]
    said = [words for words in told if words]
    return str(said[-1].get("sentence")) if said else None


def _source_start(state: SourceState, source: Source, city: str) -> SourceStart:
    how = {"simulated": f"run {state.id}", "manual": f"enter {state.id} --from FILE --by NAME"}
    return SourceStart(
        id=state.id,
        name=state.name,
        has_ever_succeeded=state.known_until is not None or state.outcome in GOOD_OUTCOMES,
        outcome=state.outcome,
        command=f"CITY={city} {_python()} -m ingest {how.get(source.kind, f'run {state.id} --from FILE')}",
    )


def _python() -> str:
    """The Python a reader types: the project's own where it runs this, which `python` alone need not be."""
    own = settings.PROJECT / ".venv"
    return f"{own.name}/bin/python" if Path(sys.prefix) == own else "python"


def _state(engine: Engine) -> int:
    with reading(engine) as connection:
        return publications.state(connection)


# --- running -----------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 1 with one clear line, or one for each mistake in the catalogue, where it cannot."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "new-city":
            return _new_city(given.city, bare=given.bare)
        chosen = settings.from_environment()
        if given.command == "web":
            serve_web(
                lambda: _open_server(chosen),
                chosen.port,
                with_parent=True,
                processes=chosen.web_processes,
            )
            return 0
        return _run(chosen)
    except CatalogueError as error:
        print("\n".join(str(mistake) for mistake in error.mistakes), file=sys.stderr)
    except (StoreError, settings.SettingError, PortInUse) as error:
        print(error, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python app.py",
        description="Without a command: runs the dashboards and the worker until Ctrl-C.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    new = commands.add_parser("new-city", help="make the folder of a new city, with examples to fill in")
    new.add_argument("city", metavar="NAME_OR_PATH")
    new.add_argument(
        "--bare", action="store_true", help="without the examples: `python -m ingest discover` writes them"
    )
    commands.add_parser("web")
    return parser


def _run(chosen: settings.Settings) -> int:
    """Everything on one machine: this process supervises, one child serves, one works."""
    _provider(chosen)  # What is wrong with its settings is said here, and not by every process.
    engine, catalogue = _open(chosen)
    refuse_port_in_use(chosen.port)
    first = _first_admin(engine, catalogue, chosen)
    engine.dispose()
    children = [Child("web server", [sys.executable, str(APP), "web"], is_vital=True)]
    if chosen.scheduler:
        children.append(Child("worker", [sys.executable, str(WORKER), "--with-parent"]))
    address = f"http://{HOST}:{chosen.port}"
    print(f"{catalogue.city.name}: starting on {address}", flush=True)

    def ready() -> None:
        print(f"{catalogue.city.name}: {address}/ and {address}{ENTRANCE} (Ctrl-C ends it)", flush=True)
        if first is not None:
            print(
                f"{catalogue.city.name}: nobody can sign in yet; become the first admin: {first}", flush=True
            )

    return supervise(children, port=chosen.port, ready=ready)


def _first_admin(engine: Engine, catalogue: Catalogue, chosen: settings.Settings) -> str | None:
    """The address of a one-time link where the city has no admin; the demonstration offers one by itself."""
    if catalogue.city.id == DEMONSTRATION and not chosen.base_url:
        return None
    link = first_admin_link(engine, system_clock)
    return None if link is None else chosen.address + link


def _open(chosen: settings.Settings) -> tuple[Engine, Catalogue]:
    """The migrated database and the definitions of the city that is set."""
    catalogue = load(find_city(chosen.city))
    engine = open_engine(database_url(chosen, catalogue.city.id))
    migrate(engine, catalogue.city, system_clock)
    return engine, catalogue


def _open_server(chosen: settings.Settings) -> Any:
    limits = Limits(chosen.push_megabytes, chosen.push_per_minute)
    return make_server(*_open(chosen), chosen.city, chosen.base_url, limits, provider=_provider(chosen))


def _provider(chosen: settings.Settings) -> Provider | None:
    """The provider that is set; None without. Raises SettingError where its secret is missing."""
    if not chosen.oidc_issuer:
        return None
    secret = settings.secret(settings.OIDC_SECRET)
    if secret is None:
        raise settings.SettingError(
            f"OIDC_ISSUER is set without {settings.OIDC_SECRET}; set it, or {settings.OIDC_SECRET}_FILE."
        )
    return Provider(Registration(chosen.oidc_issuer, chosen.oidc_client_id, secret), system_clock)


def _new_city(name_or_path: str, *, bare: bool = False) -> int:
    """Makes the folder of a new city: small, commented, and clean under `python -m metrics check`.

    bare: without a source and a metric, which discovery writes from what the city has.
    """
    folder = Path(name_or_path) if "/" in name_or_path else CITIES / name_or_path
    if re.fullmatch(CITY_ID, folder.name) is None:
        print(
            f"{folder.name!r} cannot name a city; give small letters, digits and _, for example springfield.",
            file=sys.stderr,
        )
        return 1
    if folder.exists():
        print(f"{folder} is there already; give another name, or change its files.", file=sys.stderr)
        return 1
    name = folder.name.replace("_", " ").title()
    files = {file: text for file, text in NEW_CITY.items() if "/" not in file or not bare}
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text.replace("CITY_ID", folder.name).replace("CITY_NAME", name))
    called = f"CITY={folder.name if folder.parent == CITIES else folder} {settings.interpreter()}"
    if bare:
        print(
            f"Made {folder}. Put its time zone into city.toml, which has New York's; it cannot change after"
        )
        print(f"the first publication. Next: {called} -m ingest discover URL_OR_FILE")
        return 0
    print(f"Made {folder}. Put a CSV file into its folder drop/, then: {called} app.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
