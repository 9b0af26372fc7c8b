"""What service workers say of notifications."""

from __future__ import annotations

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts, CollectorSettings
from tests.collector.callbacks import kept
from tests.collector.collector_parts import client_of
from warehouse.message_token import MessageToken

TOKEN = MessageToken("shop", "m-9", "back_in_stock", "ada", "push")


def path(parts: CollectorParts, event: str, token: MessageToken = TOKEN, purpose: str = "push") -> str:
    return f"/v1/callbacks/push/{parts.message_tokens.sign(token, purpose)}?event={event}"


@pytest.mark.parametrize(
    ("said", "event"),
    [("shown", "message_shown"), ("clicked", "message_clicked"), ("dismissed", "message_dismissed")],
)
async def test_what_became_of_a_notification_is_kept_once(
    client: AsyncTestClient[Litestar], parts: CollectorParts, said: str, event: str
) -> None:
    for _ in range(2):
        assert (await client.post(path(parts, said))).json() == {"success": True}
    assert await kept(parts) == [(event, "ada", "m-9", {"rule": "back_in_stock", "channel": "push"})]


async def test_other_words_are_refused(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    for said in ("purchase", ""):
        reply = await client.post(path(parts, said))
        assert (reply.status_code, reply.json()["code"]) == (400, "malformed")


async def test_a_token_that_is_not_ours_is_refused(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    gone = MessageToken("gone", "m-9", "back_in_stock", "ada", "push")
    for address in (
        path(parts, "shown", purpose="click"),
        path(parts, "shown", gone),
        "/v1/callbacks/push/x?event=shown",
    ):
        assert (await client.post(address)).status_code == 404
    assert await kept(parts) == []


async def test_pages_learn_the_key_to_subscribe_with(parts: CollectorParts) -> None:
    with_key = msgspec.structs.replace(parts, settings=CollectorSettings(push_public_key="BPublic"))
    async with client_of(with_key) as client:
        assert (await client.get("/v1/push/key")).json() == {"key": "BPublic"}
