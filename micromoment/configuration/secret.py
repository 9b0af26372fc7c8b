"""Secrets that are made at the first start and kept in the data folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from micromoment.configuration.settings import Settings
from warehouse.errors import ConfigurationError


def read_secret(settings: Settings) -> bytes:
    """Return what signs visitors' tokens and messages' links: the configured secret, else the one that is kept.

    Raises:
        ConfigurationError: the data folder cannot be written.
    """
    return settings.secret.encode() or kept_secret(settings, "secret", lambda: secrets.token_hex(32).encode())


def kept_secret(settings: Settings, name: str, make: Callable[[], bytes]) -> bytes:
    """Return the content of a file of the data folder that only its owner can read, made at the first time.

    Args:
        name: of the file; the setting that replaces it has the same name, with `_` for `.`.
        make: gives the content.

    Raises:
        ConfigurationError: the data folder cannot be written.
    """
    path = Path(settings.data_folder) / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
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
    """Write a file unless there is one: whole, because another process that starts now may read it at any moment."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
