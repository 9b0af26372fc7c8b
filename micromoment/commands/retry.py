"""`retry`: ask again for messages that failed."""

from __future__ import annotations

import time
from typing import Any

import click

from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine
from trigger_worker.deciding.sequence.retry import ask_again
from trigger_worker.store.queue import read_failed
from trigger_worker.store.records import Records


@click.command()
@click.argument("message_ids", nargs=-1, metavar="[MESSAGE_ID]...")
@click.option("--rule", default="", help="All of this rule's messages that failed.")
@settings_options
@click.pass_context
def retry(
    context: click.Context,
    /,
    message_ids: tuple[str, ...],
    rule: str,
    **options: Any,  # noqa: ANN401 - the settings, as text
) -> None:
    """Ask again for messages that failed, by id or by rule. The gate judges them anew."""
    if bool(message_ids) == bool(rule):
        raise click.UsageError("name messages, or a rule with --rule")
    settings = read_options(options)
    with open_engine(settings) as engine:
        failed = read_failed(engine, message_ids, rule)
        ask_again(Records(engine, settings.retention_days), failed, time.time_ns() // 1_000_000)
    click.echo(f"{len(failed)} message{'' if len(failed) == 1 else 's'} will be tried again")
    unknown = sorted(set(message_ids) - {message.message_id for message in failed})
    for message_id in unknown:
        click.echo(f"no failed message has the id {message_id}", err=True)
    context.exit(1 if unknown else 0)
