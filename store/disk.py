"""What keeps files whole on a disk that may lose its power."""

from __future__ import annotations

import os
from pathlib import Path

UNFINISHED = ".part"
"""How the name of a file ends until all of it is on the disk."""


def settle(folder: Path) -> None:
    """Makes a rename in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
