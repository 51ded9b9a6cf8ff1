"""Addresses of sheets published on the web (Google, Excel online) become addresses that give the table."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

_GOOGLE = re.compile(r"/spreadsheets/d/(e/)?([\w-]+)(/.*)?")
_GRID = re.compile(r"gid=(\d+)")
_EXCEL_LINK = re.compile(r"/:x:/")
_EXCEL_PAGES = ("/embed", "/view.aspx", "/edit.aspx", "/redir")


def table_address(address: str) -> str | None:
    """Where the table of a published sheet is downloaded; None where the address is of no such sheet.

    Google: the address of the editor or of the published page, its `gid` being the sheet (CSV). Excel
    online: a link shared from SharePoint, OneDrive or 1drv.ms (the whole workbook).
    """
    parts = urlsplit(address)
    google = _GOOGLE.fullmatch(parts.path)
    if google:
        return _google(address, *google.groups())
    host = parts.hostname or ""
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if _EXCEL_LINK.match(parts.path):
        return urlunsplit(parts._replace(query=urlencode(query | {"download": "1"}), fragment=""))
    if host == "onedrive.live.com" and parts.path.lower() in _EXCEL_PAGES:
        return urlunsplit(parts._replace(path="/download", fragment=""))
    if host == "1drv.ms":
        token = urlsafe_b64encode(address.encode()).decode().rstrip("=")
        return f"https://api.onedrive.com/v1.0/shares/u!{token}/root/content"
    return None


def _google(address: str, published: str | None, id_: str, rest: str | None) -> str:
    parts = urlsplit(address)
    if (rest or "").startswith(("/export", "/pub")) and "csv" in parts.query:
        return address
    grid = _GRID.search(f"{parts.query}&{parts.fragment}")
    gid = {"gid": grid[1]} if grid else {}
    if published:
        path, query = f"/spreadsheets/d/e/{id_}/pub", {**gid, "single": "true", "output": "csv"}
    else:
        path, query = f"/spreadsheets/d/{id_}/export", {"format": "csv", **gid}
    return urlunsplit(parts._replace(path=path, query=urlencode(query), fragment=""))
