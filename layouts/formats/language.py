"""Which language sentences are made in: gettext messages and the number and day words of a locale."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

FOLDER = Path(__file__).resolve().parents[1] / "locale"
"""Where translations live, as `<language>/LC_MESSAGES/messages.mo`."""

SOURCE_LANGUAGE = "en"


@dataclass(frozen=True)
class Language:
    """A language: its BCP 47 tag, its locale, and the translations of our sentences."""

    tag: str
    locale: Locale
    messages: gettext.NullTranslations

    @property
    def direction(self) -> str:
        """Which way its sentences are written, as HTML says it, `ltr` or `rtl`; untranslated is English."""
        is_translated = isinstance(self.messages, gettext.GNUTranslations)
        return self.locale.text_direction if is_translated else "ltr"


@lru_cache
def language(tag: str) -> Language:
    """The language of a tag like `en` or `es-MX`.

    A language without translations speaks English with its own numbers and days; an unknown tag is English.
    """
    try:
        locale = Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return language(SOURCE_LANGUAGE)
    messages = gettext.translation("messages", FOLDER, [str(locale), locale.language], fallback=True)
    return Language(tag, locale, messages)


_current: ContextVar[Language] = ContextVar("language")


@contextmanager
def speaking(spoken: Language) -> Iterator[None]:
    """Every sentence made inside the block is in this language."""
    token = _current.set(spoken)
    try:
        yield
    finally:
        _current.reset(token)


def spoken() -> Language:
    """The language of the moment; English outside `speaking`."""
    return _current.get(None) or language(SOURCE_LANGUAGE)


def locale() -> Locale:
    """The locale of the moment, for numbers and days."""
    return spoken().locale


def _(message: str) -> str:
    """The translation of an English message."""
    return spoken().messages.gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The translation of a message that counts something."""
    return spoken().messages.ngettext(one, many, count)
