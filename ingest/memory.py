"""What a good run leaves for the next one: where it stopped, when it knew every key, how much there was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from store.engine import from_text, instant_text

SWEEP_AFTER = timedelta(days=6, hours=12)
"""A week, less what a schedule may be early: the sweep stays on its day."""


@dataclass(frozen=True)
class Memory:
    """definition: a mark of what decided how the bytes were understood; under another one nothing holds.

    cursor: that of the kind. swept: the start of the last run that knew every key the source has, None
    when there was none. sizes: the rows each place gave when it was last read whole.
    """

    definition: str
    cursor: str | None = None
    swept: datetime | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)

    def wants_sweep(self, now: datetime) -> bool:
        """Whether it is time to ask for every key again."""
        return self.swept is None or now - self.swept >= SWEEP_AFTER

    def text(self) -> str:
        """The memory as the ledger keeps it."""
        swept = None if self.swept is None else instant_text(self.swept)
        words = {"definition": self.definition, "cursor": self.cursor, "swept": swept, "sizes": self.sizes}
        return json.dumps(words, default=dict)


def recalled(kept: str | None, definition: str) -> Memory:
    """What the ledger kept, or an empty memory when nothing was or it belongs to another definition."""
    words = json.loads(kept) if kept else {}
    if words.get("definition") != definition:
        return Memory(definition)
    swept = words.get("swept")
    return Memory(definition, words.get("cursor"), swept and from_text(swept), words.get("sizes") or {})
