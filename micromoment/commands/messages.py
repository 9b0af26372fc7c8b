"""The commands `messages` and `retry`, which list messages and send failed messages again."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

import click

from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine
from micromoment.terminal.text import format_table, json_line, plain, say, user_name
from trigger_worker.deciding.sequence.retry import ask_again
from trigger_worker.store.message import MessageState
from trigger_worker.store.message_list import ListedMessage, read_messages
from trigger_worker.store.queue import read_failed
from trigger_worker.store.records import Records
from warehouse.audit import store_audit

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
    """List messages with their present state; the latest change comes first."""
    with open_engine(read_options(options)) as engine:
        found = read_messages(engine, states=(states,) if states else (), rule=rule, visitor=visitor, limit=limit)
    if format_name == "json":
        say("".join(map(json_line, found)), nl=False)
    else:
        say(format_table(_HEADER, [_row(message) for message in found], left=len(_HEADER)), nl=False)


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
    """Return an instant, epoch ms, as text in UTC, to the second."""
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%d %H:%M:%S}"


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
        store_audit(engine, user_name(), "retry", {"messages": len(failed), "rule": rule})
    say(f"{len(failed)} message{'' if len(failed) == 1 else 's'} will be tried again")
    unknown = sorted(set(message_ids) - {message.message_id for message in failed})
    for message_id in unknown:
        say(f"no failed message has the id {message_id}", err=True)
    context.exit(1 if unknown else 0)
