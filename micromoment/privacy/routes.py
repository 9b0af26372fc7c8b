"""The routes by which a person is erased and exported: on the engine's socket for commands, and in the admin API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from micromoment.engine.protocol import PersonRequest
from micromoment.privacy.desk import PersonalData
from warehouse.errors import MicromomentError, WarehouseError

#: What a person's export is: lines of JSON.
LINES: Final = "application/x-ndjson"


def personal_routes(data: PersonalData, actor: str = "") -> list[ControllerRouterHandler]:
    """Return the routes.

    Args:
        data: the personal data that this process reaches.
        actor: who asks; empty where the request says it, because only the user of this process reaches the server.
    """

    @post("/erase", status_code=HTTPStatus.OK)
    async def erase(request: Request[Any, Any, Any]) -> Response[bytes]:
        asked = await _read(request)
        report = await data.erase(asked.site, asked.visitor, actor or asked.actor, asked.max_ids)
        return Response(msgspec.json.encode(report), media_type="application/json")

    @post("/export-person", status_code=HTTPStatus.OK)
    async def export_person(request: Request[Any, Any, Any]) -> Stream:
        asked = await _read(request)
        lines = data.export(asked.site, asked.visitor, actor or asked.actor, asked.max_ids)
        # What is wrong is told before the answer begins.
        first = await anext(lines)
        return Stream(_chain(first, lines), media_type=LINES)

    return [erase, export_person]


def answer_error(_: Request[Any, Any, Any], error: MicromomentError) -> Response[dict[str, str]]:
    """Return the answer to an error that a person can act on."""
    status = HTTPStatus.BAD_REQUEST if isinstance(error, WarehouseError) else HTTPStatus.SERVICE_UNAVAILABLE
    return Response({"message": error.message, "hint": error.hint}, status_code=status)


async def _read(request: Request[Any, Any, Any]) -> PersonRequest:
    try:
        return msgspec.json.decode(await request.body(), type=PersonRequest)
    except msgspec.MsgspecError as error:
        raise WarehouseError(f"the request cannot be read: {error}", '{"site": "shop", "visitor": "an id"}') from error


async def _chain(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for each in others:
        yield each
