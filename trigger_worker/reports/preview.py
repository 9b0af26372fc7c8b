"""Previews and test messages: a rule's messages as a visitor would get them now, without a firing or a record."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from trigger_worker.deciding.decider import Decided
from trigger_worker.deciding.experiment.assignment import choose_arm
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.profile import PROFILE_WANTED, build_profile
from trigger_worker.deciding.sequence.queueing import queue_messages
from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.context import SiteContext
from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.model import Content
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.offers.catalogue import Catalogue
from trigger_worker.delivery.offers.offer_facts import PreviewFacts
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS
from trigger_worker.rules.model import Rule
from trigger_worker.store.decisions import Reason
from trigger_worker.store.fires import Fire
from trigger_worker.store.people import Person, Visitor, find_people
from trigger_worker.store.windows import Wanted, combine, read_histories
from warehouse.errors import TemplateError
from warehouse.queries import Queries

_LET_THROUGH: Final = Verdict("send", Reason.PASSED)


class Previewed(msgspec.Struct, frozen=True):
    """One rendered message of a rule.

    Args:
        content: the rendered content; None when its template failed.
        problem: why the template failed.
    """

    channel: str
    template: str
    content: Content | None
    problem: str = ""


class Preview(msgspec.Struct, frozen=True):
    """All messages of a rule for one visitor; `variant` is the visitor's arm, or the arm that was asked for."""

    rule: str
    visitor_id: str
    variant: str
    messages: list[Previewed]


class Previewer:
    """Renders the messages of rules.

    Args:
        queries: the ClickHouse database with events and coupons.
        templates: turns facts into content.
        sites: what templates may say of each site, by its name.
        hosts: by site, the hosts that links and pictures of facts may lead to.
    """

    def __init__(
        self,
        queries: Queries,
        templates: TemplateFolder,
        sites: Mapping[str, SiteContext],
        hosts: Mapping[str, Iterable[str]],
    ) -> None:
        self._queries = queries
        self._catalogue = Catalogue(queries)
        cleaner = FactCleaner(hosts, self._catalogue.find)
        self._facts = PreviewFacts(queries, cleaner)
        self._renderer = Renderer(templates, sites, cleaner, self._facts)

    def preview(self, rule: Rule, visitor: Visitor, arm: str, now_ms: int) -> Preview:
        """Render every message of a rule, as if it had fired now at the visitor's latest event that completes it.

        Args:
            rule: the rule.
            visitor: any id of the person; an unknown visitor has no facts.
            arm: the arm of the experiment; empty for the visitor's own.
            now_ms: epoch ms.

        Cost: three queries of one person, one of the site's products, and those of the facts that templates request.
        """
        person = find_people(self._queries, [visitor])[visitor]
        self._catalogue.read(person.site, now_ms)
        history = read_histories(self._queries, [person], PROFILE_WANTED, now_ms, now_ms)[person]
        profile = build_profile(person.visitor_id, history, now_ms)
        arms = rule.experiment.arms if rule.experiment else ()
        variant = arm or choose_arm(arms, person.site, rule.id, person.visitor_id)
        event = self._completing_event(rule, person, now_ms)
        fire = Fire("preview", person.site, rule.id, rule.version, person.visitor_id, "", now_ms, event)
        decided = [
            Decided(message, _LET_THROUGH, variant, person, profile, ())
            for message in queue_messages(rule, fire, now_ms)
        ]
        return Preview(rule.id, person.visitor_id, variant, [self._render(one, now_ms) for one in decided])

    def _completing_event(self, rule: Rule, person: Person, now_ms: int) -> dict[str, Any]:
        """Return the fields of the visitor's latest event that a firing of the rule could have come with."""
        last_step = rule.when.steps[-1].selection
        wanted = combine([Wanted(dict.fromkeys(last_step.names, LAST_VALUE_LOOKBACK_MS), fields=None)])
        history = read_histories(self._queries, [person], wanted, now_ms, now_ms)[person]
        fitting = history.select(compile_selection(last_step)).events
        return dict(fitting[-1].fields) if fitting else {}

    def _render(self, one: Decided, now_ms: int) -> Previewed:
        message = one.message
        while True:
            try:
                content = self._renderer.outbound(one, now_ms).content
            except MissingFacts as missing:
                self._facts.read([missing], now_ms)
            except TemplateError as error:
                return Previewed(message.channel, message.template, None, error.message)
            else:
                return Previewed(message.channel, message.template, content)


#: Stands before the first words that the reader sees.
MARK: Final = "[Test] "
#: Named in place of a rule and a visitor in links and in providers' reports.
_NOBODY: Final = "send-test"


def mark_as_test(content: Content, channel: str, site: str, address: str, now_ms: int) -> OutboundMessage:
    """Return a message to one address that says in its first words that it is a test; a webhook says so by its id."""
    return OutboundMessage(
        message_id=f"test-{uuid.uuid4()}",
        site=site,
        rule=_NOBODY,
        visitor_id=_NOBODY,
        channel=channel,
        recipients=(address,),
        content=_marked(content),
        expires_at_ms=now_ms + DAY_MS,
        message_class="transactional",
    )


def _marked(content: Content) -> Content:
    field = content.opening
    return msgspec.structs.replace(content, **{field: MARK + getattr(content, field)}) if field else content
