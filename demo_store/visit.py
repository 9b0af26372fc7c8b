"""One request of one visitor: from the cookie to the page or the redirect that answers it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from litestar import Request
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Template

from demo_store.account import Account
from demo_store.data_layer import Push
from demo_store.security import page_policy
from demo_store.session import Flash, Session
from demo_store.shop import Shop
from demo_store.structured_data import Node, breadcrumbs, organization

SESSION_COOKIE = "tarn_session"
_COOKIE_DAYS = 30

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Visit:
    """What answers a request is made from."""

    shop: Shop
    session: Session
    origin: str
    path: str

    def announce(self, *pushes: Push, notice: str = "", identity: Account | None = None) -> None:
        """Leave for the next page what it is to say once."""
        flash = self.session.flash
        flash.pushes.extend(pushes)
        if notice:
            flash.notices.append(notice)
        if identity is not None:
            flash.identity = identity
            flash.has_left = False

    def announce_departure(self) -> None:
        """Leave for the next page that whoever it was has logged out."""
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
        """Answer with a page.

        Args:
            template: file name of the template.
            title: title of the page, without the shop's name.
            trail: (name, path) of the pages above it and of itself; becomes breadcrumbs.
            structured: JSON-LD objects that describe this page.
            pushes: data layer pushes that viewing this page means.
            use_flash: whether this is the next page, which says what was left for it.
            status_code: HTTP status.
            context: what else the template shows.
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
            # A page that says something once must come from the server when the visitor goes back to it.
            headers={
                "Content-Security-Policy": page_policy(self.shop.settings, nonce),
                "Cache-Control": "no-store" if flash else "private, no-cache",
            },
            cookies=cookies,
            status_code=status_code,
        )

    def redirect(self, path: str) -> Redirect:
        """Send the browser on to another page of the shop, after a form was taken."""
        return Redirect(path, status_code=303, cookies=self._cookies())

    def _cookies(self) -> list[Cookie]:
        """Keep the session if there is anything in it, and let the browser know its token."""
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


#: A handler's visit, which the application provides.
CurrentVisit = NamedDependency[Visit]


def open_visit(request: Request[Any, Any, Any], shop: Shop) -> Visit:
    """Recognise the visitor of a request by the session cookie."""
    return Visit(
        shop=shop,
        session=shop.sessions.open(request.cookies.get(SESSION_COOKIE)),
        origin=shop.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/"),
        path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    )


def found(thing: Thing | None) -> Thing:
    """Give the thing, or answer that there is no such page."""
    if thing is None:
        raise NotFoundException
    return thing


def safe_path(path: str, default: str = "/") -> str:
    """Give a path of this shop to return to; anything that a browser could read as another site gives the default."""
    local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if local and path.isprintable() and len(path) <= 500 else default
