"""The web application for operators: readiness in detail, figures, the description of the API, and its front page."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Litestar, MediaType, Request, Response, get
from litestar.types import ControllerRouterHandler
from prometheus_client import CollectorRegistry, generate_latest

from micromoment.operations.readiness import check_readiness
from warehouse.connection import Warehouse
from warehouse.journal.group_commit import JournalThread

#: The figure by which a worker shows that messages are held back.
_CEILING: Final = "micromoment_hourly_ceiling_reached"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class OperationsParts(msgspec.Struct, frozen=True):
    """What the application shows of a process.

    Args:
        registry: its figures.
        journal, warehouse, bus_state, storing_state, clock_state: the parts whose readiness is told.
        now_ms: the clock, epoch ms.
        version: of Micromoment.
        api_description: the collector's API as OpenAPI; empty in a process without a collector.
        is_loopback: whether the server is there for this machine alone; then a name of another host in a request is
            that of a page which had its own name lead here.
    """

    registry: CollectorRegistry
    journal: JournalThread
    warehouse: Warehouse
    bus_state: Callable[[], str]
    now_ms: Callable[[], int]
    version: str
    api_description: bytes = b""
    is_loopback: bool = True
    storing_state: Callable[[], str] = lambda: "ok"
    clock_state: Callable[[], str] = lambda: "ok"


def create_operations_app(parts: OperationsParts, more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """Return the application.

    Args:
        parts: what it shows.
        more: further routes, with their own checks of who calls.
    """

    @get("/", media_type=MediaType.HTML)
    async def front() -> str:
        return _front_page(parts)

    @get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @get("/readyz")
    async def readyz() -> Response[dict[str, str]]:
        found = await check_readiness(
            parts.journal,
            parts.warehouse,
            parts.bus_state,
            parts.storing_state,
            parts.now_ms(),
            _held_back(parts.registry),
            parts.clock_state(),
        )
        status = HTTPStatus.OK if found.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(msgspec.to_builtins(found), status_code=status)

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        return Response(generate_latest(parts.registry), media_type="text/plain; version=0.0.4")

    @get("/schema")
    async def schema() -> Response[bytes]:
        status = HTTPStatus.OK if parts.api_description else HTTPStatus.NOT_FOUND
        return Response(parts.api_description, status_code=status, media_type="application/vnd.oai.openapi+json")

    def refuse_other_hosts(request: Request[Any, Any, Any]) -> Response[dict[str, str]] | None:
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        if not parts.is_loopback or host in _LOOPBACK:
            return None
        said = {"code": "wrong_host", "message": "ask for localhost, or set operations_host"}
        return Response(said, status_code=HTTPStatus.MISDIRECTED_REQUEST)

    return Litestar(
        [front, healthz, readyz, metrics, schema, *more],
        before_request=refuse_other_hosts,
        response_headers=_HEADERS,
        openapi_config=None,
        logging_config=None,
        request_max_body_size=64 * 1024,
    )


def _held_back(registry: CollectorRegistry) -> list[str]:
    """Return the sites and classes whose messages wait because so many were sent within the hour."""
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    reached = (sample.labels for sample in samples if sample.name == _CEILING and sample.value)
    return sorted(f"{labels['class']} of {labels['site']}" for labels in reached)


def _front_page(parts: OperationsParts) -> str:
    schema = '<li><a href="/schema">/schema</a>: the collector\'s API, as OpenAPI</li>' if parts.api_description else ""
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Micromoment: operations</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}</style>
<h1>Micromoment {html.escape(parts.version)}: operations</h1>
<ul>
<li><a href="/readyz">/readyz</a>: whether each part can work</li>
<li><a href="/metrics">/metrics</a>: figures for Prometheus</li>
{schema}
<li>/admin: erase and export a person, with the admin token (docs/privacy.md)</li>
</ul>
"""
