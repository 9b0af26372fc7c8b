"""The SDK as the collector serves it."""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files

import msgspec

from warehouse.errors import ConfigurationError


class Script(msgspec.Struct, frozen=True):
    """The built SDK: plain and gzipped, and the hash of its text."""

    plain: bytes
    gzipped: bytes
    digest: str


def load_script() -> Script:
    """Read the built SDK that ships with this version.

    Raises:
        ConfigurationError: it was never built.
    """
    try:
        plain = files("sdk_js").joinpath("dist", "mm.js").read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError("sdk_js/dist/mm.js is missing", "build it: make sdk") from error
    return Script(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12])
