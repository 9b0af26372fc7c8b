"""Addresses of messages, as mails carry them."""

from __future__ import annotations

from warehouse.message_token import MessageToken, MessageTokens

#: The secret of the collector that tests run.
TOKENS = MessageTokens(b"secret")


def signed(purpose: str, **changes: str) -> str:
    """The token of an email to Anna, with what a test wants otherwise."""
    usual = {
        "site": "shop",
        "message_id": "message-1",
        "rule": "cart_abandoned",
        "visitor_id": "anna",
        "channel": "email",
        "variant": "plain",
    }
    return TOKENS.sign(MessageToken(**{**usual, **changes}), purpose)


def click(target: str, **changes: str) -> str:
    """The address of a counted link."""
    return f"/v1/c/{signed('click', target=target, **changes)}"


def pixel(**changes: str) -> str:
    """The address of the picture that says that a mail was opened."""
    return f"/v1/o/{signed('open', **changes)}.gif"


def way_out(**changes: str) -> str:
    """The address of the preference page."""
    return f"/v1/u/{signed('unsubscribe', **changes)}"
