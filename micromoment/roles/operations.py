"""The server for operators, which each process runs at a port of its own."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Literal

from micromoment.configuration.kept_secrets import read_admin_token
from micromoment.operations.admin import admin_router
from micromoment.operations.app import OperationsParts, create_operations_app
from micromoment.roles.shared import Shared
from micromoment.serving import serve


@asynccontextmanager
async def serve_operations(
    shared: Shared,
    setting: Literal["operations_port", "worker_port"],
    api_description: bytes = b"",
) -> AsyncIterator[None]:
    """Serve readiness, figures and the like until the block ends.

    Args:
        shared: the parts of this process.
        setting: the setting that names the port.
        api_description: the collector's API as OpenAPI, in a process with a collector.

    Raises:
        ConfigurationError: the port is taken.
    """
    settings = shared.settings
    parts = OperationsParts(
        registry=shared.registry,
        journal=shared.journal,
        warehouse=shared.warehouse,
        bus_state=shared.bus.state,
        storing_state=shared.storing_state,
        clock_state=shared.clock.state,
        now_ms=shared.clock.now_ms,
        version=version("micromoment"),
        api_description=api_description,
        is_loopback=_is_loopback(settings.operations_host),
    )
    app = create_operations_app(parts, [admin_router(parts, shared.data, read_admin_token(settings))])
    async with serve(app, settings.operations_host, getattr(settings, setting), setting):
        yield


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
