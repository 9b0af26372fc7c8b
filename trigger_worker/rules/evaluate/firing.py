"""Which matches fire, and the id that each firing has wherever it is worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID, uuid5

import msgspec

from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.rules.model import Rule

_NAMESPACE: Final = UUID("0b0e9a52-5d0a-5c55-9e6b-3f2f5c1d7a41")


def firings(
    matches: Iterable[Match],
    every_ms: int,
    fired_before: Mapping[str, Sequence[int]],
    qualifies: Callable[[Match], bool] = lambda _: True,
) -> list[Match]:
    """Returns the matches that fire: per key none closer than `every_ms` to another.

    Args:
        matches: ordered by instant.
        every_ms: milliseconds; 0 lets every instant fire.
        fired_before: per key the instants of the firings made already. A match at such an instant
            is that firing, so it is not returned again.
        qualifies: what else must be true; asked only of matches that would fire.
    """
    fired: list[Match] = []
    #: Per key the earliest instant at which it may fire again.
    free: dict[str, int] = {}
    apart_ms = max(every_ms, 1)
    for match in matches:
        key, at = match.key, match.at
        if at < free.get(key, at):
            continue
        # A match learned of late is kept apart from the firing after it, too.
        others = fired_before.get(key)
        if others and any(abs(at - other) < apart_ms for other in others):
            continue
        if qualifies(match):
            free[key] = at + apart_ms
            fired.append(match)
    return fired


def fire_id(rule: Rule, visitor_id: str, match: Match) -> str:
    """Returns the id of a firing: the same for the same rule version, visitor, key and instant."""
    parts = (rule.id, rule.version, visitor_id, match.key, match.at)
    return str(uuid5(_NAMESPACE, msgspec.json.encode(parts).decode()))
