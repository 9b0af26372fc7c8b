"""The pages of the checkout, one for each step: contact, shipping, payment and review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect, Template

from demo_store.account import Account
from demo_store.cart import total_up
from demo_store.checkout import COUNTRIES, STEPS, check_contact, missing_step, prefilled
from demo_store.data_layer import Push, lines_event
from demo_store.forms import ChoiceForm, ContactForm, Submitted
from demo_store.prices import PAYMENT_OPTIONS, SHIPPING_OPTIONS, payment_option, shipping_option
from demo_store.structured_data import web_page
from demo_store.visit import CurrentVisit, Visit


@get("/checkout", sync_to_thread=False)
def show_contact(visit: CurrentVisit) -> Response[Any]:
    """Show the form for contact and address; the first view for a cart pushes `begin_checkout`."""
    if (early := _redirect_back(visit, "/checkout")) is not None:
        return early
    progress = visit.session.checkout
    pushes = [] if progress.announced else [lines_event("begin_checkout", visit.session.cart.lines, visit.origin)]
    progress.announced = True
    return _contact_page(visit, prefilled(progress.contact, visit.session.account), {}, pushes=pushes)


@post("/checkout", sync_to_thread=False)
def take_contact(visit: CurrentVisit, data: Submitted[ContactForm]) -> Response[Any]:
    """Store contact and address and announce a guest's contact, or show each mistake beside its field."""
    if (early := _redirect_back(visit, "/checkout")) is not None:
        return early
    contact, mistakes = check_contact(data)
    if contact is None:
        return _contact_page(visit, data, mistakes, status_code=422)
    visit.session.checkout.contact = contact
    # Whoever orders may write anybody's address: it makes a guest nobody, and an account's holder nobody else.
    if visit.session.account is None:
        visit.announce(identity=Account(contact.email, contact.first_name), is_guest=True)
    return visit.redirect("/checkout/shipping")


@get("/checkout/shipping", sync_to_thread=False)
def show_shipping(visit: CurrentVisit) -> Response[Any]:
    """Show the shipping options."""
    if (early := _redirect_back(visit, "/checkout/shipping")) is not None:
        return early
    goods = total_up(visit.session.cart).goods_after_discount
    options = [(option, option.price_for(goods)) for option in SHIPPING_OPTIONS]
    return _step_page(visit, "/checkout/shipping", "checkout_shipping.html", options=options)


@post("/checkout/shipping", sync_to_thread=False)
def take_shipping(visit: CurrentVisit, data: Submitted[ChoiceForm]) -> Response[Any]:
    """Store the shipping option."""
    if (early := _redirect_back(visit, "/checkout/shipping")) is not None:
        return early
    option = shipping_option(data.choice)
    if option is None:
        visit.announce(notice="Please choose how your order shall travel.")
        return visit.redirect("/checkout/shipping")
    visit.session.checkout.shipping = option.key
    visit.announce(lines_event("add_shipping_info", visit.session.cart.lines, visit.origin, shipping_tier=option.name))
    return visit.redirect("/checkout/payment")


@get("/checkout/payment", sync_to_thread=False)
def show_payment(visit: CurrentVisit) -> Response[Any]:
    """Show the payment options."""
    if (early := _redirect_back(visit, "/checkout/payment")) is not None:
        return early
    return _step_page(visit, "/checkout/payment", "checkout_payment.html", options=PAYMENT_OPTIONS)


@post("/checkout/payment", sync_to_thread=False)
def take_payment(visit: CurrentVisit, data: Submitted[ChoiceForm]) -> Response[Any]:
    """Store the payment option."""
    if (early := _redirect_back(visit, "/checkout/payment")) is not None:
        return early
    option = payment_option(data.choice)
    if option is None:
        visit.announce(notice="Please choose how you want to pay.")
        return visit.redirect("/checkout/payment")
    visit.session.checkout.payment = option.key
    visit.announce(lines_event("add_payment_info", visit.session.cart.lines, visit.origin, payment_type=option.name))
    return visit.redirect("/checkout/review")


@get("/checkout/review", sync_to_thread=False)
def show_review(visit: CurrentVisit) -> Response[Any]:
    """Show the whole order before it is placed."""
    if (early := _redirect_back(visit, "/checkout/review")) is not None:
        return early
    return _step_page(
        visit, "/checkout/review", "checkout_review.html", payment=payment_option(visit.session.checkout.payment)
    )


def _contact_page(
    visit: Visit,
    form: ContactForm,
    mistakes: dict[str, str],
    pushes: Sequence[Push] = (),
    status_code: int = 200,
) -> Template:
    return _step_page(
        visit,
        "/checkout",
        "checkout_contact.html",
        form=form,
        mistakes=mistakes,
        countries=COUNTRIES,
        pushes=pushes,
        status_code=status_code,
    )


def _step_page(visit: Visit, step: str, template: str, **context: Any) -> Template:  # noqa: ANN401 - for the template
    title = f"Checkout: {STEPS[step]}"
    progress = visit.session.checkout
    return visit.page(
        template,
        title,
        trail=[("Cart", "/cart"), ("Checkout", "/checkout")],
        structured=[web_page(visit.origin, step, title, "CheckoutPage")],
        step=step,
        steps=STEPS,
        progress=progress,
        cart=visit.session.cart,
        totals=total_up(visit.session.cart, shipping_option(progress.shipping)),
        **context,
    )


def _redirect_back(visit: Visit, step: str) -> Redirect | None:
    """Return a redirect to the first earlier step that is not done, or None when all are done."""
    missing = missing_step(visit.session.cart, visit.session.checkout, step)
    return None if missing is None else visit.redirect(missing)
