"""The SDK as the collector serves it: the core, and the parts that the core loads when they are needed."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from warehouse.errors import ConfigurationError


class Script(msgspec.Struct, frozen=True):
    """One built file: plain and gzipped, and the hash of its text."""

    plain: bytes
    gzipped: bytes
    digest: str


class Sdk(msgspec.Struct, frozen=True):
    """The built SDK.

    Args:
        core: what snippets load.
        parts: by the name after the dash: `banner` is `mm-banner.js`.
    """

    core: Script
    parts: Mapping[str, Script]


def load_sdk() -> Sdk:
    """Read the built SDK that ships with this version.

    Raises:
        ConfigurationError: it was never built.
    """
    folder = files("sdk_js").joinpath("dist")
    try:
        core = _script(folder.joinpath("mm.js").read_bytes())
    except FileNotFoundError as error:
        raise ConfigurationError("sdk_js/dist/mm.js is missing", "build it: make sdk") from error
    parts = [file for file in folder.iterdir() if file.name.startswith("mm-") and file.name.endswith(".js")]
    named = {file.name.removeprefix("mm-").removesuffix(".js"): _script(file.read_bytes()) for file in parts}
    return Sdk(core, named)


def _script(plain: bytes) -> Script:
    return Script(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12])
