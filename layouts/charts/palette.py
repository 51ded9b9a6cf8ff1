"""The colours of pictures that stand outside our pages: the tokens of the style sheet, written out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

STYLE_SHEET = Path(__file__).resolve().parents[2] / "assets" / "style.css"

Tokens = Mapping[str, str]

_BLOCK = re.compile(r"\{([^{}]*--bg:[^{}]*)\}")
_TOKEN = re.compile(r"--([a-z-]+):\s*(#[0-9a-fA-F]{3,8})\s*;")
_USE = re.compile(r"var\(--([a-z-]+)\)")


class Theme(StrEnum):
    """Light or dark, or as the reader's own system has it."""

    LIGHT = "light"
    DARK = "dark"
    AUTO = "auto"


@lru_cache
def tokens(theme: Theme) -> Tokens:
    """The colours of a theme by their names in the style sheet; AUTO are the light ones."""
    blocks = [dict(_TOKEN.findall(block)) for block in _BLOCK.findall(STYLE_SHEET.read_text("utf-8"))]
    light, dark = blocks[:2]
    return {**light, **dark} if theme is Theme.DARK else light


def as_properties(theme: Theme) -> str:
    """The tokens as custom properties of a page; AUTO follows the reader's system."""
    if theme is not Theme.AUTO:
        return _root(theme)
    return f"{_root(Theme.LIGHT)}{_in_the_dark(_root(Theme.DARK))}"


def written_out(rules: str, theme: Theme) -> str:
    """Rules with every `var(--token)` replaced by its colour, for what reads no custom properties."""
    if theme is not Theme.AUTO:
        return _coloured(rules, tokens(theme))
    dark = _coloured(rules, tokens(Theme.DARK))
    return f"{_coloured(rules, tokens(Theme.LIGHT))}{_in_the_dark(dark)}"


def _root(theme: Theme) -> str:
    colours = "".join(f"--{name}:{colour};" for name, colour in tokens(theme).items())
    return f":root{{color-scheme:{theme};{colours}}}"


def _in_the_dark(rules: str) -> str:
    return f"@media (prefers-color-scheme:dark){{{rules}}}"


def _coloured(rules: str, colours: Tokens) -> str:
    return _USE.sub(lambda use: colours[use[1]], rules)
