"""A file is compressed once, a page each time, and a part of a file is never kept for the whole."""

from __future__ import annotations

import brotli
import pytest
from flask import Flask

from serving.compression import install

SCRIPT = "let y = 1;" * 500


@pytest.fixture
def server(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.js").write_text(f"{SCRIPT}// {name}")
    server = Flask("test", static_folder=str(tmp_path), static_url_path="/assets")
    server.add_url_rule("/page", "page", lambda: "page" * 500)
    return server


@pytest.fixture
def packed(monkeypatch):
    """What was compressed, by its first bytes."""
    packed = []
    pack = brotli.compress

    def noted(data, **more):
        packed.append(data[-1:])
        return pack(data, **more)

    monkeypatch.setattr("brotli.compress", noted)
    return packed


def ask(server, path, **headers):
    return server.test_client().get(path, headers={"Accept-Encoding": "br", **headers})


def test_a_file_is_compressed_once_and_a_page_each_time(server, packed):
    install(server)
    for _time in range(3):
        shown = ask(server, "/assets/a.js")
        assert brotli.decompress(shown.data).decode() == f"{SCRIPT}// a"
        assert "Accept-Encoding" in shown.headers["Vary"] and shown.headers["ETag"].endswith(':br"')
        assert ask(server, "/page").headers["Content-Encoding"] == "br"
    assert packed.count(b"a") == 1 and packed.count(b"e") == 3


def test_a_file_goes_to_each_reader_as_they_take_it(server):
    install(server)
    assert ask(server, "/assets/a.js").headers["Content-Encoding"] == "br"
    plain = ask(server, "/assets/a.js", **{"Accept-Encoding": "identity"})
    assert plain.text == f"{SCRIPT}// a" and "Content-Encoding" not in plain.headers
    plain.close()


def test_a_part_of_a_file_is_not_kept_for_the_whole(server):
    install(server)
    part = ask(server, "/assets/a.js", Range="bytes=0-999")
    assert part.status_code == 206 and part.text == SCRIPT[:1000]
    part.close()
    assert brotli.decompress(ask(server, "/assets/a.js").data).decode() == f"{SCRIPT}// a"


def test_a_file_that_is_another_is_compressed_anew(server, tmp_path):
    install(server)
    ask(server, "/assets/b.js")
    (tmp_path / "b.js").write_text(f"{SCRIPT}// new")
    assert brotli.decompress(ask(server, "/assets/b.js").data).decode() == f"{SCRIPT}// new"
