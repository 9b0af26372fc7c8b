"""Runs the mailbox alone: `python -m micromoment.mailbox --port 8002 --smtp-port 8025`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click
from granian.constants import Interfaces
from granian.server.embed import Server

from micromoment.mailbox.app import create_mailbox


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the inbox and the mail server.")
@click.option("--port", default=8002, show_default=True, help="Port of the inbox.")
@click.option("--smtp-port", default=8025, show_default=True, help="Port of the mail server.")
def main(host: str, port: int, smtp_port: int) -> None:
    """Takes mail and shows it in a browser, until interrupted."""
    app = create_mailbox(host, smtp_port, lambda: datetime.now(UTC))
    server = Server(app, address=host, port=port, interface=Interfaces.ASGI, log_access=False)
    click.echo(f"inbox http://{host}:{port}/, mail server {host}:{smtp_port}")
    asyncio.run(server.serve())


if __name__ == "__main__":
    main()
