"""Every setting of the product, once: its name, environment variable, default and one line of help."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LONGEST_DAYS = 36_500
PROJECT = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Setting:
    """One thing a city may set. `variable` is the environment variable that sets it."""

    name: str
    variable: str
    default: str
    help: str


OIDC_SECRET = "OIDC_CLIENT_SECRET"
"""The variable of the secret that goes with OIDC_CLIENT_ID (`secret`)."""

SETTINGS = (
    Setting("city", "CITY", "demo", "the city to serve: a folder name in data/cities/ or a path to a folder"),
    Setting("port", "PORT", "8050", "the port the pages are served on"),
    Setting("base_url", "BASE_URL", "", "the public address of the site, where a proxy passes requests on"),
    Setting("data_dir", "DATA_DIR", "data", "where databases and snapshots are kept"),
    Setting("database_url", "DATABASE_URL", "", "a PostgreSQL address; empty keeps SQLite in DATA_DIR"),
    Setting("scheduler", "SCHEDULER", "on", "`off` serves pages only and runs no jobs"),
    Setting(
        "snapshot_days", "SNAPSHOT_DAYS", "400", "how many days every snapshot is kept, then one a month"
    ),
    Setting("push_megabytes", "PUSH_MEGABYTES", "20", "how large a delivery of rows may be"),
    Setting("push_per_minute", "PUSH_PER_MINUTE", "30", "how often one token may deliver rows in a minute"),
    Setting("largest_file", "FILE_MEGABYTES", "2000", "how large a file of a source may be, unpacked"),
    Setting("runs_at_once", "RUNS_AT_ONCE", "", "how many sources may be read at once; empty: 2 or 4"),
    Setting("web_processes", "WEB_PROCESSES", "2", "how many processes answer readers"),
    Setting("oidc_issuer", "OIDC_ISSUER", "", "the OpenID Connect provider that knows the city's accounts"),
    Setting("oidc_client_id", "OIDC_CLIENT_ID", "", "as whom that provider knows this site"),
)


class SettingError(ValueError):
    """A setting has a value that cannot be used; the message names the variable and the fix."""


@dataclass(frozen=True)
class Settings:
    """The settings of one process. largest_file is in bytes; runs_at_once None: what suits the engine."""

    city: str
    port: int
    base_url: str
    data_dir: Path
    database_url: str
    scheduler: bool
    snapshot_days: int
    push_megabytes: int
    push_per_minute: int
    largest_file: int
    runs_at_once: int | None
    web_processes: int
    oidc_issuer: str
    oidc_client_id: str

    @property
    def address(self) -> str:
        """Where staff open the site: its public address where that is HTTPS, else on this machine."""
        is_public = self.base_url.startswith("https://")
        return self.base_url if is_public else f"http://127.0.0.1:{self.port}"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings as the environment gives them.

    base_url is a scheme and a host, without a slash at its end; empty where there is none. Raises
    SettingError, naming the variable, for a value that cannot be used.
    """
    given = {setting.name: environment.get(setting.variable) or setting.default for setting in SETTINGS}
    if bool(given["oidc_issuer"]) != bool(given["oidc_client_id"]):
        raise SettingError("OIDC_ISSUER and OIDC_CLIENT_ID go together; set both or neither.")
    data_dir = Path(given["data_dir"])
    return Settings(
        city=given["city"],
        port=_port(given["port"]),
        base_url=_origin(given["base_url"]),
        data_dir=data_dir if data_dir.is_absolute() else PROJECT / data_dir,
        database_url=given["database_url"],
        scheduler=_on_or_off(given["scheduler"]),
        snapshot_days=_days(given["snapshot_days"]),
        push_megabytes=_number("PUSH_MEGABYTES", given["push_megabytes"], 200),
        push_per_minute=_number("PUSH_PER_MINUTE", given["push_per_minute"], 6000),
        largest_file=_number("FILE_MEGABYTES", given["largest_file"], 1_000_000) * 1_000_000,
        runs_at_once=_number("RUNS_AT_ONCE", given["runs_at_once"], 64) if given["runs_at_once"] else None,
        web_processes=_processes(given["web_processes"]),
        oidc_issuer=_issuer(given["oidc_issuer"]),
        oidc_client_id=given["oidc_client_id"],
    )


def secret(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The secret in the variable `name`, or in the file that `name`_FILE names; None without either.

    Sources name their own, so that none is a setting. SettingError when the file cannot be read.
    """
    given, path = environment.get(name, "").strip(), environment.get(f"{name}_FILE", "").strip()
    if given or not path:
        return given or None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}_FILE names {path}, which cannot be read; correct it.") from error


def interpreter() -> str:
    """How this Python is called from the folder people stand in, so that a command shown to them works."""
    called, here = Path(sys.executable), Path.cwd()
    return str(called.relative_to(here) if called.is_relative_to(here) else called)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise SettingError(f"PORT is {text!r}; give a number from 1 to 65535, for example PORT=8050.")
    return int(text)


def _origin(text: str) -> str:
    found = re.fullmatch(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/?", text)
    if text and found is None:
        raise SettingError(
            f"BASE_URL is {text!r}; give the scheme and the host, and no path, "
            "for example BASE_URL=https://scores.example.org."
        )
    return text.rstrip("/").lower()


def _issuer(text: str) -> str:
    """The issuer as it is given: it is compared letter for letter with what the provider says of itself."""
    secure, here = r"https://[^\s/?#@]+(/[^\s?#]*)?", r"http://(localhost|127\.0\.0\.1):\d{1,5}(/[^\s?#]*)?"
    if text and not re.fullmatch(f"{secure}|{here}", text):
        raise SettingError(
            f"OIDC_ISSUER is {text!r}; give the https:// address under which the provider has its"
            " /.well-known/openid-configuration."
        )
    return text


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_DAYS:
        raise SettingError(
            f"SNAPSHOT_DAYS is {text!r}; give a number of days from 1 to {LONGEST_DAYS}, for example"
            " SNAPSHOT_DAYS=400."
        )
    return int(text)


def _processes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise SettingError(f"WEB_PROCESSES is {text!r}; give a number from 1 to 64, for example one a core.")
    return int(text)


def _number(variable: str, text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise SettingError(f"{variable} is {text!r}; give a number from 1 to {most}.")
    return int(text)


def _on_or_off(text: str) -> bool:
    if text not in ("on", "off"):
        raise SettingError(f"SCHEDULER is {text!r}; give `on` or `off`.")
    return text == "on"
