"""One metric as a publication says it stands."""

from __future__ import annotations

from layouts.desk import edition
from layouts.metric_view import metric_grain, metric_view
from metrics.model import Grain
from store.engine import reading


def test_a_metric_is_shown_at_the_finest_grain_with_a_score(published_city):
    catalogue = published_city.catalogue
    scores = {grain: published_city.score("pothole_on_time", grain) for grain in Grain}
    assert metric_grain(catalogue.metrics["pothole_on_time"], scores) is Grain.WEEK
    assert metric_grain(catalogue.metrics["pothole_on_time"], {}) is Grain.MONTH


def test_a_metric_has_its_past_in_order_and_its_districts(published_city):
    with reading(published_city.engine) as connection:
        now = edition(connection)
        view = metric_view(connection, now, now.catalogue.metrics["pothole_on_time"])
    starts = [score.period.start for score in view.past]
    assert starts == sorted(starts) and view.past[-1] == view.score
    assert [line.id for line in view.districts][-1] == "unknown"
    month = published_city.score("pothole_on_time", "month")
    assert sum(line.score.denominator for line in view.districts) == month.denominator
    worst = view.districts[0]
    assert worst.id == "d3" and worst.name == "Riverside"
