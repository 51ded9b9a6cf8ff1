"""Answers of GeoReport servers, XML or JSON, as rows; what they say instead of an answer is told apart."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ingest import http
from ingest.answers import objects, parsed, short, table
from ingest.contract import SourceError
from ingest.spool import Decoded

ID = "service_request_id"

FIELDS = (
    ID,
    "status",
    "status_notes",
    "service_name",
    "service_code",
    "description",
    "agency_responsible",
    "service_notice",
    "requested_datetime",
    "updated_datetime",
    "expected_datetime",
    "address",
    "address_id",
    "zipcode",
    "lat",
    "long",
    "media_url",
)
"""What GeoReport v2 says of a request; servers leave out what is empty, and add to it."""

CLOSED, JURISDICTION = "closed_datetime", "jurisdiction_id"

_BLANK = b"\xef\xbb\xbf \t\r\n"

Row = dict[str, Any]


def rows_of(body: bytes, place: str) -> list[Row]:
    """The requests of an answer; SourceError when it is an error, a web page or anything else."""
    start = body.lstrip(_BLANK)
    rows = _of_xml(body, place) if start.startswith(b"<") else _of_json(body, place)
    faults = [row for row in rows if ID not in row and "description" in row and "code" in row]
    if faults:
        raise SourceError(f"{place} answered an error: {faults[0]['code']} {short(faults[0]['description'])}")
    return rows


def services(body: bytes) -> bool:
    """Whether an answer lists services, as every server of GeoReport does at its endpoint."""
    if not body.lstrip(_BLANK).startswith(b"<"):
        try:
            found = parsed(body, "")
        except SourceError:
            return False
        return any("service_code" in one for one in objects(found))
    try:
        return _name(_read(body)) == "services"
    except (ElementTree.ParseError, ValueError, LookupError):
        return False


def decoded(rows: list[Row], jurisdiction: str) -> Decoded:
    """Columns and cells: those of the protocol, those the server adds, and the two that are made here.

    A closed request without a closing time of its own was closed by the time it was last updated.
    """
    whole = [{JURISDICTION: jurisdiction or None, **row, CLOSED: _closed(row)} for row in rows]
    names = list(dict.fromkeys([*FIELDS, CLOSED, JURISDICTION, *(name for row in whole for name in row)]))
    return names, table(names, whole)


def _closed(row: Row) -> Any:
    if row.get(CLOSED):
        return row[CLOSED]
    return row.get("updated_datetime") if str(row.get("status") or "").strip().lower() == "closed" else None


def _of_json(body: bytes, place: str) -> list[Row]:
    answer = parsed(body, place)
    if isinstance(answer, dict):
        lists = [answer[name] for name in ("service_requests", "requests", "errors") if name in answer]
        answer = lists[0] if lists else answer.get("error", answer)
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise SourceError(f"{place} answered no requests: {short(answer)}; correct the source's options.")
    return answer


class _Plain(ElementTree.TreeBuilder):
    """Reads no document type: entities of a server's own are no data, and can be made to grow without end."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise ValueError(f"it declares a document type, {name}")


def _read(body: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(body, ElementTree.XMLParser(target=_Plain()))


def _of_xml(body: bytes, place: str) -> list[Row]:
    head = body[:1000].lower()
    if b"<!doctype" in head or b"<html" in head:
        raise SourceError(f"{place} answered a web page (HTML), not data; look whether the server has moved.")
    try:
        root = _read(body)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SourceError(f"{place} answered XML that is broken ({error}); try again later.") from error
    if _name(root) not in ("service_requests", "requests", "errors"):
        said = " ".join("".join(root.itertext()).split())[: http.BODY_SHOWN]
        raise SourceError(
            f"{place} answered no requests: {said or _name(root)}; correct the source's options."
        )
    try:
        return [{_name(field): _value(field) for field in one} for one in root]
    except RecursionError as error:
        raise SourceError(f"{place} answered XML that is nested too deeply; ask its publisher.") from error


def _value(field: ElementTree.Element) -> Any:
    """The text of an element, or what it holds by name."""
    if len(field):
        return {_name(one): _value(one) for one in field}
    return (field.text or "").strip() or None


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
