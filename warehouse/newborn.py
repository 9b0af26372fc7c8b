"""The instant at which a visitor's id was made, as far as the id itself tells it."""

from __future__ import annotations

import re
from typing import Final

#: UUIDs that begin with the instant of their making: version 7 (RFC 9562, 5.7), and version 8 as `browser_id` makes it.
_DATED: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)


def born_at(visitor_id: str) -> int | None:
    """Return when a visitor's id was made, epoch ms by its maker's clock, or None when the id does not tell.

    Args:
        visitor_id: an anonymous id, or any other.
    """
    if _DATED.fullmatch(visitor_id) is None:
        return None
    return int(visitor_id[:8] + visitor_id[9:13], 16)
