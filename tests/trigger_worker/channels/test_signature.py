from __future__ import annotations

import base64

import pytest

from trigger_worker.channels.signature import decode_secret, signature_headers
from warehouse.errors import ConfigurationError


def test_signs_as_the_specification_says() -> None:
    """The values are those of the example that accompanies the Standard Webhooks specification."""
    key = decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert signature_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_not base64!",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_refuses_what_is_no_secret_without_repeating_it(secret: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        decode_secret(secret)
    assert "openssl rand" in refusal.value.hint
    assert len(secret) < 8 or secret not in str(refusal.value)


@pytest.mark.parametrize("length", [24, 32, 64])
def test_takes_keys_of_the_lengths_that_the_specification_allows(length: int) -> None:
    assert decode_secret("whsec_" + base64.b64encode(b"k" * length).decode()) == b"k" * length
