"""What readers and providers say of an address, in the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts
from tests.collector.away import AWAY
from tests.collector.callbacks import SETTINGS, post_form, post_report
from tests.collector.collector_parts import client_of, running_parts
from tests.collector.message_links import way_out
from tests.collector.messages import NOON
from tests.trigger_worker.stored import event_row, queued, store
from trigger_worker.store.addresses import store_facts
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.records import Records
from warehouse.address_ledger import AddressFact, AddressKey, AddressKeys, Fact
from warehouse.connection import Warehouse
from warehouse.journal.tables import ADDRESS_FACTS

Client = AsyncTestClient[Litestar]
KEYS = AddressKeys(b"secret")
NUMBER = "+4915112345678"


class Ledger:
    """A collector, and what it noted of addresses."""

    def __init__(self, parts: CollectorParts, client: Client) -> None:
        self.parts = parts
        self.client = client
        self.heard: list[AddressFact] = []

    def kept(self) -> set[tuple[str, str, str, str]]:
        """Return (site, channel, address, fact) of the rows on disk."""
        batch = self.parts.journal.take(ADDRESS_FACTS, 10_000).result(10)
        rows: list[dict[str, Any]] = [msgspec.json.decode(line) for line in batch.lines] if batch else []
        return {(row["site"], row["channel"], row["address"], row["fact"]) for row in rows}


@pytest.fixture
async def ledger(tmp_path: Path, embedded_warehouse: Warehouse) -> AsyncIterator[Ledger]:
    heard: list[AddressFact] = []
    async with (
        running_parts(tmp_path, embedded_warehouse, callbacks=SETTINGS, noted=heard.extend) as parts,
        client_of(parts) as client,
    ):
        made = Ledger(parts, client)
        made.heard = heard
        yield made


def about(channel: str, address: str, *facts: Fact, sites: tuple[str, ...] = ("shop", "strict")) -> set[Any]:
    keys = [key for site in sites if (key := KEYS.of(site, channel, address)) is not None]
    return {(key.site, key.channel, key.address, fact) for key in keys for fact in facts}


async def test_stop_holds_for_the_number_among_a_hundred_visitors_of_it(
    ledger: Ledger, embedded_warehouse: Warehouse
) -> None:
    rows = [event_row("identify", f"junk-{number:03d}", traits={"phone": NUMBER}) for number in range(150)]
    store(embedded_warehouse, *rows)
    await post_form(ledger.client, "/v1/callbacks/sms", {"From": NUMBER, "Body": "STOP", "MessageSid": "SM1"})
    assert ledger.kept() == about("sms", NUMBER, "left", "refused")
    assert {(fact.key.site, fact.fact) for fact in ledger.heard} == {
        (site, fact) for site in ("shop", "strict") for fact in ("left", "refused")
    }


async def test_start_brings_the_number_back(ledger: Ledger) -> None:
    await post_form(ledger.client, "/v1/callbacks/sms", {"From": NUMBER, "Body": "START", "MessageSid": "SM2"})
    assert ledger.kept() == about("sms", NUMBER, "returned", "allowed")


async def test_stop_of_a_number_that_nobody_named_holds_all_the_same(ledger: Ledger) -> None:
    await post_form(ledger.client, "/v1/callbacks/sms", {"From": "+491", "Body": "STOP", "MessageSid": "SM3"})
    assert ledger.kept() == about("sms", "+491", "left", "refused")


async def test_stop_is_on_disk_before_clickhouse_is_asked(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, callbacks=SETTINGS) as parts, client_of(parts) as client:
        form = {"From": NUMBER, "Body": "STOP", "MessageSid": "SM4"}
        assert (await post_form(client, "/v1/callbacks/sms", form)).status_code == 503
        assert Ledger(parts, client).kept() == about("sms", NUMBER, "left", "refused")


@pytest.mark.parametrize(("kind", "facts"), [("hard", ("bounced",)), ("complaint", ("complained",)), ("soft", ())])
async def test_a_report_that_names_an_address_is_about_it_whoever_named_it(
    ledger: Ledger, kind: str, facts: tuple[Fact, ...]
) -> None:
    await post_report(ledger.client, {"kind": kind, "address": "Ann@Example.com"})
    assert ledger.kept() == about("email", "ann@example.com", *facts)


async def test_a_report_that_names_a_message_is_about_the_address_that_it_went_to(
    ledger: Ledger, embedded_warehouse: Warehouse
) -> None:
    key = KEYS.of("shop", "email", "ann@example.com")
    assert key is not None
    mail = queued("m-7", channel="email", visitor_id="ada")
    Records(embedded_warehouse).store_messages([MessageRecord(mail, "sent", NOON, addresses=(key.address,))])
    await post_report(ledger.client, {"kind": "hard", "message_id": "m-7"})
    assert ledger.kept() == about("email", "ann@example.com", "bounced", sites=("shop",))


@pytest.mark.parametrize(
    ("form", "facts"),
    [
        ({"List-Unsubscribe": "One-Click"}, {"left"}),
        ({"choice": "save", "channel": ["sms", "push", "banner"], "marketing": "yes"}, {"refused"}),
        ({"choice": "save", "channel": ["email", "sms", "push", "banner"]}, {"left"}),
        ({"choice": "save", "channel": ["email", "sms", "push", "banner"], "marketing": "yes"}, set()),
        (
            {"choice": "save", "channel": ["email", "sms"], "marketing": "yes", "off": ["email", "marketing"]},
            {"returned", "allowed"},
        ),
    ],
)
async def test_an_answer_by_a_message_is_about_the_address_that_it_went_to(
    ledger: Ledger, form: dict[str, Any], facts: set[str]
) -> None:
    assert (await ledger.client.post(way_out(address="a" * 32), data=form)).status_code == 200
    assert {(address, fact) for _, _, address, fact in ledger.kept()} == {("a" * 32, fact) for fact in facts}


async def test_a_link_of_an_earlier_version_is_about_the_stored_address(
    ledger: Ledger, embedded_warehouse: Warehouse
) -> None:
    mail = queued("message-1", channel="email", visitor_id="anna")
    Records(embedded_warehouse).store_messages([MessageRecord(mail, "sent", NOON, addresses=("b" * 32,))])
    link = way_out(message_id="message-1")
    assert (await ledger.client.post(link, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    assert ("shop", "email", "b" * 32, "left") in ledger.kept()


async def test_the_page_shows_what_was_refused_for_the_address_under_another_visitor(
    ledger: Ledger, embedded_warehouse: Warehouse
) -> None:
    key = AddressKey("shop", "email", "c" * 32)
    store_facts(embedded_warehouse, [AddressFact(key, "left", 1), AddressFact(key, "refused", 1)])
    page = (await ledger.client.get(way_out(address="c" * 32))).text
    assert 'value="email" checked' not in page
    assert 'name="marketing" value="yes" checked' not in page
    other = (await ledger.client.get(way_out(address="d" * 32))).text
    assert 'value="email" checked' in other
