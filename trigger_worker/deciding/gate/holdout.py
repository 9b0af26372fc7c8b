"""Who gets nothing, so that what the others get can be measured."""

from __future__ import annotations

import hashlib

_BUCKETS = 2**64


def in_holdout(site: str, visitor_id: str, share: float, rule: str = "") -> bool:
    """Tells whether the visitor is held out: always the same answer, and raising the share only adds visitors.

    Args:
        site: the site; a visitor of two sites is placed anew on each.
        visitor_id: the person.
        share: from 0 (nobody) to 1 (everybody).
        rule: whose own holdout is meant, each rule placing visitors anew; empty for the global one.
    """
    return share > 0 and place("holdout", site, rule, visitor_id) < share


def place(*parts: str) -> float:
    """Gives what the parts name its lasting place between 0 and 1, evenly spread."""
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) / _BUCKETS
