"""Run the shop by itself: ``python -m demo_store --collector URL --write-key KEY``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from granian.constants import Interfaces
from granian.server.embed import Server

from demo_store.app import create_app
from demo_store.settings import StoreSettings


def parse_arguments(arguments: Sequence[str]) -> tuple[str, int, StoreSettings]:
    """Read the command line.

    Returns:
        Host, port and settings.

    Raises:
        SystemExit: an argument is missing or impossible; what and why is on stderr.
    """
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
    parsed = parser.parse_args(arguments)
    try:
        settings = StoreSettings(
            collector_url=parsed.collector,
            write_key=parsed.write_key,
            public_url=parsed.public_url,
            mailbox_url=parsed.mailbox,
            console_url=parsed.console,
        )
    except ValueError as error:
        parser.error(str(error))
    return parsed.host, parsed.port, settings


def main(arguments: Sequence[str]) -> None:
    """Serve the shop until it is interrupted."""
    host, port, settings = parse_arguments(arguments)
    server = Server(create_app(settings), address=host, port=port, interface=Interfaces.ASGI, log_access=False)
    print(f"Tarn & Timber is open at http://{host}:{port}/", flush=True)  # noqa: T201 - for the person who started it
    asyncio.run(server.serve())


if __name__ == "__main__":
    main(sys.argv[1:])
