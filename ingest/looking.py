"""What is at an address: which kind of source it is, by its form, and some of its rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ingest import registry
from ingest.contract import Cell, ReadRequest, SourceError
from ingest.redaction import public
from ingest.sources.sheets import table_address
from metrics.catalogue_secrets import is_signed_in
from metrics.model import Source

SAMPLE_ROWS = 5_000
"""How many rows a server is asked for."""

FILE_ROWS = 200_000
"""How many rows of a file are looked at."""

PAGED = ("arcgis", "ckan", "socrata")
"""The kinds that can be asked for fewer rows by `page_size`."""

ENDINGS = (
    ".csv",
    ".tsv",
    ".txt",
    ".xls",
    ".xlsx",
    ".xlsm",
    ".ods",
    ".jsonl",
    ".ndjson",
    ".parquet",
    ".gz",
    ".zip",
)
"""What the addresses of files end with. JSON is what servers answer, too."""

_LAYER = re.compile(r"(.*/(?:Feature|Map)Server)(?:/(\d+))?(?:/.*)?$", re.IGNORECASE)
_SOCRATA = re.compile(r"(?:^|/)([a-z0-9]{4}-[a-z0-9]{4})(?:\.json|\.csv|/|$)")
_SOCRATA_PATHS = re.compile(r"^/(resource|d|dataset|api/v3/views|api/views|[^/]+/[^/]+)/", re.IGNORECASE)
_CKAN_RESOURCE = re.compile(r"^(.*?)/dataset/[^/]+/resource/([^/]+)(/.*)?$")
_CKAN_DATASET = re.compile(r"^(.*?)/dataset/([^/]+)/?$")
_CKAN_ACTION = re.compile(r"^(.*?)/api/(?:3/)?action/(\w+)$")
_OPEN311 = re.compile(r"^(.*?)/(?:requests|services)(?:/[^/]*)?(?:\.json|\.xml)?/?$")


@dataclass(frozen=True)
class Address:
    """The kind of source behind an address, the options that mean it, and what it could be called."""

    kind: str
    options: Mapping[str, Any]
    name: str


@dataclass(frozen=True)
class Look:
    """Rows of an address. rows: cells by column, all of the same length; whole: there are no others, which
    no server's answer tells: it may hold some back.
    """

    address: Address
    columns: Mapping[str, tuple[Cell, ...]]
    rows: int
    whole: bool


def recognise(given: str) -> Address | None:
    """The kind that the form of an address or path tells; None where only its server can tell.

    Raises SourceError for an action of CKAN that names no table.
    """
    if is_signed_in(given):
        raise SourceError(
            f"{public(given)} is given with a secret, which no file of a source may hold; write the source "
            "by hand, with path_env, which names a variable of the environment (docs/adding_a_source.md)."
        )
    if not given.lower().startswith(("http://", "https://")):
        return Address("file", {"path": given}, stem(given))
    try:
        parts = urlsplit(given)
    except ValueError as error:
        raise SourceError(f"{public(given)} is no address ({error}); correct it.") from error
    root = f"{parts.scheme}://{parts.netloc}"
    known = _arcgis(parts.path, root) or _ckan(parts.path, parts.query, root)
    known = known or _socrata(parts.path, root) or _open311(parts.path, root)
    if known is not None:
        return known
    is_file = parts.path.lower().endswith(ENDINGS) or table_address(given) is not None
    return Address("file", {"path": given}, stem(parts.path)) if is_file else None


def look(address: Address, request: ReadRequest) -> Look:
    """Some rows of what is at `address`, all of a file that is not very large.

    Raises SourceError when it does not answer, is none of this kind, or has no rows.
    """
    module = registry.kind(address.kind)
    options = dict(address.options)
    if address.kind in PAGED:
        options["page_size"] = SAMPLE_ROWS
    source = Source(id="discovered", name="", kind=address.kind, key="", columns=(), options=options)
    if hasattr(module, "sample"):
        page = module.sample(source, request)
        names, rows, is_whole = page.columns, list(page.rows), False
    else:
        names, rows = _read(module.read(source, request).pages)
        is_whole = len(rows) < FILE_ROWS
    if not rows:
        raise SourceError(f"{_shown(address)} has no rows to look at; look again when it has some.")
    _refuse_alike(names, _shown(address))
    fitting = [row for row in rows if len(row) == len(names)]
    cells = {name: tuple(row[place] for row in fitting) for place, name in enumerate(names) if _is_own(name)}
    return Look(address, cells, len(fitting), is_whole)


def kept_at(address: Address, here: Path, city: Path) -> Address:
    """The address as a source's file says it: a path in the city's folder from there on, others whole."""
    path = str(address.options.get("path", ""))
    if address.kind != "file" or "://" in path:
        return address
    whole = (here / path).absolute()
    inside = whole.is_relative_to(city.absolute())
    said = whole.relative_to(city.absolute()) if inside else whole
    return replace(address, options={"path": str(said)})


def stem(path: str) -> str:
    """The name of a file without its endings."""
    name = unquote(path.rstrip("/").rsplit("/", 1)[-1])
    return name.split(".", 1)[0].replace("*", "")


def _is_own(name: str) -> bool:
    """Whether a column is the city's: CKAN numbers rows at every load, Socrata's own begin with a colon."""
    return bool(name.strip()) and name != "_id" and not name.startswith(":")


def _refuse_alike(names: Sequence[str], place: str) -> None:
    times = Counter(name.strip().casefold() for name in names if _is_own(name))
    twice = [name for name, number in times.items() if number > 1]
    if twice:
        raise SourceError(f"{place} has the column {twice[0]} more than once; rename one, or leave one out.")


def _read(pages: Any) -> tuple[tuple[str, ...], list[Any]]:
    """The columns of the first page and the first rows of all pages that have the same ones."""
    found = iter(pages)
    first = next(found, None)
    if first is None:
        return (), []
    more = (row for page in found if page.columns == first.columns for row in page.rows)
    return first.columns, [*first.rows, *islice(more, max(0, FILE_ROWS - len(first.rows)))]


def _arcgis(path: str, root: str) -> Address | None:
    found = _LAYER.match(path)
    if found is None or found[2] is None:
        return None
    name = found[1].split("/")[-2]
    return Address("arcgis", {"url": f"{root}{found[1]}/{found[2]}"}, name)


def _ckan(path: str, query: str, root: str) -> Address | None:
    if found := _CKAN_RESOURCE.match(path):
        return Address("ckan", {"url": root + found[1], "resources": [found[2]]}, "")
    if found := _CKAN_ACTION.match(path):
        words = parse_qs(query)
        id_ = (words.get("resource_id") or words.get("id") or [""])[0]
        if not id_:
            raise SourceError(f"{root}{path} names no table; give the address of a dataset or resource.")
        meant = {"dataset": id_} if found[2].startswith("package") else {"resources": [id_]}
        return Address("ckan", {"url": root + found[1], **meant}, id_ if "dataset" in meant else "")
    found = _CKAN_DATASET.match(path)
    return Address("ckan", {"url": root + found[1], "dataset": found[2]}, found[2]) if found else None


def _socrata(path: str, root: str) -> Address | None:
    found = _SOCRATA.search(path)
    if found is None or not _SOCRATA_PATHS.match(path):
        return None
    words = [one for one in path[: found.start()].split("/") if one and one not in ("resource", "d", "api")]
    return Address("socrata", {"url": root, "dataset": found[1]}, words[-1] if len(words) > 1 else "")


def _open311(path: str, root: str) -> Address | None:
    is_known = "open311" in f"{root}{path}".lower() or "georeport" in path.lower()
    found = _OPEN311.match(path)
    if not (is_known and path.strip("/")) and not (found and path.endswith((".json", ".xml"))):
        return None
    return Address("open311", {"url": root + (found[1] if found else path.rstrip("/"))}, "requests")


def _shown(address: Address) -> str:
    return public(str(address.options.get("url") or address.options.get("path")))
