from __future__ import annotations

import msgspec
import pytest

from trigger_worker.deciding.recipient.profile import VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext, CartItem
from trigger_worker.delivery.content.banner import BannerContent
from trigger_worker.delivery.content.context import RenderContext, RuleContext, SiteContext
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.rules.library.catalogue import TEMPLATES, read_library

SHOP = "https://shop.example"
EVIL = "<script>alert(1)</script>"
LAMP = {"product_id": "lamp", "name": EVIL, "category": "Light", "price": 40.0, "url": f"{SHOP}/p/lamp"}

NOTHING_KNOWN = RenderContext(visitor=VisitorContext(id="v"), site=SiteContext(name="shop"), rule=RuleContext("r"))
ALL_KNOWN = RenderContext(
    visitor=VisitorContext(id="v", first_name="Ada", email="ada@shop.example"),
    site=SiteContext(name="shop", url=SHOP),
    rule=RuleContext("r", "plain"),
    cart=CartContext(
        value=40.0, quantity=1, currency="EUR", items=(CartItem(product_id="lamp", name=EVIL, quantity=1, value=40.0),)
    ),
    event={**LAMP, "search_term": "lamp"},
    product=LAMP,
    order={"order_id": "1", "value": 40.0, "currency": "EUR", "items": [LAMP]},
)

MESSAGES = sorted({(message.channel, message.template) for entry in read_library() for message in entry.rule.send})
BANNERS = [template for channel, template in MESSAGES if channel == "banner"]
EMAILS = [template for channel, template in MESSAGES if channel == "email"]
#: Goes to an address that anybody may have named: it greets nobody by a stranger's words.
QUESTION = "confirm_address"
LETTERS = [name for name in EMAILS if name != QUESTION]


def banner(name: str, facts: RenderContext) -> BannerContent:
    content = TemplateFolder(TEMPLATES).render("banner", name, facts)
    assert isinstance(content, BannerContent)
    return content


def email(name: str, facts: RenderContext) -> EmailContent:
    content = TemplateFolder(TEMPLATES).render("email", name, facts)
    assert isinstance(content, EmailContent)
    return content


def test_every_template_is_used_by_a_rule() -> None:
    named = {(path.name.split(".")[1], path.name.split(".")[0]) for path in TEMPLATES.glob("*.*.*")}
    assert named == set(MESSAGES)


@pytest.mark.parametrize("facts", [NOTHING_KNOWN, ALL_KNOWN], ids=["nothing known", "all known"])
@pytest.mark.parametrize("name", BANNERS)
def test_a_banner_is_complete_whatever_is_known(name: str, facts: RenderContext) -> None:
    content = banner(name, facts)
    assert content.text
    assert content.dismiss
    assert content.cta is not None
    assert content.cta.url.startswith("/")
    assert not any(trace in content.title + content.text for trace in ("None", "  ", " .", " ,", "{{"))


@pytest.mark.parametrize("name", LETTERS)
def test_an_email_reads_well_when_nothing_is_known(name: str) -> None:
    content = email(name, NOTHING_KNOWN)
    assert "Hello there," in content.text
    assert content.preheader
    assert not any(trace in content.subject + content.text for trace in ("None", " .", " ,", "{{"))
    assert 'href=""' not in content.html


@pytest.mark.parametrize("name", LETTERS)
def test_an_email_speaks_to_its_reader_and_leads_to_the_shop(name: str) -> None:
    content = email(name, ALL_KNOWN)
    assert "Hello Ada," in content.text
    assert f'href="{SHOP}/' in content.html
    assert content.html.lstrip().startswith("<")


def test_the_question_whose_address_it_is_says_nothing_that_a_page_told() -> None:
    asks = msgspec.structs.replace(ALL_KNOWN, confirm_url="https://collector.example/v1/a/token")
    content = email(QUESTION, asks)
    assert 'href="https://collector.example/v1/a/token"' in content.html
    assert "Ada" not in content.html + content.text
    assert "lamp" not in content.html + content.text


@pytest.mark.parametrize("name", EMAILS)
def test_an_email_takes_no_markup_from_a_page(name: str) -> None:
    assert EVIL not in email(name, ALL_KNOWN).html


def test_the_cart_reminder_lists_the_cart() -> None:
    assert "€40.00" in email("cart_reminder", ALL_KNOWN).text


def test_what_is_missing_for_free_delivery_is_worked_out() -> None:
    assert banner("free_delivery_near", ALL_KNOWN).text == "Only €10.00 to go."
