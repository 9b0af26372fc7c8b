"""Pages of a stock Shopify shop and a stock WooCommerce shop, as far as a visitor's browser tells of them.

The mark-up is ours, after what public themes print: JSON-LD, a form that adds to the cart, a checkout without a theme.
Shopify's pages hold our snippet for themes, and a sandboxed frame with a stand-in of the pixel API that runs our pixel;
WooCommerce's hold what our plugin prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

import msgspec

from e2e.liquid import render
from e2e.stack import Stack

SHOPIFY_PRODUCT: Final = {"id": 7982301446333, "title": "Alpine pack", "type": "Packs", "price": 12900}
WOO_PRODUCT: Final = 93
CHECKOUT_TOKEN: Final = "5f3c0e"

_PAGE: Final = """<!doctype html>
<html lang="en"><head><link rel="icon" href="data:,"><title>{title}</title>{head}</head>
<body><header><a href="/">Packs and Poles</a></header><main>{main}</main>{end}</body></html>"""
#: As Shopify's filter `structured_data` names a product: by its group, and its variants by their SKU.
_JSON_LD: Final = {
    "@context": "http://schema.org/",
    "@type": "ProductGroup",
    "@id": "/products/alpine-pack#product",
    "name": "Alpine pack",
    "productGroupID": "other-than-the-id",
    "url": "/products/alpine-pack",
    "hasVariant": [{"@type": "Product", "sku": "PACK-40", "offers": {"price": "129.00", "priceCurrency": "EUR"}}],
}
_STRUCTURED: Final = f'<script type="application/ld+json">{json.dumps(_JSON_LD)}</script>'
_FORM: Final = '<h1>Alpine pack</h1><p>129 EUR</p><button type="button">Add to cart</button>'
#: As our plugin names the product of a page.
_WOO_META: Final = (
    f'<meta data-mm-product="{WOO_PRODUCT}" data-mm-name="Alpine pack" data-mm-category="Packs" '
    'data-mm-price="129" data-mm-currency="EUR">'
)
#: The top frame: carries out what the sandbox asks of its storage, and passes on what happens in the shop.
_TOP: Final = """
const frame = document.querySelector("iframe");
const isReady = new Promise((resolve) => addEventListener("message", ({ data, source }) => {
  if (data === "ready") resolve();
  if (data.call) source.postMessage({ answer: data.call, value: localStorage[data.method](...data.values) }, "*");
}));
const pick = ({ href, pathname, search, origin, host }) => ({ href, pathname, search, origin, host });
window.contextNow = () => ({
  document: { location: pick(location), referrer: document.referrer, title: document.title },
  navigator: { language: navigator.language, userAgent: navigator.userAgent },
});
window.publish = async (name, data) => {
  await isReady;
  const event = { id: `sh-${crypto.randomUUID()}`, name, data, timestamp: new Date().toISOString(), clientId: "c" };
  frame.contentWindow.postMessage({ event: { ...event, context: contextNow() } }, "*");
};
window.decide = async (customerPrivacy) => {
  await isReady;
  frame.contentWindow.postMessage({ customerPrivacy }, "*");
};
"""
#: The sandbox: what Shopify gives a custom pixel, by its public documentation.
_SANDBOX: Final = """
const waiting = new Map(), listeners = new Map(), deciders = [];
let calls = 0;
const ask = (method) => (...values) => new Promise((resolve) => {
  waiting.set(++calls, resolve);
  parent.postMessage({ call: calls, method, values }, "*");
});
const init = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const browser = { localStorage: { getItem: ask("getItem"), setItem: ask("setItem"), removeItem: ask("removeItem") } };
const analytics = { subscribe: async (name, take) => { listeners.set(name, take); } };
const customerPrivacy = { subscribe: async (_, take) => { deciders.push(take); } };
addEventListener("message", ({ data }) => {
  if (data.answer) waiting.get(data.answer)(data.value);
  if (data.event) listeners.get(data.event.name)?.(data.event);
  if (data.customerPrivacy) deciders.forEach((take) => take({ customerPrivacy: data.customerPrivacy }));
});
"""


class Snippets(msgspec.Struct):
    """What `micromoment snippet` prints for each place."""

    theme: str
    pixel: str
    page: str


class ShopPages:
    """The pages of both shops, and the cart that Shopify keeps."""

    def __init__(self, snippets: Snippets, url: str) -> None:
        self.url = url
        self.cart_attributes: dict[str, str] = {}
        self._snippets = snippets

    def page(self, address: str) -> str:
        """Return the page at an address."""
        path = address.partition("?")[0]
        pages = {
            "/sandbox": lambda: self._sandbox(pixel_only="pixel-only" in address),
            "/products/alpine-pack": lambda: self._shopify("Alpine pack", self._theme() + _STRUCTURED, _FORM),
            "/plain/products/alpine-pack": lambda: self._shopify("Alpine pack", "", _FORM, pixel_only=True),
            "/checkouts/cn/5f3c0e": lambda: self._shopify("Checkout", "", "<h1>Checkout</h1>"),
            "/woo/product/alpine-pack": lambda: self._woo(_WOO_META, _FORM),
            "/woo/checkout": lambda: self._woo("", "<h1>Checkout</h1>"),
            "/woo/checkout/order-received/727": lambda: self._woo("", "<h1>Thank you</h1>"),
        }
        return pages[path]() if path in pages else _page("Shop", "", "<h1>Shop</h1>")

    def _sandbox(self, *, pixel_only: bool) -> str:
        told = "THEME_TELLS_OF_PAGES = "
        pixel = self._snippets.pixel.replace(f"{told}true", f"{told}false") if pixel_only else self._snippets.pixel
        script = f'<script>{_SANDBOX}\n(() => {{\n{pixel}\n}})(); parent.postMessage("ready", "*");</script>'
        return _page("sandbox", "", "", script)

    def _theme(self) -> str:
        product = SHOPIFY_PRODUCT | {"selected_or_first_available_variant": {"price": SHOPIFY_PRODUCT["price"]}}
        cart = {"currency": {"iso_code": "EUR"}, "attributes": self.cart_attributes}
        facts = {"product": product, "cart": cart, "routes": {"cart_update_url": "/cart/update"}, "customer": None}
        return render(self._snippets.theme, facts)

    def _shopify(self, title: str, head: str, main: str, *, pixel_only: bool = False) -> str:
        """Return a page; where there is only the pixel, nobody has been asked yet whether they may be observed."""
        privacy = {"analyticsProcessingAllowed": not pixel_only, "marketingAllowed": not pixel_only}
        init = f"{{ context: contextNow(), data: {{}}, customerPrivacy: {json.dumps(privacy)} }}"
        address = "/sandbox?pixel-only#" if pixel_only else "/sandbox#"
        frame = '<iframe sandbox="allow-scripts allow-forms" hidden></iframe>'
        load = f"frame.src = {json.dumps(address)} + encodeURIComponent(JSON.stringify({init}));"
        return _page(title, head, main, f"{frame}<script>{_TOP}{load}</script>")

    def _woo(self, head: str, main: str) -> str:
        return _page("Packs and Poles", f"{head}<script>window.dataLayer = []</script>{self._snippets.page}", main)


def _page(title: str, head: str, main: str, end: str = "") -> str:
    return _PAGE.format(title=title, head=head, main=main, end=end)


@contextmanager
def shop_pages(stack: Stack) -> Iterator[ShopPages]:
    """Serve both shops at the port that the stack's site of shop platforms allows, until the block ends."""
    places = ("shopify-theme", "shopify-pixel", "page")
    printed = {place: stack.run("snippet", place, "--site", "acme") for place in places}
    assert all(each.returncode == 0 for each in printed.values()), printed
    theme, pixel, page = (each.stdout for each in printed.values())
    shop = ShopPages(Snippets(theme, pixel, page), stack.shops_url)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("text/html; charset=utf-8", shop.page(self.path))

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            shop.cart_attributes |= sent["attributes"]
            self._answer("application/json", json.dumps({"attributes": shop.cart_attributes}))

        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def _answer(self, media_type: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", stack.ports["shops"]), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield shop
        finally:
            server.shutdown()
            thread.join()


def money(amount: float) -> dict[str, Any]:
    """Return an amount as the pixel API writes it."""
    return {"amount": amount, "currencyCode": "EUR"}


def variant() -> dict[str, Any]:
    """Return a variant of the product as the pixel API writes it."""
    product = {"id": str(SHOPIFY_PRODUCT["id"]), "title": "Alpine pack", "type": "Packs", "vendor": "Packs and Poles"}
    facts = {"id": "39072856", "sku": "PACK-40", "title": "green", "price": money(129.0)}
    return facts | {"product": product, "image": {"src": "//cdn.shop.example/pack.jpg"}}


def checkout(**others: Any) -> dict[str, Any]:
    """Return a checkout as the pixel API writes it."""
    lines = [{"id": "1", "title": "Alpine pack", "quantity": 1, "variant": variant()}]
    usual = {
        "token": CHECKOUT_TOKEN,
        "totalPrice": money(148.9),
        "totalTax": money(23.77),
        "shippingLine": {"price": money(4.9)},
        "discountApplications": [{"type": "DISCOUNT_CODE", "title": "WELCOME10"}],
        "lineItems": lines,
    }
    return {"checkout": usual | others}
