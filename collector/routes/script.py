"""Loads the built SDK and serves it: under a short-lived name, under an immutable one by hash, and its parts."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from warehouse.errors import ConfigurationError

_SHORT: Final = "public, max-age=300, stale-while-revalidate=86400"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class Script(msgspec.Struct, frozen=True):
    """A built file of the SDK: its text, plain and gzipped, and the hash of the text."""

    plain: bytes
    gzipped: bytes
    digest: str


class Sdk(msgspec.Struct, frozen=True):
    """The built SDK: the core, and the parts that the core loads when they are needed.

    Args:
        core: the file that snippets load.
        parts: by the name after the dash: `banner` is `mm-banner.js`.
    """

    core: Script
    parts: Mapping[str, Script]


def load_sdk() -> Sdk:
    """Return the built SDK that ships with this version.

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


def script_routes(path: str, sdk: Sdk) -> list[HTTPRouteHandler]:
    """Return the routes that serve the SDK.

    Args:
        path: the address that snippets name, such as `/mm.js`.
        sdk: its core is served at that path and, for ever the same, at `/mm.<digest>.js`; a part at `/mm-<part>.js`,
            for ever the same with `?v=<digest>`.
    """
    stem = path.removesuffix(".js")

    @get(path, summary="The SDK", tags=["script"], media_type="text/javascript")
    async def script(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Serve the SDK under the name that snippets carry."""
        return _serve(request, sdk.core, _SHORT)

    @get(f"{stem}.{sdk.core.digest}.js", summary="The SDK, this very text", tags=["script"])
    async def pinned_script(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Serve the SDK under a name that is this text's only."""
        return _serve(request, sdk.core, _FOR_EVER)

    return [script, pinned_script, *(_part_route(stem, name, part) for name, part in sdk.parts.items())]


def _part_route(stem: str, name: str, part: Script) -> HTTPRouteHandler:
    @get(f"{stem}-{name}.js", name=f"sdk_{name}", summary=f"The SDK's part: {name}", tags=["script"])
    async def script_part(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Serve a part of the SDK; a page that still runs an older core gets it too, and asks again before long."""
        is_pinned = request.query_params.get("v") == part.digest
        return _serve(request, part, _FOR_EVER if is_pinned else _SHORT)

    return script_part


def _serve(request: Request[Any, Any, Any], script: Script, cache_control: str) -> Response[bytes]:
    etag = f'"{script.digest}"'
    headers = {
        "Cache-Control": cache_control,
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(script.gzipped, media_type="text/javascript", headers=headers)
    return Response(script.plain, media_type="text/javascript", headers=headers)


def _script(plain: bytes) -> Script:
    return Script(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12])
