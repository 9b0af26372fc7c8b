"""What the shop's forms send."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from litestar.enums import RequestEncodingType
from litestar.params import Body

Form = TypeVar("Form")

#: The body of a request that a form sent.
Submitted = Annotated[Form, Body(media_type=RequestEncodingType.URL_ENCODED)]

Text = Annotated[str, msgspec.Meta(max_length=200)]
Quantity = Annotated[int, msgspec.Meta(ge=0, le=99)]


class AddToCartForm(msgspec.Struct, frozen=True):
    """A variant of a product, and how many of it."""

    slug: Text
    colour: Text = ""
    size: Text = ""
    quantity: Quantity = 1


class CartLineForm(msgspec.Struct, frozen=True):
    """A line of the cart, and how many of it there shall be; 0 removes it."""

    line: Text
    quantity: Quantity = 0


class CouponForm(msgspec.Struct, frozen=True):
    """A coupon's code; empty takes the coupon away."""

    code: Text = ""


class ContactForm(msgspec.Struct, frozen=True):
    """Contact and address, as typed."""

    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    street: Text = ""
    postcode: Text = ""
    city: Text = ""
    country: Text = ""


class ChoiceForm(msgspec.Struct, frozen=True):
    """The one option chosen of several."""

    choice: Text = ""


class AccountForm(msgspec.Struct, frozen=True):
    """Who signs up or logs in."""

    email: Text = ""
    first_name: Text = ""
    plan: Text = ""


class WishForm(msgspec.Struct, frozen=True):
    """A product to wish for, or no longer, and the path to return to."""

    slug: Text
    back: Text = "/"


class NewsletterForm(msgspec.Struct, frozen=True):
    """Where the newsletter shall go, and the path to return to."""

    email: Text = ""
    back: Text = "/"
