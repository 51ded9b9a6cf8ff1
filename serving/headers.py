"""What every answer tells a browser about itself: what it may load, where it may stand, how long it lasts."""

from __future__ import annotations

import base64
import hashlib
import re

from flask import Response

from serving.routes import FOR_STAFF, OPEN, REVALIDATE, Kind

NOT_MODIFIED = 304
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

PUBLIC_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
"""Public pages need no script; what they run, to keep the theme a reader chose, is a file of ours."""

EMBED_POLICY = PUBLIC_POLICY.replace("frame-ancestors 'self'", "frame-ancestors *")
"""For what an embed does not say itself, a failure above all: it too must show inside frames."""

ENTRY_POLICY = PUBLIC_POLICY.replace("frame-ancestors 'self'", "frame-ancestors 'none'")
"""Where somebody types a password, no page of anybody stands around ours."""

STAFF_POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Dash sets styles by itself; scripts are our files, and inline ones only as they were sent."""

_POLICIES: dict[Kind | None, str] = {Kind.EMBED: EMBED_POLICY, Kind.ENTRY: ENTRY_POLICY}
_INLINE_SCRIPT = re.compile(
    rb"<script(?P<attributes>[^>]*)>(?P<text>.*?)</script>", re.DOTALL | re.IGNORECASE
)


def protect(response: Response, kind: Kind | None) -> Response:
    """Adds the headers that belong to a kind of route; what a route said itself stays."""
    for name, value in ALWAYS.items():
        response.headers.setdefault(name, value)
    # A 304 must not say another policy: browsers would put it on the page they have kept.
    if response.status_code != NOT_MODIFIED:
        response.headers.setdefault("Content-Security-Policy", _policy(response, kind))
    if kind is Kind.EMBED:
        response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    if kind in FOR_STAFF:
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = REVALIDATE if kind in OPEN else "no-store"
    return response


def script_hashes(page: bytes) -> list[str]:
    """The CSP hashes of the inline scripts of a page, in order; data blocks are no scripts."""
    found = []
    for match in _INLINE_SCRIPT.finditer(page):
        attributes = match["attributes"].lower()
        if b"src=" in attributes or b"application/json" in attributes:
            continue
        digest = base64.b64encode(hashlib.sha256(match["text"]).digest()).decode()
        found.append(f"'sha256-{digest}'")
    return found


def _policy(response: Response, kind: Kind | None) -> str:
    if kind is not Kind.STAFF:
        return _POLICIES.get(kind, PUBLIC_POLICY)
    is_page = response.mimetype == "text/html" and not response.direct_passthrough
    hashes = script_hashes(response.get_data()) if is_page else []
    return STAFF_POLICY.format(hashes="".join(f" {one}" for one in hashes))
