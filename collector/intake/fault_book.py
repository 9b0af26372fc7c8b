"""Counts what senders do wrong, on the way to the table `faults`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec
import structlog

from collector.intake.draft import Drop, DropReason, EventWarning, WarningReason
from collector.intake.examples import Example, FaultKey, Sighting, example_of
from collector.intake.remedies import DROP_REMEDIES, WARNING_REMEDIES
from warehouse.errors import JournalError
from warehouse.event import format_time
from warehouse.faults import FaultKind, FaultRow, slot_of, variety_of
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.tables import FAULTS

#: How soon the first event with a fault is on its way to ClickHouse, and how long further ones of the same fault wait.
TICK_SECONDS: Final = 0.5
PAUSE_MS: Final = 10_000
#: Events of one fault that may become examples before it is due again.
MOST_EXAMPLES: Final = 3
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("collector.intake.fault_book")


class _Waiting(msgspec.Struct):
    """Events that are not on their way yet, and examples of them, each with its instant.

    Args:
        events: how many.
        at: when the latest came, epoch ms.
        examples: some of them.
        left: how many may still become an example.
        next_at: when they are due, epoch ms.
    """

    events: int = 0
    at: int = 0
    examples: dict[Example, int] = {}
    left: int = MOST_EXAMPLES
    next_at: int = 0


class FaultBook:
    """Counts drops and warnings by site and code, and hands them to the journal.

    It holds one entry for each site and code, both of which are closed sets.

    Args:
        journal: brings rows to ClickHouse.
        now_ms: the clock, epoch ms.
    """

    def __init__(self, journal: JournalThread, now_ms: Callable[[], int]) -> None:
        self._journal = journal
        self._now_ms = now_ms
        self._waiting: dict[tuple[str, FaultKind, str], _Waiting] = {}

    def note(
        self,
        site: str,
        drops: Iterable[Drop],
        warnings: Iterable[EventWarning],
        sightings: Mapping[FaultKey, Sighting],
    ) -> None:
        """Take in the drops and warnings of a request, with an event of each reason."""
        told: Counter[FaultKey] = Counter(("drop", drop.reason) for drop in drops)
        told.update(("warning", warning.reason) for warning in warnings)
        at = self._now_ms()
        for (kind, code), events in told.items():
            entry = self._waiting.setdefault((site, kind, code), _Waiting())
            entry.events += events
            entry.at = at
            seen = sightings.get((kind, code))
            # The first ones of each pause: however many come, they cost no more than to be counted.
            if seen is not None and entry.left:
                entry.left -= 1
                entry.examples[example_of(seen)] = at

    async def run(self) -> None:
        """Hand over what waits, again and again, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self.hand_over()

    async def hand_over(self, *, at_once: bool = False) -> None:
        """Hand over what is due, or all that waits; where the journal takes nothing, it goes on waiting."""
        now = self._now_ms()
        due = {key: entry for key, entry in self._waiting.items() if entry.events and (at_once or now >= entry.next_at)}
        if not due:
            return
        taken = {key: (entry.events, dict(entry.examples)) for key, entry in due.items()}
        try:
            await self._journal.append_async(FAULTS, [line for item in due.items() for line in _lines(*item)], now)
        except JournalError as error:
            _log.warning("faults_not_kept", error=error.message)
            return
        for key, entry in due.items():
            events, examples = taken[key]
            entry.events -= events
            entry.examples = {example: at for example, at in entry.examples.items() if examples.get(example) != at}
            entry.left = MOST_EXAMPLES
            entry.next_at = now + PAUSE_MS


def _lines(key: tuple[str, FaultKind, str], entry: _Waiting) -> Iterator[bytes]:
    """Yield the rows of an entry: one for each example, the latest of which counts the events."""
    site, kind, code = key
    remedy = DROP_REMEDIES[DropReason(code)] if kind == "drop" else WARNING_REMEDIES[WarningReason(code)]
    events = entry.events
    for example, at in reversed((entry.examples or {Example(): entry.at}).items()):
        shown = (example.event, example.sender, example.detail)
        row = FaultRow(site, kind, code, slot_of(at), variety_of(*shown), events, remedy, format_time(at), *shown)
        yield _encode(row)
        events = 0
