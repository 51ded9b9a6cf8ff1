"""A secret that a run was given is in nothing that it writes."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ingest.contract import Copy, SourceError
from ingest.dry_run import dry_run
from ingest.looking import recognise
from ingest.quarantine import readable
from ingest.redaction import Secrets, hidden, public
from ingest.run import run_source
from ingest.sources import file as files
from ingest.status_table import State, table
from metrics.catalogue_source_rules import _options_hold_no_secret
from metrics.model import Catalogue
from store import schema
from store.engine import reading
from tests.ingest.conftest import CASES, CITY, NOW

SECRET = "hunter2-and-more"


def test_a_planted_secret_is_in_no_file_no_ledger_and_no_message(bench, monkeypatch):
    path = bench.file("cases.csv", "id,topic\na,b\n")

    def fail(_source, request):
        given = request.secret("COUNTS_TOKEN")
        request.progress(f"asking with {given}")
        request.keep(Copy(path, f"answer-{given}.csv"))
        raise SourceError(f"https://me:{given}@host/x?token={given} answered 500")

    monkeypatch.setattr(files, "read", fail)
    monkeypatch.setenv("COUNTS_TOKEN", SECRET)
    report = run_source(bench.desk, bench.source())
    assert report.message == "https://***@host/x?*** answered 500"
    assert bench.said == ["asking with ***"]
    bench.engine.dispose()
    for file in bench.folder.rglob("*"):
        assert SECRET not in file.name
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def test_a_secret_from_a_file_and_the_password_of_an_address_are_hidden_too(bench, monkeypatch):
    secrets = Secrets()
    secrets.add("postgresql://me:p%40ss-word@host/db")
    assert secrets.hidden("FATAL: p@ss-word, p%40ss-word") == "FATAL: ***, ***"
    kept = bench.file("token.txt", SECRET + "\n")
    monkeypatch.setenv("COUNTS_TOKEN_FILE", str(kept))
    assert bench.desk.secret("COUNTS_TOKEN") == SECRET


def test_a_catalogue_that_holds_a_secret_is_refused_without_repeating_it():
    def mistakes(**options):
        return [str(one) for one in _options_hold_no_secret(replace(CASES, options=options))]

    for wrong in (
        {"token": SECRET},
        {"storage": {"password": SECRET}},
        {"path": f"sftp://me:{SECRET}@host/x.csv"},
        {"url": f"https://host/x?api_key={SECRET}"},
        {"path": f"simplecache::HTTPS://me:{SECRET}@host/x.csv"},
        {"path": f"sftp://me:a/b@{SECRET}@host/x.csv"},
        {"path": f"https://host.blob.example/x?sv=2024&sig={SECRET}"},
        {"path": f"github://me:ghp_{SECRET}@main/x.csv"},
    ):
        [said] = mistakes(**wrong)
        assert "this looks like a secret" in said and SECRET not in said
    assert not mistakes(token="COUNTS_TOKEN", path="drop/*.csv", url="https://host/a?id=1", key_from=["a"])
    assert not mistakes(path="github://city:open-data@main/x.csv", url="https://host.example:8080/@new/x")


# --- secrets in odd addresses ------------------------------------------------------------------------

START, END = "Zx7Qv9", "Kp3Wt8"
"""What a planted secret begins and ends with: neither is anywhere else."""

SECRETS = st.text(alphabet="ab01/@:#?%&=+ '\\[]$,.;~é", min_size=1, max_size=8).map(
    lambda middle: f"{START}{middle}{END}"
)
PLACES = (
    "https://me:{}@127.0.0.1:1/cases.csv",
    "HTTPS://me:{}@127.0.0.1:1/cases.csv",
    "https://{}@127.0.0.1:1/cases.csv",
    "https://127.0.0.1:1/cases.csv?token={}",
    "https://127.0.0.1:1/cases.csv?{}",
    "https://127.0.0.1:1/cases.csv?sv=2024&sig={}&se=2027-01-01",
    "https://127.0.0.1:1/cases.csv?X-Amz-Credential={}#top",
    "simplecache::https://me:{}@127.0.0.1:1/cases.csv",
    "zip://cases.csv::ftp://me:{}@127.0.0.1:1/cases.zip",
    "sftp://me:{}@127.0.0.1:1/cases.csv",
    "github://me:{}@main/cases.csv",
    "nosuch://me:{}@127.0.0.1/cases.csv",
    "https://[me:{}@127.0.0.1/cases.csv",
    "me:{}@127.0.0.1:cases.csv",
)
DATABASES = (
    "postgresql://me:{}@127.0.0.1:1/city",
    "postgresql://me@127.0.0.1:1/city?password={}",
    "postgresql://me:{}@127.0.0.1:port/city",
    "POSTGRESQL://me:{}@[::1/city",
    "{}",
)
TOLD = (
    "cannot open {}",
    "404, message='Not Found', url=URL({!r})",
    '{{"error": "no such thing", "url": "{}"}}',
    "({}): gone; see https://example.org/help.",
    "Authorization: Basic {}",
)


def seen(secret, said):
    """The parts of a secret that a text repeats."""
    return [part for part in (secret, START, END) if part in said]


@example(f"{START}:#{END}", PLACES[2], TOLD[0])
@given(SECRETS, st.sampled_from(PLACES + DATABASES[:4]), st.sampled_from(TOLD))
def test_a_sentence_that_tells_an_address_tells_no_secret_of_it(secret, place, told):
    address = place.format(secret)
    assert seen(secret, public(address)) == []
    secrets = Secrets()
    secrets.see(address)
    assert seen(secret, secrets.hidden(told.format(address))) == []
    assert seen(secret, secrets.hidden(readable(" ".join(told.format(address).split())))) == []


@given(SECRETS, st.sampled_from(PLACES[:-1]))
def test_an_address_that_nobody_told_us_of_is_recognised_in_a_sentence(secret, place):
    address = place.format("".join(secret.split()))
    assert seen(secret, hidden(f"moved to {address}, ask there")) == []


def test_what_is_no_secret_stands_in_the_sentence():
    for plain in (
        "https://data.example.org/a/b.csv has no column id",
        "give one like postgresql://user:password@host:5432/name",
        "C:/drop/2026@noon.csv, 10:30 to 11:00, me@city.example",
        "zip://a.csv::https://data.example.org:8080/a.zip is empty.",
    ):
        assert hidden(plain) == plain
    assert hidden("https://data.example.org/a?id=1.") == "https://data.example.org/a?***."
    assert hidden("simplecache::https://me:pw@host/a") == "simplecache::https://***@host/a"


WHERE_A_RUN_ENDS_AT_ONCE = [one for one in PLACES if not one.startswith("github:")]


@pytest.mark.parametrize("examples", [5, pytest.param(100, marks=pytest.mark.matrix)])
def test_a_run_from_an_odd_address_ends_in_one_sentence_without_its_secret(
    bench, waits, monkeypatch, caplog, examples
):
    @settings(max_examples=examples)
    @given(SECRETS, st.sampled_from([*WHERE_A_RUN_ENDS_AT_ONCE, *DATABASES]))
    def check(secret, place):
        bench.said.clear()
        caplog.clear()
        monkeypatch.setenv("THEIR_ADDRESS", place.format(secret))
        words = {"url_env": "THEIR_ADDRESS", "table": "cases"}
        kind, options = ("sql", words) if place in DATABASES else ("file", {"path": place.format(secret)})
        source = replace(CASES, kind=kind, options=options)
        report = run_source(bench.desk, source)
        assert report.outcome == "failed" and "The program made a mistake" not in report.message
        assert report.message.endswith(".") and "\n" not in report.message
        trial = dry_run(
            bench.desk, source, Catalogue(CITY, {}, {}, {source.id: source}, {}, text="", hash="")
        )
        assert trial.report.message == report.message
        state = State(source.id, bench.last_run(source), None, 0, None, True)
        shown = table([state], NOW, ZoneInfo("UTC"), 10_000, colour=True)
        with reading(bench.engine) as connection:
            kept = connection.execute(select(schema.runs).order_by(schema.runs.c.id.desc()).limit(1)).one()
        said = [report.line(), str(kept), *bench.said, *trial.lines(), *shown, caplog.text]
        assert [seen(secret, one) for one in said if seen(secret, one)] == []

    check()


def test_the_address_and_the_passwords_of_a_driver_come_from_the_environment(bench, monkeypatch):
    given_to = {}
    monkeypatch.setattr(
        files,
        "look",
        lambda path, _request, storage, _closing, **_words: given_to.update(storage, path=path) or [],
    )
    monkeypatch.setenv("DROP_ADDRESS", "sftp://host/x.csv")
    monkeypatch.setenv("DROP_PASSWORD", SECRET)
    storage = {"password": "DROP_PASSWORD", "client": {"api_token": "DROP_PASSWORD"}, "username": "CITY"}
    source = replace(CASES, options={"path_env": "DROP_ADDRESS", "storage": storage})
    assert run_source(bench.desk, source).outcome == "unchanged"
    assert given_to == {
        "path": "sftp://host/x.csv",
        "password": SECRET,
        "client": {"api_token": SECRET},
        "username": "CITY",
    }
    monkeypatch.delenv("DROP_PASSWORD")
    said = "cases: set DROP_PASSWORD, or DROP_PASSWORD_FILE, in the environment; it is not there."
    assert run_source(bench.desk, source).message == said


@pytest.mark.parametrize("place", [PLACES[0], PLACES[3], PLACES[5], PLACES[7], PLACES[9]])
def test_discovery_takes_no_address_with_a_secret(place):
    with pytest.raises(SourceError) as caught:
        recognise(place.format(SECRET))
    assert SECRET not in str(caught.value)
