"""Who gets nothing, so that what the others get can be measured."""

from __future__ import annotations

import hashlib

_BUCKETS = 2**64


def in_holdout(site: str, visitor_id: str, share: float) -> bool:
    """Tells whether the visitor is held out: always the same answer, and raising the share only adds visitors.

    Args:
        site: the site; a visitor of two sites is placed anew on each.
        visitor_id: the person.
        share: from 0 (nobody) to 1 (everybody).
    """
    digest = hashlib.sha256(f"holdout\n{site}\n{visitor_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * _BUCKETS
