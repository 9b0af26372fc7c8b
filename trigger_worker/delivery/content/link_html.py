"""Finds and changes the links of an email's HTML; whatever else it consists of stays as it was written."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from itertools import accumulate
from typing import Final

from trigger_worker.delivery.content.html_reader import HtmlReader

#: The elements whose `href` a reader may follow.
_LINKS: Final = frozenset({"a", "area"})


class HtmlPlaces:
    """What of an HTML document may have to be changed, and where.

    Args:
        html: the document, or a part of one.
    """

    def __init__(self, html: str) -> None:
        self._html = html
        self._reader = _Reader(html)

    @property
    def language(self) -> str:
        """The language that the document says it is in, such as `de` or `pt-BR`; '' for none."""
        return self._reader.language

    def rewritten(self, replace: Callable[[str], str], at_end: str = "") -> str:
        """Gives the document with other links, and with more at the end of its body.

        Args:
            replace: gives the address that takes the place of a link's; the same one to leave the link as it is.
            at_end: HTML.
        """
        pieces: list[str] = []
        done = 0
        for start, end, tag, attributes in self._reader.links:
            changed = [(name, replace(value) if name == "href" and value else value) for name, value in attributes]
            if changed != attributes:
                pieces += [self._html[done:start], _start_tag(tag, changed, self._html[start:end])]
                done = end
        place = max(self._reader.body_end, done)
        return "".join([*pieces, self._html[done:place], at_end, self._html[place:]])


class _Reader(HtmlReader):
    """Collects the links of a document, each as it stands there, and the end of its body."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[int, int, str, list[tuple[str, str | None]]]] = []
        self.body_end = len(html)
        self.language = ""
        self._lines = [0, *accumulate(len(line) + 1 for line in html.split("\n"))]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LINKS:
            start = self._place()
            self.links.append((start, start + len(self.get_starttag_text() or ""), tag, attrs))
        elif tag == "html":
            self.language = dict(attrs).get("lang") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "body":
            self.body_end = self._place()

    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column


def _start_tag(tag: str, attributes: list[tuple[str, str | None]], written: str) -> str:
    """Writes a start tag again, empty where it was."""
    words = [tag, *(name if value is None else f'{name}="{escape(value)}"' for name, value in attributes)]
    return f"<{' '.join(words)}{' /' if written.endswith('/>') else ''}>"
