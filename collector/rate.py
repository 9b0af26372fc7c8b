"""Limits how often one address may send requests."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec

MAX_ADDRESSES: Final = 50_000


class _Bucket(msgspec.Struct):
    tokens: float
    at_ms: int


class RateLimit:
    """A token bucket for each address; the address that was not seen for longest is forgotten first.

    Args:
        per_second: requests that an address may make in the long run; 0 for no limit.
        burst: requests that it may make at once.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_seconds(self, address: str, now_ms: int) -> int:
        """Count a request of an address, and return 0 when it may pass, else the whole seconds to wait."""
        if not self._per_second:
            return 0
        bucket = self._bucket(address, now_ms)
        refill = (now_ms - bucket.at_ms) / 1000 * self._per_second
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, refill))
        bucket.at_ms = now_ms
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return int((1 - bucket.tokens) / self._per_second) + 1

    def _bucket(self, address: str, now_ms: int) -> _Bucket:
        bucket = self._buckets.setdefault(address, _Bucket(self._burst, now_ms))
        self._buckets.move_to_end(address)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return bucket
