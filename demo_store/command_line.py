"""What ``python -m demo_store`` can be told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from demo_store.settings import StoreSettings


class Command(NamedTuple):
    """Where to listen, and what the shop is told."""

    host: str
    port: int
    settings: StoreSettings


def parse_command_line(arguments: Sequence[str]) -> Command:
    """Read the command line.

    Raises:
        SystemExit: an argument is missing or impossible; which, and why, is on stderr.
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
        )
    except ValueError as error:
        parser.error(str(error))
    return Command(parsed.host, parsed.port, settings)


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
