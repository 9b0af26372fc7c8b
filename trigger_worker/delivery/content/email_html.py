"""Reads the HTML of emails: makes its addresses absolute, replaces its links, and derives its plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from html.parser import HTMLParser
from itertools import accumulate
from typing import Final
from urllib.parse import urljoin

from trigger_worker.delivery.content.html_attributes import Attribute, attributes_of

#: The elements whose `href` a reader may follow.
_LINKS: Final = frozenset({"a", "area"})
#: By element, the attributes whose value is an address.
_ADDRESSES: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("a", "area", "link"), frozenset({"href"})),
    **dict.fromkeys(("img", "source", "audio", "input", "embed"), frozenset({"src", "srcset"})),
    "video": frozenset({"src", "poster"}),
    **dict.fromkeys(("body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"), frozenset({"background"})),
    "form": frozenset({"action"}),
}
#: What begins an address that is not relative to a page: a scheme, or a place in the mail itself.
_STANDS_ALONE: Final = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:|#|$)")
#: An address in a list of pictures, with what tells the ones for larger screens.
_CANDIDATE: Final = re.compile(r"(\s*,*\s*)([^\s,]\S*?)(?=,?(?:\s|$))([^,]*)")
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
    """The places of an HTML document that are changed before it is sent: its addresses and the end of its body.

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

    def resolved(self, base: str) -> str:
        """Return the document with absolute addresses: those of links, pictures and backgrounds.

        Args:
            base: the address that relative ones start from.
        """

        def absolute(tag: str, name: str, value: str) -> str:
            if name not in _ADDRESSES[tag]:
                return value
            return _absolute_set(base, value) if name == "srcset" else absolute_address(base, value)

        return self._changed(absolute)

    def rewritten(self, replace: Callable[[str], str], at_end: str = "") -> str:
        """Return the document with other links, and with more HTML at the end of its body.

        Args:
            replace: returns the new address of a link; the same address leaves the link as it is.
            at_end: the HTML to add.
        """

        def replaced(tag: str, name: str, value: str) -> str:
            return replace(value) if tag in _LINKS and name == "href" else value

        return self._changed(replaced, at_end)

    def _changed(self, change: Callable[[str, str, str], str], at_end: str = "") -> str:
        """Return the document with other values of attributes, by element, name and value, and with more at the end."""
        pieces: list[str] = []
        done = 0
        for start, end, tag, attributes in self._reader.tags:
            changed = [(name, change(tag, name, value) if value else value) for name, value in attributes]
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


def absolute_address(base: str, address: str) -> str:
    """Return an address as a page at `base` reads it; one that stands alone, or cannot be read, as it is."""
    if _STANDS_ALONE.match(address):
        return address
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return address


def _absolute_set(base: str, candidates: str) -> str:
    return _CANDIDATE.sub(lambda found: found[1] + absolute_address(base, found[2]) + found[3], candidates)


class _HtmlReader(HTMLParser):
    """Python's HTML parser without its exception for sections such as `<![foo]>`, which browsers read as comments."""

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Skip a marked section, of a known kind or any other."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i)


class _LinkReader(_HtmlReader):
    """Collects the start tags of a document that may have addresses, the end of its body, and its language."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[int, int, str, list[Attribute]]] = []
        self.body_end = len(html)
        self.language = ""
        self._lines = [0, *accumulate(len(line) + 1 for line in html.split("\n"))]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[Attribute]) -> None:
        if tag in _ADDRESSES and attrs:
            start, written = self._place(), self.get_starttag_text() or ""
            self.tags.append((start, start + len(written), tag, attributes_of(written)))
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

    def handle_starttag(self, tag: str, attrs: list[Attribute]) -> None:
        if tag in _UNSEEN:
            self._unseen_depth += 1
        elif tag == "br" or tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag == "td":
            self.pieces.append(" ")
        elif tag == "a":
            written = self.get_starttag_text() or ""
            self._links.append((dict(attributes_of(written)).get("href") or "") if attrs else "")

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


def _start_tag(tag: str, attributes: list[Attribute], written: str) -> str:
    """Return a start tag with other attributes; a tag that closed itself still does."""
    words = [tag, *(name if value is None else f'{name}="{escape(value)}"' for name, value in attributes)]
    return f"<{' '.join(words)}{' /' if written.endswith('/>') else ''}>"


def _address(found: str) -> str:
    """Return an address without the punctuation that follows it, and without a bracket that was opened before it."""
    while found and (found[-1] in _PUNCTUATION or (found[-1] == ")" and found.count(")") > found.count("("))):
        found = found[:-1]
    return found
