"""The key pair that signs web push (VAPID)."""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from micromoment.configuration.secret import kept_secret
from micromoment.configuration.settings import Settings
from warehouse.errors import ConfigurationError

_KEY_BYTES: Final = 32
#: The order of P-256; a private key is a number from 1 to one less (FIPS 186-5, D.1.2.3).
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def read_push_key(settings: Settings) -> EllipticCurvePrivateKey:
    """Return the configured private key, else the one kept in the data folder, made at the first start.

    Raises:
        ConfigurationError: the data folder cannot be written, or the key is none; the error does not repeat it.
    """
    text = settings.push_key or kept_secret(settings, "push.key", _made).decode("ascii", "replace")
    padded = text.strip() + "=" * (-len(text.strip()) % 4)
    try:
        private = base64.b64decode(padded, b"-_", validate=True)
    except ValueError:
        private = b""
    number = int.from_bytes(private)
    if len(private) != _KEY_BYTES or not 0 < number < _ORDER:
        raise ConfigurationError(
            "push_key is no private key of P-256 in base64url",
            "remove it, so that one is made, or copy the private key that `npx web-push generate-vapid-keys` prints",
        )
    return derive_private_key(number, SECP256R1())


def public_push_key(key: EllipticCurvePrivateKey) -> str:
    """Return the public key as browsers subscribe with it."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _made() -> bytes:
    number = secrets.randbelow(_ORDER - 1) + 1
    return base64.urlsafe_b64encode(number.to_bytes(_KEY_BYTES)).rstrip(b"=")
