"""The secret that signs visitor tokens."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from micromoment.settings import Settings
from warehouse.errors import ConfigurationError


def read_secret(settings: Settings) -> bytes:
    """Return the configured secret, else the one kept in the data folder, made at the first start.

    Raises:
        ConfigurationError: the data folder cannot be written.
    """
    if settings.secret:
        return settings.secret.encode()
    path = Path(settings.data_folder) / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            made = secrets.token_hex(32).encode()
            file.write(made)
            return made
    except OSError as error:
        raise ConfigurationError(
            f"data_folder: {path} cannot be written: {error.strerror}",
            "make the folder writable, or set `secret` (MICROMOMENT_SECRET)",
        ) from error
