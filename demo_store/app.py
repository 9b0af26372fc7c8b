"""The shop as a web application."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Router
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from demo_store.catalogue import load_catalogue
from demo_store.problem import build_problem_handler
from demo_store.routes import account, browse, cart, checkout, home, information, order, product, push_worker, wishlist
from demo_store.security import add_common_headers
from demo_store.settings import StoreSettings
from demo_store.shop import Shop
from demo_store.templating import STATIC_FOLDER, build_engine
from demo_store.visit import Visit, open_visit

_HANDLERS = (
    home.show_home,
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
    wishlist.show_wishlist,
    wishlist.toggle_wish,
    information.show_size_guide,
    information.show_shipping_information,
    information.show_returns,
    information.show_membership,
    information.subscribe,
    push_worker.show_push_worker,
)

#: A form of this shop is far smaller.
_MAX_BODY_BYTES = 64 * 1024


def create_app(settings: StoreSettings) -> Litestar:
    """Build the shop.

    Args:
        settings: where the collector is, and what the footer links to.

    Returns:
        An ASGI application; all its state is in memory and goes with it.
    """
    shop = Shop(settings=settings, catalogue=load_catalogue())

    def provide_visit(request: Request[Any, Any, Any]) -> Visit:
        return open_visit(request, shop)

    show_problem = build_problem_handler(shop)
    return Litestar(
        route_handlers=[*_HANDLERS, _static_files()],
        dependencies={"visit": Provide(provide_visit, sync_to_thread=False)},
        exception_handlers={HTTPException: show_problem, 500: show_problem},
        template_config=TemplateConfig(engine=build_engine()),
        before_send=[add_common_headers],
        request_max_body_size=_MAX_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
    )


def _static_files() -> Router:
    return create_static_files_router(
        path="/static",
        directories=[STATIC_FOLDER],
        cache_control=CacheControlHeader(max_age=31_536_000, public=True, immutable=True),
    )
