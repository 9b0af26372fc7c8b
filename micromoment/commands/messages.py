"""`messages`: what waits, what was sent, what failed and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import click
import msgspec

from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine
from micromoment.terminal.plain import plain
from micromoment.terminal.table import format_table
from trigger_worker.store.message import MessageState
from trigger_worker.store.message_list import ListedMessage, read_messages

_HEADER: Final = ("message", "state", "since", "rule", "channel", "visitor", "due", "why")


@click.command()
@click.option("--failed", "states", flag_value="failed", help="Only those that were given up.")
@click.option("--pending", "states", flag_value="pending", help="Only those that wait.")
@click.option("--rule", default="", help="Only this rule's.")
@click.option("--visitor", default="", help="Only those to this person, by any of their ids.")
@click.option("--limit", default=100, type=click.IntRange(1, 100_000), help="How many at most; default 100.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="Default text.")
@settings_options
def messages(
    states: MessageState | None,
    rule: str,
    visitor: str,
    limit: int,
    format_name: str,
    **options: Any,  # noqa: ANN401 - the settings, as text
) -> None:
    """List messages as they stand now, those that changed last first."""
    with open_engine(read_options(options)) as engine:
        found = read_messages(engine, states=(states,) if states else (), rule=rule, visitor=visitor, limit=limit)
    if format_name == "json":
        click.echo("".join(f"{msgspec.json.encode(message).decode()}\n" for message in found), nl=False)
    else:
        click.echo(format_table(_HEADER, [_row(message) for message in found], left=len(_HEADER)), nl=False)


def _row(message: ListedMessage) -> tuple[str, ...]:
    told = (
        message.message_id,
        message.state,
        _time(message.changed_at),
        message.rule,
        message.channel,
        message.visitor_id,
        _time(message.due_at),
        ": ".join(filter(None, (message.reason, message.error))),
    )
    return tuple(map(plain, told))


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%d %H:%M:%S}"
