"""The command line, whose commands are imported when they are called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final

import click

from micromoment.terminal.text import say
from warehouse.errors import MicromomentError

#: The module and function of each command. They are imported on call: `sql` must not wait for a web server to load.
COMMANDS: Final = {
    "init": ("micromoment.commands.init", "init"),
    "up": ("micromoment.commands.run", "up"),
    "collector": ("micromoment.commands.run", "collector"),
    "worker": ("micromoment.commands.run", "worker"),
    "sql": ("micromoment.commands.data", "sql"),
    "catalogue": ("micromoment.commands.catalogue", "catalogue"),
    "import": ("micromoment.commands.data", "import_history"),
    "check": ("micromoment.commands.rules", "check"),
    "backtest": ("micromoment.commands.replay", "backtest"),
    "explain": ("micromoment.commands.replay", "explain"),
    "rules": ("micromoment.commands.rules", "rules"),
    "keys": ("micromoment.commands.keys", "keys"),
    "snippet": ("micromoment.commands.snippet", "snippet"),
    "webhooks": ("micromoment.commands.webhooks", "webhooks"),
    "results": ("micromoment.commands.results", "results"),
    "preview": ("micromoment.commands.preview", "preview"),
    "send-test": ("micromoment.commands.send_test", "send_test"),
    "warnings": ("micromoment.commands.faults", "warnings"),
    "messages": ("micromoment.commands.messages", "messages"),
    "erase": ("micromoment.commands.privacy", "erase"),
    "export": ("micromoment.commands.privacy", "export"),
    "audit": ("micromoment.commands.privacy", "audit"),
    "retry": ("micromoment.commands.messages", "retry"),
}


class LazyCommands(click.Group):
    """A group of commands that imports a command of `COMMANDS` when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, in the order in which a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return the command of a name, or None when no command has the name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="micromoment", prog_name="micromoment")
@click.pass_context
def cli(context: click.Context) -> None:
    """Capture behaviour on a storefront, evaluate rules over it, and answer within a fraction of a second."""
    if context.invoked_subcommand != "init":
        # ClickHouse and whoever else writes into the data folder: what visitors did is nobody's but this user's.
        os.umask(0o077)


def main() -> None:
    """Run the command line; print an error that an operator can act on as text, and exit with status 2."""
    try:
        cli()
    except MicromomentError as error:
        say(f"micromoment: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
