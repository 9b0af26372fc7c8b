"""One round of a worker, for tests that hold the clock."""

from __future__ import annotations

from trigger_worker.live.loop import Ticked
from trigger_worker.live.sweep import FeedSweep
from trigger_worker.worker import Worker


async def tick(worker: Worker, sweep: FeedSweep) -> Ticked:
    """Evaluate what is new, on the bus and in the feed, then send what is due."""
    await worker.evaluation.settle()
    ticked = await worker.evaluation.evaluate(sweep)
    await worker.evaluation.settle()
    await worker.delivery.send_due(ticked.now_ms)
    await worker.evaluation.settle()
    return ticked
