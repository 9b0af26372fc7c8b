from __future__ import annotations

import pytest

from trigger_worker.delivery.content.banner import BannerContent, BannerLabels, BannerTemplate, CallToAction
from trigger_worker.delivery.content.banner_parts import Countdown, Display, Theme
from trigger_worker.delivery.content.engine import TextEngine
from warehouse.errors import TemplateError

ENGINE = TextEngine()
FULL = """\
form: slide_in
position: left
title: "{{ product.name | default('This one') }} is popular"
text: >
  Only {{ product.stock }} left,
  {{ visitor.first_name | default('friend') }}.
image: "{{ product.image }}"
cta:
  label: See it
  url: "{{ product.url }}"
dismiss: No, thanks
coupon: "HELLO-{{ visitor.id }}"
countdown: {until: "{{ event.ends_at }}", label: Ends in}
labels: {close: Close it, copy: Copy it, copied: Copied it}
theme: {background: "#102030", color: "#fff", accent: "#1f6feb", radius: 4, font: inherit}
pages: ["/p/*", /category/*]
not_pages: ["*/gift*"]
once: session
delay: 3s
on: scroll 50%
stay: 20s
"""


def banner(source: str, **names: object) -> BannerContent:
    return BannerTemplate(source, "b.banner.yaml", ENGINE).render(names)


def test_renders_every_field() -> None:
    product = {"name": "Lamp", "stock": 3, "image": "https://cdn.example/lamp.png", "url": "/p/lamp"}
    event = {"ends_at": "2026-12-01T00:00:00+01:00"}
    assert banner(FULL, product=product, visitor={"id": 7}, event=event) == BannerContent(
        form="slide_in",
        position="left",
        title="Lamp is popular",
        text="Only 3 left, friend.",
        image="https://cdn.example/lamp.png",
        cta=CallToAction(label="See it", url="/p/lamp"),
        dismiss="No, thanks",
        coupon="HELLO-7",
        countdown=Countdown(until="2026-11-30T23:00:00Z", label="Ends in"),
        labels=BannerLabels(close="Close it", copy="Copy it", copied="Copied it"),
        theme=Theme(background="#102030", color="#fff", accent="#1f6feb", radius=4, font="inherit"),
        display=Display(
            pages=("/p/*", "/category/*"),
            not_pages=("*/gift*",),
            once="session",
            delay_ms=3000,
            on="scroll",
            scroll_pct=50,
            stay_ms=20_000,
        ),
    )


def test_needs_form_and_title_only() -> None:
    assert banner("form: bar\ntitle: Hello") == BannerContent(form="bar", title="Hello")


def test_an_inline_banner_names_its_place_in_the_page() -> None:
    content = banner("form: inline\ntitle: Hi\nselector: main > .offer\nplace: before")
    assert (content.selector, content.place) == ("main > .offer", "before")


@pytest.mark.parametrize(
    ("trigger", "expected"), [("load", ("load", 0)), ("exit_intent", ("exit_intent", 0)), ("scroll 5%", ("scroll", 5))]
)
def test_what_the_visitor_must_have_done(trigger: str, expected: tuple[str, int]) -> None:
    display = banner(f"form: bar\ntitle: Hi\non: {trigger}").display
    assert display is not None
    assert (display.on, display.scroll_pct) == expected


def test_a_countdown_of_a_while() -> None:
    content = banner("form: bar\ntitle: Hi\ncountdown: {for: 15m}")
    assert content.countdown == Countdown(for_ms=900_000)


def test_a_countdown_to_an_unknown_instant_is_left_out() -> None:
    assert banner("form: bar\ntitle: Hi\ncountdown: {until: '{{ nothing }}'}").countdown is None


def test_facts_stay_plain_text_and_bounded() -> None:
    content = banner("{form: bar, title: '{{ name }}', text: '{{ name }}'}", name="<b>&\n" * 400)
    assert content.title.startswith("<b>& <b>&")
    assert (len(content.title), len(content.text)) == (120, 500)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://shop.example/x", True),
        ("/cart?x=1", True),
        ("", False),
        ("javascript:alert(1)", False),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("cart", False),
    ],
)
def test_addresses_that_should_not_be_followed_are_left_out(url: str, kept: bool) -> None:
    source = "{form: bar, title: Hi, image: '{{ url }}', cta: {label: Go, url: '{{ url }}'}}"
    expected = (url, CallToAction("Go", url)) if kept else ("", None)
    content = banner(source, url=url)
    assert (content.image, content.cta) == expected


