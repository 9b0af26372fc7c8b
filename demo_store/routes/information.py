"""The pages of information, and the two ways to stay in touch: the newsletter and web push."""

from __future__ import annotations

import json
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect, Template

from demo_store.account import PLANS, is_email
from demo_store.data_layer import account_event
from demo_store.forms import NewsletterForm, Submitted
from demo_store.prices import FREE_SHIPPING_FROM, SHIPPING_OPTIONS
from demo_store.structured_data import web_page
from demo_store.visit import CurrentVisit, Visit, safe_path


@get("/size-guide", sync_to_thread=False)
def show_size_guide(visit: CurrentVisit) -> Template:
    """Show the size charts."""
    return _information(visit, "size_guide.html", "Size guide", "/size-guide")


@get("/shipping", sync_to_thread=False)
def show_shipping_information(visit: CurrentVisit) -> Template:
    """Show the prices and the delivery times of shipping."""
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
    """Show how to return goods."""
    return _information(visit, "returns.html", "Returns & repairs", "/returns")


@get("/membership", sync_to_thread=False)
def show_membership(visit: CurrentVisit) -> Template:
    """Show a comparison of the membership plans."""
    return _information(visit, "membership.html", "Membership", "/membership", plans=list(PLANS.values()))


@post("/newsletter", sync_to_thread=False)
def subscribe(visit: CurrentVisit, data: Submitted[NewsletterForm]) -> Redirect:
    """Subscribe an address to the newsletter."""
    if is_email(data.email.strip()):
        visit.announce(account_event("subscribe", "footer"), notice="You are on the list. The next letter is yours.")
    else:
        visit.announce(notice="That does not look like an e-mail address. Please try again.")
    return visit.redirect(safe_path(data.back))


@get("/mm-push-worker.js", sync_to_thread=False)
def show_push_worker(visit: CurrentVisit) -> Response[str]:
    """Return the service worker for web push, which loads the one of the collector.

    Browsers accept a service worker only from the shop's own origin.
    """
    address = visit.shop.settings.script_url.removesuffix(".js") + "-push-worker.js"
    return Response(f"importScripts({json.dumps(address)});\n", media_type="text/javascript")


def _information(visit: Visit, template: str, title: str, path: str, **context: Any) -> Template:  # noqa: ANN401 - for the template
    return visit.page(
        template, title, trail=[(title, path)], structured=[web_page(visit.origin, path, title)], **context
    )
