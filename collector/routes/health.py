"""Routes for load balancers: liveness and readiness, without any detail, for they are public."""

from __future__ import annotations

from http import HTTPStatus

from litestar import Response, get

from collector.parts import CurrentParts


@get("/healthz", summary="Liveness", tags=["operation"])
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@get("/readyz", summary="Readiness", tags=["operation"])
async def readyz(parts: CurrentParts) -> Response[dict[str, str]]:
    """Say whether events can be taken: with ClickHouse away they are, and kept on disk.

    The port of operations tells why not.
    """
    is_ready = not parts.journal.unready(parts.now_ms())
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response({"status": "ready" if is_ready else "not ready"}, status_code=status)
