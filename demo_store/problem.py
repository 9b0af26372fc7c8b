"""The page that says that something went wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from demo_store.shop import Shop
from demo_store.visit import open_visit

_logger = logging.getLogger(__name__)

ProblemHandler = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


def build_problem_handler(shop: Shop) -> ProblemHandler:
    """Build what turns an exception into a page; only a failure of our own is logged."""

    def show_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        status_code = error.status_code if isinstance(error, HTTPException) else 500
        if status_code >= 500:
            _logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        visit = open_visit(request, shop)
        # What is left for the next page waits: a missing file must not swallow an order's push.
        return visit.page(
            "problem.html", _title(status_code), use_flash=False, status_code=status_code, problem=status_code
        )

    return show_problem


def _title(status_code: int) -> str:
    if status_code in {404, 405}:
        return "Page not found"
    return "Something broke" if status_code >= 500 else "We did not understand that"
