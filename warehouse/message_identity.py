"""The identifiers that name one message wherever it is spoken of: in the queue, on its way, and in what comes back."""

from __future__ import annotations

from typing import Any

import msgspec


class MessageIdentity(msgspec.Struct, frozen=True):
    """The identifiers of a message; types that speak of a message inherit them.

    Tokens in addresses are arrays that begin with these fields: their number and order must stay.

    Args:
        site: the site.
        message_id: the message's id, the same for every attempt.
        rule: the id of the rule that sends it.
        visitor_id: the visitor whom it was asked for; in tokens and before the gate, the person's id of that instant.
        channel: the channel that it goes out on.
    """

    site: str
    message_id: str
    rule: str
    visitor_id: str
    channel: str

    def identifiers(self, **changes: str) -> dict[str, Any]:
        """Return the identifiers by name, some of them changed, as the constructor of another such type takes them."""
        return {name: getattr(self, name) for name in MessageIdentity.__struct_fields__} | changes
