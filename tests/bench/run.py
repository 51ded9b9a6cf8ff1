"""Measures the product beside plain code that does the same work: `make bench`, or some subjects by name.

What is compared is processor time, for it does not see what else the machine does, unless a line says
otherwise. A figure is the best of some tries (one of what is slow) and a ratio to a baseline measured in this
same run and named above it. Both sides must come to the same numbers; else there is no figure. ROWS says how
large the file is that is ingested (default 1,000,000).
"""

from __future__ import annotations

import sys
from importlib import import_module

import figures

SUBJECTS = ("loading", "paged", "publishing", "scoring", "watching", "cases", "drilling", "answers")


def main(subjects: list[str]) -> None:
    """Prints the figures of the subjects, and at the end those that miss their goal."""
    print((__doc__ or "").split("\n\n", 1)[1].rstrip())
    for name in subjects or SUBJECTS:
        if name not in SUBJECTS:
            sys.exit(f"{name} is not measured; the subjects are: {', '.join(SUBJECTS)}.")
        subject = import_module(name)
        print(f"\n--- {(subject.__doc__ or '').split('.')[0]}.", flush=True)
        subject.measure()
    print(
        "\n"
        + ("\n".join(["These miss their goal:", *figures.missed]) if figures.missed else "Every goal is met.")
    )


if __name__ == "__main__":
    main(sys.argv[1:])
