"""Signatures as the Standard Webhooks specification describes them."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest

from warehouse.errors import ConfigurationError
from warehouse.webhook_signature import TOLERANCE_S, decode_secret, is_genuine, signature_headers

#: The values are those of the example that accompanies the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1_614_265_330
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": ID,
    "webhook-timestamp": str(AT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
KEY = decode_secret(SECRET, "the secret")


def test_signs_as_the_specification_says() -> None:
    assert signature_headers(KEY, ID, AT, BODY) == HEADERS


@pytest.mark.parametrize("now_s", [AT - TOLERANCE_S, AT, AT + TOLERANCE_S])
def test_a_genuine_signature_is_recognised_within_the_tolerance(now_s: int) -> None:
    assert is_genuine(KEY, HEADERS, BODY, now_s)


def test_one_genuine_signature_among_several_is_enough() -> None:
    several = f"v1a,other v1,Zm9yZ2Vk {HEADERS['webhook-signature']}"
    assert is_genuine(KEY, {**HEADERS, "webhook-signature": several}, BODY, AT)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": f"-{AT}"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,grüße"},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1", "v2")},
    ],
)
def test_what_was_signed_otherwise_is_not_genuine(changed: Mapping[str, str]) -> None:
    assert not is_genuine(KEY, {**HEADERS, **changed}, BODY, AT)


@pytest.mark.parametrize("now_s", [AT - TOLERANCE_S - 1, AT + TOLERANCE_S + 1])
def test_a_replay_is_not_genuine(now_s: int) -> None:
    assert not is_genuine(KEY, HEADERS, BODY, now_s)


def test_another_body_and_another_key_are_not_genuine() -> None:
    assert not is_genuine(KEY, HEADERS, BODY + b" ", AT)
    assert not is_genuine(b"x" * 24, HEADERS, BODY, AT)


def test_without_headers_nothing_is_genuine() -> None:
    assert not is_genuine(KEY, {}, BODY, AT)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_not base64!",
        "whsec_grüße",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_refuses_what_is_no_secret_without_repeating_it(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="callback_secret") as refusal:
        decode_secret(secret, "callback_secret")
    assert "openssl rand" in refusal.value.hint
    assert len(secret) < 8 or secret not in str(refusal.value)


@pytest.mark.parametrize("length", [24, 32, 64])
def test_takes_keys_of_the_lengths_that_the_specification_allows(length: int) -> None:
    assert decode_secret("whsec_" + base64.b64encode(b"k" * length).decode(), "it") == b"k" * length
