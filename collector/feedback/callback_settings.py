"""What it takes to believe what providers post."""

from __future__ import annotations

import msgspec


class CallbackSettings(msgspec.Struct, frozen=True):
    """Secrets that providers share with us.

    Args:
        public_url: the collector's own address as providers reach it; text messages' callbacks are signed with it.
        sms_token: the account's auth token; '' to take no callback about text messages.
        email_key: the key that signs callbacks about emails, decoded; empty to take none.
    """

    public_url: str = ""
    sms_token: str = ""
    email_key: bytes = b""

    def __repr__(self) -> str:
        return f"CallbackSettings(public_url={self.public_url!r})"
