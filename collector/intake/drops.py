"""Why an event was not kept: a closed set, so that every drop can be counted."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class DropReason(StrEnum):
    """Each reason, and its meaning."""

    MALFORMED = "malformed"  #: not a message of the tracking API; the detail says where
    NO_NAME = "no_name"  #: a track call without an event name
    NO_VISITOR = "no_visitor"  #: neither anonymousId nor userId
    BAD_ID = "bad_id"  #: an id longer than 128 characters
    NO_TIMESTAMP = "no_timestamp"  #: a line of an import without a time that can be read
    NO_CONSENT = "no_consent"  #: the visitor refused, or never agreed where agreement is needed
    TOO_LARGE = "too_large"  #: more than 32 KiB as stored
    TOO_MANY = "too_many"  #: beyond the 2,500 events of one batch
    DUPLICATE = "duplicate"  #: this messageId was acknowledged before; it is stored already


class Drop(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One event that was not kept.

    Args:
        message_id: the sender's id of it, '' when it gave none.
        reason: from the closed set.
        detail: what a developer needs to mend it.
    """

    message_id: str
    reason: DropReason
    detail: str = ""
