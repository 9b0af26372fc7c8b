"""The file that a shop hosts for web push: a service worker must come from the shop's own origin."""

from __future__ import annotations

import json

from litestar import Response, get

from demo_store.visit import CurrentVisit


@get("/mm-push-worker.js", sync_to_thread=False)
def show_push_worker(visit: CurrentVisit) -> Response[str]:
    """Load the collector's service worker, which lies beside its browser script."""
    address = visit.shop.settings.script_url.removesuffix(".js") + "-push-worker.js"
    return Response(f"importScripts({json.dumps(address)});\n", media_type="text/javascript")
