"""The parser of an email's HTML: reads whatever there is, as browsers do."""

from __future__ import annotations

from html.parser import HTMLParser


class HtmlReader(HTMLParser):
    """Python's parser, which alone raises at sections such as `<![foo]>`; a browser takes them for comments."""

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Passes over a section, one that is known or any other."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i)
