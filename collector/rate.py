"""Limits what one sender may cost: requests, and the events and bytes in them, in one measure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec

MAX_ADDRESSES: Final = 50_000
#: What costs as much as a request by itself, of which one event and so many bytes are a part.
EVENTS_A_REQUEST: Final = 5
BYTES_A_REQUEST: Final = 8 * 1024
#: What a sender may owe, in bursts: so long at most must it wait, however much it had sent at once.
MOST_OWED: Final = 5
#: What a request costs that asks ClickHouse: as much as so many others.
COST_OF_READING: Final = 10.0


class _Bucket(msgspec.Struct):
    tokens: float
    at_ms: int


class RateLimit:
    """A token bucket for each sender; the one that was not seen for longest is forgotten first.

    A request passes while anything is left in its sender's bucket, and what it turns out to cost beyond that is owed:
    so the largest request passes, and whoever sends many of them waits.

    Args:
        per_second: requests that a sender may make in the long run; 0 for no limit.
        burst: requests that it may make at once; it may owe `MOST_OWED` times as many.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_seconds(self, sender: str, now_ms: int, cost: float = 1.0) -> int:
        """Count a request of a sender, and return 0 when it may pass, else the whole seconds to wait.

        Args:
            sender: an address, or a site.
            now_ms: epoch ms.
            cost: in requests of one event.
        """
        if not self._per_second:
            return 0
        bucket = self._bucket(sender, now_ms)
        if bucket.tokens >= 1:
            self._take(bucket, cost)
            return 0
        return int((1 - bucket.tokens) / self._per_second) + 1

    def owe(self, sender: str, now_ms: int, cost: float) -> None:
        """Count what a request turned out to cost once it was answered."""
        if self._per_second:
            self._take(self._bucket(sender, now_ms), cost)

    def charge(self, sender: str, now_ms: int, cost: float) -> int:
        """Count what a request costs beyond what was counted when it was let in.

        Returns:
            0 when it may go on; the whole seconds to wait when its sender owes already, and then nothing is counted.
        """
        if not self._per_second:
            return 0
        bucket = self._bucket(sender, now_ms)
        if bucket.tokens >= 0:
            self._take(bucket, cost)
            return 0
        return int((1 - bucket.tokens) / self._per_second) + 1

    def _take(self, bucket: _Bucket, cost: float) -> None:
        bucket.tokens = max(bucket.tokens - cost, -MOST_OWED * float(self._burst))

    def _bucket(self, sender: str, now_ms: int) -> _Bucket:
        bucket = self._buckets.setdefault(sender, _Bucket(self._burst, now_ms))
        self._buckets.move_to_end(sender)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        refill = (now_ms - bucket.at_ms) / 1000 * self._per_second
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, refill))
        bucket.at_ms = now_ms
        return bucket


def visitors_cost(visitors: int) -> float:
    """Return what the visitors of a batch cost beyond the first: rules are asked about each, who may have to be read.

    Args:
        visitors: different ones whose events were kept.
    """
    return max(0, visitors - 1)


def batch_cost(events: int, size: int) -> float:
    """Return what a batch costs beyond a request with one event.

    Args:
        events: messages in it, whatever becomes of them.
        size: bytes of its JSON, inflated.
    """
    return max(0, events - 1) / EVENTS_A_REQUEST + max(0, size - BYTES_A_REQUEST) / BYTES_A_REQUEST
