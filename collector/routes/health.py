"""Routes for operators: liveness, readiness, and figures for Prometheus."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from litestar import Response, get

from collector.parts import CollectorParts, CurrentParts
from warehouse.errors import WarehouseError
from warehouse.journal.tables import EVENTS
from warehouse.queries import read_sql

_READY_WITHIN_SECONDS: Final = 2.0


@get("/healthz", summary="Liveness", tags=["operation"])
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@get("/readyz", summary="Readiness", tags=["operation"])
async def readyz(parts: CurrentParts) -> Response[dict[str, str]]:
    """Say whether events can be taken and stored; each part that cannot is named with its trouble.

    Events are taken, and kept on disk, while ClickHouse is away: `journal` decides the status, `clickhouse` and `bus`
    inform.
    """
    checked = {
        "journal": parts.journal.unready(parts.now_ms()) or "ok",
        "clickhouse": await _check_clickhouse(parts),
        "bus": _check_bus(parts),
    }
    ready = checked["journal"] == "ok"
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response({"status": "ready" if ready else "not ready", **checked}, status_code=status)


@get("/metrics", summary="Figures for Prometheus", tags=["operation"], media_type="text/plain")
async def metrics(parts: CurrentParts) -> Response[bytes]:
    """Return every counter and timing in Prometheus' text format."""
    return Response(parts.metrics.render(), media_type="text/plain; version=0.0.4")


def _check_bus(parts: CollectorParts) -> str:
    trouble = parts.bus_state()
    return "ok" if trouble == "ok" else f"away; pages and rules wait for ClickHouse instead: {trouble}"


async def _check_clickhouse(parts: CollectorParts) -> str:
    """Return 'ok' or the trouble of ClickHouse, waiting two seconds at most.

    Cost: one query of a constant.
    """
    try:
        async with asyncio.timeout(_READY_WITHIN_SECONDS):
            await asyncio.to_thread(parts.warehouse.query, read_sql("collector", "ping"))
    except (WarehouseError, TimeoutError) as error:
        return f"unreachable; {parts.journal.depth(EVENTS)} events wait on disk: {error}"
    return "ok"
