"""What a rendered message consists of, by channel."""

from __future__ import annotations

from typing import Literal

import msgspec

BannerForm = Literal["bar", "modal", "slide_in"]
BannerPosition = Literal["top", "bottom", "left", "right"]


class CallToAction(msgspec.Struct, frozen=True):
    """The link that a banner invites to follow; the address is http(s), or starts at the site's root."""

    label: str
    url: str


class Theme(msgspec.Struct, frozen=True, omit_defaults=True):
    """Colours of a banner, each as CSS writes a hexadecimal one; empty for the SDK's own."""

    background: str = ""
    color: str = ""
    accent: str = ""


class BannerContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An on-site banner; every text is plain text, never markup."""

    form: BannerForm
    title: str
    position: BannerPosition | None = None
    text: str = ""
    image: str = ""
    cta: CallToAction | None = None
    dismiss: str = ""
    coupon: str = ""
    theme: Theme | None = None


class EmailContent(msgspec.Struct, frozen=True, kw_only=True):
    """An email: the subject is one line without control characters; `html` holds the preheader already."""

    subject: str
    html: str
    text: str
    preheader: str = ""


class WebhookContent(msgspec.Struct, frozen=True):
    """The JSON document that a webhook posts, in UTF-8."""

    body: bytes


Content = BannerContent | EmailContent | WebhookContent
