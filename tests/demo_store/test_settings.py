from __future__ import annotations

import pytest

from demo_store.settings import StoreSettings


def test_the_script_is_on_the_collector() -> None:
    settings = StoreSettings(collector_url="https://collector.example/", write_key="k", script_path="/shop.js")
    assert settings.script_url == "https://collector.example/shop.js"
    assert settings.collector_origin == "https://collector.example"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"collector_url": "collector.example"}, "collector_url"),
        ({"collector_url": "javascript:alert(1)"}, "collector_url"),
        ({"collector_url": "http://a.example; script-src *"}, "collector_url"),
        ({"collector_url": ""}, "collector_url is missing"),
        ({"write_key": ""}, "write_key is missing"),
        ({"mailbox_url": "/inbox"}, "mailbox_url"),
        ({"console_url": "ftp://console.example"}, "console_url"),
        ({"public_url": "shop"}, "public_url"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        StoreSettings(**{"collector_url": "http://127.0.0.1:8000", "write_key": "k", **wrong})
