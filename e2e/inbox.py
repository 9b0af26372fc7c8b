"""The mailbox of the demo, read through its JSON API."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

from e2e.stack import Stack
from e2e.waiting import wait_for


def mails_to(stack: Stack, address: str) -> list[dict[str, Any]]:
    """Return the emails to an address, newest first."""
    query = urllib.parse.urlencode({"to": address})
    with urllib.request.urlopen(f"{stack.mailbox_url}/api/messages?{query}", timeout=10) as response:
        mails: list[dict[str, Any]] = json.load(response)
    return mails


def wait_for_mail(stack: Stack, address: str) -> dict[str, Any]:
    """Return the newest email to an address, and wait for it if needed."""
    return wait_for(lambda: mails_to(stack, address), f"a mail to {address}")[0]
