"""What `micromoment warnings` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from micromoment.terminal.text import format_table, plain
from warehouse.faults import Fault, FaultExample

_HEADER: Final = ("site", "", "code", "last", "events")
_NOTHING: Final = "on the last day every event was kept as it was sent\n"


def fault_report(faults: Sequence[Fault]) -> str:
    """Return faults as text: how many there were, then the remedy and the last examples of each."""
    if not faults:
        return _NOTHING
    rows = [(fault.site, fault.kind, fault.code, _second(fault.last_at), f"{fault.events:,}") for fault in faults]
    return format_table(_HEADER, [tuple(map(plain, row)) for row in rows], left=4) + "".join(map(_told, faults))


def _told(fault: Fault) -> str:
    lines = [f"{fault.site}: {fault.kind} {fault.code}", f"  remedy: {fault.remedy}", *map(_example, fault.examples)]
    return "\n" + "".join(f"{plain(line)}\n" for line in lines)


def _example(example: FaultExample) -> str:
    sender = f" from {example.sender}" if example.sender else ""
    detail = f": {example.detail}" if example.detail else ""
    return f"  {_second(example.at)}  {example.event or 'an event'}{sender}{detail}"


def _second(at: str) -> str:
    return at[:19]
