"""The command `warnings`, which tells what senders did wrong on the last day."""

from __future__ import annotations

import time
from typing import Any

import click

from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine
from micromoment.terminal.fault_report import fault_report
from micromoment.terminal.text import json_line, say
from warehouse.errors import ConfigurationError
from warehouse.faults import read_faults


@click.command()
@click.option("--site", "site_name", help="The site; all sites unless given.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="One JSON a code.")
@settings_options
def warnings(site_name: str | None, format_name: str, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Tell which events of the last day were not kept, or not as they were sent, and what to do about it.

    By site and code, with the last examples, of all collectors. The codes are in docs/faults.md.
    """
    settings = read_options(options)
    if site_name is not None and settings.sites and site_name not in settings.sites:
        raise ConfigurationError(f"--site: no site is named {site_name}", f"there are {', '.join(settings.sites)}")
    with open_engine(settings) as engine:
        found = read_faults(engine, time.time_ns() // 1_000_000, site_name or "")
    if format_name == "json":
        say("".join(map(json_line, found)), nl=False)
    else:
        say(fault_report(found), nl=False)
