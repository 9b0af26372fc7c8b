"""Reads the HTML of emails: replaces its links, and derives its plain text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from itertools import accumulate
from typing import Final

#: The elements whose `href` a reader may follow.
_LINKS: Final = frozenset({"a", "area"})
#: The elements whose content is not shown.
_UNSEEN: Final = frozenset({"head", "style", "script", "title", "template"})
#: The elements that stand on lines of their own.
_BLOCKS: Final = frozenset(
    {"address", "article", "div", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p"}
    | {"section", "table", "tr", "ul"}
)
_SPACES: Final = re.compile(r"[ \t\r\f\v\u00a0]+")
_EMPTY_LINES: Final = re.compile(r"\n\s*\n\s*")

_ADDRESS: Final = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
#: Characters after an address that end a sentence rather than belong to the address.
_PUNCTUATION: Final = ".,;:!?'*_]}»”’…"


class HtmlPlaces:
    """The places of an HTML document that tracking changes: its links and the end of its body.

    Args:
        html: the document, or a part of one.
    """

    def __init__(self, html: str) -> None:
        self._html = html
        self._reader = _LinkReader(html)

    @property
    def language(self) -> str:
        """Return the language that the document declares, such as `de` or `pt-BR`; '' for none."""
        return self._reader.language

    def rewritten(self, replace: Callable[[str], str], at_end: str = "") -> str:
        """Return the document with other links, and with more HTML at the end of its body.

        Args:
            replace: returns the new address of a link; the same address leaves the link as it is.
            at_end: the HTML to add.
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


def plain_text(html: str) -> str:
    """Return the text that a reader of an HTML document sees: one line per block, each link followed by its address."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in _SPACES.sub(" ", "".join(reader.pieces)).split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip() + "\n"


def rewrite_addresses(text: str, replace: Callable[[str], str]) -> str:
    """Return a plain text with other addresses.

    Args:
        text: the plain text.
        replace: returns the new address for an http(s) address.
    """

    def changed(match: re.Match[str]) -> str:
        address = _address(match[0])
        return replace(address) + match[0][len(address) :]

    return _ADDRESS.sub(changed, text)


class _HtmlReader(HTMLParser):
    """Python's HTML parser without its exception for sections such as `<![foo]>`, which browsers read as comments."""

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Skip a marked section, of a known kind or any other."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i)


class _LinkReader(_HtmlReader):
    """Collects the links of a document with their places, the end of its body, and its language."""

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


class _TextReader(_HtmlReader):
    """Collects the text of a document that a reader sees."""

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


def _start_tag(tag: str, attributes: list[tuple[str, str | None]], written: str) -> str:
    """Return a start tag with other attributes; a tag that closed itself still does."""
    words = [tag, *(name if value is None else f'{name}="{escape(value)}"' for name, value in attributes)]
    return f"<{' '.join(words)}{' /' if written.endswith('/>') else ''}>"


def _address(found: str) -> str:
    """Return an address without the punctuation that follows it, and without a bracket that was opened before it."""
    while found and (found[-1] in _PUNCTUATION or (found[-1] == ")" and found.count(")") > found.count("("))):
        found = found[:-1]
    return found
