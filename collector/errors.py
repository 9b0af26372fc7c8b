"""The collector's errors, and the HTTP answer to each: always a code and a message."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from warehouse.errors import JournalError, JournalFull, WarehouseError

#: Seconds after which a sender should try again when the journal is full or broken, or ClickHouse away.
RETRY_AFTER_SECONDS: Final = 5
#: The code of a mistake of ours.
INTERNAL_ERROR: Final = "internal_error"
#: Characters of a framework's message that are passed on: it may repeat what was sent.
_LONGEST_DETAIL: Final = 200
_PLACES: Final = 6
#: Trouble that passes, the special kinds first.
_UNAVAILABLE: Final[Mapping[type[Exception], str]] = {
    JournalFull: "journal_full",
    JournalError: "journal_unavailable",
    WarehouseError: "warehouse_unavailable",
}
_log = structlog.get_logger("collector.errors")


class RequestError(Exception):
    """An error with which a request is answered.

    Args:
        status: HTTP status; 400, 401, 403 and 413 are for good, 408, 429 and 503 pass.
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
    """Return the HTTP answer to an error: the one place where statuses are decided."""
    match error:
        case RequestError():
            return _response(error.status, error.code, error.message, error.retry_after_seconds)
        case JournalError() | WarehouseError():
            code = next(code for kind, code in _UNAVAILABLE.items() if isinstance(error, kind))
            return _response(503, code, error.message, RETRY_AFTER_SECONDS)
        case HTTPException(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            return _response(error.status_code, "too_large", "the body is too large; send smaller batches", 0)
        case HTTPException(status_code=status) if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            code = HTTPStatus(status).phrase.lower().replace(" ", "_")
            return _response(status, code, error.detail[:_LONGEST_DETAIL], 0)
        case _:
            log_mistake("request_failed", error)
            return _response(500, INTERNAL_ERROR, "this is our mistake; it was written to the log", 0)


def log_mistake(event: str, error: Exception) -> None:
    """Write an error that nobody expected to the log: what and where it is, and nothing of what was sent."""
    _log.error(event, error=type(error).__name__, at=places_of(error))


def places_of(error: BaseException) -> list[str]:
    """Return where an error came from, innermost last; its own words are left out: they may repeat what was sent."""
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _response(status: int, code: str, message: str, retry_after_seconds: int) -> Response[dict[str, str]]:
    headers = {"Retry-After": str(retry_after_seconds)} if retry_after_seconds else {}
    return Response({"code": code, "message": message}, status_code=status, headers=headers)
