"""How often joins of one id are read about at once: a page may say with each event that it is somebody else."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec

from trigger_worker.store.people import Visitor

#: Joins of one browser, or to one user, that are read about at once within a minute. Who has more devices than that, or
#: more accounts, is known to the next sweep.
JOINS_A_MINUTE: Final = 6
#: Most ids whose joins are counted; the one that was not joined for longest is forgotten first.
MAX_IDS: Final = 100_000
_MINUTE_MS: Final = 60_000


class _Count(msgspec.Struct):
    began_at: int
    joins: int = 0


class JoinPace:
    """Counts the joins of each id."""

    def __init__(self) -> None:
        self._counts: OrderedDict[Visitor, _Count] = OrderedDict()

    def takes(self, user: Visitor, browser: Visitor, now_ms: int) -> bool:
        """Count a join of a browser to a user; tell whether both may be read about at once.

        Args:
            user, browser: the ids.
            now_ms: epoch ms.
        """
        counts = [self._count(user, now_ms), self._count(browser, now_ms)]
        if any(count.joins >= JOINS_A_MINUTE for count in counts):
            return False
        for count in counts:
            count.joins += 1
        return True

    def _count(self, visitor: Visitor, now_ms: int) -> _Count:
        count = self._counts.get(visitor)
        if count is None or now_ms - count.began_at >= _MINUTE_MS:
            count = self._counts[visitor] = _Count(now_ms)
        self._counts.move_to_end(visitor)
        if len(self._counts) > MAX_IDS:
            self._counts.popitem(last=False)
        return count
