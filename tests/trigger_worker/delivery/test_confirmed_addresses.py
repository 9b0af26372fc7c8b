"""Marketing goes to addresses that are known to be the person's, and to others only where the operator says so."""

from __future__ import annotations

import pytest

from tests.trigger_worker.shop import Shop
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.links import MessageLinks
from trigger_worker.rules.library.catalogue import RULES, TEMPLATES
from trigger_worker.store.addresses import store_facts
from warehouse.address_ledger import AddressFact, AddressKey, AddressKeys
from warehouse.message_token import MessageTokens

MARKETING = "when: add_to_cart\nevery: 0s\nsend: [{email: reminder}]\n"
TOKENS = MessageTokens(b"secret")


@pytest.fixture
async def careful(shop: Shop) -> Shop:
    """A shop on which addresses must be confirmed, with double opt-in as it is shipped."""
    shop.confirming = frozenset({"shop"})
    shop.links = MessageLinks("https://c.example", TOKENS, {})
    shop.rule("letters", MARKETING)
    for folder, path in (
        ("rules", RULES / "confirm_address.yaml"),
        ("templates", TEMPLATES / "confirm_address.email.html"),
    ):
        shop.write(f"{folder}/{path.name}", path.read_text("utf-8"))
    await shop.starts()
    return shop


def key_of(address: str = "ann@example.com") -> AddressKey:
    key = AddressKeys(b"secret").of("shop", "email", address)
    assert key is not None
    return key


def names_address(shop: Shop, visitor: str, **fields: object) -> None:
    shop.happens("identify", visitor, traits={"email": "ann@example.com"}, **fields)  # type: ignore[arg-type]


async def adds_to_cart(shop: Shop, *visitors: str) -> None:
    for visitor in visitors:
        shop.happens("add_to_cart", visitor)
    await shop.passes(1)


def reasons(shop: Shop, rule: str = "letters") -> list[str]:
    rows = shop.rows(f"SELECT reason FROM decisions WHERE rule = '{rule}' ORDER BY decided_at, message_id")
    return [reason for (reason,) in rows]


def is_held_back(shop: Shop) -> bool:
    gauge = shop.metrics.hourly_ceiling_reached.labels("shop", "marketing")
    return any(sample.value for metric in gauge.collect() for sample in metric.samples)


async def test_an_address_that_only_a_page_names_gets_no_marketing(careful: Shop) -> None:
    names_address(careful, "stranger")
    await adds_to_cart(careful, "stranger")
    assert careful.sent("email") == []
    assert reasons(careful) == ["address_unconfirmed"]


@pytest.mark.parametrize("voucher", ["server", "import", "signature"])
async def test_an_address_that_somebody_vouches_for_gets_marketing(careful: Shop, voucher: str) -> None:
    names_address(careful, "ann", proven_by=voucher)
    await adds_to_cart(careful, "ann")
    assert careful.sent("email") == ["ann"]
    names_address(careful, "phone")
    await adds_to_cart(careful, "phone")
    assert careful.sent("email") == ["ann", "phone"]


async def test_a_page_that_says_so_vouches_for_nothing(careful: Shop) -> None:
    careful.happens("identify", "stranger", traits={"email": "ann@example.com", "proven_by": "server"})
    careful.happens("address_confirmed", "stranger", channel="email")
    careful.warehouse.command("TRUNCATE TABLE worker_cursor")
    await careful.starts()
    await adds_to_cart(careful, "stranger")
    assert reasons(careful) == ["address_unconfirmed"]


async def test_imported_history_confirms_its_addresses(careful: Shop) -> None:
    careful.happens(
        "identify", "ann", source="import", traits={"email": "Ann@Example.com", "phone": "0049 171 1234567"}
    )
    careful.warehouse.command("TRUNCATE TABLE worker_cursor")
    await careful.starts()
    names_address(careful, "phone")
    await adds_to_cart(careful, "phone")
    assert careful.sent("email") == ["phone"]


