"""The collector's errors, and the HTTP answer to each: always a code and a message."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from warehouse.errors import JournalError, JournalFull, WarehouseError

#: Seconds after which a sender should try again when the journal is full or broken, or ClickHouse away.
RETRY_AFTER_SECONDS = 5


class RequestError(Exception):
    """An error with which a request is answered.

    Args:
        status: HTTP status; 400, 401, 403 and 413 are for good, 429 and 503 pass.
        code: short and stable, for programs.
        message: for people; says where and what to do.
        retry_after_seconds: for 429 and 503.
    """

    def __init__(self, status: int, code: str, message: str, retry_after_seconds: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds


def malformed(message: str) -> RequestError:
    """Return the answer to a body that cannot be read."""
    return RequestError(HTTPStatus.BAD_REQUEST, "malformed", message)


def too_large(limit_bytes: int) -> RequestError:
    """Return the answer to a body over its limit."""
    message = f"the body is larger than {limit_bytes} bytes; send smaller batches"
    return RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", message)


def answer(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
    """Return the HTTP answer to an error: the one place where statuses are decided.

    Raises:
        Exception: the error itself, when it is a bug rather than an answer.
    """
    match error:
        case RequestError():
            return _response(error.status, error.code, error.message, error.retry_after_seconds)
        case JournalFull():
            return _response(503, "journal_full", error.message, RETRY_AFTER_SECONDS)
        case JournalError():
            return _response(503, "journal_unavailable", error.message, RETRY_AFTER_SECONDS)
        case WarehouseError():
            return _response(503, "warehouse_unavailable", error.message, RETRY_AFTER_SECONDS)
        case HTTPException(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            return _response(error.status_code, "too_large", "the body is too large; send smaller batches", 0)
        case HTTPException():
            code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
            return _response(error.status_code, code, error.detail, 0)
        case _:
            raise error


def _response(status: int, code: str, message: str, retry_after_seconds: int) -> Response[dict[str, str]]:
    headers = {"Retry-After": str(retry_after_seconds)} if retry_after_seconds else {}
    return Response({"code": code, "message": message}, status_code=status, headers=headers)
