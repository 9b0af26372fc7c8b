"""Templates of emails: `NAME.email.html` and, for a plain text of its own, `NAME.email.txt`.

The HTML file starts with front matter that holds the subject and, optionally, a preheader: the line that inboxes show
after the subject. Both are templates, too. The text file may start with front matter as well, which fills in the
headers that the HTML file leaves out. Without a text file the plain text is derived from the HTML.

    ---
    subject: "{{ visitor.first_name | default('Hello') }}, your cart is waiting"
    preheader: "{{ cart.items[0].name }} and more"
    ---
    <html>...
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import ClassVar, Final

from trigger_worker.delivery.content.email_html import HtmlPlaces, plain_text
from trigger_worker.delivery.content.engine import TextEngine, TextTemplate
from trigger_worker.delivery.content.fields import one_line, read_fields, require_text, text_template
from trigger_worker.delivery.content.links import hosts_of
from trigger_worker.delivery.content.model import Content
from warehouse.errors import TemplateError

#: Most characters once rendered.
LONGEST_SUBJECT: Final = 200
LONGEST_PREHEADER: Final = 200

_KEYS: Final = ("subject", "preheader")
_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?\n", re.DOTALL | re.MULTILINE)
#: An address up to its first brace, because a fact may follow there.
_LITERAL_ADDRESS: Final = re.compile(r"https?://[^\s\"'<>{}]+", re.IGNORECASE)
_BODY_TAG: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


class EmailContent(Content, frozen=True, kw_only=True):
    """A rendered email.

    Args:
        subject: one line without control characters.
        html: the HTML body, which contains the preheader already.
        text: the plain text body.
        preheader: the line that inboxes show after the subject.
        named_hosts: the hosts that the template itself names in addresses, without those that come from facts.
    """

    opening: ClassVar[str] = "subject"

    subject: str
    html: str
    text: str
    preheader: str = ""
    named_hosts: frozenset[str] = frozenset()


class EmailTemplate:
    """The template of an email.

    Args:
        html_source: the text of the HTML file.
        html_path: the HTML file's path, for error messages.
        engine: compiles the texts.
        text_source: the text of the text file; None to derive the plain text from the HTML.
        text_path: the text file's path, for error messages.

    Raises:
        TemplateError: a file has a mistake; the error names file and line.
    """

    def __init__(
        self, html_source: str, html_path: str, engine: TextEngine, text_source: str | None = None, text_path: str = ""
    ) -> None:
        self._path = html_path
        headers, body, line = _split(html_source, html_path, engine)
        self._html = engine.text(body, html_path, line=line, markup=True)
        self._text: TextTemplate | None = None
        sources = [*engine.sources(body)]
        if text_source is not None:
            text_headers, text_body, line = _split(text_source, text_path, engine)
            self._text = engine.text(text_body, text_path, line=line)
            headers = text_headers | headers
            sources += engine.sources(text_body)
        if "subject" not in headers:
            raise TemplateError(
                f"{html_path}:1: the subject is missing", "start the file with ---, subject: ..., and --- again"
            )
        self._headers = headers
        self._named_hosts = hosts_of(address for source in sources for address in _LITERAL_ADDRESS.findall(source))

    def render(self, names: Mapping[str, object]) -> EmailContent:
        """Render the email.

        Raises:
            TemplateError: the facts cannot be filled in, or the rendered subject is empty.
        """
        subject = require_text(self._header("subject", LONGEST_SUBJECT, names), self._path, "the subject")
        preheader = self._header("preheader", LONGEST_PREHEADER, names)
        body = _with_absolute_addresses(self._html.render(names), names)
        text = plain_text(body) if self._text is None else self._text.render(names)
        return EmailContent(
            subject=subject,
            preheader=preheader,
            html=_with_preheader(body, preheader),
            text=text,
            named_hosts=self._named_hosts,
        )

    def _header(self, name: str, longest: int, names: Mapping[str, object]) -> str:
        template = self._headers.get(name)
        return one_line(template.render(names), longest) if template else ""


def _split(source: str, path: str, engine: TextEngine) -> tuple[dict[str, TextTemplate], str, int]:
    """Return the headers of a file, its body, and the line that the body starts on."""
    match = _FRONT_MATTER.match(source)
    if match is None:
        return {}, source, 1
    return _headers(match[1], path, engine), source[match.end() :], match[0].count("\n") + 1


def _headers(front_matter: str, path: str, engine: TextEngine) -> dict[str, TextTemplate]:
    # The line that opens the front matter is put back, so that line numbers are those of the file.
    fields = read_fields("---\n" + front_matter, path, _KEYS, "front matter")
    templates = {key: text_template(fields, key, engine) for key in _KEYS}
    return {key: template for key, template in templates.items() if template is not None}


def _with_absolute_addresses(body: str, names: Mapping[str, object]) -> str:
    """Return the HTML with addresses that work outside of the shop: relative ones start from the site's `url`."""
    site = names.get("site")
    base = site.get("url") if isinstance(site, Mapping) else None
    return HtmlPlaces(body).resolved(base) if isinstance(base, str) and base else body


def _with_preheader(body: str, preheader: str) -> str:
    """Insert the preheader at the start of the body, where inboxes look for it, hidden from readers."""
    if not preheader:
        return body
    hidden = (
        '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all" aria-hidden="true">'
        f"{escape(preheader)}</div>"
    )
    tag = _BODY_TAG.search(body)
    place = tag.end() if tag else 0
    return body[:place] + hidden + body[place:]
