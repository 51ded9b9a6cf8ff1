"""What the forms of several acts name: a metric, a period, something stored under a number, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from layouts.access import department_of_metric
from layouts.acts import Form, Wrong
from layouts.desk import at_hand
from layouts.formats import _
from layouts.links import PREFIX
from metrics.model import Grain, Metric
from metrics.periods import local_day, periods
from store import actions, corrections, notes, problems
from store.engine import Connection, reading

PUBLIC, INTERNAL = "public", "internal"
SEEN_BY = (PUBLIC, INTERNAL)

LONGEST = timedelta(days=93)
"""A quarter has no more days."""


def stored_under(
    field: str, metric_of: Callable[[Connection, int], str | None]
) -> Callable[[Mapping[str, Any]], str | None]:
    """Tells the department of what is stored under the number in a field; None where there is none such."""

    def told(given: Mapping[str, Any]) -> str | None:
        number = str(given.get(field, ""))
        if not (number.isascii() and number.isdecimal() and len(number) < 18):
            return None
        with reading(at_hand().engine) as connection:
            metric = metric_of(connection, int(number))
        return department_of_metric(metric)

    return told


of_note = stored_under("note_id", notes.metric_of_note)
of_mark = stored_under("mark_id", notes.metric_of_mark)
of_action = stored_under("action_id", actions.metric_of)
of_problem = stored_under("problem_id", problems.metric_of)
of_flag = stored_under("flag_id", corrections.metric_of)


def page_of(metric: str, part: str, **query: str) -> str:
    """The staff page of a metric, at one of its parts."""
    words = f"?{urlencode(query)}" if query else ""
    return f"{PREFIX}metric/{metric}{words}#{part}"


def metric_of(form: Form) -> Metric:
    """The metric in the field `metric_id`."""
    return metric_called(form, form.given.get("metric_id", ""))


def metric_called(form: Form, wanted: str) -> Metric:
    """The metric of an id, of the catalogue that was published last or of the one being written."""
    found = form.desk.find_metric(wanted) or form.desk.catalogue.metrics.get(wanted)
    if found is None:
        raise Wrong("", _("There is no such metric any more; open the page again."))
    return found


def period_given(form: Form) -> tuple[Grain, date]:
    """The grain and the first day in the fields `grain` and `start`: of a period that has begun."""
    city = form.desk.catalogue.city
    grain = form.one_of("grain", Grain)
    start = form.day("start", latest=local_day(city, form.clock()))
    begun = periods(city, grain, start, start + LONGEST)
    if all(one.start != start for one in begun):
        raise Wrong("", _("There is no such period; open the page again."))
    return grain, start


def seen_by_of(form: Form, metric: Metric) -> str:
    """Who will see it; nobody but staff sees anything of a metric that is not public."""
    seen_by = form.choice("seen_by", SEEN_BY)
    if seen_by == PUBLIC and not metric.public:
        raise Wrong("seen_by", _("This metric is not public, so this cannot be either; keep it for staff."))
    return seen_by
