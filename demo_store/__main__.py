"""Run the shop by itself: ``python -m demo_store --collector URL --write-key KEY``."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

from granian.constants import Interfaces
from granian.server.embed import Server

from demo_store.app import create_app
from demo_store.command_line import Command, parse_command_line


def main() -> None:
    """Serve the shop until it is interrupted."""
    command = parse_command_line(sys.argv[1:])
    try:
        _require_free(command.host, command.port)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        sys.exit(f"cannot listen on {command.host}:{command.port}: {reason}; choose another --host or --port")
    asyncio.run(_serve(command))


async def _serve(command: Command) -> None:
    app = create_app(command.settings)
    server = Server(
        app,
        address=command.host,
        port=command.port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
    )
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, server.stop)
    print(f"Tarn & Timber opens at http://{command.host}:{command.port}/", flush=True)  # noqa: T201 - a command's output
    await server.serve()


def _require_free(host: str, port: int) -> None:
    """Find out early what Granian would not tell: it shares a port that is taken already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()


if __name__ == "__main__":
    main()
