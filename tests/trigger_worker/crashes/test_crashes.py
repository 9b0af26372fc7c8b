"""The worker is killed at every boundary, one after another, and another one goes on: nothing is lost or repeated.

What that means is each peer's and each class's own: an HTTP peer that knows messages by their id is told of each once;
marketing by SMTP, which knows no ids, goes out at most once, transactional mail at least once.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.trigger_worker.crashes.process import VISITORS_EACH
from tests.trigger_worker.delivery.channels.http_peer import HttpPeer
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer

#: Where the worker is killed, and the how-manieth time that it comes there.
BOUNDARIES = (
    ("before queued", 1),
    ("after queued", 1),
    ("before fires", 1),
    ("after fires", 1),
    ("before decisions", 1),
    ("after decisions", 1),
    ("before attempt", 1),
    ("after attempt", 1),
    ("before webhook", 2),
    ("after webhook", 2),
    ("before email", 3),
    ("after email", 4),
    ("after email", 1),
    ("before outcome", 1),
    ("after outcome", 1),
    ("before events", 1),
    ("after events", 1),
)
RULES = {
    "hook": "send:\n  - webhook: hook\n",
    "letter": "send:\n  - email: letter\n",
    "receipt": "class: transactional\nsend:\n  - email: receipt\n",
}
TEMPLATES = {
    "hook.webhook.json": '{"visitor": "{{ visitor.id }}"}',
    "letter.email.html": "---\nsubject: letter\n---\n<p>Hello</p>\n",
    "receipt.email.html": "---\nsubject: receipt\n---\n<p>Thanks</p>\n",
}


async def run(folder: Path, number: int, boundary: str, nth: int, http: HttpPeer, mail: MailPeer) -> tuple[int, str]:
    """Run a worker, and return how it ended and what it said last."""
    arguments = (folder, number, boundary, nth, http.url, mail.port)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.trigger_worker.crashes.process", *map(str, arguments)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


def write_shop(folder: Path) -> None:
    for name in ("rules", "templates"):
        (folder / name).mkdir()
    for name, text in RULES.items():
        (folder / "rules" / f"{name}.yaml").write_text(f"id: {name}\nwhen: hover\nevery: 0s\n{text}")
    for name, text in TEMPLATES.items():
        (folder / "templates" / name).write_text(text)


async def test_a_worker_that_is_killed_anywhere_neither_loses_nor_repeats(tmp_path: Path) -> None:
    write_shop(tmp_path)
    async with HttpPeer() as http, MailPeer() as mail:
        for number, (boundary, nth) in enumerate(BOUNDARIES):
            ended, said = await run(tmp_path, number, boundary, nth, http, mail)
            assert ended == -signal.SIGKILL, f"{boundary}: {said[-2000:]}"
        ended, said = await run(tmp_path, len(BOUNDARIES), "", 0, http, mail)
        assert ended == 0, said[-2000:]
    everybody = {f"visitor-{run}-{n}" for run in range(len(BOUNDARIES) + 1) for n in range(VISITORS_EACH)}
    columns = ("rule", "visitor", "message_id", "state", "detail", "decided", "fired", "told")
    stored = [dict(zip(columns, row, strict=True)) for row in json.loads(said.splitlines()[-1])]
    _check_records(stored, everybody)
    _check_webhooks(http, everybody)
    _check_mails(mail, stored, everybody)


def _check_records(stored: list[dict[str, Any]], everybody: set[str]) -> None:
    """Every firing asked for one message, which was decided on, came to an end, and is fired and told of."""
    assert Counter((row["rule"], row["visitor"]) for row in stored) == Counter(
        (rule, visitor) for rule in RULES for visitor in everybody
    )
    assert {(row["decided"], row["fired"], row["told"]) for row in stored} == {(1, 1, 1)}
    assert {(row["rule"], row["state"]) for row in stored} == {
        ("hook", "sent"),
        ("receipt", "sent"),
        ("letter", "sent"),
        ("letter", "failed"),
    }


def _check_webhooks(http: HttpPeer, everybody: set[str]) -> None:
    """The peer was told of everybody; whatever came again came with the id by which the peer knows it."""
    told = {(request.headers["webhook-id"], json.loads(request.body)["visitor"]) for request in http.requests}
    assert len({message_id for message_id, _ in told}) == len(told) == len(everybody)
    assert {visitor for _, visitor in told} == everybody
    assert len(http.requests) > len(told), "no kill hit the window between the peer's answer and its record"


def _check_mails(mail: MailPeer, stored: list[dict[str, Any]], everybody: set[str]) -> None:
    received = Counter((str(one["Subject"]), str(one["To"]).partition("@")[0]) for one in mail.received)
    assert {visitor for subject, visitor in received if subject == "receipt"} == everybody
    assert max(count for (subject, _), count in received.items() if subject == "letter") == 1
    doubtful = {row["visitor"] for row in stored if row["rule"] == "letter" and row["state"] == "failed"}
    assert {visitor for subject, visitor in received if subject == "letter"} >= everybody - doubtful
    details = [row["detail"] for row in stored if row["state"] == "failed"]
    assert all('"reason":"unknown_outcome"' in detail for detail in details)
    unharmed = {f"visitor-{len(BOUNDARIES)}-{number}" for number in range(VISITORS_EACH)}
    assert doubtful.isdisjoint(unharmed), "what no kill met is in no doubt"
