"""The settings as options of every command."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from micromoment.configuration.loading import KEYS, load_settings
from micromoment.configuration.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
_DEFAULT_FILE: Final = Path("micromoment.toml")


def settings_options(command: Command) -> Command:
    """Add to a command the option `--config`, and an option for every setting except `sites`."""
    for key in reversed(KEYS):
        if key != "sites":
            option = click.option(f"--{key.replace('_', '-')}", key, metavar="VALUE", help=f"Overrides `{key}`.")
            command = option(command)
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option(
        "--config", envvar="MICROMOMENT_CONFIG", type=path, help="Configuration file; default micromoment.toml."
    )(command)


def read_options(
    options: Mapping[str, Any], defaults: Callable[[Settings], Mapping[str, Any]] | None = None
) -> Settings:
    """Return the settings of a command, from its options, the environment and the configuration file.

    Args:
        options: the arguments of the command that `settings_options` added.
        defaults: a function that returns other default values by key, given the settings without them.

    Raises:
        ConfigurationError: a key is unknown, or its value is of the wrong kind.
    """
    flags = {key: value for key, value in options.items() if key in KEYS}
    file = options.get("config") or (_DEFAULT_FILE if _DEFAULT_FILE.exists() else None)
    settings = load_settings(file, os.environ, flags)
    return settings if defaults is None else load_settings(file, os.environ, flags, defaults(settings))
