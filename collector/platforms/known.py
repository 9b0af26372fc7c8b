"""The platforms that are known, by the name that settings give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collector.platforms.generic import Generic
from collector.platforms.platform import Platform
from collector.platforms.shopify.webhooks import Shopify
from collector.platforms.woocommerce import WooCommerce

PLATFORMS: Final[Mapping[str, Platform]] = {
    "shopify": Shopify(),
    "woocommerce": WooCommerce(),
    "generic": Generic(),
}
