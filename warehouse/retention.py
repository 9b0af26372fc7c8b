"""How long an event is kept."""

from __future__ import annotations

from typing import Final

#: What a visitor allowed or refused, and which of their addresses are dead. Forgotten with the rest of their
#: behaviour, a refusal would end without anybody's having taken it back.
LASTING_EVENTS: Final = frozenset(
    {"consent", "subscribe", "unsubscribed", "email_bounced", "email_complained", "push_unsubscribed"}
)
#: ClickHouse counts a row's end in seconds until February 2106; more days would end before they began.
LASTING_DAYS: Final = 7_300


def kept_days(event: str, site_days: int) -> int:
    """Return for how many days from its receipt an event is kept.

    Args:
        event: its name.
        site_days: what the site keeps of a visitor's behaviour.
    """
    return max(site_days, LASTING_DAYS) if event in LASTING_EVENTS else site_days
