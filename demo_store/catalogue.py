"""The catalogue of the shop: products, categories and colours, read from one data file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec

CATALOGUE_FILE = Path(__file__).with_name("catalogue.yaml")

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Hex = Annotated[str, msgspec.Meta(pattern=r"^#[0-9a-f]{6}$")]
SizeChart = Literal["clothing", "footwear"]


class Colour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A colour that products come in."""

    slug: Slug
    name: str
    hex: Hex


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category of products; `cover` is the slug of the product whose picture stands for it."""

    slug: Slug
    name: str
    line: str
    tint: Hex
    cover: Slug

    @property
    def path(self) -> str:
        """Return the path of the category's page."""
        return f"/category/{self.slug}"


class Product(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product; prices are euros including VAT, and `list_price` is the price before a sale."""

    slug: Slug
    sku: str
    name: str
    category: Category
    tagline: str
    description: str
    details: tuple[str, ...]
    measurements: dict[str, str]
    price: Decimal
    list_price: Decimal | None = None
    rating: Annotated[float, msgspec.Meta(ge=1, le=5)]
    reviews: Annotated[int, msgspec.Meta(ge=0)]
    stock: Annotated[int, msgspec.Meta(ge=0)]
    colours: Annotated[tuple[Colour, ...], msgspec.Meta(min_length=1)]
    sizes: tuple[str, ...] = ()
    size_chart: SizeChart | None = None
    motif: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]+$")]
    accent: Hex
    tags: tuple[str, ...] = ()
    bestseller: bool = False

    @property
    def path(self) -> str:
        """Return the path of the product's page."""
        return f"/p/{self.slug}"

    @property
    def image_path(self) -> str:
        """Return the path of the product's main picture."""
        return f"/images/{self.slug}.svg"

    @property
    def on_sale(self) -> bool:
        """Tell whether the price is below the list price."""
        return self.list_price is not None and self.list_price > self.price

    def colour(self, slug: str) -> Colour | None:
        """Return the product's colour of a slug, or None when the product has no such colour."""
        return next((colour for colour in self.colours if colour.slug == slug), None)


class Catalogue(msgspec.Struct, frozen=True):
    """The categories and products of the shop, in the order of the data file."""

    categories: tuple[Category, ...]
    products: tuple[Product, ...]

    def product(self, slug: str) -> Product | None:
        """Return the product of a slug, or None."""
        return next((product for product in self.products if product.slug == slug), None)

    def category(self, slug: str) -> Category | None:
        """Return the category of a slug, or None."""
        return next((category for category in self.categories if category.slug == slug), None)

    def in_category(self, category: Category) -> tuple[Product, ...]:
        """Return the products of a category."""
        return tuple(product for product in self.products if product.category == category)

    @property
    def bestsellers(self) -> tuple[Product, ...]:
        """Return the products that the front page shows."""
        return tuple(product for product in self.products if product.bestseller)

    def related_to(self, product: Product, limit: int = 4) -> tuple[Product, ...]:
        """Return other products of the same category; products with most tags in common come first."""
        others = [other for other in self.in_category(product.category) if other != product]
        others.sort(key=lambda other: -len(set(other.tags) & set(product.tags)))
        return tuple(others[:limit])


class _CatalogueFile(msgspec.Struct, forbid_unknown_fields=True):
    colours: dict[str, dict[str, str]]
    categories: list[dict[str, str]]
    products: list[dict[str, object]]


def load_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """Return the catalogue from the data file, whose entries are checked.

    Raises:
        msgspec.ValidationError: an entry is ill-typed, or names a category or colour that does not exist.
    """
    file = msgspec.yaml.decode(path.read_bytes(), type=_CatalogueFile)
    products = [_resolve(entry, file) for entry in file.products]
    return msgspec.convert({"categories": file.categories, "products": products}, Catalogue)


def _resolve(entry: dict[str, object], file: _CatalogueFile) -> dict[str, object]:
    """Put the category and the colours themselves in place of their slugs."""
    categories = {category.get("slug"): category for category in file.categories}
    colours = msgspec.convert(entry.get("colours", []), list[str])
    try:
        return {
            **entry,
            "category": categories[str(entry.get("category"))],
            "colours": [{"slug": slug, **file.colours[slug]} for slug in colours],
        }
    except KeyError as error:
        raise msgspec.ValidationError(f"product {entry.get('slug')!r} refers to unknown {error}") from error
