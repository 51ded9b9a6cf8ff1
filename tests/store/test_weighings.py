"""What a published composite was weighed with: shares that make its score, for the city and a department."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metrics.composite import composite as mean
from metrics.model import Family, Grain
from store import publications
from store.engine import reading
from store.weighings import weighing


@pytest.fixture
def weigh(published_city):
    def of(scope, grain=Grain.WEEK, **changed):
        with reading(published_city.engine) as connection:
            publication = publications.current(connection).publication
            found = publications.latest_composites(connection, publication)[scope][grain]
            given = replace(found, **changed)
            scores = publications.scores_in(connection, publication, found.period)
            return given, scores, weighing(connection, publication, published_city.catalogue, given)

    return of


@pytest.mark.parametrize("scope", [("city", ""), ("department", "public_works"), ("theme", "streets")])
def test_the_shares_of_what_entered_make_the_published_score(weigh, scope):
    composite, scores, found = weigh(scope)
    entered = {one.metric: one for one in found.services if one.share is not None}
    own = {name: scores[name].score for name in entered if scores[name].score is not None}
    average, _coverage = mean(own, {name: entered[name].weight for name in own})
    late = {name: min(scores[name].seat, average) for name in entered if name not in own}
    made = sum(one.share * {**own, **late}[name] for name, one in entered.items())
    assert made == pytest.approx(composite.score, abs=1e-12)
    assert sum(one.share for one in entered.values()) == pytest.approx(1)
    assert 0 <= found.on_target <= 1


def test_only_services_of_the_scope_that_are_scored_at_the_grain_are_asked(weigh, published_city):
    metrics = published_city.catalogue.metrics
    _composite, _scores, found = weigh(("department", "parks"), Grain.DAY)
    asked = {one.metric for one in found.services}
    assert asked == {
        name
        for name, one in metrics.items()
        if one.department == "parks" and one.family is Family.SERVICE and Grain.DAY in one.scored_at
    }


def test_without_a_score_or_with_another_nothing_is_said_of_other_weights(weigh):
    assert weigh(("city", ""), score=None)[2].on_target is None
    assert weigh(("city", ""), score=0.5)[2].on_target is None
