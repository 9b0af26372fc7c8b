"""One round of a worker, for tests that hold the clock."""

from __future__ import annotations

from trigger_worker.live.loop import Ticked
from trigger_worker.live.sweep import FeedSweep
from trigger_worker.worker import Worker


async def tick(worker: Worker, sweep: FeedSweep) -> Ticked:
    """Evaluate what is new, then send what is due."""
    ticked = await worker.evaluation.evaluate(sweep)
    await worker.delivery.send_due(ticked.now_ms)
    return ticked
