"""The admin API at the port of operations: erase, export, status and warnings, for whoever has its token."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Response, Router, get
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromQuery

from micromoment.operations.app import OperationsParts
from micromoment.operations.readiness import check_readiness
from micromoment.privacy.desk import PersonalData
from micromoment.privacy.routes import answer_error, personal_routes
from warehouse.errors import MicromomentError
from warehouse.faults import read_faults
from warehouse.journal.tables import TABLES
from warehouse.threads import Threads

#: Questions about what senders did wrong, and those that may wait.
_THREADS: Final = Threads("faults", 1, 4)
_ACTOR: Final = "admin API"


def admin_router(parts: OperationsParts, data: PersonalData, token: str) -> Router:
    """Return the routes under `/admin`.

    Args:
        parts: the process.
        data: the personal data that it reaches.
        token: the bearer token that permits to call them.
    """

    def require_token(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise NotAuthorizedException("send the admin token: Authorization: Bearer ...")

    @get("/status")
    async def status() -> Response[dict[str, Any]]:
        readiness = await check_readiness(
            parts.journal, parts.warehouse, parts.bus_state, parts.storing_state, parts.now_ms()
        )
        told = {
            "version": parts.version,
            "readiness": msgspec.to_builtins(readiness),
            "waiting": {table.name: parts.journal.depth(table) for table in TABLES},
        }
        return Response(told, status_code=HTTPStatus.OK)

    @get("/warnings")
    async def warnings(site: FromQuery[str] = "") -> Response[list[dict[str, Any]]]:
        found = await _THREADS.run(read_faults, parts.warehouse, parts.now_ms(), site)
        return Response(msgspec.to_builtins(found), status_code=HTTPStatus.OK)

    return Router(
        "/admin",
        route_handlers=[status, warnings, *personal_routes(data, _ACTOR)],
        guards=[require_token],
        exception_handlers={MicromomentError: answer_error},
    )
