from __future__ import annotations

import os
from pathlib import Path

import pytest

from trigger_worker.deciding.recipient.profile import VisitorContext
from trigger_worker.delivery.content.banner import BannerContent
from trigger_worker.delivery.content.context import RenderContext, RuleContext, SiteContext
from trigger_worker.delivery.content.document import PushContent, WebhookContent
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.content.text_message import ChatContent, SmsContent
from warehouse.errors import TemplateError

CONTEXT = RenderContext(
    visitor=VisitorContext(id="ada", first_name="Ada"), site=SiteContext(name="Shop"), rule=RuleContext("hello")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hi.banner.yaml").write_text("form: bar\ntitle: Hi {{ visitor.first_name }}\n", "utf-8")
    (tmp_path / "hi.email.html").write_text("---\nsubject: Hi\n---\n{% include 'part.html' %}", "utf-8")
    (tmp_path / "hi.email.txt").write_text("Text for {{ visitor.first_name }}", "utf-8")
    (tmp_path / "part.html").write_text("<p>\n{{ visitor.first_name }} of {{ site.name }}</p>", "utf-8")
    (tmp_path / "hi.webhook.json").write_text('{"id": "{{ visitor.id }}"}', "utf-8")
    (tmp_path / "hi.sms.txt").write_text("Hi {{ visitor.first_name }}", "utf-8")
    (tmp_path / "hi.push.yaml").write_text("title: Hi {{ visitor.first_name }}", "utf-8")
    (tmp_path / "hi.chat.txt").write_text("<{{ '<' }}> {{ visitor.first_name }}", "utf-8")
    return tmp_path


def test_renders_each_channel(folder: Path) -> None:
    templates = TemplateFolder(folder)
    assert templates.render("banner", "hi", CONTEXT) == BannerContent(form="bar", title="Hi Ada")
    assert templates.render("webhook", "hi", CONTEXT) == WebhookContent(b'{"id":"ada"}')
    assert templates.render("sms", "hi", CONTEXT) == SmsContent("Hi Ada", segments=1)
    assert templates.render("push", "hi", CONTEXT) == PushContent(title="Hi Ada")
    assert templates.render("chat", "hi", CONTEXT) == ChatContent("<&lt;> Ada")
    email = templates.render("email", "hi", CONTEXT)
    assert email == EmailContent(subject="Hi", html="<p>\nAda of Shop</p>", text="Text for Ada")


def test_an_email_without_a_text_file_derives_it(folder: Path) -> None:
    (folder / "hi.email.txt").unlink()
    email = TemplateFolder(folder).render("email", "hi", CONTEXT)
    assert isinstance(email, EmailContent)
    assert email.text == "Ada of Shop\n"


@pytest.mark.parametrize("name", ["hi.banner.yaml", "part.html", "hi.email.txt"])
def test_reads_a_changed_file_again(folder: Path, name: str) -> None:
    templates = TemplateFolder(folder)
    before = [templates.render(channel, "hi", CONTEXT) for channel in ("banner", "email")]
    path = folder / name
    path.write_text(path.read_text("utf-8").replace("visitor.first_name", "site.name"), "utf-8")
    os.utime(path, (1, 1))
    assert [templates.render(channel, "hi", CONTEXT) for channel in ("banner", "email")] != before


def test_reads_an_unchanged_file_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates = TemplateFolder(folder)
    first = templates.render("banner", "hi", CONTEXT)
    monkeypatch.setattr(Path, "read_text", None)
    assert templates.render("banner", "hi", CONTEXT) == first


def test_a_mistake_in_an_included_file_is_named_there(folder: Path) -> None:
    (folder / "part.html").write_text("<p>\n{{ 1 / 0 }}</p>", "utf-8")
    with pytest.raises(TemplateError, match=r"part\.html:2: ZeroDivisionError"):
        TemplateFolder(folder).render("email", "hi", CONTEXT)


@pytest.mark.parametrize(
    ("channel", "name", "message"),
    [
        ("banner", "nosuch", r"nosuch\.banner\.yaml: there is no such template"),
        ("email", "nosuch", r"nosuch\.email\.html: there is no such template"),
        ("pigeon", "hi", 'no templates for the channel "pigeon"'),
        ("banner", "../hi", '"../hi" is no name of a template'),
        ("banner", "", '"" is no name of a template'),
    ],
)
def test_what_is_not_there_is_named(folder: Path, channel: str, name: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        TemplateFolder(folder).check(channel, name)


def test_a_file_that_is_not_text_is_named(folder: Path) -> None:
    (folder / "hi.banner.yaml").write_bytes(b"\xff\xff")
    with pytest.raises(TemplateError, match=r"hi\.banner\.yaml: cannot be read"):
        TemplateFolder(folder).check("banner", "hi")


def test_check_accepts_what_compiles(folder: Path) -> None:
    for channel in ("banner", "email", "webhook"):
        TemplateFolder(folder).check(channel, "hi")
