"""Caps, counted as messages go out: what a gate that sees one message at a time counts anew for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from trigger_worker.deciding.gate.cap import Cap
from trigger_worker.rules.model import MessageClass

#: What a cap may ask about a message: its channel, its tags and its class.
Kind = tuple[str, tuple[str, ...], MessageClass]


class CapCount:
    """What one visitor was sent in the windows of some caps.

    Args:
        caps: of the policy.
    """

    def __init__(self, caps: Sequence[Cap]) -> None:
        self._caps = caps
        self._sent: list[deque[int]] = [deque() for _ in caps]
        self._obeyed: dict[Kind, list[int]] = {}
        self._counted: dict[Kind, list[int]] = {}

    def stop(self, kind: Kind, now_ms: int) -> bool:
        """Tell whether a cap stops such a message; transactional ones pass.

        Args:
            kind: what it is.
            now_ms: epoch milliseconds, never earlier than in the call before.
        """
        obeyed = self._obeyed.get(kind)
        if obeyed is None:
            obeyed = self._obeyed[kind] = self._obeyed_by(kind)
        for index in obeyed:
            cap, sent = self._caps[index], self._sent[index]
            while sent and sent[0] <= now_ms - cap.per_ms:
                sent.popleft()
            if len(sent) >= cap.max:
                return True
        return False

    def add(self, kind: Kind, now_ms: int) -> None:
        """Count a message that goes out, of whatever class."""
        counted = self._counted.get(kind)
        if counted is None:
            counted = self._counted[kind] = self._counted_by(kind)
        for index in counted:
            self._sent[index].append(now_ms)

    def _obeyed_by(self, kind: Kind) -> list[int]:
        channel, tags, message_class = kind
        if message_class == "transactional":
            return []
        covers = [cap.obeys.covers(channel, frozenset(tags), message_class) for cap in self._caps]
        return [index for index, obeys in enumerate(covers) if obeys]

    def _counted_by(self, kind: Kind) -> list[int]:
        channel, tags, message_class = kind
        covers = [cap.counts.covers(channel, frozenset(tags), message_class) for cap in self._caps]
        return [index for index, counts in enumerate(covers) if counts]