def test_a_call_to_action_without_a_label_is_left_out() -> None:
    assert banner("{form: bar, title: Hi, cta: {label: '{{ nothing }}', url: /cart}}").cta is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "b.banner.yaml:1:1: expected a banner, found nothing"),
        ("form: bar", "b.banner.yaml:1:1: a banner needs title"),
        (
            "form: popup\ntitle: x",
            'b.banner.yaml:1:7: expected bar or modal or slide_in or toast or inline, found "popup"',
        ),
        ("form: bar\ntitel: x", 'b.banner.yaml:2:1: a banner has no key "titel"'),
        ("form: bar\ntitle: [x]", "b.banner.yaml:2:8: expected a value, found a list"),
        ("form: bar\nposition: middle\ntitle: x", "b.banner.yaml:2:11: expected bottom or top, found"),
        ("form: bar\ntitle: x\ncta: {label: x}", "b.banner.yaml:3:6: a call to action needs url"),
        ("form: bar\ntitle: x\ntheme: {color: red}", 'b.banner.yaml:3:16: expected a colour such as "#1f6feb"'),
        (
            "form: bar\ntitle: x\ntheme: {radius: 41}",
            "b.banner.yaml:3:17: expected a whole number of pixels from 0 to 40",
        ),
        ("form: bar\ntitle: x\ntheme: {font: Arial}", 'b.banner.yaml:3:15: expected inherit, found "Arial"'),
        ("form: modal\nposition: top\ntitle: x", "b.banner.yaml:2:11: modal has no position"),
        ("form: inline\ntitle: x", "b.banner.yaml:1:1: an inline banner needs selector"),
        ("form: bar\ntitle: x\nselector: main", "b.banner.yaml:3:11: bar has no selector"),
        ("form: toast\ntitle: x\nplace: before", "b.banner.yaml:3:8: toast has no place"),
        (f"form: inline\ntitle: x\nselector: {'x' * 201}", "b.banner.yaml:1:1: expected a selector of at most 200"),
        (
            "form: inline\ntitle: x\nselector: y\nplace: inside",
            "b.banner.yaml:4:8: expected append or prepend or before or after",
        ),
        ("form: bar\ntitle: x\npages: /p/*", 'b.banner.yaml:3:8: expected a list, found "/p/*"'),
        ("form: bar\ntitle: x\npages: [p]", 'b.banner.yaml:3:9: expected a path such as "/p/*", found "p"'),
        (f"form: bar\ntitle: x\npages: {['/p'] * 21}", "b.banner.yaml:3:129: expected at most 20 paths"),
        ("form: bar\ntitle: x\nonce: day", 'b.banner.yaml:3:7: expected page or session or visitor, found "day"'),
        ("form: bar\ntitle: x\ndelay: soon", 'b.banner.yaml:3:8: expected a duration such as 15m, found "soon"'),
        ("form: bar\ntitle: x\non: hover", "b.banner.yaml:3:5: expected load or exit_intent or scroll 50%, found"),
        ("form: bar\ntitle: x\non: scroll 101%", "b.banner.yaml:3:5: expected load or exit_intent or scroll 50%"),
        ("form: bar\ntitle: x\ncountdown: {label: x}", "b.banner.yaml:3:12: a countdown needs either until or for"),
        (
            "form: bar\ntitle: x\ncountdown: {until: soon}",
            "b.banner.yaml:3: until: expected an instant such as 2026-12-01T00:00:00+01:00, found",
        ),
        ("form: bar\ntitle: x\ncountdown:\n  until: 2026-12-01", "b.banner.yaml:4: until: expected an instant"),
        ("form: bar\ntitle: '{{ oops'", "b.banner.yaml:2: unexpected end of template"),
        ("form: bar\ntitle: x\ntext: '{{ 1 / 0 }}'", "b.banner.yaml:3: ZeroDivisionError"),
        ("form: bar\ntitle: '{{ nothing }}'", "b.banner.yaml: the title renders to nothing"),
        ("form: [", "b.banner.yaml:1:8: not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as failure:
        banner(source)
    assert failure.value.message.startswith(message)
    assert failure.value.hint