async def test_who_subscribes_is_asked_and_after_confirming_gets_marketing(careful: Shop) -> None:
    names_address(careful, "ann")
    careful.happens("subscribe", "ann", channel="email")
    await careful.passes(1)
    (asked,) = careful.channels["email"].sent
    assert asked.token is not None
    assert asked.token.address == key_of().address
    assert isinstance(asked.content, EmailContent)
    link = asked.content.html.partition('href="https://c.example/v1/a/')[2].partition('"')[0]
    read = TOKENS.read(link, "confirm", careful.now_ms)
    assert read is not None
    assert read.address == key_of().address
    assert TOKENS.read(link, "unsubscribe", careful.now_ms) is None
    careful.worker.hear_addresses([AddressFact(key_of(), "confirmed", careful.now_ms)])
    await adds_to_cart(careful, "ann")
    assert reasons(careful) == ["passed"]


async def test_twelve_visitors_who_subscribe_one_address_have_it_asked_once_an_hour(careful: Shop) -> None:
    visitors = [f"visitor-{number:02d}" for number in range(12)]
    for visitor in visitors:
        names_address(careful, visitor)
        careful.happens("subscribe", visitor, channel="email")
    await careful.passes(1)
    assert len(careful.sent("email")) == 1
    for hour in range(1, 6):
        careful.now_ms += 3_600_000
        careful.happens("subscribe", visitors[hour], channel="email")
        await careful.passes(1)
    assert len(careful.sent("email")) == 3
    assert set(reasons(careful, "confirm_address")) == {"passed", "address_unconfirmed"}


async def test_a_confirmed_address_is_not_asked_unless_it_left(careful: Shop) -> None:
    store_facts(careful.warehouse, [AddressFact(key_of(), "confirmed", 1)])
    names_address(careful, "ann")
    careful.happens("subscribe", "ann", channel="email")
    await careful.passes(1)
    assert reasons(careful, "confirm_address") == ["address_confirmed"]
    careful.worker.hear_addresses([AddressFact(key_of(), "left", careful.now_ms)])
    careful.now_ms += 2 * 3_600_000
    careful.happens("subscribe", "ann", channel="email")
    await careful.passes(1)
    assert len(careful.sent("email")) == 1


@pytest.mark.parametrize("fact", ["refused", "bounced"])
async def test_an_address_that_takes_nothing_is_not_asked(careful: Shop, fact: str) -> None:
    store_facts(careful.warehouse, [AddressFact(key_of(), fact, 1)])  # type: ignore[arg-type]
    names_address(careful, "ann")
    careful.happens("subscribe", "ann", channel="email")
    await careful.passes(1)
    assert careful.sent("email") == []


async def test_transactional_messages_to_an_unconfirmed_address_are_few(careful: Shop) -> None:
    careful.rule("letters", f"class: transactional\n{MARKETING}")
    for number in range(8):
        names_address(careful, f"visitor-{number}")
    await adds_to_cart(careful, *(f"visitor-{number}" for number in range(8)))
    assert len(careful.sent("email")) == 5
    assert sorted(reasons(careful)) == ["address_unconfirmed"] * 3 + ["passed"] * 5
    careful.now_ms += 3_600_001
    await adds_to_cart(careful, "visitor-7")
    assert len(careful.sent("email")) == 6


async def test_a_site_that_says_so_writes_to_whatever_a_page_names(careful: Shop) -> None:
    careful.confirming = frozenset()
    await careful.starts()
    names_address(careful, "stranger")
    await adds_to_cart(careful, "stranger")
    assert careful.sent("email") == ["stranger"]


async def test_banners_need_no_confirmed_address(careful: Shop) -> None:
    careful.rule("shows", "when: add_to_cart\nsend: [{banner: hello}]\n")
    await adds_to_cart(careful, "stranger")
    assert careful.sent("banner") == ["stranger"]


async def test_a_ceiling_holds_back_what_is_beyond_it_until_there_is_room(careful: Shop) -> None:
    careful.ceilings = {"shop": 3}
    careful.confirming = frozenset()
    await careful.starts()
    visitors = [f"visitor-{number}" for number in range(5)]
    for visitor in visitors:
        careful.happens("identify", visitor, traits={"email": f"{visitor}@example.com"})
    await adds_to_cart(careful, *visitors)
    assert len(careful.sent("email")) == 3
    assert reasons(careful).count("ceiling") == 2
    await careful.worker.delivery.step()
    assert is_held_back(careful)
    await careful.starts()
    careful.happens("add_to_cart", "visitor-0")
    await careful.passes(60)
    assert len(careful.sent("email")) == 3
    await careful.passes(3_600)
    assert len(careful.sent("email")) == 6
    await careful.passes(3_600)
    await careful.worker.delivery.step()
    assert not is_held_back(careful)
