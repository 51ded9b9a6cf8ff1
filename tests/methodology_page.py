"""The page docs/methodology.md as its examples: tables found by their heads, cells as numbers."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "methodology.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())
"""The page without its line ends, to look for sentences in."""


def table(*header: str) -> list[list[str]]:
    """The rows of the one table with these column heads, as cells of text without back quotes."""
    [body] = re.findall(
        rf"^\| {re.escape(' | '.join(header))} \|\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE
    )
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in body.splitlines()]


def number(text: str) -> float | None:
    """A cell as a number; None for `none` and `default`."""
    return {"none": None, "default": None}.get(text) if text[0] in "nd" else float(text.replace("−", "-"))


def fraction(text: str) -> tuple[float, float]:
    """A cell like `3 of 4` as its two numbers."""
    part, whole = text.split(" of ")
    return float(part), float(whole)


def two_digits(score: float | None) -> str:
    """A score as a table has it."""
    return "none" if score is None else f"{score:.2f}"


def signed(amount: float) -> str:
    """A contribution as a table has it."""
    return f"{amount:+.4f}".replace("-", "−")
