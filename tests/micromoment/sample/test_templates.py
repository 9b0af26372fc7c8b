from __future__ import annotations

from pathlib import Path

import pytest

from trigger_worker.deciding.recipient.profile import VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext, CartItem
from trigger_worker.delivery.content.banner import BannerContent
from trigger_worker.delivery.content.context import RenderContext, RuleContext, SiteContext
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.templates import TemplateFolder

SHOP = "http://127.0.0.1:8001"
EVIL = "<script>alert(1)</script>"
BANNERS = ["cart_bar", "exit_offer", "hover_help", "search_help", "thank_you_offer"]

ITEMS = (
    CartItem(
        product_id="TT-1001",
        name="Skylark 2 Tent",
        quantity=1,
        price=329.0,
        value=329.0,
        currency="EUR",
        image=f"{SHOP}/images/skylark-2-tent.svg",
        url=f"{SHOP}/p/skylark-2-tent",
    ),
    CartItem(product_id="TT-2", name=EVIL, quantity=2, price=19.9, value=39.8, image="javascript:alert(1)"),
)


@pytest.fixture(scope="module")
def templates(sample: Path) -> TemplateFolder:
    return TemplateFolder(sample / "templates")


def context(first_name: str = "", cart: CartContext | None = None, **event: object) -> RenderContext:
    return RenderContext(
        visitor=VisitorContext(id="ada", first_name=first_name),
        site=SiteContext(name="demo", url=SHOP),
        rule=RuleContext("sample"),
        cart=cart or CartContext(value=368.8, quantity=3, currency="EUR", items=ITEMS),
        event=event,
    )


NOTHING_KNOWN = context(cart=CartContext())


def banner(templates: TemplateFolder, name: str, facts: RenderContext) -> BannerContent:
    content = templates.render("banner", name, facts)
    assert isinstance(content, BannerContent)
    return content


def email(templates: TemplateFolder, facts: RenderContext) -> EmailContent:
    content = templates.render("email", "cart_reminder", facts)
    assert isinstance(content, EmailContent)
    return content


def test_the_reminder_lists_the_carts_own_products(templates: TemplateFolder) -> None:
    content = email(templates, context("Ada"))
    assert content.subject == "Ada, your Skylark 2 Tent is waiting"
    assert content.preheader == "3 pieces for €368.80, kept for you."
    for part in (content.html, content.text):
        for fact in ("Skylark 2 Tent", "€329.00", "€39.80", "€368.80", f"{SHOP}/cart"):
            assert fact in part
    assert "1 × €329.00" in content.html
    assert "2 x €19.90 = €39.80" in content.text
    assert f'src="{SHOP}/images/skylark-2-tent.svg"' in content.html
    assert f'href="{SHOP}/p/skylark-2-tent"' in content.html


def test_the_reminder_takes_no_markup_and_no_foreign_address_from_a_page(templates: TemplateFolder) -> None:
    html = email(templates, context(EVIL)).html
    assert EVIL not in html
    assert "javascript:" not in html


def test_the_reminder_needs_no_name(templates: TemplateFolder) -> None:
    content = email(templates, context())
    assert content.subject.startswith("Hello, your")
    assert content.text.startswith("Hello there,\n")


@pytest.mark.parametrize("name", BANNERS)
def test_a_banner_is_complete_even_when_nothing_is_known(templates: TemplateFolder, name: str) -> None:
    content = banner(templates, name, NOTHING_KNOWN)
    assert content.title
    assert content.text
    assert content.dismiss
    assert content.cta is not None
    assert "  " not in content.title + content.text
    assert "None" not in content.title + content.text


@pytest.mark.parametrize(
    ("name", "facts", "title"),
    [
        ("hover_help", context(name="Skylark 2 Tent"), "Thinking about the Skylark 2 Tent?"),
        ("hover_help", NOTHING_KNOWN, "Thinking about the right one?"),
        ("search_help", context(search_term="kayak"), "Not what you meant by “kayak”?"),
        ("cart_bar", context(), "Your Skylark 2 Tent is waiting"),
        ("exit_offer", context(), "Before you go: ten percent off"),
        ("exit_offer", NOTHING_KNOWN, "Take ten percent along"),
        ("thank_you_offer", context("Ada"), "A thank-you, Ada"),
        ("thank_you_offer", NOTHING_KNOWN, "A thank-you"),
    ],
)
def test_a_banner_speaks_of_what_happened(
    templates: TemplateFolder, name: str, facts: RenderContext, title: str
) -> None:
    assert banner(templates, name, facts).title == title


def test_the_cart_bar_names_what_the_cart_is_worth(templates: TemplateFolder) -> None:
    assert banner(templates, "cart_bar", context()).text == "3 pieces for €368.80, shipped free of charge."
    small = CartContext(value=9.9, quantity=1, currency="EUR", items=(CartItem(product_id="mug", quantity=1),))
    assert banner(templates, "cart_bar", context(cart=small)).text == "1 piece for €9.90."
