"""An app of the collector's own server that only decodes a body and answers: what intake cannot get below.

`python decode_only.py PORT`, with the checkout whose way of serving is used on PYTHONPATH.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post

from micromoment.serving import serve


@post("/v1/batch", status_code=200)
async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Decode all of the body, and answer as the collector does."""
    batch = msgspec.json.decode(await request.body())
    answer = {"success": True, "token": "x" * 120 if batch["batch"] else ""}
    return Response(msgspec.json.encode(answer), media_type="application/json")


@get("/healthz")
async def healthz() -> dict[str, str]:
    """Answer."""
    return {}


async def _run(port: int) -> None:
    stop = asyncio.Event()
    async with serve(Litestar([take, healthz], logging_config=None), "127.0.0.1", port, "collector_port"):
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1])))
