"""What a rendered message consists of, by channel."""

from __future__ import annotations

from typing import Literal

import msgspec

BannerForm = Literal["bar", "modal", "slide_in", "toast", "inline"]
BannerPosition = Literal["top", "bottom", "left", "right"]
#: Where an inline banner stands: inside the element, at its end or beginning, or beside it.
BannerPlace = Literal["append", "prepend", "before", "after"]
BannerTrigger = Literal["load", "exit_intent", "scroll"]
OnceScope = Literal["page", "session", "visitor"]
#: As RFC 8030 names them, section 5.3.
PushUrgency = Literal["very-low", "low", "normal", "high"]


class CallToAction(msgspec.Struct, frozen=True):
    """The link that a banner invites to follow; the address is http(s), or starts at the site's root."""

    label: str
    url: str


class Theme(msgspec.Struct, frozen=True, omit_defaults=True):
    """The look of a banner; what is left out is the SDK's own.

    Args:
        background, color, accent: as CSS writes a hexadecimal colour.
        radius: how round corners are, in CSS pixels.
        font: `inherit` for the font of the page.
    """

    background: str = ""
    color: str = ""
    accent: str = ""
    radius: int | None = None
    font: Literal["", "inherit"] = ""


class Countdown(msgspec.Struct, frozen=True, omit_defaults=True):
    """The time that is left of an offer: until an instant, or for a while that begins when the banner is shown.

    Args:
        until: ISO 8601 with an offset; empty when the while counts.
        for_ms: the while, in milliseconds.
        label: what runs out.
    """

    until: str = ""
    for_ms: int = 0
    label: str = ""


class BannerLabels(msgspec.Struct, frozen=True, omit_defaults=True):
    """The words on a banner's small controls; empty for the SDK's own, which are English."""

    close: str = ""
    copy: str = ""
    copied: str = ""


class Display(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a page shows a banner that it has; all of it must hold.

    Args:
        pages: globs of the paths that it is for; empty for all.
        not_pages: globs of the paths that it is never for.
        once: within what the rule's banners are shown once; None for no such limit.
        delay_ms: how long the visitor has been on the page.
        on: what the visitor must have done there.
        scroll_pct: how far down they must have been, for `scroll`.
        stay_ms: after how long it goes by itself; 0 for what is usual for its form.
    """

    pages: tuple[str, ...] = ()
    not_pages: tuple[str, ...] = ()
    once: OnceScope | None = None
    delay_ms: int = 0
    on: BannerTrigger = "load"
    scroll_pct: int = 0
    stay_ms: int = 0


class BannerContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An on-site banner; every text is plain text, never markup.

    Args:
        selector: the CSS selector of the element that an inline banner belongs to; empty for other forms.
        place: where in or beside that element; None for inside it, at the end.
    """

    form: BannerForm
    title: str
    position: BannerPosition | None = None
    selector: str = ""
    place: BannerPlace | None = None
    text: str = ""
    image: str = ""
    cta: CallToAction | None = None
    dismiss: str = ""
    coupon: str = ""
    countdown: Countdown | None = None
    labels: BannerLabels | None = None
    theme: Theme | None = None
    display: Display | None = None


class EmailContent(msgspec.Struct, frozen=True, kw_only=True):
    """An email: the subject is one line without control characters; `html` holds the preheader already.

    Args:
        named_hosts: those that the template itself names in addresses, which facts have no part in.
    """

    subject: str
    html: str
    text: str
    preheader: str = ""
    named_hosts: frozenset[str] = frozenset()


class WebhookContent(msgspec.Struct, frozen=True):
    """The JSON document that a webhook posts, in UTF-8."""

    body: bytes


class SmsContent(msgspec.Struct, frozen=True):
    """A text message.

    Args:
        text: what it says; lines are parted by line feeds.
        segments: how many parts networks cut it into, each paid for.
    """

    text: str
    segments: int


class PushContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notification of the visitor's system; addresses are http(s), or start at the site's root.

    Args:
        url: where a click leads; empty for the site's root.
        urgency: how soon the push service wakes the device.
    """

    title: str
    text: str = ""
    icon: str = ""
    image: str = ""
    url: str = ""
    urgency: PushUrgency = "normal"


class ChatContent(msgspec.Struct, frozen=True):
    """A message to a channel of a chat, in Slack's markup."""

    text: str


Content = BannerContent | EmailContent | WebhookContent | SmsContent | PushContent | ChatContent
