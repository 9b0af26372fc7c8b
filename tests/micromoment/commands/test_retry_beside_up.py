"""Failed messages are listed and asked for again beside a running `micromoment up`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.micromoment.commands.running import Running, running

BROKEN = "form: bar\nposition: top\ntitle: '{{ visitor.id | no_such_filter }}'\n"
MENDED = "form: bar\nposition: top\ntitle: Hello\n"


def listed(product: Running, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in product.run("messages", "--format", "json", *arguments).stdout.splitlines()]


def test_a_message_whose_template_is_mended_is_sent_once_it_is_asked_for_again(tmp_path: Path) -> None:
    for name in ("rules", "templates"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "lingers.yaml").write_text("id: lingers\nwhen: hover\nevery: 0\nsend: [{banner: hello}]\n")
    (tmp_path / "templates" / "hello.banner.yaml").write_text(BROKEN)
    with running(tmp_path) as product:
        product.sends("hover", "anna", product_id="p1")
        assert product.has("SELECT count() FROM messages WHERE state = 'failed'")
        (failed,) = listed(product, "--failed", "--visitor", "anna")
        assert (failed["rule"], failed["reason"], failed["retries"]) == ("lingers", "template", 0)
        (tmp_path / "templates" / "hello.banner.yaml").write_text(MENDED)
        again = product.run("retry", failed["message_id"])
        assert (again.returncode, again.stdout) == (0, "1 message will be tried again\n")
        assert product.has("SELECT count() FROM messages WHERE state = 'sent'")
        assert product.has("SELECT uniqExact(event) = 3 FROM events WHERE event LIKE 'message_%'")
        (sent,) = listed(product)
        assert (sent["message_id"], sent["state"], sent["retries"]) == (failed["message_id"], "sent", 1)
        assert listed(product, "--failed") == []
