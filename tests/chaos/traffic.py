"""Shoppers whose browsers send each batch again until it is acknowledged, as the SDK does."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, Final

import httpx

from tests.chaos.installation import WRITE_KEY

_RETRY_SECONDS: Final = 0.25
_PATIENCE_SECONDS: Final = 3.0
#: Statuses after which a browser sends the same batch again.
_AGAIN: Final = frozenset({429, 502, 503, 504})


class Shopper:
    """A visitor who fills a cart and buys, with an address of their own.

    Args:
        number: tells shoppers apart.
    """

    def __init__(self, number: int) -> None:
        self.address: Final = f"shopper-{number}@example.com"
        visitor = str(uuid.uuid4())
        self.visitor: Final = visitor
        who_id, self.cart_id, self.order_id = f"{visitor}-who", f"{visitor}-cart", f"{visitor}-order"
        #: The ids under which the events are stored: a purchase is named by its order.
        self.event_ids: Final = (who_id, self.cart_id, f"purchase:{self.order_id}")
        base = {"anonymousId": visitor}
        self.batch: Final[list[dict[str, Any]]] = [
            base | {"type": "identify", "messageId": who_id, "traits": {"email": self.address}},
            base
            | {
                "type": "track",
                "event": "add_to_cart",
                "messageId": self.cart_id,
                "properties": {"product_id": "p1", "price": 20, "quantity": 1},
            },
            base
            | {
                "type": "track",
                "event": "purchase",
                "messageId": self.order_id,
                "properties": {"order_id": self.order_id, "value": 20, "currency": "EUR"},
            },
        ]


class Traffic:
    """Sends shoppers' batches at a pace, whatever the server does.

    Args:
        url: the collector's address.
        per_second: shoppers a second.
        at_once: most batches that are under way; further shoppers wait.
    """

    def __init__(self, url: str, per_second: float, at_once: int = 64) -> None:
        self._url = url
        self._pause = 1 / per_second
        self._slots = asyncio.Semaphore(at_once)
        self._ending = False
        self.shoppers: list[Shopper] = []
        self.acknowledged: list[Shopper] = []
        #: What the collector answered that no fault explains, such as a status 500 or a dropped event.
        self.wrong_answers: list[str] = []
        self.sent_again = 0

    async def run(self) -> None:
        """Send until `end` is called and everything is acknowledged."""
        async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS) as client, asyncio.TaskGroup() as tasks:
            while not self._ending:
                async with self._slots:
                    pass
                shopper = Shopper(len(self.shoppers))
                self.shoppers.append(shopper)
                tasks.create_task(self._send(client, shopper))
                await asyncio.sleep(self._pause)

    def end(self) -> None:
        """Send nothing new."""
        self._ending = True

    async def _send(self, client: httpx.AsyncClient, shopper: Shopper) -> None:
        body = {"writeKey": WRITE_KEY, "batch": shopper.batch}
        async with self._slots:
            while not await self._is_taken(client, body):
                self.sent_again += 1
                await asyncio.sleep(_RETRY_SECONDS)
        self.acknowledged.append(shopper)

    async def _is_taken(self, client: httpx.AsyncClient, body: dict[str, Any]) -> bool:
        try:
            reply = await client.post(f"{self._url}/v1/batch", json=body)
        except httpx.HTTPError:
            return False
        if reply.status_code == httpx.codes.OK:
            dropped = [drop for drop in reply.json().get("dropped", []) if drop["reason"] != "duplicate"]
            if dropped:
                self.wrong_answers.append(f"dropped {dropped}")
            return True
        if reply.status_code not in _AGAIN:
            self.wrong_answers.append(f"status {reply.status_code}: {reply.text[:200]}")
        return False
