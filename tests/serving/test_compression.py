"""A file is compressed once, a page each time, and a part of a file is never kept for the whole."""

from __future__ import annotations

import brotli
import pytest
from flask import Flask

from serving.compression import CompressedFiles, install

SCRIPT = "let x = 1;" * 500


@pytest.fixture
def client(tmp_path, monkeypatch):
    packed = []
    pack = brotli.compress
    monkeypatch.setattr("brotli.compress", lambda data, **more: packed.append(data) or pack(data, **more))
    (tmp_path / "a.js").write_text(SCRIPT)
    server = Flask("test", static_folder=str(tmp_path), static_url_path="/assets")
    server.add_url_rule("/page", "page", lambda: "page" * 500)
    install(server)
    server.after_request(_read)
    client = server.test_client()
    client.packed = packed
    return client


def _read(response):
    """What is streamed would not be compressed."""
    response.direct_passthrough = False
    response.get_data()
    response.close()
    return response


def ask(client, path, **headers):
    return client.get(path, headers={"Accept-Encoding": "br", **headers})


def test_a_file_is_compressed_once_and_a_page_each_time(client):
    for _time in range(3):
        assert brotli.decompress(ask(client, "/assets/a.js").data).decode() == SCRIPT
        assert ask(client, "/page").headers["Content-Encoding"] == "br"
    assert len(client.packed) == 4


def test_a_part_of_a_file_is_not_kept_for_the_whole(client):
    ask(client, "/assets/a.js", Range="bytes=0-999")
    assert brotli.decompress(ask(client, "/assets/a.js").data).decode() == SCRIPT


def test_what_is_kept_is_bounded_and_that_asked_for_longest_ago_goes_first():
    kept = CompressedFiles(most=100)
    for name in "abc":
        kept.set(f"br;/assets/{name}", b"x" * 40)
        kept.get("br;/assets/a")
    assert [kept.get(f"br;/assets/{name}") is not None for name in "abc"] == [True, False, True]
    kept.set("br;/assets/c", b"y" * 50)
    assert kept.get("br;/assets/c") == b"y" * 50 and kept.get("br;/assets/a") is not None
    kept.set("br;/page", b"z")
    assert kept.get("br;/page") is None
