"""The templates and static files of the shop: the template engine, its filters, and the files' routes."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from markupsafe import Markup

from demo_store.prices import format_money
from demo_store.structured_data import SHOP_NAME

_HERE = Path(__file__).parent
TEMPLATE_FOLDER = _HERE / "templates"
STATIC_FOLDER = _HERE / "static"
#: The escapes of the characters that could end a script element or a line of JavaScript.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def build_environment() -> Environment:
    """Return the Jinja environment, which escapes all values and raises an error for an unknown name."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(money=format_money, script_json=to_script_json, shade=shade)
    environment.globals.update(shop_name=SHOP_NAME, static_url=_static_url())
    return environment


def build_engine() -> JinjaTemplateEngine:
    """Return the template engine for Litestar."""
    return JinjaTemplateEngine.from_environment(build_environment())


def static_files() -> Router:
    """Return the routes of the static files, which browsers cache for good: their addresses contain a digest."""
    return create_static_files_router(
        path="/static",
        directories=[STATIC_FOLDER],
        cache_control=CacheControlHeader(max_age=31_536_000, public=True, immutable=True),
    )


def shade(colour: str, amount: float) -> str:
    """Return a ``#rrggbb`` colour lightened (amount above 0) or darkened (below 0); 1 is white and -1 black."""
    target = 255 if amount > 0 else 0
    channels = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    mixed = (round(channel + (target - channel) * abs(amount)) for channel in channels)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def to_script_json(data: object) -> Markup:
    """Return data as JSON that is safe inside a script element: no character in it can end the element or a line."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_ESCAPES))  # noqa: S704 - the escapes above are what makes it safe


def _static_url() -> dict[str, str]:
    """Return the address of each static file by its name; a digest in it lets browsers cache the file for good."""
    files = (file for file in STATIC_FOLDER.iterdir() if file.is_file())
    return {file.name: f"/static/{file.name}?v={sha256(file.read_bytes()).hexdigest()[:10]}" for file in files}
