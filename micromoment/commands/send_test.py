"""The command `send-test`, which sends one message of a rule to an address of the operator's choice."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import click

from micromoment.commands.rules import choose_rule
from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.engine.client import Engine, open_engine
from micromoment.roles.channels import content_hosts, email_channel, open_http_channels, site_contexts
from micromoment.terminal.text import say, user_name
from trigger_worker.delivery.channels.base import Channel, OutboundMessage
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.replay.explain import find_site
from trigger_worker.reports.preview import Preview, Previewed, Previewer, mark_as_test
from trigger_worker.store.people import Visitor
from trigger_worker.store.records import Records
from warehouse.audit import store_audit
from warehouse.channel_traits import CHANNEL_TRAITS
from warehouse.errors import ConfigurationError, TemplateError

#: The channels that can send to any address; messages to a visitor's own browser are shown by `preview`.
_CHANNELS: Final = tuple(name for name, traits in CHANNEL_TRAITS.items() if not traits.goes_to_browsers)


@click.command(name="send-test")
@click.argument("rule")
@click.option("--to", "address", required=True, help="Address or number; webhooks and chat go where they always go.")
@click.option("--channel", type=click.Choice(_CHANNELS), help="Default the rule's first that can be sent.")
@click.option("--visitor", help="Whose facts fill the template; default nobody's.")
@click.option("--site", help="Default the site that knows the visitor, else the first one.")
@click.option("--arm", default="", help="An arm of the experiment; default the visitor's own.")
@settings_options
def send_test(
    rule: str,
    address: str,
    channel: str | None,
    visitor: str | None,
    site: str | None,
    arm: str,
    **options: Any,  # noqa: ANN401 - the settings, as text
) -> None:
    """Send one message of RULE, an id of the rules folder or a file, to an address, marked as a test.

    It goes through the configured channel past the gate, and is recorded nowhere.
    """
    settings = read_options(options)
    (chosen,) = choose_rule(rule, settings).rules
    now_ms = time.time_ns() // 1_000_000
    with open_engine(settings) as engine:
        own_site = site or (find_site(engine, visitor) if visitor else next(iter(settings.sites), ""))
        previewer = Previewer(
            engine, TemplateFolder(Path(settings.templates_folder)), site_contexts(settings), content_hosts(settings)
        )
        shown = previewer.preview(chosen, Visitor(own_site, visitor or "nobody"), arm, now_ms)
        message = _choose(shown, channel)
        if message.content is None:
            raise TemplateError(message.problem)
        trial = mark_as_test(message.content, message.channel, own_site, address, now_ms)
        asyncio.run(_send(settings, engine, message.channel, trial))
        told = {"rule": chosen.id, "channel": message.channel, "message": trial.message_id}
        store_audit(engine, user_name(), "send_test", told)
    say(f"{message.channel} {message.template} is handed over as {trial.message_id}")


def _choose(shown: Preview, channel: str | None) -> Previewed:
    """Return the first message of the preview that goes by the channel, or by any that can send a test."""
    wanted = [channel] if channel else _CHANNELS
    found = next((message for message in shown.messages if message.channel in wanted), None)
    if found is None:
        raise ConfigurationError(
            f"the rule {shown.rule} sends nothing by {' or '.join(wanted)}", "`micromoment preview` shows its messages"
        )
    return found


async def _send(settings: Settings, engine: Engine, name: str, message: OutboundMessage) -> None:
    async with AsyncExitStack() as stack:
        channels: list[Channel] = []
        if settings.smtp_host:
            channels.append(await stack.enter_async_context(email_channel(settings, _now_ms)))
        channels += await open_http_channels(settings, Records(engine, settings.retention_days), stack, _now_ms)
        channel = next((each for each in channels if each.name == name), None)
        if channel is None:
            raise ConfigurationError(f"the channel {name} is not configured", "docs/channels.md lists its settings")
        await channel.send(message)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
