"""Which channels the settings switch on."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from micromoment.configuration.settings import Settings
from micromoment.roles.channels import fixed_recipients, open_http_channels
from micromoment.roles.collector import callback_settings
from tests.trigger_worker.stored import person
from trigger_worker.deciding.recipient.profile import build_profile
from trigger_worker.rules.evaluate.history import History
from warehouse.errors import ConfigurationError

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
