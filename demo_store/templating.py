"""The template engine, and what every template may call."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine

from demo_store.money import format_money
from demo_store.script_data import to_script_json
from demo_store.structured_data import SHOP_NAME

_HERE = Path(__file__).parent
TEMPLATE_FOLDER = _HERE / "templates"
STATIC_FOLDER = _HERE / "static"


def build_environment() -> Environment:
    """Build the Jinja environment: everything is escaped, and an unknown name is an error."""
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
    """Wrap the environment for Litestar."""
    return JinjaTemplateEngine.from_environment(build_environment())


def shade(colour: str, amount: float) -> str:
    """Lighten (amount above 0) or darken (below 0) a ``#rrggbb`` colour; 1 and -1 are white and black."""
    target = 255 if amount > 0 else 0
    channels = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    mixed = (round(channel + (target - channel) * abs(amount)) for channel in channels)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _static_url() -> dict[str, str]:
    """Address by file name, with a digest so that browsers may keep a file for good."""
    files = (file for file in STATIC_FOLDER.iterdir() if file.is_file())
    return {file.name: f"/static/{file.name}?v={sha256(file.read_bytes()).hexdigest()[:10]}" for file in files}
