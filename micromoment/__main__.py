"""The command line."""

from __future__ import annotations

import sys

import click

from micromoment.commands.check import check
from micromoment.commands.importing import import_history
from micromoment.commands.run import collector, up, worker
from micromoment.commands.sql import sql
from micromoment.version import VERSION
from warehouse.errors import MicromomentError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="micromoment")
def cli() -> None:
    """Capture behaviour on a storefront, evaluate rules over it, and answer within a fraction of a second."""


for command in (up, collector, worker, sql, import_history, check):
    cli.add_command(command)


def main() -> None:
    """Run a command; an error that a person can act on is told in words, and ends with status 2."""
    try:
        cli()
    except MicromomentError as error:
        click.echo(f"micromoment: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
