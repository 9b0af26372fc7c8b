"""Liveness, readiness and figures, for whoever operates the collector."""

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
    """Say whether events can be taken and stored; each part that cannot is named with its trouble.

    Events are taken, and kept on disk, while ClickHouse is away: `spool` decides the status, `clickhouse` informs.
    """
    checked = await parts.check_ready()
    ready = checked["spool"] == "ok"
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response({"status": "ready" if ready else "not ready", **checked}, status_code=status)


@get("/metrics", summary="Figures for Prometheus", tags=["operation"], media_type="text/plain")
async def metrics(parts: CurrentParts) -> Response[bytes]:
    """Return every counter and timing."""
    parts.metrics.spool_depth.set(parts.spool.depth)
    return Response(parts.metrics.render(), media_type="text/plain; version=0.0.4")
