"""How many events one visitor may send: more than any page causes, and few enough to ask rules about each of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from warehouse.event import EventRow

#: Visitors whose events are counted; the one that was not seen for longest is forgotten first.
MAX_VISITORS: Final = 100_000
#: Answers about consent are counted apart: whoever sent too much of anything else can still refuse.
_ANSWERS: Final = frozenset({"consent", "unsubscribed"})
_MINUTE_MS: Final = 60_000


class _Allowance(msgspec.Struct):
    left: float
    at_ms: int


class VisitorPace:
    """The events that each visitor may still send.

    Args:
        per_minute: events of one visitor in a minute, in the long run and at once; 0 for no limit.
    """

    def __init__(self, per_minute: int = 0) -> None:
        self.per_minute: Final = per_minute
        self._allowances: OrderedDict[tuple[str, str, bool], _Allowance] = OrderedDict()

    def surplus(self, rows: Sequence[EventRow], now_ms: int) -> set[int]:
        """Count rows against their visitors; return the places of those that are too many.

        A browser counts by its own id, whoever it says that it is: nobody else's events can use up what it may send.

        Args:
            rows: in the order in which they came.
            now_ms: epoch ms.
        """
        if not self.per_minute:
            return set()
        return {place for place, row in enumerate(rows) if not self._takes(row, now_ms)}

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the visitors who were erased.

        Args:
            is_erased: tells it of a visitor, by site and id.
        """
        for key in [each for each in self._allowances if is_erased(each[0], each[1][1:])]:
            del self._allowances[key]

    def _takes(self, row: EventRow, now_ms: int) -> bool:
        # The mark keeps a user and a browser of the same id apart.
        sender = f"a{row.anonymous_id}" if row.anonymous_id else f"u{row.user_id}"
        allowance = self._allowance((row.site, sender, row.event in _ANSWERS), now_ms)
        refill = max(0, now_ms - allowance.at_ms) * self.per_minute / _MINUTE_MS
        allowance.left = min(self.per_minute, allowance.left + refill)
        allowance.at_ms = max(now_ms, allowance.at_ms)
        if allowance.left < 1:
            return False
        allowance.left -= 1
        return True

    def _allowance(self, key: tuple[str, str, bool], now_ms: int) -> _Allowance:
        known = self._allowances.get(key)
        if known is None:
            known = self._allowances[key] = _Allowance(self.per_minute, now_ms)
            if len(self._allowances) > MAX_VISITORS:
                self._allowances.popitem(last=False)
        else:
            self._allowances.move_to_end(key)
        return known
