"""The size limits of requests, batches, events and values."""

from __future__ import annotations

from typing import Final

MAX_BODY_BYTES: Final = 500 * 1024  # of one request, compressed or not (Segment's limit for a batch)
MAX_INFLATED_BYTES: Final = 4 * MAX_BODY_BYTES  # a gzip body may grow to this much
MAX_EVENT_BYTES: Final = 32 * 1024  # of one event as it is stored
MAX_RAW_EVENT_BYTES: Final = 4 * MAX_EVENT_BYTES  # of one event as it is sent, with a context of its own
MAX_CONTEXT_BYTES: Final = 32 * 1024  # of the context that the events of a batch share
MAX_EVENTS_PER_BATCH: Final = 2500
MAX_ID_LENGTH: Final = 128  # characters of a visitor, session or message id
MAX_NAME_LENGTH: Final = 100  # characters of an event name
MAX_TEXT_LENGTH: Final = 1024  # characters of a text column; longer text is cut
MAX_ITEMS: Final = 100  # products in one event; more are cut
MAX_DEPTH: Final = 16  # objects and lists inside each other in the properties of an event
MAX_NESTED: Final = 2000  # objects and lists in the properties of an event, whatever lies in what
MAX_LISTED: Final = 100  # drops and warnings that a reply names; of more, it tells the number
