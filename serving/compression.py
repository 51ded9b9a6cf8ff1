"""Answers are compressed; a file is compressed once, and harder, not once for each reader."""

from __future__ import annotations

from functools import lru_cache

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
"""Below these paths an answer is a file."""

MOST_FILES = 64
"""More than all pages have; what is kept is found by the bytes of a file, so that no address can fill it."""

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
    server.after_request(_compress_files)


def _compress_files(response: Response) -> Response:
    """The answer to this request, compressed where it is a whole file and its reader takes Brotli."""
    if not _is_whole_file(response) or request.accept_encodings.best_match(ENCODINGS) != "br":
        return response
    # What is streamed would hold a file open.
    response.direct_passthrough = False
    packed = _packed(response.get_data())
    response.close()
    response.set_data(packed)
    response.headers["Content-Encoding"] = "br"
    tag, is_weak = response.get_etag()
    if tag and not is_weak:
        response.set_etag(f"{tag}:br")
    return response


def _is_whole_file(response: Response) -> bool:
    """Whether an answer is a whole file that is worth compressing."""
    return (
        request.method in ("GET", "HEAD")
        and response.status_code == 200
        and request.path.startswith(FILES)
        and response.mimetype in COMPRESSED
        and "Content-Encoding" not in response.headers
    )


@lru_cache(maxsize=MOST_FILES)
def _packed(data: bytes) -> bytes:
    return brotli.compress(data, quality=HARD if len(data) > LARGE else HARDEST)
