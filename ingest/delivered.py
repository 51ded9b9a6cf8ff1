"""What was delivered on its way into the records: the bytes of one delivery become one ordinary run."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.desk import BUSY, Asked, Desk, RunReport
from ingest.run import run_source
from metrics.model import Source
from store import deliveries, runs
from store.deliveries import Delivery
from store.engine import reading, writing

TRIGGER = "delivery"

_ENDINGS = {"text/csv": ".csv", "application/json": ".json"}
_WORKPLACE = "delivered-"


def load_delivery(desk: Desk, source: Source, delivery: Delivery, dated: Iterable[str] = ()) -> RunReport:
    """Runs the source with the rows of a delivery; of one that a run has loaded already, what that did.

    The outcome is `busy`, and nothing is lost, when another run of the source is under way. Once the
    bytes are a snapshot, the delivery lets go of them.
    """
    trigger = f"{TRIGGER} {delivery.id}"
    with reading(desk.engine) as connection:
        # A worker may have ended between the run and the answer.
        done = runs.good_run_since(connection, delivery.received_at, source=source.id, trigger=trigger)
        content = deliveries.body(connection, delivery.id)
    report = _report(done) if done is not None else _run(desk, source, delivery, content, trigger, dated)
    if report.outcome != BUSY:
        _forget_what_a_snapshot_holds(desk, source, delivery, trigger)
    return report


def _run(
    desk: Desk,
    source: Source,
    delivery: Delivery,
    content: bytes | None,
    trigger: str,
    dated: Iterable[str],
) -> RunReport:
    if content is None:
        return RunReport(source.id, "failed", message="The bytes are a snapshot already; send them again.")
    home = desk.snapshots.parent
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob(f"{_WORKPLACE}*"):
        shutil.rmtree(left)
    with TemporaryDirectory(prefix=_WORKPLACE, dir=home) as folder:
        path = Path(folder) / f"delivery-{delivery.id}{_ENDINGS.get(delivery.media_type, '.jsonl')}"
        path.write_bytes(content)
        asked = Asked(file=path, trigger=trigger, known_until=delivery.known_until)
        return run_source(desk, source, asked, dated=dated)


def _forget_what_a_snapshot_holds(desk: Desk, source: Source, delivery: Delivery, trigger: str) -> None:
    with writing(desk.engine, desk.clock) as write:
        if runs.kept_since(write.connection, delivery.received_at, source=source.id, trigger=trigger):
            deliveries.forget_body(write, delivery.id)


def _report(run: runs.Run) -> RunReport:
    return RunReport(
        source=run.source,
        outcome=run.outcome,
        read=run.read,
        new=run.new,
        changed=run.changed,
        unchanged=run.unchanged,
        rejected=run.rejected,
        withdrawn=run.withdrawn,
        known_until=run.known_until,
        message=run.message or "",
    )
