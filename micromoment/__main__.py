"""The command line."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import click

from micromoment.version import VERSION
from warehouse.errors import MicromomentError

#: Where each command is. It is imported when it is called: `sql` must not wait for a web server to load.
COMMANDS: Final = {
    "init": ("micromoment.commands.init", "init"),
    "up": ("micromoment.commands.run", "up"),
    "collector": ("micromoment.commands.run", "collector"),
    "worker": ("micromoment.commands.run", "worker"),
    "sql": ("micromoment.commands.sql", "sql"),
    "import": ("micromoment.commands.importing", "import_history"),
    "check": ("micromoment.commands.check", "check"),
    "backtest": ("micromoment.commands.backtest", "backtest"),
    "explain": ("micromoment.commands.explain", "explain"),
    "rules": ("micromoment.commands.rules", "rules"),
    "results": ("micromoment.commands.results", "results"),
    "preview": ("micromoment.commands.preview", "preview"),
    "send-test": ("micromoment.commands.send_test", "send_test"),
    "messages": ("micromoment.commands.messages", "messages"),
    "retry": ("micromoment.commands.retry", "retry"),
}


class LazyCommands(click.Group):
    """A group whose commands are found by `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return every command's name, in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return a command, or None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="micromoment")
def cli() -> None:
    """Capture behaviour on a storefront, evaluate rules over it, and answer within a fraction of a second."""


def main() -> None:
    """Run a command; an error that a person can act on is told in words, and ends with status 2."""
    try:
        cli()
    except MicromomentError as error:
        click.echo(f"micromoment: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
