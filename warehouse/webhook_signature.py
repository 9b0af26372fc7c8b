"""Signs and checks webhooks as standardwebhooks.com describes, so that any of its libraries understands ours."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from warehouse.errors import ConfigurationError

_PREFIX: Final = "whsec_"
#: A signature that is further from now was recorded and is being replayed, or a clock is wrong; in seconds.
TOLERANCE_S: Final = 300


def decode_secret(secret: str, what: str) -> bytes:
    """Return the key of a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.

    Args:
        what: the secret's name in the error, such as `the webhook secret`.

    Raises:
        ConfigurationError: the text is no such secret; the message does not repeat it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ConfigurationError(
            f"{what} is not whsec_ followed by 24 to 64 bytes in base64",
            "write whsec_ and what this prints: openssl rand -base64 32",
        )
    return key


def signature_headers(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers by which the receiver of a webhook checks its sender and its time.

    Args:
        key: the shared secret, decoded.
        message_id: the same for every attempt, so that the receiver can tell repeats.
        timestamp_s: when this attempt is made, in seconds since 1970.
        body: exactly the bytes that are sent.
    """
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{_signature(key, message_id, str(timestamp_s), body)}",
    }


def is_genuine(key: bytes, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
    """Tell whether a body was signed with the key, not longer ago than `TOLERANCE_S`.

    Args:
        key: the shared secret, decoded.
        headers: of the request, found by their names in lower case.
        body: exactly the bytes that arrived.
        now_s: the present, in seconds since 1970.
    """
    timestamp = headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return False
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    expected = _signature(key, headers.get("webhook-id", ""), timestamp, body).encode()
    versions = [entry.partition(",") for entry in headers.get("webhook-signature", "").split(" ")]
    given = [text.encode() for version, _, text in versions if version == "v1"]
    return any(hmac.compare_digest(expected, signature) for signature in given)


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
