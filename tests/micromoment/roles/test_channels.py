"""Which channels the settings switch on."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from micromoment.configuration.settings import Settings, SiteSettings
from micromoment.roles.channels import fixed_recipients, mail_links, message_links, open_http_channels, smtp_settings
from micromoment.roles.collector import callback_settings
from tests.trigger_worker.stored import person
from trigger_worker.deciding.recipient.profile import build_profile
from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.rules.evaluate.history import History
from warehouse.errors import ConfigurationError
from warehouse.message_token import MessageToken, MessageTokens

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SMS = {"sms_account": "AC1", "sms_token": "secret token", "sms_sender": "Shop"}


async def opened(folder: Path, **changes: Any) -> list[str]:
    nowhere: Any = None
    async with AsyncExitStack() as stack:
        settings = Settings(data_folder=str(folder), **changes)
        return [channel.name for channel in await open_http_channels(settings, nowhere, stack, lambda: 0)]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["push"]),
        ({"webhook_url": "https://hook.example", "webhook_secret": SECRET}, ["push", "webhook"]),
        (SMS, ["push", "sms"]),
        ({"chat_url": "https://chat.example/T0"}, ["push", "chat"]),
    ],
)
async def test_a_channel_is_there_once_it_is_configured(
    tmp_path: Path, changes: dict[str, str], names: list[str]
) -> None:
    assert await opened(tmp_path, **changes) == names


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({**SMS, "sms_token": ""}, "sms_token"),
        ({**SMS, "sms_url": "twilio"}, "sms_url"),
        ({"chat_url": "T0"}, "chat_url"),
        ({"webhook_url": "https://hook.example"}, "webhook secret"),
        ({"push_contact": "me"}, "push_contact"),
        ({"push_services": "push.example/x"}, "push_services"),
    ],
)
async def test_what_makes_no_sense_is_named(tmp_path: Path, changes: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        await opened(tmp_path, **changes)


def test_webhooks_and_chat_go_to_one_place_each_and_its_secret_address_is_not_told() -> None:
    nobody = build_profile("anna", History([]), 0)
    recipients = fixed_recipients(Settings(chat_url="https://chat.example/T0/secret"))
    assert recipients.of("chat", person("anna"), nobody) == ("chat",)
    assert recipients.of("webhook", person("anna"), nobody) == ()


def test_callbacks_are_believed_by_the_secrets_that_are_set() -> None:
    configured = callback_settings(
        Settings(public_url="https://events.example/", sms_token="token", callback_secret=SECRET)
    )
    assert (configured.public_url, configured.sms_token, len(configured.email_key)) == (
        "https://events.example",
        "token",
        24,
    )
    assert "token" not in repr(configured)
    assert callback_settings(Settings()).email_key == b""
    with pytest.raises(ConfigurationError, match="callback_secret"):
        callback_settings(Settings(callback_secret="short"))


TOKEN = MessageToken("shop", "message-1", "rule", "anna", "email")
SHOP = SiteSettings(write_key="key", origins=("https://m.shop.example", "*"), url="https://shop.example/home")
STRICT = SiteSettings(write_key="other", url="https://strict.example", consent="opt-in")


def settings_of(**changes: object) -> Settings:
    usual = {"secret": "secret", "public_url": "https://c.example/", "sites": {"shop": SHOP, "strict": STRICT}}
    return Settings(**{**usual, **changes})  # type: ignore[arg-type]  # each test names the settings that matter


def test_links_lead_to_the_public_address_and_are_signed_with_the_shared_secret() -> None:
    address = message_links(settings_of()).unsubscribe(TOKEN)
    assert address.startswith("https://c.example/v1/u/")
    assert MessageTokens(b"secret").read(address.rpartition("/")[2], "unsubscribe", now_ms=0) == TOKEN


def test_without_a_public_address_links_lead_to_the_collector_itself() -> None:
    settings = settings_of(public_url="", collector_port=8123)
    assert message_links(settings).pixel(TOKEN).startswith("http://localhost:8123/v1/o/")


def test_a_secret_that_is_not_set_is_the_one_in_the_data_folder(tmp_path: Path) -> None:
    settings = settings_of(secret="", data_folder=str(tmp_path))
    token = message_links(settings).unsubscribe(TOKEN).rpartition("/")[2]
    assert MessageTokens((tmp_path / "secret").read_bytes()).read(token, "unsubscribe", now_ms=0) == TOKEN


@pytest.mark.parametrize(
    ("target", "counted"),
    [("https://shop.example/cart", True), ("https://m.shop.example/", True), ("https://strict.example/", False)],
)
def test_links_to_a_sites_own_addresses_are_counted(target: str, counted: bool) -> None:
    assert (message_links(settings_of()).click(TOKEN, target) != target) is counted


@pytest.mark.parametrize(("site", "observed"), [("shop", True), ("strict", False)])
def test_a_site_that_asks_first_observes_nobody_who_never_answered(site: str, observed: bool) -> None:
    assert message_links(settings_of()).may_observe(site, None) is observed


def test_emails_report_what_the_settings_say() -> None:
    settings = settings_of(email_tracking="opens", email_tracking_transactional="off")
    content = EmailContent(subject="Hi", html="<p>x</p>", text="x")
    for message_class, opens in (("marketing", True), ("transactional", False)):
        message = OutboundMessage(
            message_id="message-1",
            site="shop",
            rule="rule",
            visitor_id="anna",
            channel="email",
            recipients=("anna@example.com",),
            content=content,
            expires_at_ms=0,
            message_class=message_class,  # type: ignore[arg-type]  # one of the two
            token=TOKEN,
        )
        added = mail_links(settings, message_links(settings)).added_to(content, message)
        assert ("/v1/o/" in added.html) is opens


def test_the_mail_server_is_the_one_of_the_settings() -> None:
    settings = smtp_settings(
        settings_of(smtp_host="mail.example", smtp_port=465, smtp_security="tls", smtp_username="u", smtp_password="p")
    )
    assert (settings.host, settings.port, settings.security) == ("mail.example", 465, "tls")
    assert (settings.username, settings.password) == ("u", "p")
