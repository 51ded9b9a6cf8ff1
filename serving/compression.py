"""Answers are compressed; a file is compressed once, not once for each reader."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from flask import Flask, Request
from flask_compress import Compress

from serving.routes import ASSETS, STAFF

COMPRESSED = (
    "application/javascript",
    "application/json",
    "application/problem+json",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
)

FILES = (f"{ASSETS}/", f"{STAFF}assets/", f"{STAFF}_dash-component-suites/")
"""Below these paths an answer is a file, and the same as long as the process runs."""

MOST_KEPT = 16_000_000
"""Bytes: twice what the scripts and styles of all pages have in three encodings."""


def install(server: Flask) -> None:
    """Compresses what a server answers, as far as its readers take it."""
    server.config.update(
        COMPRESS_MIMETYPES=list(COMPRESSED),
        COMPRESS_STREAMS=False,
        COMPRESS_ZSTD_LEVEL=15,
        COMPRESS_CACHE_BACKEND=CompressedFiles,
        COMPRESS_CACHE_KEY=_name,
    )
    Compress(server)


class CompressedFiles:
    """The compressed bytes of files by encoding and path, those asked for last; nothing but files."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most, self._held = most, 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """The bytes for `encoding;path`; None for what is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def set(self, key: str, value: bytes) -> None:
        """Keeps the bytes of a file, and lets go of those asked for longest ago beyond the limit."""
        if not key.partition(";")[2].startswith(FILES):
            return
        with self._lock:
            self._held += len(value) - len(self._kept.get(key, b""))
            self._kept[key] = value
            self._kept.move_to_end(key)
            while self._held > self._most:
                self._held -= len(self._kept.popitem(last=False)[1])


def _name(asked: Request) -> str:
    """What the compressed answer to a request is kept under; nothing for a part of a file, or its head."""
    return asked.path if asked.method == "GET" and "Range" not in asked.headers else ""
