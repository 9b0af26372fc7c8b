"""The shop as a program of its own: ``python -m demo_store --collector URL --write-key KEY``."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NamedTuple

from granian.constants import Interfaces
from granian.server.embed import Server

from demo_store.app import create_app
from demo_store.settings import StoreSettings

#: The environment variable with the secret that signs ids of accounts: a command line is everybody's to read.
SIGNING_VARIABLE = "STORE_IDENTITY_SECRET"


class StoreCommand(NamedTuple):
    """A parsed command line: the address to listen on, and the settings of the shop."""

    host: str
    port: int
    settings: StoreSettings


def main() -> None:
    """Serve the shop until it is interrupted."""
    command = parse_command_line(sys.argv[1:])
    try:
        _require_free(command.host, command.port)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        sys.exit(f"cannot listen on {command.host}:{command.port}: {reason}; choose another --host or --port")
    asyncio.run(_serve(command))


def parse_command_line(arguments: Sequence[str]) -> StoreCommand:
    """Return the parsed command line.

    Args:
        arguments: the arguments after the name of the program.

    Raises:
        SystemExit: an argument is missing or invalid; the reason is printed on stderr.
    """
    parser = _build_parser()
    parsed = parser.parse_args(arguments)
    try:
        settings = StoreSettings(
            collector_url=parsed.collector,
            write_key=parsed.write_key,
            public_url=parsed.public_url,
            mailbox_url=parsed.mailbox,
            console_url=parsed.console,
            identity_secret=os.environ.get(SIGNING_VARIABLE, ""),
        )
    except ValueError as error:
        parser.error(str(error))
    return StoreCommand(parsed.host, parsed.port, settings)


async def _serve(command: StoreCommand) -> None:
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
    """Raise an OSError when a port is taken; Granian itself would share it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo_store", description="A demonstration shop.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--collector", default="http://127.0.0.1:8000", help="the collector's URL (default: %(default)s)"
    )
    parser.add_argument("--write-key", required=True, help="the site's write key")
    parser.add_argument("--public-url", default="", help="origin that visitors see (default: that of each request)")
    parser.add_argument("--mailbox", default="", help="page with the demonstration's outgoing mail")
    parser.add_argument("--console", default="", help="page where an operator looks at behaviour")
    return parser


if __name__ == "__main__":
    main()
