"""What service workers say of notifications."""

from __future__ import annotations

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import Edge, EdgeSettings
from tests.collector.callbacks import kept
from tests.collector.edges import client_of
from warehouse.message_token import MessageToken

TOKEN = MessageToken("shop", "m-9", "back_in_stock", "ada", "push")


def path(edge: Edge, event: str, token: MessageToken = TOKEN, purpose: str = "push") -> str:
    return f"/v1/callbacks/push/{edge.message_tokens.sign(token, purpose)}?event={event}"


@pytest.mark.parametrize(
    ("said", "event"),
    [("shown", "message_shown"), ("clicked", "message_clicked"), ("dismissed", "message_dismissed")],
)
async def test_what_became_of_a_notification_is_kept_once(
    client: AsyncTestClient[Litestar], edge: Edge, said: str, event: str
) -> None:
    for _ in range(2):
        assert (await client.post(path(edge, said))).json() == {"success": True}
    assert await kept(edge) == [(event, "ada", "m-9", {"rule": "back_in_stock", "channel": "push"})]


async def test_other_words_are_refused(client: AsyncTestClient[Litestar], edge: Edge) -> None:
    for said in ("purchase", ""):
        reply = await client.post(path(edge, said))
        assert (reply.status_code, reply.json()["code"]) == (400, "malformed")


async def test_a_token_that_is_not_ours_is_refused(client: AsyncTestClient[Litestar], edge: Edge) -> None:
    gone = MessageToken("gone", "m-9", "back_in_stock", "ada", "push")
    for address in (
        path(edge, "shown", purpose="click"),
        path(edge, "shown", gone),
        "/v1/callbacks/push/x?event=shown",
    ):
        assert (await client.post(address)).status_code == 404
    assert await kept(edge) == []


async def test_pages_learn_the_key_to_subscribe_with(edge: Edge) -> None:
    with_key = msgspec.structs.replace(edge, settings=EdgeSettings(push_public_key="BPublic"))
    async with client_of(with_key) as client:
        assert (await client.get("/v1/push/key")).json() == {"key": "BPublic"}
