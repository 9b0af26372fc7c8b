"""What a load generator saw: replies, and banners that arrived."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from bench.figures import percentile
from bench.live.visitors import Kind


@dataclass
class Probe:
    """An event that completes a measured rule, and its banner; instants in seconds of the monotonic clock.

    Args:
        kind: of the visitor.
        due: when the request was to be sent.
        acknowledged: when the reply was read.
        arrived: when the first banner that names the event was read.
    """

    kind: Kind
    due: float
    acknowledged: float = math.inf
    arrived: float = math.inf

    @property
    def banner_ms(self) -> float:
        """Return the ms from reply to banner: 0 when it came no later than the reply, infinite when it never came."""
        if math.isinf(self.arrived):
            return math.inf
        return max(0.0, self.arrived - self.acknowledged) * 1000


class Outcome:
    """Collects the samples of one run, the warm-up's apart."""

    def __init__(self) -> None:
        self.events = 0
        self.acknowledge_ms: list[float] = []
        self.late_ms: list[float] = []
        self.refused: Counter[int] = Counter()
        self.pages = 0
        self.unanswered = 0
        self._probes: list[Probe] = []
        self._first_counted = 0
        self._counted_from = 0.0
        self._ended = False

    def begin(self, due: float) -> None:
        """Forget the warm-up: what is due from an instant on counts."""
        self.events = self.pages = 0
        self.acknowledge_ms, self.late_ms = [], []
        self._first_counted, self._counted_from = len(self._probes), due

    def end(self) -> None:
        """Count no more events or pages, for no more of what they cost is counted; replies and banners still are."""
        self._ended = True

    def acknowledge(self, due: float, at: float, events: int) -> None:
        """Note that a request's reply was read."""
        if due >= self._counted_from:
            self.acknowledge_ms.append((at - due) * 1000)
        if not self._ended:
            self.events += events

    def open_page(self) -> None:
        """Note that a page asked for a stream."""
        self.pages += not self._ended

    def add_probe(self, kind: Kind, due: float) -> int:
        """Expect a banner; return the number, from 1, that names it."""
        self._probes.append(Probe(kind, due))
        return len(self._probes)

    def probe(self, number: int) -> Probe:
        """Return a probe by its number."""
        return self._probes[number - 1]

    def arrive(self, number: int, at: float) -> None:
        """Note that a banner was read; only the first of a probe counts."""
        probe = self._probes[number - 1]
        probe.arrived = min(probe.arrived, at)

    @property
    def waits(self) -> bool:
        """Whether some banner is still missing."""
        return any(math.isinf(probe.arrived) for probe in self._probes[self._first_counted :])

    def banner_ms(self, kind: Kind | None = None) -> list[float]:
        """Return the ms from reply to banner, of all probes that count or of one kind of visitor."""
        return [probe.banner_ms for probe in self._counted() if kind in (None, probe.kind)]

    def growth(self) -> float:
        """Return the last quarter's median from due to banner, over the second quarter's; above 1 a queue grows."""
        probes = sorted(self._counted(), key=lambda probe: probe.due)
        quarter = len(probes) // 4
        if not quarter:
            return math.nan
        early, late = probes[quarter : 2 * quarter], probes[-quarter:]
        return _median_wait(late) / _median_wait(early)

    def _counted(self) -> list[Probe]:
        return self._probes[self._first_counted :]


def _median_wait(probes: list[Probe]) -> float:
    return percentile([probe.arrived - probe.due for probe in probes], 0.5)
