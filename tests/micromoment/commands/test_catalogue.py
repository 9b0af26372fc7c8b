"""`catalogue import`."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.micromoment.commands.history import run
from warehouse.errors import ConfigurationError

FEED = "id,title,link,price\np1,Lamp,/lamp,40.00\np2,Bulb,/bulb,2.50 USD\n"
CONFIG = '[sites.shop]\nwrite_key = "k"\nurl = "https://shop.example"\ncurrency = "EUR"\n'


@contextmanager
def served(content: bytes, status: int = 200) -> Iterator[str]:
    """A server that answers every question with a feed."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/feed.csv.gz"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "micromoment.toml").write_text(CONFIG)
    return tmp_path


def products(dsn: str, folder: Path) -> str:
    sql = "SELECT product_id, price, currency, url, availability FROM catalogue ORDER BY product_id"
    return run(dsn, folder, "sql", sql, "--format", "TSV", "--raw").stdout


def test_a_feed_is_read_from_a_file_or_an_address_and_again(dsn: str, folder: Path) -> None:
    config = ("--config", str(folder / "micromoment.toml"))
    (folder / "feed.csv").write_text(FEED)
    told = run(dsn, folder, "catalogue", "import", str(folder / "feed.csv"), *config)
    assert (told.exit_code, "a table: 2 products stored, 0 taken out" in told.stderr) == (0, True)
    with served(gzip.compress(FEED.rpartition("p2")[0].encode())) as address:
        told = run(dsn, folder, "catalogue", "import", address, *config)
    assert (told.exit_code, "a table: 1 products stored, 1 taken out" in told.stderr) == (0, True)
    assert products(dsn, folder) == (
        "p1\t40\tEUR\thttps://shop.example/lamp\tin_stock\np2\t2.5\tUSD\thttps://shop.example/bulb\tout_of_stock\n"
    )
    assert "catalogue" in run(dsn, folder, "audit").stdout


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"<html>Log in</html>", 200, "is an HTML page"),
        (b"", 200, "is empty"),
        (b"gone", 404, "the server answers 404"),
    ],
)
def test_an_address_that_gives_no_feed_is_told(
    dsn: str, folder: Path, content: bytes, status: int, message: str
) -> None:
    with served(content, status) as address:
        error = run(dsn, folder, "catalogue", "import", address).exception
    assert isinstance(error, ConfigurationError)
    assert message in error.message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing.xml", "cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
        ("http://127.0.0.1:9/feed", "cannot be fetched"),
        ("http://[broken", "cannot be fetched"),
    ],
)
def test_a_source_that_cannot_be_opened_is_told(dsn: str, folder: Path, source: str, message: str) -> None:
    error = run(dsn, folder, "catalogue", "import", source).exception
    assert isinstance(error, ConfigurationError)
    assert message in error.message


def test_items_that_are_no_products_are_told_by_line_and_by_the_status(dsn: str, folder: Path) -> None:
    (folder / "feed.csv").write_text(FEED + ",nameless,/x,1\n")
    told = run(dsn, folder, "catalogue", "import", str(folder / "feed.csv"))
    assert told.exit_code == 1
    assert "1 items are no products" in told.stderr
    assert "  line 4: it has no id" in told.stderr
