"""Rows of `messages`, as the worker writes them for banners."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from tests.collector.messages import NOON
from warehouse.connection import Warehouse
from warehouse.event import format_time


def store_banner(warehouse: Warehouse, message_id: str, state: str = "sent", **columns: Any) -> None:
    """Store that a banner for the anonymous id `cookie` reached a state, an hour before it expires."""
    row = {
        "message_id": message_id,
        "site": "shop",
        "visitor_id": "cookie",
        "channel": "banner",
        "state": state,
        "at": format_time(NOON),
        "due_at": format_time(NOON),
        "expires_at": format_time(NOON + 3_600_000),
        "recipients": ["cookie"],
        "content": f'{{"message_id":"{message_id}"}}' if state == "sent" else "",
        **columns,
    }
    warehouse.insert_lines("messages", msgspec.json.encode(row), uuid.uuid4().hex)
