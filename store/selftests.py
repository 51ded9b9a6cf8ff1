"""The self-test of a city's metrics, kept with the publication whose facts it was made from.

It is made again with the first publication of each month and when definitions change: a year moves little
in a day, and every publication can say from when its figures are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select

from metrics.backtest import BackTest
from metrics.model import Grain, Publication, Reason
from metrics.plan import Inputs
from metrics.selftest import GrainTest, MetricTest, self_test
from store.schema import self_tests


@dataclass(frozen=True)
class SelfTests:
    """The self-test by metric, and the date whose year it was made from."""

    as_of: date
    tests: Mapping[str, MetricTest]


def is_due(connection: Connection, as_of: date, catalogue_hash: str) -> bool:
    """Whether a publication is the first of its month or of its catalogue, so that a self-test is made."""
    last = connection.execute(select(self_tests).order_by(self_tests.c.publication.desc()).limit(1)).first()
    return last is None or (last.as_of[:7], last.catalogue) != (as_of.isoformat()[:7], catalogue_hash)


def remember(connection: Connection, publication: Publication, inputs: Inputs) -> None:
    """Makes and keeps the self-test of a publication, from all facts there are."""
    row = {
        "publication": publication.id,
        "as_of": publication.as_of.isoformat(),
        "catalogue": publication.catalogue_hash,
        "tests": to_json(self_test(inputs)),
    }
    connection.execute(insert(self_tests), row)


def known_to(connection: Connection, publication: Publication) -> SelfTests | None:
    """The newest self-test made up to a publication and for no later date; None where there is none."""
    row = connection.execute(
        select(self_tests)
        .where(
            self_tests.c.publication <= publication.id, self_tests.c.as_of <= publication.as_of.isoformat()
        )
        .order_by(self_tests.c.publication.desc())
        .limit(1)
    ).first()
    return SelfTests(date.fromisoformat(row.as_of), from_json(row.tests)) if row else None


def to_json(tests: Iterable[MetricTest]) -> str:
    """Self-tests as the text that is kept."""
    return json.dumps([asdict(one) for one in tests], default=date.isoformat, allow_nan=False)


def from_json(text: str) -> dict[str, MetricTest]:
    """The inverse of `to_json`, by metric."""
    return {given["metric"]: _metric_test(given) for given in json.loads(text)}


def _metric_test(given: Mapping[str, Any]) -> MetricTest:
    return MetricTest(
        metric=given["metric"],
        grains=tuple(GrainTest(**{**one, "grain": Grain(one["grain"])}) for one in given["grains"]),
        backtests=tuple(_back_test(one) for one in given["backtests"]),
        warnings=tuple(Reason(**one) for one in given["warnings"]),
    )


def _back_test(given: Mapping[str, Any]) -> BackTest:
    begins = given["valid_from"]
    dated = {"grain": Grain(given["grain"]), "valid_from": date.fromisoformat(begins) if begins else None}
    return BackTest(**{**given, **dated})
