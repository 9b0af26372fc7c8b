"""Renders messages: collects the facts of each message and fills them into its template."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
import stamina
import structlog

from trigger_worker.deciding.decider import Decided
from trigger_worker.deciding.recipient.profile import Profile
from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.context import RenderContext, RuleContext, SiteContext
from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.links import MessageLinks
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person
from warehouse.address_ledger import TYPED_CHANNELS
from warehouse.errors import TemplateError, WarehouseError, WarehouseUnavailable
from warehouse.message_token import MessageToken
from warehouse.threads import Threads

#: The channel whose messages are data for a program of the operator's.
_FOR_PROGRAMS: Final = "webhook"
_log = structlog.get_logger("trigger_worker.delivery.renderer")


class TemplateFacts(Protocol):
    """Further facts that templates may ask for, beyond the facts of a message: recommendations and coupons."""

    def names(self, rule: str, person: Person, profile: Profile, now_ms: int) -> dict[str, Any]:
        """Return further names for a template; in the template they may raise `MissingFacts`.

        Args:
            rule: the rule that sends the message.
            person: the person who gets the message.
            profile: the person's profile.
            now_ms: the instant of sending, epoch ms.
        """

    def read(self, missing: Sequence[MissingFacts], now_ms: int) -> None:
        """Read the facts that templates asked for.

        Args:
            missing: the requests.
            now_ms: the instant of sending, epoch ms.

        Raises:
            WarehouseError: facts could not be read.
        """

    def outdated(self, now_ms: int) -> list[MissingFacts]:
        """Return requests for outdated facts, which are still used and should be read again in the background."""


class ReadyMessage(msgspec.Struct, frozen=True):
    """A message that may be sent, and its rendered form.

    Args:
        message: the message.
        outbound: its rendered form.
        addresses: keyed hashes of the addresses that it goes to.
    """

    message: QueuedMessage
    outbound: OutboundMessage
    addresses: tuple[str, ...] = ()


class Rendered(msgspec.Struct, frozen=True):
    """The result of rendering some messages.

    Args:
        ready: the rendered messages, in the order in which they were given.
        failed: the messages whose template failed, with the error.
        waiting: the messages whose template asks for facts that have to be read first.
    """

    ready: list[ReadyMessage]
    failed: list[tuple[Decided, TemplateError]]
    waiting: list[tuple[Decided, MissingFacts]]


class Renderer:
    """Renders messages.

    Args:
        templates: renders templates.
        sites: what templates may say of each site, by its name.
        cleaner: cleans what pages told.
        facts: answers requests of templates for further facts; None when there are none.
        links: signs the addresses that lead back to a message; None to render messages without them.
    """

    def __init__(
        self,
        templates: TemplateFolder,
        sites: Mapping[str, SiteContext],
        cleaner: FactCleaner,
        facts: TemplateFacts | None = None,
        links: MessageLinks | None = None,
    ) -> None:
        self._templates = templates
        self._sites = sites
        self._cleaner = cleaner
        self._facts = facts
        self._links = links
        self._threads = Threads("offers", 2)
        self._refreshing: asyncio.Task[None] | None = None

    def attempt(self, sending: Sequence[Decided], now_ms: int) -> Rendered:
        """Render messages from the facts at hand.

        Args:
            sending: the decisions to send, with the facts of their messages.
            now_ms: the instant of sending, epoch ms.
        """
        rendered = Rendered([], [], [])
        for one in sending:
            try:
                rendered.ready.append(ReadyMessage(one.message, self.outbound(one, now_ms), one.addresses))
            except MissingFacts as asked:
                rendered.waiting.append((one, asked))
            except TemplateError as error:
                rendered.failed.append((one, error))
        self._refresh(now_ms)
        return rendered

    async def render(self, waiting: Sequence[tuple[Decided, MissingFacts]], now_ms: int) -> Rendered:
        """Render messages once the facts that they wait for are read, for all of them at once.

        Args:
            waiting: the messages, as `attempt` returned them.
            now_ms: the instant of sending, epoch ms.

        Cost: none of its own; as `TemplateFacts.read`, once per round of requests.
        """
        done = Rendered([], [], [])
        while waiting:
            refused = await self._read([asked for _, asked in waiting], now_ms)
            if refused is not None:
                done.failed.extend((one, refused) for one, _ in waiting)
                break
            rendered = self.attempt([one for one, _ in waiting], now_ms)
            done.ready.extend(rendered.ready)
            done.failed.extend(rendered.failed)
            waiting = rendered.waiting
        return done

    def open_tasks(self) -> set[asyncio.Task[None]]:
        """Return the background task that reads outdated facts again, if there is one."""
        return {self._refreshing} if self._refreshing and not self._refreshing.done() else set()

    def _refresh(self, now_ms: int) -> None:
        if self._facts is not None and not self.open_tasks():
            outdated = self._facts.outdated(now_ms)
            if outdated:
                self._refreshing = asyncio.create_task(self._read_anew(outdated, now_ms), name="template facts")

    async def _read_anew(self, outdated: list[MissingFacts], now_ms: int) -> None:
        refused = await self._read(outdated, now_ms)
        if refused is not None:
            _log.error("template_facts_outdated", error=refused.message, remedy=refused.hint)

    async def _read(self, missing: list[MissingFacts], now_ms: int) -> TemplateError | None:
        """Read facts, waiting while ClickHouse is away; return the error if ClickHouse refuses for good."""
        if not missing or self._facts is None:
            return None
        endless = stamina.retry_context(on=WarehouseUnavailable, attempts=None, timeout=None, wait_max=5.0)
        try:
            async for attempt in endless:
                with attempt:
                    await self._threads.run(self._facts.read, missing, now_ms)
        except WarehouseError as error:
            return TemplateError(f"what the template asks for cannot be read: {error.message}", error.hint)
        return None

    def outbound(self, one: Decided, now_ms: int) -> OutboundMessage:
        """Render one message.

        Args:
            one: the decision to send the message, with its facts.
            now_ms: the instant of sending, epoch ms.

        Raises:
            TemplateError: the template cannot be rendered.
            MissingFacts: the template asks for facts that have to be read first.
        """
        message, token = one.message, _token(one)
        further = self._facts.names(message.rule, one.person, one.profile, now_ms) if self._facts else {}
        return OutboundMessage(
            **message.identifiers(),
            recipients=one.recipients,
            content=self._templates.render(message.channel, message.template, self._context(one, token), further),
            expires_at_ms=message.expires_at,
            variant=one.arm,
            message_class=message.message_class,
            analytics=one.profile.permission.consent.analytics,
            token=token,
        )

    def _context(self, one: Decided, token: MessageToken) -> RenderContext:
        message, profile = one.message, one.profile
        told = RenderContext(
            visitor=profile.visitor,
            site=self._sites.get(message.site) or SiteContext(name=message.site),
            rule=RuleContext(message.rule, one.arm),
            cart=profile.cart,
            event=message.event,
            product=message.event,
            order=profile.order,
            unsubscribe_url=self._links.unsubscribe(token) if self._links else "",
            confirm_url=self._links.confirm(token) if self._links and message.channel in TYPED_CHANNELS else "",
        )
        # A program reads facts as they are; people would take them for the shop's words.
        return told if message.channel == _FOR_PROGRAMS else self._cleaner.context(told)


def _token(one: Decided) -> MessageToken:
    """Return the token of a message; it names the person, because answers may come from any browser of the person."""
    address = one.addresses[0] if len(one.addresses) == 1 else ""
    return MessageToken(**one.message.identifiers(visitor_id=one.person.visitor_id), variant=one.arm, address=address)
