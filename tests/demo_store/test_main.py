from __future__ import annotations

import pytest

from demo_store.__main__ import parse_command_line
from demo_store.settings import StoreSettings


def test_every_argument_reaches_its_setting() -> None:
    arguments = (
        "--host 0.0.0.0 --port 9001 --collector https://c.example --write-key k "
        "--public-url https://shop.example --mailbox https://mail.example --console https://console.example"
    )
    assert parse_command_line(arguments.split()) == (
        "0.0.0.0",
        9001,
        StoreSettings(
            collector_url="https://c.example",
            write_key="k",
            public_url="https://shop.example",
            mailbox_url="https://mail.example",
            console_url="https://console.example",
        ),
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [([], "--write-key"), (["--write-key", "k", "--collector", "nowhere"], "collector_url must be")],
)
def test_an_impossible_argument_is_named(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_command_line(arguments)
    assert complaint in capsys.readouterr().err
