"""What a rule's messages would say, without anything being sent or recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, event_row, person, store
from trigger_worker.delivery.content.banner import BannerContent
from trigger_worker.delivery.content.context import SiteContext
from trigger_worker.delivery.content.document import WebhookContent
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.model import Content
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.content.text_message import ChatContent, SmsContent
from trigger_worker.delivery.offers.coupon_book import CouponBook, CouponRequest
from trigger_worker.reports.preview import Preview, Previewer, mark_as_test
from trigger_worker.store.people import Visitor
from warehouse.connection import Warehouse

RULE = "id: r\nwhen: 'view_item[price > 1] -> no purchase within 1h'\nsend:\n  - banner: hello\n"
HEAD = "form: bar\nposition: top\n"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    return tmp_path


def previewed(warehouse: Warehouse, templates: Path, text: str = RULE, arm: str = "", who: str = "anna") -> Preview:
    sites = {"shop": SiteContext(name="shop", url="https://shop.example", currency="EUR")}
    previewer = Previewer(warehouse, TemplateFolder(templates), sites, {"shop": ["shop.example"]})
    return previewer.preview(rule(text), Visitor("shop", who), arm, NOON)


def title(preview: Preview) -> str:
    (message,) = preview.messages
    assert isinstance(message.content, BannerContent)
    return message.content.title


def test_a_message_is_about_the_latest_event_that_completes_the_pattern(warehouse: Warehouse, templates: Path) -> None:
    (templates / "hello.banner.yaml").write_text(HEAD + "title: '{{ product.name }} for {{ visitor.first_name }}'\n")
    store(
        warehouse,
        event_row("view_item", at=NOON - 3000, name="Tent", price=9.0),
        event_row("view_item", at=NOON - 2000, name="Lamp", price=9.0),
        event_row("view_item", at=NOON - 1000, name="Peg", price=1.0),
        event_row("view_item", at=NOON + 1000, name="Future", price=9.0),
        event_row("identify", at=NOON - 500, user="u-7", traits={"first_name": "Ada"}),
    )
    shown = previewed(warehouse, templates)
    assert (title(shown), shown.visitor_id) == ("Lamp for Ada", "u-7")


def test_a_visitor_whom_nobody_knows_has_no_facts(warehouse: Warehouse, templates: Path) -> None:
    (templates / "hello.banner.yaml").write_text(HEAD + "title: Hello {{ visitor.first_name | default('you') }}\n")
    assert title(previewed(warehouse, templates, who="nobody")) == "Hello you"


def test_an_arm_may_be_chosen(warehouse: Warehouse, templates: Path) -> None:
    (templates / "hello.banner.yaml").write_text(HEAD + "title: Hello {{ rule.variant }}\n")
    text = RULE + "experiment:\n  arms: {plain: 100, gift: 0.0001}\n"
    assert title(previewed(warehouse, templates, text)) == "Hello plain"
    assert title(previewed(warehouse, templates, text, arm="gift")) == "Hello gift"


def test_no_coupon_is_given_out_but_the_visitors_own_is_shown(warehouse: Warehouse, templates: Path) -> None:
    (templates / "hello.banner.yaml").write_text(HEAD + "title: '{{ coupon(\"spring\") }}'\n")
    assert title(previewed(warehouse, templates)) == "SPRING-EXAMPLE"
    assert warehouse.query("SELECT count() FROM coupon_assignments") == [(0,)]
    (templates / "spring.txt").write_text("ONE\n")
    CouponBook(warehouse, templates).give([CouponRequest("spring", "r", person("anna"))], NOON)
    assert title(previewed(warehouse, templates)) == "ONE"


def test_recommendations_are_shown(warehouse: Warehouse, templates: Path) -> None:
    asks = "{% for each in recommend.trending(1) %}{{ each.name }}{% endfor %}"
    (templates / "hello.banner.yaml").write_text(f"{HEAD}title: '{asks}'\n")
    store(
        warehouse,
        *(event_row("view_item", who, NOON - 1000, product_id="tent", name="Tent") for who in ("a", "b", "c")),
    )
    assert title(previewed(warehouse, templates)) == "Tent"


def test_a_template_that_fails_is_told_in_its_place(warehouse: Warehouse, templates: Path) -> None:
    (templates / "hello.banner.yaml").write_text(HEAD + "title: '{{ 1 / 0 }}'\n")
    (templates / "bye.banner.yaml").write_text(HEAD + "title: Bye\n")
    failed, sound = previewed(warehouse, templates, RULE + "  - banner: bye\n").messages
    assert failed.content is None
    assert f"{templates / 'hello.banner.yaml'}:3: ZeroDivisionError" in failed.problem
    assert sound.problem == ""


@pytest.mark.parametrize(
    ("content", "marked"),
    [
        (
            EmailContent(subject="Your cart", html="<p>Hi</p>", text="Hi"),
            EmailContent(subject="[Test] Your cart", html="<p>Hi</p>", text="Hi"),
        ),
        (SmsContent("Your cart", 1), SmsContent("[Test] Your cart", 1)),
        (ChatContent("Your cart"), ChatContent("[Test] Your cart")),
        (WebhookContent(b"{}"), WebhookContent(b"{}")),
    ],
)
def test_a_test_is_marked_where_its_reader_looks_first(content: Content, marked: Content) -> None:
    assert mark_as_test(content, "email", "shop", "you@example.com", 0).content == marked


def test_a_test_is_nobodys_message() -> None:
    first, second = (mark_as_test(SmsContent("Hi", 1), "sms", "shop", "+4930123456", 0) for _ in range(2))
    assert first.message_id.startswith("test-")
    assert first.message_id != second.message_id
    assert (first.rule, first.visitor_id, first.recipients, first.token) == (
        "send-test",
        "send-test",
        ("+4930123456",),
        None,
    )


def test_an_amount_without_a_currency_is_in_that_of_the_site(warehouse: Warehouse, templates: Path) -> None:
    (templates / "hello.banner.yaml").write_text(f"{HEAD}title: '{{{{ 50 | money }}}} {{{{ 50 | money(\"USD\") }}}}'\n")
    (message,) = previewed(warehouse, templates).messages
    assert isinstance(message.content, BannerContent)
    assert message.content.title == "€50.00 $50.00"
