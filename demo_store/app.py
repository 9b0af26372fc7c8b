"""The web application of the shop: its routes, and the page for errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.template import TemplateConfig

from demo_store.catalogue import load_catalogue
from demo_store.routes import account, browse, cart, checkout, information, order, product
from demo_store.security import add_common_headers
from demo_store.settings import StoreSettings
from demo_store.templating import build_engine, static_files
from demo_store.visit import Shop, Visit, open_visit

_HANDLERS = (
    browse.show_home,
    browse.show_category,
    browse.show_search,
    product.show_product,
    product.show_picture,
    cart.show_cart,
    cart.add_to_cart,
    cart.update_cart,
    cart.use_coupon,
    checkout.show_contact,
    checkout.take_contact,
    checkout.show_shipping,
    checkout.take_shipping,
    checkout.show_payment,
    checkout.take_payment,
    checkout.show_review,
    order.place_order,
    order.show_thanks,
    account.show_sign_up,
    account.sign_up,
    account.show_log_in,
    account.log_in,
    account.log_out,
    account.show_account,
    browse.show_wishlist,
    browse.toggle_wish,
    information.show_size_guide,
    information.show_shipping_information,
    information.show_returns,
    information.show_membership,
    information.subscribe,
    information.show_push_worker,
)
#: The largest body of a request, in bytes; the forms of the shop are far smaller.
_MAX_BODY_BYTES = 64 * 1024
_logger = logging.getLogger(__name__)


ProblemHandler = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


def create_app(settings: StoreSettings) -> Litestar:
    """Return the ASGI application of the shop; all its state is in memory.

    Args:
        settings: the address of the collector, and the links of the footer.
    """
    shop = Shop(settings=settings, catalogue=load_catalogue())

    def provide_visit(request: Request[Any, Any, Any]) -> Visit:
        return open_visit(request, shop)

    show_problem = build_problem_handler(shop)
    return Litestar(
        route_handlers=[*_HANDLERS, static_files()],
        dependencies={"visit": Provide(provide_visit, sync_to_thread=False)},
        exception_handlers={HTTPException: show_problem, 500: show_problem},
        template_config=TemplateConfig(engine=build_engine()),
        before_send=[add_common_headers],
        request_max_body_size=_MAX_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
    )


def build_problem_handler(shop: Shop) -> ProblemHandler:
    """Return the exception handler that answers with a page; only failures with a status from 500 are logged."""

    def show_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        status_code = error.status_code if isinstance(error, HTTPException) else 500
        if status_code >= 500:
            _logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        visit = open_visit(request, shop)
        # The flash is left for the next page: a missing file must not swallow the push of an order.
        return visit.page(
            "problem.html", _title(status_code), use_flash=False, status_code=status_code, problem=status_code
        )

    return show_problem


def _title(status_code: int) -> str:
    if status_code in {404, 405}:
        return "Page not found"
    return "Something broke" if status_code >= 500 else "We did not understand that"
