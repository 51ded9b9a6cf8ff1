"""A secret that a run was given is in nothing that it writes."""

from __future__ import annotations

from dataclasses import replace

from ingest.contract import Copy, SourceError
from ingest.redaction import Secrets
from ingest.run import run_source
from ingest.sources import file as files
from metrics.catalogue_source_rules import _options_hold_no_secret
from tests.ingest.conftest import CASES

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
    assert report.message == "https://***@host/x?token=*** answered 500"
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
    ):
        [said] = mistakes(**wrong)
        assert "this looks like a secret" in said and SECRET not in said
    assert not mistakes(token="COUNTS_TOKEN", path="drop/*.csv", url="https://host/a?id=1", key_from=["a"])
