"""The audit log as a CSV file, sent while it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from layouts.access import Role, guarded
from layouts.audit_view import Wanted, all_entries, wanted_of
from layouts.desk import Desk
from layouts.formats import people as sentences
from layouts.public.answer import CSV, Answer, Refusal
from layouts.spreadsheet import csv_line
from store.engine import instant_text, reading

PATH = "/staff/admin/audit.csv"
COLUMNS = ("number", "at", "who", "act", "about", "words")


def is_file(path: str) -> bool:
    """Whether a path inside /staff/ is the address of the file."""
    return f"/staff{path}" == PATH


def file_link(**words: str) -> str:
    """The address of the file with the entries that are chosen."""
    return f"{PATH}?{urlencode(words)}" if words else PATH


class AuditFile:
    """The address of the file, over a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def download(self, query: Mapping[str, str]) -> Answer:
        """Every entry that is asked for. Raises NotAllowed for who is no admin."""
        return self._file(query)

    @guarded(Role.ADMIN)
    def _file(self, query: Mapping[str, str]) -> Answer:
        try:
            wanted = wanted_of(query)
        except Refusal as refusal:
            return Answer(refusal.detail.encode(), "text/plain; charset=utf-8", refusal.status)
        headers = {
            "Content-Disposition": 'attachment; filename="audit_log.csv"',
            "Cache-Control": "no-store",
        }
        sent = (line.encode("utf-8", "replace") for line in self._lines(wanted))
        return Answer(b"", CSV, headers=headers, stream=sent)

    def _lines(self, wanted: Wanted) -> Iterator[str]:
        yield csv_line(COLUMNS)
        with reading(self._desk.engine) as connection:
            for one in all_entries(connection, self._desk.catalogue.city, wanted):
                words = sentences.entry_words(one)
                yield csv_line((one.id, instant_text(one.at), one.actor.name, one.act, one.subject, words))
