"""What is behind an address whose form does not tell: its server is asked in the words of each protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import httpx

from ingest import http
from ingest.answers import as_text, objects, parsed
from ingest.contract import ReadRequest, SourceError
from ingest.looking import Address, recognise, stem
from ingest.redaction import public
from ingest.sources.geo_report import services

ATTEMPTS = 2
MOST_NAMED = 12
"""How many tables are named where an address means more than one."""

CATALOGUES = ("/arcgis/rest/services", "/server/rest/services")
ENDPOINTS = ("/open311/v2", "/georeport/v2")
"""Where these servers usually are, below the address of a whole machine."""

TABLES = ("FeatureServer", "MapServer")
_SOCRATA_ID = re.compile(r"(?:^|/)([a-z0-9]{4}-[a-z0-9]{4})(?:$|[/.])")


def identify(given: str, request: ReadRequest) -> Address:
    """The kind of a typed address or path: by its form, else by what its server answers.

    What no protocol knows is a file. Raises SourceError for a server that cannot be reached, and for an
    address that means no table or more than one, naming some of them.
    """
    known = recognise(given)
    if known is not None and known.kind not in ("ckan", "open311"):
        return known
    parts = urlsplit(given)
    with http.client(request.city.contact) as client:
        asking = _Asking(client, request, parts)
        if known is None:
            return _found(asking) or _file(given, parts)
        return asking.with_format(known) if known.kind == "open311" else asking.with_datastore(known)


def _found(asking: _Asking) -> Address | None:
    for ask in (asking.arcgis, asking.ckan, asking.socrata, asking.open311):
        found = ask()
        if found is not None:
            return found
    return None


def _file(given: str, parts: SplitResult) -> Address:
    if parts.path in ("", "/") and not parts.query:
        raise SourceError(
            f"{public(given)} answers as none of CKAN, Socrata, ArcGIS and Open311; give the address of one "
            "dataset, layer, service or file."
        )
    return Address("file", {"path": given}, stem(parts.path))


@dataclass(frozen=True)
class _Asking:
    """Questions to one server, at the address that was given and at its root."""

    client: httpx.Client
    request: ReadRequest
    parts: SplitResult

    @property
    def root(self) -> str:
        return f"{self.parts.scheme}://{self.parts.netloc}"

    @property
    def base(self) -> str:
        return (self.root + self.parts.path).rstrip("/")

    def below(self, paths: Sequence[str]) -> list[str]:
        """The address given and, where it is a whole machine, the usual places on it."""
        return [self.base, *(self.root + path for path in paths if self.base == self.root)]

    def arcgis(self) -> Address | None:
        for place in self.below(CATALOGUES):
            said = self.json(place, f="json")
            if not isinstance(said, dict):
                continue
            if "layers" in said or "tables" in said:
                return self._layer(place, said)
            if isinstance(said.get("services"), list):
                found = [one for one in objects(said["services"]) if one.get("type") in TABLES]
                names = {f"{_catalogue(place)}/{one.get('name')}/{one['type']}": "" for one in found}
                service = _one_of(names, place, "service")
                return self._layer(service, self.json(service, f="json") or {})
        return None

    def ckan(self) -> Address | None:
        for place in dict.fromkeys((self.base, self.root)):
            said = self.json(f"{place}/api/3/action/status_show")
            if isinstance(said, dict) and said.get("success") is True:
                listed = self.result(place, "package_search", rows="100").get("results")
                held = [one for one in objects(listed) if _has_tables(one)]
                names = {
                    f"{place}/dataset/{one.get('name')}": as_text(one.get("title")) or "" for one in held
                }
                name = _one_of(names, place, "dataset").rsplit("/", 1)[-1]
                return Address("ckan", {"url": place, "dataset": name}, name)
        return None

    def socrata(self) -> Address | None:
        found = _SOCRATA_ID.search(self.parts.path)
        if found and isinstance(self.json(f"{self.root}/api/views/{found[1]}.json"), dict):
            return Address("socrata", {"url": self.root, "dataset": found[1]}, "")
        listed = self.json(f"{self.root}/api/views.json", limit="100")
        tables = [one for one in objects(listed) if one.get("id") and "viewType" in one]
        if not tables:
            return None
        names = {f"{self.root}/d/{one['id']}": as_text(one.get("name")) or "" for one in tables}
        dataset = _one_of(names, self.root, "dataset").rsplit("/", 1)[-1]
        return Address("socrata", {"url": self.root, "dataset": dataset}, names[f"{self.root}/d/{dataset}"])

    def open311(self) -> Address | None:
        for place in self.below(ENDPOINTS):
            for form in ("json", "xml"):
                if self.speaks(place, form):
                    return self._endpoint(Address("open311", {"url": place}, "requests"), form)
        return None

    def with_format(self, known: Address) -> Address:
        """An Open311 address with the format its server speaks, and the jurisdiction given with it."""
        speaks_json = not self.parts.path.endswith(".xml") and self.speaks(known.options["url"], "json")
        is_xml = not speaks_json and self.speaks(known.options["url"], "xml")
        return self._endpoint(known, "xml" if is_xml else "json")

    def with_datastore(self, known: Address) -> Address:
        """A CKAN address, or that of the resource's file where the portal has no table of it."""
        [resource, *_] = known.options.get("resources", [""])
        said = self.result(known.options["url"], "resource_show", id=resource) if resource else {}
        if said.get("datastore_active") is not False or not said.get("url"):
            return known
        return Address("file", {"path": str(said["url"])}, str(said.get("name") or resource))

    def speaks(self, place: str, form: str) -> bool:
        """Whether GeoReport services are listed there."""
        words = {"jurisdiction_id": self._jurisdiction} if self._jurisdiction else {}
        body = self.body(f"{place}/services.{form}", **words)
        return body is not None and services(body)

    def result(self, place: str, action: str, **words: str) -> dict[str, Any]:
        """The result of an action of CKAN; {} where there is none."""
        said = self.json(f"{place}/api/3/action/{action}", **words)
        found = said.get("result") if isinstance(said, dict) else None
        return found if isinstance(found, dict) else {}

    def json(self, address: str, **words: str) -> Any:
        """What is answered, as JSON; None for anything else."""
        body = self.body(address, **words)
        try:
            return None if body is None else parsed(body, address)
        except SourceError:
            return None

    def body(self, address: str, **words: str) -> bytes | None:
        """What is answered; None where the server says no or stumbles."""
        try:
            progress = self.request.progress
            return http.get(self.client, address, words, progress=progress, attempts=ATTEMPTS).content
        except (http.RefusedError, http.StumblingError):
            return None

    def _layer(self, place: str, said: dict[str, Any]) -> Address | None:
        listed = [*objects(said.get("layers")), *objects(said.get("tables"))]
        layers = [one for one in listed if one.get("type") != "Group Layer" and not one.get("subLayerIds")]
        names = {f"{place}/{one.get('id')}": as_text(one.get("name")) or "" for one in layers}
        return recognise(_one_of(names, place, "layer"))

    def _endpoint(self, known: Address, form: str) -> Address:
        xml = {"format": "xml"} if form == "xml" else {}
        ours = {"jurisdiction": self._jurisdiction} if self._jurisdiction else {}
        return replace(known, options={**known.options, **xml, **ours})

    @property
    def _jurisdiction(self) -> str:
        return parse_qs(self.parts.query).get("jurisdiction_id", [""])[0]


def _one_of(names: dict[str, str], place: str, what: str) -> str:
    """The only address; SourceError naming some where there are several, or where there is none."""
    if len(names) == 1:
        return next(iter(names))
    if not names:
        raise SourceError(f"{place} has no {what} that can be read; give the address of a file.")
    named = [f"{address} ({name})" if name else address for address, name in names.items()][:MOST_NAMED]
    more = f" and {len(names) - len(named)} more" if len(names) > len(named) else ""
    raise SourceError(f"{place} has {len(names)} {what}s; give the address of one: {', '.join(named)}{more}.")


def _has_tables(dataset: dict[str, Any]) -> bool:
    return any(one.get("datastore_active", True) for one in objects(dataset.get("resources")))


def _catalogue(place: str) -> str:
    """Services are named from the top of the catalogue, whichever of its folders lists them."""
    return place.partition("/rest/services")[0] + "/rest/services"
