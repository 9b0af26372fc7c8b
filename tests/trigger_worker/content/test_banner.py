from __future__ import annotations

import pytest

from trigger_worker.content.banner import BannerTemplate
from trigger_worker.content.engine import TextEngine
from trigger_worker.content.model import BannerContent, CallToAction, Theme
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
theme: {background: "#102030", color: "#fff", accent: "#1f6feb"}
"""


def banner(source: str, **names: object) -> BannerContent:
    return BannerTemplate(source, "b.banner.yaml", ENGINE).render(names)


def test_renders_every_field() -> None:
    product = {"name": "Lamp", "stock": 3, "image": "https://cdn.example/lamp.png", "url": "/p/lamp"}
    assert banner(FULL, product=product, visitor={"id": 7}) == BannerContent(
        form="slide_in",
        position="left",
        title="Lamp is popular",
        text="Only 3 left, friend.",
        image="https://cdn.example/lamp.png",
        cta=CallToAction(label="See it", url="/p/lamp"),
        dismiss="No, thanks",
        coupon="HELLO-7",
        theme=Theme(background="#102030", color="#fff", accent="#1f6feb"),
    )


def test_needs_form_and_title_only() -> None:
    assert banner("form: bar\ntitle: Hello") == BannerContent(form="bar", title="Hello")


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
        ("form: popup\ntitle: x", 'b.banner.yaml:1:7: expected bar or modal or slide_in, found "popup"'),
        ("form: bar\ntitel: x", 'b.banner.yaml:2:1: a banner has no key "titel"'),
        ("form: bar\ntitle: [x]", "b.banner.yaml:2:8: expected a value, found a list"),
        ("form: bar\nposition: middle\ntitle: x", "b.banner.yaml:2:11: expected top or bottom or left or right, found"),
        ("form: bar\ntitle: x\ncta: {label: x}", "b.banner.yaml:3:6: a call to action needs url"),
        ("form: bar\ntitle: x\ntheme: {color: red}", 'b.banner.yaml:3:16: expected a colour such as "#1f6feb"'),
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
