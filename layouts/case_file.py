"""The records behind a number as a CSV file, sent while they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from layouts import formats
from layouts.access import Role, guarded, of_metric
from layouts.cases_view import AFTER, BEFORE, Listed, listed_columns, listed_of, reading_of
from layouts.desk import Desk
from layouts.formats import case_lists
from layouts.public import asking
from layouts.public.answer import CSV, Answer, NothingPublished, Refusal
from layouts.spreadsheet import csv_line
from layouts.views import Edition
from metrics.model import Metric
from store import cases
from store.engine import StoreError
from store.withheld import Audience

Query = Mapping[str, str]
PATH = "/staff/metric/<metric_id>/cases.csv"

_FILE = re.compile(r"/metric/[a-z0-9_]+/cases\.csv")
_AT_ONCE = 500


def is_file(path: str) -> bool:
    """Whether a path inside /staff/ is the address of such a file."""
    return _FILE.fullmatch(path) is not None


class CaseFile:
    """The address of the file, over a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def download(self, query: Query, metric_id: str) -> Answer:
        """Every chosen record of a number. Raises NotAllowed for who may not see the department's records."""
        return self._file(query, metric_id=metric_id)

    @guarded(Role.EDITOR, of_metric)
    def _file(self, query: Query, metric_id: str) -> Answer:
        try:
            lines = self._lines(query, metric_id)
            name = next(lines)
        except Refusal as refusal:
            return _failed(refusal.status, refusal.detail)
        except StoreError as error:
            return _failed(400, str(error))
        except NothingPublished:
            return _failed(404, formats._("Nothing has been published yet"))
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        # What a text of a record holds that is no Unicode is sent as a question mark, not as a broken file.
        sent = (line.encode("utf-8", "replace") for line in lines)
        return Answer(b"", CSV, headers=headers, stream=sent)

    def _lines(self, query: Query, metric_id: str) -> Iterator[str]:
        """The name of the file, then its lines: what cannot be asked is refused before the first."""
        pin = {word: query[word] for word in asking.PIN if query.get(word)}
        with asking.opened(self._desk, pin, Audience.STAFF) as (connection, edition):
            metric = edition.catalogue.metrics.get(metric_id)
            if metric is None:
                raise Refusal(404, formats._("There is no such metric"), formats._("There is no such metric"))
            asked = {word: text for word, text in query.items() if word not in (AFTER, BEFORE)}
            _score, listed = listed_of(connection, edition, metric, asked)
            rows = cases.all_cases(connection, reading_of(connection, edition), listed.chosen, _AT_ONCE)
            first = next(rows, None)
            yield _name(edition, metric, listed)
            columns = listed_columns(edition.catalogue.sources[metric.source])
            yield csv_line(column.name for column in columns)
            while first is not None:
                told = ((one, first.fields[one.name]) for one in columns)
                yield csv_line(case_lists.file_cell(one, given, edition.city) for one, given in told)
                first = next(rows, None)


def _name(edition: Edition, metric: Metric, listed: Listed) -> str:
    period = listed.chosen.period
    return f"{metric.id}_{period.grain}_{period.start.isoformat()}_{edition.publication.id}.csv"


def _failed(status: int, detail: str) -> Answer:
    return Answer(detail.encode(), "text/plain; charset=utf-8", status)
