"""The worker is killed at every boundary, one after another, and another one goes on: nothing is lost or repeated.

What that means is each peer's and each class's own: an HTTP peer that knows messages by their id is told of each once;
marketing by SMTP, which knows no ids, goes out at most once, transactional mail at least once.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scratch import scratch_folder
from tests.trigger_worker.crashes import process
from tests.trigger_worker.crashes.process import VISITORS_EACH
from tests.trigger_worker.delivery.channels.http_peer import HttpPeer
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from tests.waiting import LONGEST_SECONDS

TABLES = ("events", "fires", "decisions", "messages")
#: In every other run, from the first on, the worker hears of the visitors before ClickHouse has their events.
#: Where the worker is killed, and the how-manieth time that it comes there.
BOUNDARIES = (
    ("before firings", 1),
    ("after firings", 1),
    ("before attempt", 1),
    ("after attempt", 1),
    ("before webhook", 2),
    ("after webhook", 2),
    ("before email", 3),
    ("after email", 4),
    ("after email", 1),
    ("before outcome", 1),
    ("after outcome", 1),
    *((f"{side} moving {table}", 1) for table in TABLES for side in ("before", "after")),
    ("inserted and not heard", 1),
    ("heard and not inserted", 1),
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


#: Starts each worker from a process that has imported everything and done nothing: imports took most of the time.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([process.__name__])


async def run(folder: Path, number: int, boundary: str, nth: int, http: HttpPeer, mail: MailPeer) -> tuple[int, str]:
    """Run a worker, and return how it ended and what it said."""
    said = folder / f"worker-{number}.log"
    worker = _PROCESSES.Process(target=process.run, args=(said, folder, number, boundary, nth, http.url, mail.port))
    worker.start()
    try:
        await asyncio.to_thread(worker.join, LONGEST_SECONDS)
        assert worker.exitcode is not None, f"{boundary}: {said.read_text()[-2000:]}"
        return worker.exitcode, said.read_text()
    finally:
        worker.kill()
        worker.join()
        worker.close()


def write_shop(folder: Path) -> None:
    for name in ("rules", "templates"):
        (folder / name).mkdir()
    for name, text in RULES.items():
        (folder / "rules" / f"{name}.yaml").write_text(f"id: {name}\nwhen: hover\nevery: 0s\n{text}")
    for name, text in TEMPLATES.items():
        (folder / "templates" / name).write_text(text)


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder


async def test_a_worker_that_is_killed_anywhere_neither_loses_nor_repeats(folder: Path) -> None:
    write_shop(folder)
    async with HttpPeer() as http, MailPeer() as mail:
        for number, (boundary, nth) in enumerate(BOUNDARIES):
            ended, said = await run(folder, number, boundary, nth, http, mail)
            assert ended == -signal.SIGKILL, f"{boundary}: {said[-2000:]}"
        ended, said = await run(folder, len(BOUNDARIES), "", 0, http, mail)
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
