"""The server through which commands use the embedded engine, which one process at a time can open.

It listens on a Unix socket in a folder that only its user can enter; `engine.client` calls it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, Request, Response, post
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from micromoment.engine.operator_query import answer_operator
from micromoment.engine.protocol import Export
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError, MicromomentError, WarehouseError
from warehouse.journal.folder import LOCK_WAIT_SECONDS, lock_within
from warehouse.threads import Threads

#: Statements of operators, and of other commands, that run at the same time, and most that wait of each.
OPERATOR_THREADS: Final = 2
COMMAND_THREADS: Final = 2
MAX_WAITING_OPERATORS: Final = 50
MAX_REQUEST_BYTES: Final = 64 * 1024 * 1024
_STARTED_WITHIN_SECONDS: Final = 15.0


@asynccontextmanager
async def hold_engine(path: Path) -> AsyncIterator[None]:
    """Be the only process that opens the embedded engine, and its socket, until the block ends.

    Args:
        path: of the socket; nothing is touched before it is known that no other process holds it.

    Raises:
        ConfigurationError: another process does, or the folder cannot be written.
    """
    try:
        _make_private_folder(path.parent)
        lock = os.open(path.parent / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"the folder {path.parent} cannot be written: {error.strerror}",
            "make it writable, or name another `data_folder`",
        ) from error
    try:
        if not await asyncio.to_thread(lock_within, lock, LOCK_WAIT_SECONDS):
            raise ConfigurationError(
                f"another process runs on the data folder {path.parents[1]}, and goes on undisturbed",
                "stop that one first, or name another `data_folder` (MICROMOMENT_DATA_FOLDER)",
            )
        yield
    finally:
        os.close(lock)


@asynccontextmanager
async def serve_engine(
    warehouse: Warehouse, path: Path, more: Sequence[ControllerRouterHandler] = ()
) -> AsyncIterator[None]:
    """Serve the embedded engine to other commands of the same user until the block ends; in `hold_engine`.

    Args:
        warehouse: the engine.
        path: the socket.
        more: routes of what else commands ask of the running process.
    """
    _make_private_folder(path.parent)
    _remove(path)
    app = create_engine_app(warehouse, more)
    server = Server(app, uds=path, interface=Interfaces.ASGI, websockets=False, log_enabled=False)
    running = asyncio.create_task(server.serve(), name="engine socket")
    try:
        await _until_listening(path)
        _close_to_others(path)
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]  # Granian's embedding API is untyped
        await asyncio.wait([running])
        _remove(path)


def create_engine_app(warehouse: Warehouse, more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """Return the web application behind the socket, which exports query results and inserts lines."""
    # Slow statements of operators keep nobody else waiting, only each other; nor do those of commands.
    operators = Threads("operator", OPERATOR_THREADS, MAX_WAITING_OPERATORS)
    commands = Threads("command", COMMAND_THREADS, MAX_WAITING_OPERATORS)

    @post("/export", status_code=HTTPStatus.OK)
    async def export(request: Request[Any, Any, Any]) -> Response[bytes]:
        asked = msgspec.json.decode(await request.body(), type=Export)
        answer = await commands.run(warehouse.export, asked.sql, asked.format, asked.parameters)
        return Response(answer, media_type="application/octet-stream")

    @post("/answer", status_code=HTTPStatus.OK)
    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        asked = msgspec.json.decode(await request.body(), type=Export)
        answered = await operators.run(answer_operator, warehouse, asked.sql, asked.format)
        return Response(answered, media_type="application/octet-stream")

    @post("/insert", status_code=HTTPStatus.NO_CONTENT)
    async def insert(request: Request[Any, Any, Any], table: FromQuery[str], token: FromQuery[str]) -> None:
        await commands.run(warehouse.insert_lines, table, await request.body(), token)

    return Litestar(
        [export, answer, insert, *more],
        exception_handlers={MicromomentError: _answer},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MAX_REQUEST_BYTES,
        on_shutdown=[operators.abandon, commands.abandon],
    )


async def _until_listening(path: Path) -> None:
    async with asyncio.timeout(_STARTED_WITHIN_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_unix_connection(path)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


def _make_private_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


def _close_to_others(path: Path) -> None:
    path.chmod(0o600)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _answer(_: Request[Any, Any, Any], error: MicromomentError) -> Response[dict[str, str]]:
    status = HTTPStatus.BAD_REQUEST if isinstance(error, WarehouseError) else HTTPStatus.INTERNAL_SERVER_ERROR
    return Response({"message": error.message, "hint": error.hint}, status_code=status)
