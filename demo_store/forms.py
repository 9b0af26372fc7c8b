"""The fields of the shop's forms."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from litestar.enums import RequestEncodingType
from litestar.params import Body

Form = TypeVar("Form")

#: The type of the body of a request that a form sent.
Submitted = Annotated[Form, Body(media_type=RequestEncodingType.URL_ENCODED)]

Text = Annotated[str, msgspec.Meta(max_length=200)]
Quantity = Annotated[int, msgspec.Meta(ge=0, le=99)]


class AddToCartForm(msgspec.Struct, frozen=True):
    """The form that puts a quantity of one variant of a product into the cart."""

    slug: Text
    colour: Text = ""
    size: Text = ""
    quantity: Quantity = 1


class CartLineForm(msgspec.Struct, frozen=True):
    """The form that sets the quantity of a line of the cart; 0 removes the line."""

    line: Text
    quantity: Quantity = 0


class CouponForm(msgspec.Struct, frozen=True):
    """The form that sets the code of the coupon; an empty code removes the coupon."""

    code: Text = ""


class ContactForm(msgspec.Struct, frozen=True):
    """The form for contact and address, as typed."""

    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    street: Text = ""
    postcode: Text = ""
    city: Text = ""
    country: Text = ""


class ChoiceForm(msgspec.Struct, frozen=True):
    """The form for one chosen option."""

    choice: Text = ""


class AccountForm(msgspec.Struct, frozen=True):
    """The form to sign up or log in."""

    email: Text = ""
    first_name: Text = ""
    plan: Text = ""


class WishForm(msgspec.Struct, frozen=True):
    """The form that puts a product on the wishlist or takes it off; `back` is the path to return to."""

    slug: Text
    back: Text = "/"


class NewsletterForm(msgspec.Struct, frozen=True):
    """The form that subscribes an address to the newsletter; `back` is the path to return to."""

    email: Text = ""
    back: Text = "/"
