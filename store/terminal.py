"""Long work said on a terminal: one line rewritten there, a line now and then where nobody watches."""

from __future__ import annotations

import sys
import time

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_REWRITES = 0.1


class Progress:
    """Says on stderr how far long work is: one line rewritten on a terminal, some lines elsewhere."""

    def __init__(self) -> None:
        self._rewrites = sys.stderr.isatty()
        self._last = time.monotonic()
        self._shown = False

    def __call__(self, sentence: str) -> None:
        pause = SECONDS_BETWEEN_REWRITES if self._rewrites else SECONDS_BETWEEN_LINES
        if time.monotonic() - self._last < pause:
            return
        self._last = time.monotonic()
        self._shown = True
        print(
            *(["\r\x1b[K", sentence] if self._rewrites else [sentence, "\n"]), sep="", end="", file=sys.stderr
        )
        sys.stderr.flush()

    def clear(self) -> None:
        """Makes room for a line that stays."""
        if self._rewrites and self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
