"""Whom a subscription can make us write to."""

from __future__ import annotations

import pytest

from micromoment.configuration.settings import Settings
from trigger_worker.delivery.channels.push_request import PushServices
from warehouse.errors import ConfigurationError

BROWSERS = PushServices(Settings().push_services)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://wns2-par02p.notify.windows.com/w/?token=abc",
        "https://FCM.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:443/fcm/send/abc",
    ],
)
def test_the_browsers_own_services_may_be_written_to(endpoint: str) -> None:
    assert str(BROWSERS.url(endpoint)).startswith("https://")


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "abc",
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:8443/fcm/send/abc",
        "https://fcm.googleapis.com.evil.example/",
        "https://evil.example/?fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/",
        "https://user@fcm.googleapis.com/",
        "https://evilpush.apple.com/",
        "https://push.apple.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://evil.example\\@fcm.googleapis.com/",
        "https://localhost/",
        "gopher://fcm.googleapis.com/",
    ],
)
def test_nobody_else_may(endpoint: str) -> None:
    assert BROWSERS.url(endpoint) is None


def test_an_operator_names_services_of_their_own() -> None:
    services = PushServices("http://127.0.0.1:8100 push.example")
    assert services.url("http://127.0.0.1:8100/x") is not None
    assert services.url("https://push.example/x") is not None
    assert services.url("http://127.0.0.1:8101/x") is None
    assert services.url("http://push.example/x") is None


def test_without_a_service_nobody_is_written_to() -> None:
    assert PushServices("").url("https://fcm.googleapis.com/x") is None


@pytest.mark.parametrize("entry", ["push.example/path", "*.", "ftp://push.example", "https://user@push.example"])
def test_what_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="push_services"):
        PushServices(entry)
