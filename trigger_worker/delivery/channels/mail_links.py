"""Adds the links of the collector to emails: counted links, a pixel that records opening, and an unsubscribe link."""

from __future__ import annotations

from html import escape
from typing import Final, Literal

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.email_html import HtmlPlaces, rewrite_addresses
from trigger_worker.delivery.content.links import MessageLinks

#: The reader's actions that an email reports.
Tracking = Literal["opens_and_clicks", "opens", "clicks", "off"]
_TELL_OPENS: Final = ("opens_and_clicks", "opens")
_TELL_CLICKS: Final = ("opens_and_clicks", "clicks")

#: The text of the unsubscribe link, by language; English for any other.
_UNSUBSCRIBE: Final = {
    "en": "Unsubscribe or choose what you get",
    "de": "Abmelden oder auswählen, was Sie bekommen",
    "es": "Darse de baja o elegir qué recibir",
    "fr": "Se désabonner ou choisir ce que vous recevez",
}
_FOOTER: Final = (
    '<p style="margin:24px 0;font-family:sans-serif;font-size:12px;line-height:1.5;text-align:center">'
    '<a href="{address}" style="color:#595959">{words}</a></p>'
)
_PIXEL: Final = '<img src="{address}" width="1" height="1" alt="" style="display:block;border:0">'


class MailLinks:
    """Rewrites rendered emails so that they report opens and clicks and offer to unsubscribe.

    Args:
        links: signs the addresses.
        marketing: the actions that marketing emails report.
        transactional: the actions that transactional emails report.
    """

    def __init__(self, links: MessageLinks, marketing: Tracking, transactional: Tracking) -> None:
        self._links = links
        self._marketing: Tracking = marketing
        self._transactional: Tracking = transactional

    def added_to(self, content: EmailContent, message: OutboundMessage) -> EmailContent:
        """Return an email with counted links, a pixel, and, for marketing that has none, an unsubscribe link.

        A person who may not be observed gets the links of the template unchanged, and no pixel.
        """
        token = message.token
        if token is None:
            return content
        tracking, places = self._tracking(message), HtmlPlaces(content.html)

        def counted(target: str) -> str:
            return self._links.click(token, target, content.named_hosts) if tracking in _TELL_CLICKS else target

        html_end, text_end = _footers(content, self.way_out(message), places.language)
        if tracking in _TELL_OPENS:
            html_end += _PIXEL.format(address=escape(self._links.pixel(token)))
        return msgspec.structs.replace(
            content,
            html=places.rewritten(counted, html_end),
            text=rewrite_addresses(content.text, counted).rstrip("\n") + f"\n{text_end}",
        )

    def way_out(self, message: OutboundMessage) -> str:
        """Return the address where the reader of a marketing email unsubscribes; '' for other emails."""
        marketing = message.message_class == "marketing"
        return self._links.unsubscribe(message.token) if marketing and message.token else ""

    def _tracking(self, message: OutboundMessage) -> Tracking:
        if not self._links.may_observe(message.site, message.analytics):
            return "off"
        return self._marketing if message.message_class == "marketing" else self._transactional


def _footers(content: EmailContent, way_out: str, language: str) -> tuple[str, str]:
    """Return the unsubscribe footers of the HTML and the text; '' where the link is there already, or there is none."""
    if not way_out:
        return "", ""
    words = _UNSUBSCRIBE.get(language.partition("-")[0].lower(), _UNSUBSCRIBE["en"])
    html_end = _FOOTER.format(address=escape(way_out), words=words) if way_out not in content.html else ""
    return html_end, f"\n-- \n{words}: {way_out}\n" if way_out not in content.text else ""
