"""How a figure is taken and printed: processor time, the best of a few, as a ratio to a named baseline."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

missed: list[str] = []
"""The figures of this run that miss their goal."""


def cpu(work: Callable[[], object], tries: int = 3) -> float:
    """The processor seconds of this process while it does the work, the best of some tries."""
    return min(_cpu(work) for _ in range(tries))


def _cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def command(city: Path, data: Path, *arguments: str, **settings: str) -> float:
    """The processor seconds of a command of the product (`python -m …`) on the database in `data`."""
    environment = {**os.environ, "CITY": str(city), "DATA_DIR": str(data), "DATABASE_URL": "", **settings}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"python -m {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def title(text: str) -> None:
    """The heading of some figures that belong together."""
    print(f"\n{text}", flush=True)


def show(
    what: str, seconds: float, baseline: float, *, goal: float | None = None, of: str = "processor time"
) -> None:
    """One line: the seconds, their ratio to the baseline's, and whether the goal for the ratio is met.

    of: what the seconds are of.
    """
    ratio = seconds / baseline
    verdict = ""
    if goal is not None:
        verdict = f"   goal {goal:g} x or less: {'met' if ratio <= goal else 'MISSED'}"
        if ratio > goal:
            missed.append(f"{what}: {ratio:.2f} x, goal {goal:g} x")
    print(f"  {seconds:9.3f} s of {of:14} {ratio:8.2f} x  {what}{verdict}", flush=True)


def note(what: str, value: str, *, is_met: bool | None = None, goal: str = "") -> None:
    """One line of a figure that is no ratio of seconds."""
    verdict = "" if is_met is None else f"   goal {goal}: {'met' if is_met else 'MISSED'}"
    if is_met is False:
        missed.append(f"{what}: {value}, goal {goal}")
    print(f"  {value:>29} {'':10}  {what}{verdict}", flush=True)
