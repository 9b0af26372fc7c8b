"""Tell when a visitor id was born: the SDK's anonymous ids are UUIDs of version 7, which begin with their time."""

from __future__ import annotations

from typing import Final

_LENGTH: Final = 36
_HYPHENS: Final = (8, 13, 18, 23)


def born_at(visitor_id: str) -> int | None:
    """Return the instant at which a visitor id was made (epoch ms), None when it is no UUID of version 7.

    The first 48 bits of such an id are its time in ms (RFC 9562, 5.7). The page's clock told it, so a caller trusts
    it within a few seconds only.
    """
    if len(visitor_id) != _LENGTH or visitor_id[14] != "7" or any(visitor_id[place] != "-" for place in _HYPHENS):
        return None
    try:
        return int(visitor_id[:8] + visitor_id[9:13], 16)
    except ValueError:
        return None
