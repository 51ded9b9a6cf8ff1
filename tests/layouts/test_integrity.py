"""Whether a number can be trusted: in the API, as sentences, and on both pages of a metric."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import dash
import pytest
from sqlalchemy import insert

from layouts.formats import honesty
from layouts.public.api import Api
from layouts.public.integrity import integrity_fields
from layouts.public.site import Site
from metrics.audits import verified
from metrics.gaming import Eased
from metrics.model import Grain, Period, Status
from store import audits, schema
from store.audits import Found
from store.engine import instant_text, open_engine, writing
from store.heaps import Bunched, Heap
from store.integrity import Audit, Integrity, Pair
from store.migrations import migrate
from tests.builders import metric, target
from tests.layouts.published_city import AS_OF, NOW, catalogue_of, city_files, desk_over, fill, plan_of
from tests.layouts.test_today import mount, texts
from tests.metrics.test_metric_signals import row

LONG_AGO = date(2025, 3, 1), date(2026, 3, 1)
SINCE = AS_OF - timedelta(days=91)
ALARM = Heap(SINCE, AS_OF, 80, 10, *LONG_AGO, 60, 50)
CALM = Heap(SINCE, AS_OF, 8, 10, *LONG_AGO, 60, 50)
SAMPLE = audits.Sample(1, "pothole_on_time", SINCE, AS_OF, 7, 402, ("a", "b", "c"), NOW)
PAIRS = 'pairs = ["tree_on_time", "secret_on_time"]'
EASED = 'value = 0.6\nvalid_from = 2026-09-07\nreason = "Fewer trucks"\napproved_by = "The mayor"'


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """The small city with every kind of finding about its potholes, and none about flu shots."""
    files = city_files()
    files["metrics/pothole_on_time.toml"] = (
        files["metrics/pothole_on_time.toml"].replace("owner =", f"{PAIRS}\nowner =")
        + f"[[target]]\n{EASED}\n"
    )
    catalogue = catalogue_of(files)
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('trust') / 'city.db'}")
    migrate(engine, catalogue.city, lambda: NOW)
    sample = {"metric": "pothole_on_time", "since": SINCE.isoformat(), "until": AS_OF.isoformat()}
    more = {"seed": 7, "closed": 402, "cases": '["a", "b"]', "drawn_at": instant_text(NOW)}
    with writing(engine, lambda: NOW) as held:
        held.connection.execute(insert(schema.audit_samples), sample | more)
    audits.record(engine, lambda: NOW, 1, "a", Found.DONE, "Ada Secret", "a private note")
    planned, knowledge = plan_of(catalogue)
    fill(engine, catalogue, planned, knowledge)
    audits.record(engine, lambda: NOW, 1, "b", Found.NOT_DONE, "Ada Secret")
    kept = {"publication": 1, "metric": "pothole_on_time"}
    for name in ("since", "until", "usual_since", "usual_until"):
        kept[name] = getattr(ALARM, name).isoformat()
    for name in ("before", "after", "usual_before", "usual_after"):
        kept[name] = getattr(ALARM, name)
    with writing(engine, lambda: NOW) as held:
        held.connection.execute(insert(schema.heaps), kept)
    yield engine, catalogue
    engine.dispose()


def told(city, name="pothole_on_time"):
    answer = Api(desk_over(*city)).integrity({}, name)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def public(city, name="pothole_on_time"):
    page = Site(desk_over(*city)).metric({"grain": "week"}, name).body.decode()
    return unescape(" ".join(re.sub("<[^>]+>", " ", page).split()))


def staff(city, name="pothole_on_time"):
    app = mount(*city)
    [found] = [one for one in dash.page_registry.values() if one["module"].endswith("pages.metric")]
    with app.server.test_request_context("/staff/"):
        return " ".join(texts(found["layout"](metric_id=name, grain="week")).split())


# --- the API and the pages ------------------------------------------------------------------------


def test_the_api_has_every_finding_with_its_numbers(city):
    found = told(city)
    assert found["metric"] == "pothole_on_time"
    assert found["heaping"]["before"] == 80
    assert found["heaping"]["usual"]["after"] == 50
    assert found["heaping"]["alarm"]
    [eased] = found["eased_targets"]
    assert (eased["before"]["value"], eased["target"]["value"]) == (0.8, 0.6)
    assert eased["newest"]["score"] >= 1 > eased["newest"]["score_by_old"]
    assert found["alarms"] == 2


def test_an_audit_stands_as_the_publication_knew_it_and_names_nobody(city):
    [audit] = told(city)["audits"]
    assert (audit["size"], audit["checked"], audit["done"], audit["complete"]) == (2, 1, 1, False)
    everything = json.dumps(told(city)) + public(city) + staff(city)
    assert "Ada" not in everything
    assert "private" not in everything


def test_the_public_sees_public_pairs_only_and_staff_all(city):
    assert [one["metric"] for one in told(city)["pairs"]] == ["tree_on_time"]
    assert "Inner work on time" not in public(city)
    assert "Inner work on time" in staff(city)
    assert "Read it together with: Trees cared for on time" in public(city)


@pytest.mark.parametrize("page", [public, staff], ids=["public", "staff"])
def test_both_pages_say_what_was_found_and_nothing_where_nothing_was(city, page):
    said = page(city)
    assert "Can it be trusted?" in said
    assert honesty.heap_sentence(ALARM, ALARM.heaping) in said
    assert "The target was made easier on Sep 7, 2026, from 80% to 60% (Fewer trucks; The mayor)." in said
    assert "Drawn at random to be looked at again: 2 of 402 cases" in said
    assert "Can it be trusted?" not in page(city, "flu_shots")


def test_a_metric_without_findings_has_every_field_empty(city):
    found = told(city, "flu_shots")
    del found["publication"]
    assert found == {
        "metric": "flu_shots",
        "alarms": 0,
        "pairs": [],
        "heaping": None,
        "bunching": None,
        "eased_targets": [],
        "audits": [],
    }


def test_a_metric_that_is_not_public_is_not_there(city):
    assert Api(desk_over(*city)).integrity({}, "secret_on_time").status == 404
    assert Api(desk_over(*city)).integrity({"grain": "week"}, "flu_shots").status == 400


# --- sentences ------------------------------------------------------------------------------------

TIMELY = metric("on_time", decimals=0, targets=(target(0.9), target(0.8)))
REOPENED = metric("reopened")
NONE = Integrity((), None, (), ())


def test_heaped_closings_are_said_so_that_they_can_be_quoted():
    assert honesty.sentences(TIMELY, replace(NONE, heap=ALARM)) == [
        "Closed in the last hour before their deadline: 80 of the cases due from Aug 24, 2026 to Nov 22, "
        "2026; in the first hour after it: 10. Of those due from Mar 1, 2025 to Feb 28, 2026, the first on "
        "record: 60 and 50. That is 6.7 times the usual ratio (99.7% interval 2.1 to 21) and hardly chance: "
        "ask whether the work is done in time or only the case closed."
    ]
    assert honesty.sentences(TIMELY, replace(NONE, heap=CALM)) == [
        "Closed in the last hour before their deadline: 8 of the cases due from Aug 24, 2026 to Nov 22, "
        "2026; in the first hour after it: 10. Of those due from Mar 1, 2025 to Feb 28, 2026, the first on "
        "record: 60 and 50. That is 0.67 times the usual ratio (99.7% interval 0.14 to 3.1), which chance "
        "alone can do."
    ]
    assert honesty.sentences(TIMELY, replace(NONE, heap=replace(CALM, before=0, after=0))) == []


def test_a_habit_older_than_the_records_is_said_so_that_it_can_be_quoted():
    bunched = Bunched(SINCE, AS_OF, 80, 10, ((10, 9), (8, 9), (0, 0)))
    said = (
        "Closed in the last hour before their deadline: 80 of the cases due from Aug 24, 2026 to Nov 22, "
        "2026; in the first hour after it: 10. At the same time on the seven days before and after the "
        "deadline: 18 and 18. That is 8 times their ratio (99.7% interval 1.9 to 33) and hardly chance: ask "
        "whether the work is done in time or only the case closed."
    )
    assert honesty.sentences(TIMELY, replace(NONE, bunched=bunched)) == [said]
    both = replace(NONE, bunched=bunched, heap=ALARM)
    assert honesty.sentences(TIMELY, both) == [honesty.heap_sentence(ALARM, ALARM.heaping)]
    calm = replace(bunched, before=12)
    assert honesty.sentences(TIMELY, replace(NONE, bunched=calm)) == []
    fields = integrity_fields(replace(NONE, bunched=bunched))
    assert (fields["alarms"], fields["bunching"]["near_after"], fields["bunching"]["alarm"]) == (1, 18, True)
    assert integrity_fields(replace(NONE, bunched=calm))["alarms"] == 0
    assert integrity_fields(both)["alarms"] == 1


def test_pairs_are_said_so_that_they_can_be_quoted():
    warned = Pair(REOPENED, True, (date(2026, 10, 1), date(2026, 10, 1)))
    assert honesty.sentences(TIMELY, replace(NONE, pairs=(warned, Pair(TIMELY, False, None)))) == [
        "“On time” improves beyond chance by month while “Reopened” gets worse beyond chance: ask whether "
        "the service has improved or only the number."
    ]
    quiet = Pair(REOPENED, False, None)
    assert honesty.sentences(TIMELY, replace(NONE, pairs=(quiet,))) == [
        "The metric that would get worse if only the number were worked on shows nothing of the kind."
    ]
    assert honesty.sentences(TIMELY, replace(NONE, pairs=(quiet, quiet))) == [
        "The 2 metrics that would get worse if only the number were worked on show nothing of the kind."
    ]


def test_an_eased_target_is_said_so_that_it_can_be_quoted():
    week = Period(Grain.WEEK, date(2026, 9, 7), date(2026, 9, 14))
    score = row(0, 0.85, score=1.0625, target=0.8, period=week, status=Status.FINAL)
    easier = target(0.8, since=date(2026, 9, 7))
    one = Eased(easier, target(0.9), 2, 13, score, 0.944)
    start = (
        "The target was made easier on Sep 7, 2026, from 90% to 80% (a test; the tester). Of the 13 weeks "
        "right after it, 2 met only the easier target, the last of them"
    )
    [said] = honesty.sentences(TIMELY, replace(NONE, eased=(one,)))
    assert said.startswith(start)
    assert said.endswith("with a score of 1.06 that by the target before would be 0.94.")
    [said] = honesty.sentences(TIMELY, replace(NONE, eased=(replace(one, score_by_old=None),)))
    assert said.endswith("with a score of 1.06.")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (verified(3, 0, 0), "None was checked yet."),
        (verified(3, 2, 1), "So far 2 checked, really done: 1, 50% so far (95% interval 9% to 90%)."),
        (verified(3, 3, 3), "Really done: 3, 100% (95% interval 43% to 100%)."),
    ],
)
def test_an_audit_is_said_so_that_it_can_be_quoted(found, said):
    drawn = "Drawn at random to be looked at again: 3 of 402 cases closed from Aug 24, 2026 to Nov 22, 2026. "
    assert honesty.sentences(TIMELY, replace(NONE, audits=(Audit(SAMPLE, found),))) == [drawn + said]


def test_nothing_is_said_where_there_is_nothing():
    assert honesty.sentences(TIMELY, NONE) == []
