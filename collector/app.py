"""Builds the collector's ASGI application: its routes, the answer to every error, and what other origins may do."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig

from collector.errors import answer
from collector.parts import CollectorParts
from collector.routes.callback_email import take_email_report
from collector.routes.callback_sms import take_sms_reply, take_sms_status
from collector.routes.confirmation import show_confirmation, take_confirmation
from collector.routes.cross_origin import CrossOrigin
from collector.routes.front import front_page
from collector.routes.health import healthz, readyz
from collector.routes.messages import push_key, take_click, take_open, take_push_report
from collector.routes.outermost import Outermost
from collector.routes.posthog import (
    no_flags,
    no_surveys,
    posthog_config,
    posthog_config_script,
    take_posthog,
    take_posthog_v1,
)
from collector.routes.preferences import change_preferences, show_preferences
from collector.routes.rudder_sdk import rudder_source, take_rudder_beacon
from collector.routes.script import Sdk, script_routes
from collector.routes.segment_sdk import (
    segment_settings,
    take_segment_batch,
    take_segment_figures,
    take_segment_single,
)
from collector.routes.stream import listen
from collector.routes.tracking import take_batch, take_single
from collector.routes.webhooks import take_webhook
from warehouse.limits import MAX_BODY_BYTES

_ROUTES: Final = (
    take_batch,
    take_single,
    take_segment_single,
    take_segment_batch,
    take_segment_figures,
    segment_settings,
    take_rudder_beacon,
    rudder_source,
    take_posthog,
    take_posthog_v1,
    no_flags,
    no_surveys,
    posthog_config,
    posthog_config_script,
    listen,
    take_open,
    take_click,
    show_preferences,
    change_preferences,
    show_confirmation,
    take_confirmation,
    take_sms_status,
    take_sms_reply,
    take_email_report,
    take_webhook,
    push_key,
    take_push_report,
    front_page,
    healthz,
    readyz,
)


def create_app(parts: CollectorParts, sdk: Sdk) -> Litestar:
    """Return the application over the parts of a collector.

    Args:
        parts: handed to every route.
        sdk: the browser SDK that it serves.
    """

    def count(code: str) -> None:
        parts.metrics.requests_refused.labels(code).inc()

    def counted(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
        response = answer(request, error)
        count(response.content["code"])
        return response

    app = Litestar(
        [*_ROUTES, *script_routes(parts.settings.script_path, sdk)],
        state=State({"parts": parts}),
        dependencies={"parts": Provide(lambda: parts, sync_to_thread=False)},
        exception_handlers={Exception: counted},
        openapi_config=None,
        request_max_body_size=MAX_BODY_BYTES + 1,
        logging_config=None,
    )
    # Litestar has middlewares for this, which cost a request twice what routing it does.
    cross_origin = CrossOrigin(parts.sites, parts.settings.script_path)
    app.asgi_handler = Outermost(app.asgi_handler, cross_origin, count)
    return app


def describe_api(sdk: Sdk, script_path: str, version: str) -> bytes:
    """Return the description of the API as OpenAPI, in JSON.

    Args:
        sdk: the browser SDK that is served.
        script_path: where.
        version: of Micromoment.
    """
    app = Litestar(
        [*_ROUTES, *script_routes(script_path, sdk)],
        dependencies={"parts": Provide(lambda: None, sync_to_thread=False)},
        openapi_config=OpenAPIConfig(title="Micromoment collector", version=version),
        logging_config=None,
    )
    return msgspec.json.encode(app.openapi_schema.to_schema())
