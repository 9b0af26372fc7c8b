"""Anonymous ids that are bound to a secret of their browser: an id is a hash of the secret, so that no table is needed.

A browser that made its id this way shows the secret with what it sends; whoever else learns the id can neither send as
that browser nor get its banners. The id is a UUID of version 8 (RFC 9562, 5.8): 48 bits are the instant of its making
in epoch ms, as in version 7, and 72 bits are the beginning of a SHA-256 of that instant and the secret. The instant is
part of the hash, so that a guess at a secret is a guess at the ids of one millisecond only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

_BOUND: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
#: A secret of at least 128 bits in base64url or hexadecimal.
_SECRET: Final = re.compile("[A-Za-z0-9_-]{22,64}")


def make_browser_id(made_at: int, secret: str) -> str:
    """Return the anonymous id of a browser.

    Args:
        made_at: when it is made, epoch ms.
        secret: 22 to 64 random characters of base64url or hexadecimal.
    """
    time = f"{made_at:012x}"
    digest = hashlib.sha256(f"{time}:{secret}".encode()).hexdigest()
    return f"{time[:8]}-{time[8:]}-8{digest[:3]}-8{digest[3:6]}-{digest[6:18]}"


def is_bound(anonymous_id: str) -> bool:
    """Tell whether an id has the form of those that are bound to a secret, in any case of its letters."""
    return _BOUND.fullmatch(anonymous_id) is not None


def is_proven(anonymous_id: str, secret: object) -> bool:
    """Tell in constant time whether a secret is that of a browser.

    Args:
        anonymous_id: any anonymous id.
        secret: what the sender shows, of any type.
    """
    if not isinstance(secret, str) or _SECRET.fullmatch(secret) is None or not is_bound(anonymous_id):
        return False
    made_at = int(anonymous_id[:8] + anonymous_id[9:13], 16)
    return hmac.compare_digest(make_browser_id(made_at, secret), anonymous_id)
