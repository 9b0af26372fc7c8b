"""Builds the collector's ASGI application: its routes, the answer to every error, and CORS."""

from __future__ import annotations

from typing import Any, Final

from litestar import Litestar, Request, Response
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig

from collector.errors import answer
from collector.parts import CollectorParts
from collector.routes.callback_email import take_email_report
from collector.routes.callback_sms import take_sms_reply, take_sms_status
from collector.routes.health import healthz, metrics, readyz
from collector.routes.messages import push_key, take_click, take_open, take_push_report
from collector.routes.preferences import change_preferences, show_preferences
from collector.routes.script import Sdk, script_routes
from collector.routes.stream import listen
from collector.routes.tracking import take_batch, take_single
from warehouse.limits import MAX_BODY_BYTES

_ROUTES: Final = (
    take_batch,
    take_single,
    listen,
    take_open,
    take_click,
    show_preferences,
    change_preferences,
    take_sms_status,
    take_sms_reply,
    take_email_report,
    push_key,
    take_push_report,
    healthz,
    readyz,
    metrics,
)


def create_app(parts: CollectorParts, sdk: Sdk, version: str) -> Litestar:
    """Return the application over the parts of a collector.

    Args:
        parts: handed to every route.
        sdk: the browser SDK that it serves.
        version: shown in the API description.
    """

    def counted(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
        response = answer(request, error)
        parts.metrics.requests_refused.labels(response.content["code"]).inc()
        return response

    return Litestar(
        [*_ROUTES, *script_routes(parts.settings.script_path, sdk)],
        dependencies={"parts": Provide(lambda: parts, sync_to_thread=False)},
        exception_handlers={Exception: counted},
        cors_config=_cors(parts.sites.origins),
        openapi_config=OpenAPIConfig(title="Micromoment collector", version=version, path="/schema"),
        request_max_body_size=MAX_BODY_BYTES + 1,
        logging_config=None,
    )


def _cors(origins: list[str]) -> CORSConfig:
    # `*` is answered with the page's own origin: browsers refuse a plain `*` for requests with credentials, as some
    # SDKs make them. No cookie means anything here, so nothing is given away.
    anyone = "*" in origins or not origins
    return CORSConfig(
        allow_origins=[] if anyone else origins,
        allow_origin_regex=".*" if anyone else None,
        allow_methods=["GET", "POST", "OPTIONS"],
        allow_headers=[
            "authorization",
            "content-type",
            "content-encoding",
            "x-write-key",
            "x-retry-count",
            "anonymousid",
            "sentat",
        ],
        allow_credentials=True,
        expose_headers=["retry-after"],
        max_age=900,
    )
