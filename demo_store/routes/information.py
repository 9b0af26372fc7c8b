"""Pages that explain: sizes, shipping, returns, membership; and the newsletter."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Redirect, Template

from demo_store.account import is_email
from demo_store.checkout_options import FREE_SHIPPING_FROM, SHIPPING_OPTIONS
from demo_store.data_layer import account_event
from demo_store.forms import NewsletterForm, Submitted
from demo_store.membership import PLANS
from demo_store.structured_data import web_page
from demo_store.visit import CurrentVisit, Visit, safe_path


@get("/size-guide", sync_to_thread=False)
def show_size_guide(visit: CurrentVisit) -> Template:
    """Show the size charts."""
    return _information(visit, "size_guide.html", "Size guide", "/size-guide")


@get("/shipping", sync_to_thread=False)
def show_shipping_information(visit: CurrentVisit) -> Template:
    """Explain what shipping costs and how long it takes."""
    return _information(
        visit,
        "shipping.html",
        "Shipping",
        "/shipping",
        options=SHIPPING_OPTIONS,
        free_shipping_from=FREE_SHIPPING_FROM,
    )


@get("/returns", sync_to_thread=False)
def show_returns(visit: CurrentVisit) -> Template:
    """Explain how to send something back."""
    return _information(visit, "returns.html", "Returns & repairs", "/returns")


@get("/membership", sync_to_thread=False)
def show_membership(visit: CurrentVisit) -> Template:
    """Compare the plans."""
    return _information(visit, "membership.html", "Membership", "/membership", plans=list(PLANS.values()))


@post("/newsletter", sync_to_thread=False)
def subscribe(visit: CurrentVisit, data: Submitted[NewsletterForm]) -> Redirect:
    """Subscribe to the newsletter."""
    if is_email(data.email.strip()):
        visit.announce(account_event("subscribe", "footer"), notice="You are on the list. The next letter is yours.")
    else:
        visit.announce(notice="That does not look like an e-mail address. Please try again.")
    return visit.redirect(safe_path(data.back))


def _information(visit: Visit, template: str, title: str, path: str, **context: Any) -> Template:  # noqa: ANN401 - for the template
    return visit.page(
        template, title, trail=[(title, path)], structured=[web_page(visit.origin, path, title)], **context
    )
