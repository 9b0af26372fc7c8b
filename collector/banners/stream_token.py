"""Signs and checks the tokens with which a browser opens its stream of banners."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

import msgspec

LIFETIME_MS: Final = 24 * 3_600_000


class Listener(msgspec.Struct, frozen=True, array_like=True):
    """The browser that a token is of, by site and anonymous id, and the end of the token's life in epoch ms."""

    site: str
    anonymous_id: str
    expires_at: int


class StreamTokens:
    """Signs and checks stream tokens, each valid for one browser and one day.

    Args:
        secret: shared by all collectors; with it the banners of every browser can be read.
    """

    def __init__(self, secret: bytes) -> None:
        self._signer = hmac.new(secret, b"visitor-token:", hashlib.sha256)

    def issue(self, site: str, anonymous_id: str, now_ms: int) -> str:
        """Return a new token of a browser, valid for `LIFETIME_MS` from now (epoch ms)."""
        payload = msgspec.json.encode(Listener(site, anonymous_id, now_ms + LIFETIME_MS))
        return f"{_encode(payload)}.{_encode(self._sign(payload))}"

    def check(self, token: str, now_ms: int) -> Listener | None:
        """Return the browser that a token is of, or None when the token is forged, damaged or expired."""
        body, _, signature = token.partition(".")
        try:
            payload = _decode(body)
            if not hmac.compare_digest(_decode(signature), self._sign(payload)):
                return None
            listener = msgspec.json.decode(payload, type=Listener)
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            return None
        return listener if listener.expires_at > now_ms else None

    def _sign(self, payload: bytes) -> bytes:
        # A copy: `hmac.digest` lets other threads run, and each reply would wait for its turn again.
        signer = self._signer.copy()
        signer.update(payload)
        return signer.digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
