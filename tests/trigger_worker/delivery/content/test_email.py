from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader

from trigger_worker.delivery.content.email import LONGEST_SUBJECT, EmailContent, EmailTemplate
from trigger_worker.delivery.content.engine import TextEngine
from warehouse.errors import TemplateError

ENGINE = TextEngine()
HTML = """\
---
subject: "{{ visitor.first_name | default('Hello') }}, your {{ product.name }}"
preheader: "Still {{ product.name }}?"
---
<html><body class="mail"><p>{{ product.name }}</p></body></html>
"""


def email(html: str, text: str | None = None, **names: object) -> EmailContent:
    return EmailTemplate(html, "m.email.html", ENGINE, text, "m.email.txt").render(names)


def test_renders_subject_preheader_html_and_text() -> None:
    content = email(HTML, "Buy the {{ product.name }}!\n", product={"name": "<Lamp>"})
    assert content.subject == "Hello, your <Lamp>"
    assert content.preheader == "Still <Lamp>?"
    assert content.text == "Buy the <Lamp>!\n"
    assert "<p>&lt;Lamp&gt;</p>" in content.html
    assert '<body class="mail"><div style="display:none' in content.html
    assert 'aria-hidden="true">Still &lt;Lamp&gt;?</div>' in content.html


def test_derives_the_text_without_one() -> None:
    assert email(HTML, product={"name": "<Lamp>"}).text == "<Lamp>\n"


def test_a_preheader_needs_no_body_tag() -> None:
    assert email("---\nsubject: x\npreheader: y\n---\n<p>z</p>").html.startswith("<div style=")


def test_front_matter_of_the_text_fills_in_what_the_html_leaves_out() -> None:
    text = "---\nsubject: of text\npreheader: line\n---\nBody\n"
    content = email("---\nsubject: of html\n---\n<p>x</p>", text)
    assert (content.subject, content.preheader, content.text) == ("of html", "line", "Body\n")
    assert email("<p>x</p>", text).subject == "of text"


@given(st.text())
def test_no_fact_adds_a_header(fact: str) -> None:
    subject = email("---\nsubject: 'Re {{ fact }}'\n---\n", fact=fact).subject
    assert len(subject.splitlines()) == 1
    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) <= LONGEST_SUBJECT


@pytest.mark.parametrize(
    ("html", "text", "message"),
    [
        ("<p>x</p>", None, "m.email.html:1: the subject is missing"),
        ("---\npreheader: x\n---\n", None, "m.email.html:1: the subject is missing"),
        ("---\n---\n", None, "m.email.html:1:1: expected front matter, found nothing"),
        ("---\nsubjekt: x\n---\n", None, 'm.email.html:2:1: front matter has no key "subjekt"'),
        ("---\nsubject: x\npreheader: '{{ 1 / 0 }}'\n---\n", None, "m.email.html:3: ZeroDivisionError"),
        ("---\nsubject: '{{ nothing }}'\n---\n", None, "m.email.html: the subject renders to nothing"),
        ("---\nsubject: x\n---\n<p>\n{{ 1 / 0 }}", None, "m.email.html:5: ZeroDivisionError"),
        ("---\nsubject: x\n---\n<p>\n{% if %}", None, "m.email.html:5: Expected an expression"),
        ("---\r\nsubject: x\r\n---\r\n{% if %}", None, "m.email.html:4: Expected an expression"),
        ("---\nsubject: x\n---\n", "a\n{{ 1 / 0 }}", "m.email.txt:2: ZeroDivisionError"),
        ("---\nsubject: x\n---\n", "---\npreheader: x\n---\n{{ 1 / 0 }}", "m.email.txt:4: ZeroDivisionError"),
    ],
)
def test_a_mistake_is_named_with_its_place(html: str, text: str | None, message: str) -> None:
    with pytest.raises(TemplateError) as failure:
        email(html, text)
    assert failure.value.message.startswith(message)
    assert failure.value.hint


def test_hosts_that_the_template_names_are_told_apart_from_those_in_facts() -> None:
    link = "<a href='https://Video.example/{{ visitor.id }}'>x</a>"
    html = f"---\nsubject: Hi\n---\n{link}<a href='{{{{ event.url }}}}'>y</a>"
    template = EmailTemplate(html, "t.email.html", TextEngine(), "https://help.example\n{{ event.url }}", "t.email.txt")
    content = template.render({"visitor": {"id": "v"}, "event": {"url": "https://evil.example"}})
    assert content.named_hosts == {"video.example", "help.example"}


def test_a_layout_names_hosts_for_the_emails_that_extend_it() -> None:
    files = {
        "letter.html": "{% block body %}{% endblock %}<a href='https://social.example'>x</a>{% include 'foot.html' %}",
        "foot.html": "https://help.example {% if event.odd %}{% include 'letter.html' %}{% endif %}",
        "broken.html": "{% if %}",
    }
    html = "---\nsubject: Hi\n---\n{% extends 'letter.html' %}{% block body %}{% endblock %}"
    layout = TextEngine(DictLoader(files))
    assert EmailTemplate(html, "t.email.html", layout).render({}).named_hosts == {"social.example", "help.example"}
    odd = "{% if event.odd %}{% include 'broken.html' %}{% include event.file %}{% include 'missing.html' %}{% endif %}"
    template = EmailTemplate(f"---\nsubject: Hi\n---\nhttps://own.example {odd}", "t.email.html", layout)
    assert template.render({}).named_hosts == {"own.example"}


def test_relative_addresses_start_from_the_shop_in_the_html_and_in_the_text() -> None:
    html = '---\nsubject: x\n---\n<a href="/cart?a=1&copy=2"><img src="/logo.png" alt=""> Your cart</a>'
    content = email(html, site={"name": "shop", "url": "https://shop.example"})
    assert '<a href="https://shop.example/cart?a=1&amp;copy=2">' in content.html
    assert 'src="https://shop.example/logo.png"' in content.html
    assert content.text == "Your cart (https://shop.example/cart?a=1&copy=2)\n"


def test_relative_addresses_stay_where_the_shop_has_none() -> None:
    html = '---\nsubject: x\n---\n<a href="/cart">Your cart</a>'
    assert '<a href="/cart">' in email(html, site={"name": "shop"}).html
