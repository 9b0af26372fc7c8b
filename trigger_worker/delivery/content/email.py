"""`NAME.email.html` and, if one likes to write it oneself, `NAME.email.txt`.

The HTML starts with front matter that holds the subject and, optionally, a preheader: the line that inboxes show
after the subject. Both are templates too. The text may start with front matter as well, for what the HTML's leaves
out.

    ---
    subject: "{{ visitor.first_name | default('Hello') }}, your cart is waiting"
    preheader: "{{ cart.items[0].name }} and more"
    ---
    <html>...
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Final

from trigger_worker.delivery.content.engine import TextEngine, TextTemplate
from trigger_worker.delivery.content.fields import one_line, read_fields, text_template
from trigger_worker.delivery.content.html import plain_text
from trigger_worker.delivery.content.links import hosts_of
from trigger_worker.delivery.content.model import EmailContent
from warehouse.errors import TemplateError

LONGEST_SUBJECT: Final = 200
LONGEST_PREHEADER: Final = 200

_KEYS: Final = ("subject", "preheader")
_FRONT_MATTER: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?\n", re.DOTALL | re.MULTILINE)
#: An address as far as it is the template's own: what follows a brace may be a fact.
_LITERAL_ADDRESS: Final = re.compile(r"https?://[^\s\"'<>{}]+", re.IGNORECASE)
_BODY_TAG: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


class EmailTemplate:
    """An email whose texts still wait for the facts.

    Args:
        html_source: the content of the HTML file.
        html_path: how errors call it.
        engine: compiles the texts.
        text_source: the content of the text file; None to derive the text from the HTML.
        text_path: how errors call that one.

    Raises:
        TemplateError: naming file and line.
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
        """Fills in the facts.

        Raises:
            TemplateError: also when nothing is left of the subject.
        """
        subject = one_line(self._headers["subject"].render(names), LONGEST_SUBJECT)
        if not subject:
            raise TemplateError(f"{self._path}: the subject renders to nothing", "give its facts a default(...)")
        preheader = ""
        if "preheader" in self._headers:
            preheader = one_line(self._headers["preheader"].render(names), LONGEST_PREHEADER)
        body = self._html.render(names)
        text = plain_text(body) if self._text is None else self._text.render(names)
        return EmailContent(
            subject=subject,
            preheader=preheader,
            html=_with_preheader(body, preheader),
            text=text,
            named_hosts=self._named_hosts,
        )


def _split(source: str, path: str, engine: TextEngine) -> tuple[dict[str, TextTemplate], str, int]:
    """Parts a file into its headers, its body, and the line that the body starts on."""
    match = _FRONT_MATTER.match(source)
    if match is None:
        return {}, source, 1
    return _headers(match[1], path, engine), source[match.end() :], match[0].count("\n") + 1


def _headers(front_matter: str, path: str, engine: TextEngine) -> dict[str, TextTemplate]:
    # The line that opens the front matter is given back, so that places in it are those of the file.
    fields = read_fields("---\n" + front_matter, path, _KEYS, "front matter")
    templates = {key: text_template(fields, key, engine) for key in _KEYS}
    return {key: template for key, template in templates.items() if template is not None}


def _with_preheader(body: str, preheader: str) -> str:
    """Puts the preheader where inboxes look for it, and readers do not see it."""
    if not preheader:
        return body
    hidden = (
        '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all" aria-hidden="true">'
        f"{html.escape(preheader)}</div>"
    )
    tag = _BODY_TAG.search(body)
    place = tag.end() if tag else 0
    return body[:place] + hidden + body[place:]
