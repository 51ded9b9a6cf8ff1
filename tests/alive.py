"""What tests of real processes share: waiting, free ports, and seeing who is still running."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]


def until(what: Callable[[], Any], seconds: float = 60.0, step: float = 0.05) -> Any:
    """Waits for something true and gives it; AssertionError when it takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(step)
    raise AssertionError("it did not happen in time")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment_of(city: Path, data_dir: Path, **more: str) -> dict[str, str]:
    """What a process of a city needs; DATA_DIR also tells its processes from all others."""
    own = {"CITY": str(city), "DATA_DIR": str(data_dir), "DATABASE_URL": "", "SCHEDULER": "on"}
    return {**os.environ, **own, "PYTHONPATH": str(PROJECT), **more}


def running(data_dir: Path) -> list[int]:
    """The processes that were started with a DATA_DIR, and what they started."""
    marker = f"DATA_DIR={data_dir}".encode()
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _is_of(folder, marker)]


def _is_of(folder: Path, marker: bytes) -> bool:
    try:
        is_dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return not is_dead and marker in (folder / "environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
