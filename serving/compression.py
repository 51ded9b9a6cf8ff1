"""Answers are compressed; a file is compressed once, and harder, not once for each reader."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import brotli
from flask import Flask, Response, request
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

MOST_KEPT = 8_000_000
"""Bytes: some four times what the scripts and styles of all pages have, compressed."""

LARGE = 500_000
"""Of a file with more bytes the last tenth of compression takes ten seconds."""

HARD, HARDEST = 9, 11

ENCODINGS = ("br", "zstd", "gzip")
"""What readers take, the smallest of equals first."""


def install(server: Flask) -> None:
    """Compresses what a server answers, as far as its readers take it."""
    server.config.update(COMPRESS_MIMETYPES=list(COMPRESSED), COMPRESS_STREAMS=False, COMPRESS_ZSTD_LEVEL=15)
    # Last registered runs first on the way out: what is compressed here is left alone there.
    Compress(server)
    server.after_request(CompressedFiles())


class CompressedFiles:
    """The compressed bytes of files by path, those asked for last; most: how many bytes are kept."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most, self._held = most, 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def __call__(self, response: Response) -> Response:
        """The answer to this request, compressed where it is a whole file and its reader takes Brotli."""
        if not _is_whole_file(response) or request.accept_encodings.best_match(ENCODINGS) != "br":
            return response
        # What is streamed holds a file open; it is read, or let go, here.
        response.direct_passthrough = False
        packed = self._find(request.path)
        if packed is None:
            packed = _packed(response.get_data())
            self._keep(request.path, packed)
        response.close()
        response.set_data(packed)
        response.headers["Content-Encoding"] = "br"
        tag, is_weak = response.get_etag()
        if tag and not is_weak:
            response.set_etag(f"{tag}:br")
        return response

    def _find(self, path: str) -> bytes | None:
        with self._lock:
            found = self._kept.get(path)
            if found is not None:
                self._kept.move_to_end(path)
            return found

    def _keep(self, path: str, packed: bytes) -> None:
        with self._lock:
            self._held += len(packed) - len(self._kept.pop(path, b""))
            self._kept[path] = packed
            while self._held > self._most:
                self._held -= len(self._kept.popitem(last=False)[1])


def _is_whole_file(response: Response) -> bool:
    """Whether an answer is a whole file that is worth compressing."""
    return (
        request.method in ("GET", "HEAD")
        and response.status_code == 200
        and request.path.startswith(FILES)
        and response.mimetype in COMPRESSED
        and "Content-Encoding" not in response.headers
    )


def _packed(data: bytes) -> bytes:
    return brotli.compress(data, quality=HARD if len(data) > LARGE else HARDEST)
