"""The command `preview`, which renders the messages of a rule for one visitor without sending them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Final

import click

from micromoment.commands.rules import choose_rule
from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine
from micromoment.roles.channels import content_hosts, site_contexts
from micromoment.terminal.preview_text import preview_json, preview_page, preview_text
from micromoment.terminal.text import say
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.replay.explain import find_site
from trigger_worker.reports.preview import Previewer
from trigger_worker.store.people import Visitor

_FORMATS: Final = {"text": preview_text, "json": preview_json, "html": preview_page}


@click.command()
@click.argument("rule")
@click.option("--visitor", required=True, help="Any id of the person.")
@click.option("--site", help="Whose visitor it is; not needed for an id that one site knows.")
@click.option("--arm", default="", help="An arm of the experiment; default the visitor's own.")
@click.option("--format", "format_name", type=click.Choice([*_FORMATS]), default="text", help="Default text.")
@settings_options
def preview(
    rule: str,
    visitor: str,
    site: str | None,
    arm: str,
    format_name: str,
    **options: Any,  # noqa: ANN401 - the settings, as text
) -> None:
    """Render every message of RULE, an id of the rules folder or a file, as the visitor would get it now.

    Nothing is sent or recorded, and no coupon given out. The exit status is 1 when a template fails.
    """
    settings = read_options(options)
    (chosen,) = choose_rule(rule, settings).rules
    with open_engine(settings) as engine:
        whose = Visitor(site or find_site(engine, visitor), visitor)
        previewer = Previewer(
            engine, TemplateFolder(Path(settings.templates_folder)), site_contexts(settings), content_hosts(settings)
        )
        shown = previewer.preview(chosen, whose, arm, time.time_ns() // 1_000_000)
    say(_FORMATS[format_name](shown), nl=False)
    sys.exit(1 if any(message.problem for message in shown.messages) else 0)
