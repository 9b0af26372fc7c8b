"""The request of a visitor: its session, and the page or redirect that answers it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from litestar import Request
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Template

from demo_store.account import Account, AccountBook
from demo_store.catalogue import Catalogue
from demo_store.data_layer import Push
from demo_store.security import page_policy
from demo_store.session import Flash, Session, SessionStore
from demo_store.settings import StoreSettings
from demo_store.structured_data import Node, breadcrumbs, organization

SESSION_COOKIE = "tarn_session"
_COOKIE_DAYS = 30

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Shop:
    """One running shop: its settings and catalogue, and the sessions and accounts of its visitors."""

    settings: StoreSettings
    catalogue: Catalogue
    sessions: SessionStore = field(default_factory=SessionStore)
    accounts: AccountBook = field(default_factory=AccountBook)


@dataclass(frozen=True)
class Visit:
    """One request: the shop, the session of the visitor, and the address of the page."""

    shop: Shop
    session: Session
    origin: str
    path: str

    def announce(
        self, *pushes: Push, notice: str = "", identity: Account | None = None, is_guest: bool = False
    ) -> None:
        """Add messages to the session's flash, which the next page shows.

        Args:
            pushes: pushes to the data layer.
            notice: a notice to the visitor; empty for none.
            identity: the account or contact to identify the visitor by.
            is_guest: whether it is the contact of a guest, whom the shop does not know as anybody.
        """
        flash = self.session.flash
        flash.pushes.extend(pushes)
        if notice:
            flash.notices.append(notice)
        if identity is not None:
            flash.identity = identity
            flash.is_guest = is_guest
            flash.has_left = False

    def announce_departure(self) -> None:
        """Add to the session's flash that the visitor has logged out."""
        self.session.flash.identity = None
        self.session.flash.has_left = True

    def page(
        self,
        template: str,
        title: str,
        *,
        trail: Sequence[tuple[str, str]] = (),
        structured: Sequence[Node] = (),
        pushes: Sequence[Push] = (),
        use_flash: bool = True,
        status_code: int = 200,
        **context: Any,  # noqa: ANN401 - whatever the template shows
    ) -> Template:
        """Return a page, with the session cookie, the flash and a content security policy.

        Args:
            template: the file name of the template.
            title: the title of the page, without the name of the shop.
            trail: (name, path) of the pages above this page and of the page itself, for breadcrumbs.
            structured: JSON-LD objects that describe this page.
            pushes: pushes to the data layer for a view of this page.
            use_flash: whether the page shows the flash of the session and empties it.
            status_code: the HTTP status.
            context: further values for the template.
        """
        cookies = self._cookies()
        flash = self.session.take_flash() if use_flash else Flash()
        nonce = secrets.token_urlsafe(16)
        crumbs = [("Home", "/"), *trail] if trail else []
        about_place = [breadcrumbs(self.origin, crumbs)] if crumbs else []
        return Template(
            template,
            context={
                **context,
                "title": title,
                "crumbs": crumbs,
                "structured": [organization(self.origin), *about_place, *structured],
                "pushes": [*flash.pushes, *pushes],
                "flash": flash,
                "nonce": nonce,
                "visit": self,
                "session": self.session,
                "settings": self.shop.settings,
                "catalogue": self.shop.catalogue,
            },
            # A page with a flash is not cached: going back to it must not push the flash again.
            headers={
                "Content-Security-Policy": page_policy(self.shop.settings, nonce),
                "Cache-Control": "no-store" if flash else "private, no-cache",
            },
            cookies=cookies,
            status_code=status_code,
        )

    def redirect(self, path: str) -> Redirect:
        """Return a redirect (303) to another page of the shop, as the answer to a form."""
        return Redirect(path, status_code=303, cookies=self._cookies())

    def _cookies(self) -> list[Cookie]:
        """Return the session cookie if the session holds anything, and keep the session then."""
        if not self.shop.sessions.keep(self.session):
            return []
        return [
            Cookie(
                key=SESSION_COOKIE,
                value=self.session.token,
                path="/",
                httponly=True,
                samesite="lax",
                secure=self.origin.startswith("https:"),
                max_age=_COOKIE_DAYS * 86_400,
            )
        ]


#: The type of a handler's visit, which the application injects.
CurrentVisit = NamedDependency[Visit]


def open_visit(request: Request[Any, Any, Any], shop: Shop) -> Visit:
    """Return the visit of a request, with the session of its cookie."""
    return Visit(
        shop=shop,
        session=shop.sessions.open(request.cookies.get(SESSION_COOKIE)),
        origin=shop.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/"),
        path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    )


def found(thing: Thing | None) -> Thing:
    """Return a thing that is not None, or answer that the page does not exist.

    Raises:
        NotFoundException: the thing is None.
    """
    if thing is None:
        raise NotFoundException
    return thing


def safe_path(path: str, default: str = "/") -> str:
    """Return a path of the shop to return to, or the default for text that a browser could read as another site."""
    local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if local and path.isprintable() and len(path) <= 500 else default
