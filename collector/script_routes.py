"""The SDK: a short-lived name for snippets, and an immutable one by hash."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from collector.edge import CurrentEdge, Edge

_SHORT: Final = "public, max-age=300, stale-while-revalidate=86400"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def script_routes(path: str, digest: str) -> list[HTTPRouteHandler]:
    """Return the routes that serve the SDK.

    Args:
        path: what snippets name, such as `/mm.js`.
        digest: of the text served now; `/mm.<digest>.js` never changes.
    """
    stem = path.removesuffix(".js")

    @get(path, summary="The SDK", tags=["script"], media_type="text/javascript")
    async def script(request: Request[Any, Any, Any], edge: CurrentEdge) -> Response[bytes]:
        """Serve the SDK under the name that snippets carry."""
        return _serve(request, edge, _SHORT)

    @get(f"{stem}.{digest}.js", summary="The SDK, this very text", tags=["script"], media_type="text/javascript")
    async def pinned_script(request: Request[Any, Any, Any], edge: CurrentEdge) -> Response[bytes]:
        """Serve the SDK under a name that is this text's only."""
        return _serve(request, edge, _FOR_EVER)

    return [script, pinned_script]


def _serve(request: Request[Any, Any, Any], edge: Edge, cache_control: str) -> Response[bytes]:
    etag = f'"{edge.script.digest}"'
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
        return Response(edge.script.gzipped, media_type="text/javascript", headers=headers)
    return Response(edge.script.plain, media_type="text/javascript", headers=headers)
