"""A shop's program with PostHog's Python SDK: makes the calls of a task that comes by standard input."""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from uuid import UUID

from posthog import Posthog


def main() -> None:
    task = json.load(sys.stdin)
    errors: list[str] = []
    client = Posthog(
        task["key"],
        host=task["url"],
        on_error=lambda error, batch: errors.append(f"{error} ({len(batch)})"),
        **task["options"],
    )
    begun = time.monotonic()
    for call in task["calls"]:
        make(client, dict(call))
    for number in range(task["count"]):
        client.capture("Product Viewed", distinct_id=f"u-{number % 10}", uuid=str(UUID(int=number)))
    client.shutdown()
    print(json.dumps({"errors": errors, "seconds": time.monotonic() - begun}))


def make(client: Posthog, call: dict[str, Any]) -> None:
    kind = call.pop("type")
    properties = dict(call.pop("properties", {}))
    names = {"set": "$set", "setOnce": "$set_once"}
    if kind == "capture":
        properties |= {names[name]: call.pop(name) for name in names if name in call}
        client.capture(call.pop("event"), distinct_id=call.pop("distinctId"), properties=properties, **call)
    elif kind == "alias":
        # It is called with the passing id first, by a name that means the lasting one elsewhere.
        client.alias(previous_id=call.pop("alias"), distinct_id=call.pop("distinctId"), **call)
    elif kind == "group":
        client.group_identify("company", call.pop("key"), properties, distinct_id=call.pop("distinctId"), **call)
    else:
        getattr(client, kind)(distinct_id=call.pop("distinctId"), properties=properties, **call)


main()
