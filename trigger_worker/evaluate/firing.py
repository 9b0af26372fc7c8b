"""Which matches fire, and the id that each firing has wherever it is worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID, uuid5

import msgspec

from trigger_worker.evaluate.pattern import Match
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
    latest: dict[str, int] = {}
    for match in matches:
        nearby = (*fired_before.get(match.key, ()), latest.get(match.key))
        if all(_is_apart(match.at, other, every_ms) for other in nearby) and qualifies(match):
            latest[match.key] = match.at
            fired.append(match)
    return fired


def _is_apart(at: int, other: int | None, every_ms: int) -> bool:
    """A match learned of late is kept apart from the firing after it, too."""
    return other is None or (at != other and abs(at - other) >= every_ms)


def fire_id(rule: Rule, visitor_id: str, match: Match) -> str:
    """Returns the id of a firing: the same for the same rule version, visitor, key and instant."""
    parts = (rule.id, rule.version, visitor_id, match.key, match.at)
    return str(uuid5(_NAMESPACE, msgspec.json.encode(parts).decode()))
