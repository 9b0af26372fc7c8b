from __future__ import annotations

import pytest

from demo_store.visit import safe_path


@pytest.mark.parametrize("path", ["/", "/cart", "/search?q=tent&sort=name", "/p/heron-tarp#tabs"])
def test_a_path_of_the_shop_is_returned_to(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "cart",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "/\n",
        "/" + "a" * 500,
    ],
)
def test_anything_else_leads_to_a_page_of_the_shop(path: str) -> None:
    assert safe_path(path, "/wishlist") == "/wishlist"
