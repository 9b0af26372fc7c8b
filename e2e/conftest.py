"""The fixtures of the end-to-end tests: the running product, and visitors in Chromium.

By default, one process runs all roles with the embedded engine. With `MICROMOMENT_CLICKHOUSE=clickhouse://...`, or
`MICROMOMENT_E2E=separate` for a listener started by the tests, each role runs in a process of its own.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from e2e.browser import open_browser
from e2e.redis import running_redis
from e2e.shopper import Shopper
from e2e.stack import Stack, running_stack
from e2e.visit import shopping
from tests.listener.process import running_listener
from tests.order import begin_with
from tests.scratch import scratch_folder
from warehouse.connection import connect

LONGEST: Final = (
    *("e2e/test_restart", "e2e/test_moments", "e2e/test_banner_display", "e2e/test_capture", "e2e/test_identity"),
    *("e2e/test_banner_forms", "e2e/test_sequence", "e2e/test_email", "e2e/test_sql"),
)

#: The sample rules wait a minute so that a person can follow; nobody watches here.
_SHORT_WAIT = "within 3s"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    begin_with(LONGEST, items)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("product")
    with ExitStack() as cleanup:
        # What is stored lies in memory; the logs stay where a failure says that they are.
        (folder / "var").symlink_to(cleanup.enter_context(scratch_folder()))
        server = cleanup.enter_context(_server())
        redis = cleanup.enter_context(running_redis(folder)) if server else None
        product = cleanup.enter_context(running_stack(folder, server, redis))
        _shorten_waits(product.rules_folder)
        yield product


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def new_shopper(browser: Browser, stack: Stack) -> Iterator[Callable[[], Shopper]]:
    """The type of a function that returns a shopper in a browser profile of its own."""
    with ExitStack() as cleanup:
        yield lambda: cleanup.enter_context(shopping(browser, stack))


@pytest.fixture(scope="module")
def new_visitor(browser: Browser, stack: Stack) -> Iterator[Callable[[], Shopper]]:
    """As `new_shopper`, of shoppers who stay until the last test of the file."""
    with ExitStack() as cleanup:
        yield lambda: cleanup.enter_context(shopping(browser, stack))


@pytest.fixture(scope="module", autouse=True)
def stories(request: pytest.FixtureRequest) -> None:
    """Begin the stories of a file before its first test, so that what each has to wait for comes meanwhile.

    The file names them in `BEGIN_TOGETHER`: fixtures that take somebody to where the wait begins. The error of one that
    fails is raised again in the tests that ask for it.
    """
    tests = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    wanted = {name for test in tests for name in test.fixturenames}
    for story in getattr(request.module, "BEGIN_TOGETHER", ()):
        if story in wanted:
            with suppress(Exception):
                request.getfixturevalue(story)


@pytest.fixture
def shopper(new_shopper: Callable[[], Shopper]) -> Shopper:
    return new_shopper()


@contextmanager
def _server() -> Iterator[str | None]:
    given = os.environ.get("MICROMOMENT_CLICKHOUSE", "")
    if given.startswith("clickhouse"):
        with _database_of_our_own(given) as dsn:
            yield dsn
    elif os.environ.get("MICROMOMENT_E2E") == "separate":
        with running_listener() as dsn:
            yield f"{dsn}/e2e"
    else:
        yield None


@contextmanager
def _database_of_our_own(server: str) -> Iterator[str]:
    """Run the tests on a database of their own on a ClickHouse server, and drop it afterwards."""
    name = f"micromoment_e2e_{secrets.token_hex(4)}"
    dsn = urlsplit(server)._replace(path=f"/{name}").geturl()
    try:
        yield dsn
    finally:
        with connect(dsn) as warehouse:
            warehouse.command(f"DROP DATABASE IF EXISTS {name}")


def _shorten_waits(rules: Path) -> None:
    """Edit the live rules, which the worker reads again within a second."""
    for file in rules.glob("*.yaml"):
        text = file.read_text()
        file.write_text(re.sub(r"(-> no .* )within \d+s", rf"\1{_SHORT_WAIT}", text))
