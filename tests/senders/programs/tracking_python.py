"""A shop's program with Segment's Python SDK, or RudderStack's, whichever is there: it makes the calls of a task that
comes by standard input.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from importlib.util import find_spec
from typing import Any

if find_spec("segment"):
    from segment.analytics.client import Client
else:
    from rudderstack.analytics.client import Client


def main() -> None:
    task = json.load(sys.stdin)
    errors: list[str] = []
    client = Client(
        task["key"],
        host=task["url"],
        on_error=lambda error, batch: errors.append(f"{error} ({len(batch)})"),
        **task["options"],
    )
    begun = time.monotonic()
    for call in task["calls"]:
        make(client, dict(call))
    for number in range(task["count"]):
        client.track(user_id=f"u-{number % 10}", event="Product Viewed", message_id=f"n-{number}")
    client.flush()
    client.shutdown()
    print(json.dumps({"errors": errors, "seconds": time.monotonic() - begun}))


def make(client: Client, call: dict[str, Any]) -> None:
    kind = call.pop("type")
    if "timestamp" in call:
        call["timestamp"] = datetime.fromisoformat(call["timestamp"])
    names = {"userId": "user_id", "anonymousId": "anonymous_id", "groupId": "group_id", "previousId": "previous_id"}
    names |= {"messageId": "message_id"}
    getattr(client, kind)(**{names.get(name, name): value for name, value in call.items()})


main()
