"""Signs webhooks as standardwebhooks.com describes, so that any of its libraries can verify them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from warehouse.errors import ConfigurationError

_PREFIX: Final = "whsec_"


def decode_secret(secret: str) -> bytes:
    """Reads a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.

    Raises:
        ConfigurationError: when it is none; the message does not repeat it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ConfigurationError(
            "the webhook secret is not whsec_ followed by 24 to 64 bytes in base64",
            "write whsec_ and what this prints: openssl rand -base64 32",
        )
    return key


def signature_headers(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Gives the three headers that let the receiver check who sent the body, and when.

    Args:
        key: the shared secret, decoded.
        message_id: the same for every attempt, so that the receiver can tell repeats.
        timestamp_s: when this attempt is made, in seconds since 1970.
        body: exactly the bytes that are sent.
    """
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{signature}",
    }
