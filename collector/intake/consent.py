"""Keeping only what the visitor agreed to, and where that was said."""

from __future__ import annotations

from typing import Final

import msgspec

from collector.intake.draft import Draft
from collector.intake.drops import Drop, DropReason

#: The visitor's own word on consent is always kept: it is the record of what was asked and answered. So is the address
#: for notifications, which the browser gave out because the visitor said yes to them.
_ALWAYS_KEPT: Final = frozenset({"consent", "unsubscribed", "push_subscribed"})
_ANSWERS: Final = frozenset({"consent", "unsubscribed"})


def drop_without_consent(draft: Draft) -> Draft | Drop:
    """Drop what the visitor refused, or did not agree to where the site's mode is `opt-in`.

    An explicit answer outweighs the browser's Global Privacy Control or Do Not Track.
    """
    mode = draft.site.consent
    if mode == "off" or draft.receipt.source == "import" or draft.columns["event"] in _ALWAYS_KEPT:
        return draft
    answer = draft.section("consent").get("analytics")
    if answer is True:
        return draft
    if answer is False:
        return draft.dropped(DropReason.NO_CONSENT, "the visitor refused analytics")
    if mode == "opt-in":
        return draft.dropped(DropReason.NO_CONSENT, "this site keeps only what a visitor agreed to")
    if draft.receipt.opted_out:
        return draft.dropped(DropReason.NO_CONSENT, "the browser asks not to be tracked")
    return draft


def name_consent_source(draft: Draft) -> Draft:
    """Say where an answer was given, unless its sender does: on a page, by a server, or in imported history."""
    if draft.columns["event"] not in _ANSWERS or draft.props.get("source"):
        return draft
    source = "page" if draft.receipt.user_agent.startswith("Mozilla/") else "server"
    if draft.receipt.source == "import":
        source = "import"
    return msgspec.structs.replace(draft, props={**draft.props, "source": source})
