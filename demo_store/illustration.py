"""What the pictures of the products are drawn from; the drawing itself is in the SVG templates."""

from __future__ import annotations

from typing import Any, Final

from demo_store.catalogue import Product

PICTURE_TEMPLATE = "illustrations/frame.svg"

#: Ways to look at a product in its gallery, with what they are called.
VIEWS: Final = {"studio": "on its own", "outdoors": "outdoors", "detail": "up close"}

#: Part of the drawing that each view shows, as an SVG view box; the panorama is for wide tiles.
_FRAMES: Final = {
    "studio": "0 0 400 400",
    "outdoors": "0 0 400 400",
    "detail": "96 96 208 208",
    "panorama": "0 0 800 400",
}


def picture_context(product: Product, colour_slug: str, view: str) -> dict[str, Any]:
    """Choose what a picture shows; an unknown colour or view gives the first one."""
    colour = product.colour(colour_slug) or product.colours[0]
    return {
        "product": product,
        "colour": colour.hex,
        "accent": product.accent,
        "tint": product.category.tint,
        "view": view if view in _FRAMES else "studio",
        "frames": _FRAMES,
    }
