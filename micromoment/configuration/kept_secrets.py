"""The secrets of an installation: configured, or made at the first start and kept in the data folder."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from micromoment.configuration.settings import Settings
from warehouse.errors import ConfigurationError

_KEY_BYTES: Final = 32
#: The order of the curve P-256; a private key is a number from 1 to one less (FIPS 186-5, D.1.2.3).
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def read_secret(settings: Settings) -> bytes:
    """Return the key that signs visitor tokens and links in messages.

    It is the configured secret, else the one in the data folder, which is made at the first start.

    Raises:
        ConfigurationError: the data folder cannot be written.
    """
    return settings.secret.encode() or _kept_secret(settings, "secret", lambda: secrets.token_hex(32).encode())


def read_push_key(settings: Settings) -> EllipticCurvePrivateKey:
    """Return the private key that signs web push (VAPID, RFC 8292).

    It is the configured key, else the one in the data folder, which is made at the first start.

    Raises:
        ConfigurationError: the data folder cannot be written, or the text is no key; the error does not repeat it.
    """
    text = settings.push_key or _kept_secret(settings, "push.key", _new_push_key).decode("ascii", "replace")
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


def read_admin_token(settings: Settings) -> str:
    """Return the token that permits to erase and export at the port of operations.

    It is the configured token, else the one in the data folder, which is made at the first start.

    Raises:
        ConfigurationError: the data folder cannot be written.
    """
    if settings.admin_token:
        return settings.admin_token
    return _kept_secret(settings, "admin.token", lambda: secrets.token_urlsafe(32).encode()).decode().strip()


def public_push_key(key: EllipticCurvePrivateKey) -> str:
    """Return the public key of a private key in the form with which browsers subscribe: base64url of the point."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _new_push_key() -> bytes:
    number = secrets.randbelow(_ORDER - 1) + 1
    return base64.urlsafe_b64encode(number.to_bytes(_KEY_BYTES)).rstrip(b"=")


def _kept_secret(settings: Settings, name: str, make: Callable[[], bytes]) -> bytes:
    """Return the content of a file in the data folder that only its owner can read, and make the file if needed.

    Args:
        settings: the settings, which name the data folder.
        name: the name of the file; the setting that replaces it has the same name, with `_` for `.`.
        make: returns the content of a new file.

    Raises:
        ConfigurationError: the data folder cannot be written.
    """
    path = Path(settings.data_folder) / name
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _put(path, make())
        return path.read_bytes()
    except OSError as error:
        setting = name.replace(".", "_")
        raise ConfigurationError(
            f"data_folder: {path} cannot be written: {error.strerror}",
            f"make the folder writable, or set `{setting}` (MICROMOMENT_{setting.upper()})",
        ) from error


def _put(path: Path, content: bytes) -> None:
    """Write a file unless it exists.

    The file appears whole, because another process that starts now may read it at any moment.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
