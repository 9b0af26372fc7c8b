"""The message that a signed address leads back to."""

from __future__ import annotations

import msgspec

from collector.parts import CollectorParts
from collector.sites import Site
from warehouse.message_token import MessageToken


class MessageLink(msgspec.Struct, frozen=True):
    """What an address says, and the site that it is of."""

    token: MessageToken
    site: Site


def read_link(parts: CollectorParts, text: str, purpose: str) -> MessageLink | None:
    """Return what a token says, or None, which is counted, when it is no token of ours or its site is gone.

    Args:
        text: as it stands in the address.
        purpose: open, click, unsubscribe, callback or push.
    """
    token = parts.message_tokens.read(text, purpose)
    site = parts.sites.named(token.site) if token else None
    if token is None or site is None:
        parts.metrics.message_links_refused.labels(purpose).inc()
        return None
    return MessageLink(token, site)
