"""The mailbox as a program of its own: `python -m micromoment.mailbox --port 8002 --smtp-port 8025`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from micromoment.mailbox.app import create_mailbox
from micromoment.serving import require_free, serve
from warehouse.errors import ConfigurationError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the inbox and the mail server.")
@click.option("--port", default=8002, show_default=True, help="Port of the inbox.")
@click.option("--smtp-port", default=8025, show_default=True, help="Port of the mail server.")
def main(host: str, port: int, smtp_port: int) -> None:
    """Take email and show it in a browser, until interrupted."""
    try:
        asyncio.run(_run(host, port, smtp_port))
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


async def _run(host: str, port: int, smtp_port: int) -> None:
    require_free(host, smtp_port, "mailbox_smtp_port")
    app = create_mailbox(host, smtp_port, lambda: datetime.now(UTC))
    async with serve(app, host, port, "mailbox_port"):
        click.echo(f"inbox http://{host}:{port}/, mail server {host}:{smtp_port}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
