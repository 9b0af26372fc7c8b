"""Turns the HTML of an email into the text of its other half."""

from __future__ import annotations

import re
from typing import Final

from trigger_worker.delivery.content.html_reader import HtmlReader

_UNSEEN: Final = frozenset({"head", "style", "script", "title", "template"})
_BLOCKS: Final = frozenset(
    {"address", "article", "div", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p"}
    | {"section", "table", "tr", "ul"}
)
_SPACES: Final = re.compile(r"[ \t\r\f\v\u00a0]+")
_EMPTY_LINES: Final = re.compile(r"\n\s*\n\s*")


def plain_text(html: str) -> str:
    """Gives what a reader of the HTML would read, a block to a line, each link followed by its address."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in _SPACES.sub(" ", "".join(reader.pieces)).split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip() + "\n"


class _Reader(HtmlReader):
    """Collects the text that is seen."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen_depth = 0
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen_depth += 1
        elif tag == "br" or tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag == "td":
            self.pieces.append(" ")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen_depth = max(0, self._unseen_depth - 1)
        elif tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag == "a" and self._links:
            address = self._links.pop()
            if address:
                self.pieces.append(f" ({address})")

    def handle_data(self, data: str) -> None:
        if not self._unseen_depth:
            self.pieces.append(data.replace("\n", " "))
