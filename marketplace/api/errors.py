"""One shape for every refusal of the interface.

    {"error": {"code", "message", "fields": {name: [{"code", "message"}]}, "params", "request_id"}}

Codes are stable, messages are in the language the client asked for. Refused files add `rows`.
"""

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from marketplace.domain.errors import RuleBroken
from marketplace.domain.tables import ImportRefused, RowError
from marketplace.services.error_texts import error_text, message_text
from marketplace.services.idempotency import RequestUnderWay

logger = structlog.get_logger(__name__)

REPLAYED = "Idempotency-Replayed"
# Codes of the framework that would tell a program less than these.
_CODES = {
    "error": "bad_request",
    "parse_error": "malformed_request",
    "permission_denied": "not_permitted",
}
_MESSAGES = {
    "not_found": gettext_noop("There is no such entry."),
    "not_permitted": gettext_noop("Your role does not allow this."),
    "invalid_input": gettext_noop("The request holds values that cannot be taken."),
    "busy": gettext_noop("The market is busy; please try again."),
    "internal_error": gettext_noop("Something went wrong on our side; nothing was changed."),
}
# What a broken rule is answered with: a program tells rules apart by their codes, not by statuses.
_RULE_STATUSES = {403, 404, 422, 500}
# An error of the whole body rather than of one of its fields.
WHOLE = "non_field_errors"
BUSY_RETRY_S = "1"


def answer_error(exc: Exception, context: dict[str, Any]) -> Response:
    """Answer an exception in the one shape of errors; what nobody expected is logged as well."""
    set_rollback()
    if isinstance(exc, RuleBroken):
        return _answer_rule(exc)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, exceptions.ValidationError):
        return error_response(
            status.HTTP_400_BAD_REQUEST, "invalid_input", fields=flat_fields(exc.detail)
        )
    if isinstance(exc, exceptions.APIException):
        return _answer_framework(exc)
    if isinstance(exc, OperationalError):
        # A lock or statement time-out, or a lost connection: nothing was committed.
        logger.warning("database_busy", exc_info=exc)
        return error_response(
            status.HTTP_503_SERVICE_UNAVAILABLE, "busy", headers={"Retry-After": BUSY_RETRY_S}
        )
    # Its receivers log it with the request's id.
    request = context["request"]
    got_request_exception.send(sender=answer_error, request=getattr(request, "_request", request))
    return error_response(status.HTTP_500_INTERNAL_SERVER_ERROR, "internal_error")


def error_response(
    status_code: int,
    code: str,
    *,
    message: str = "",
    fields: dict[str, list[dict[str, str]]] | None = None,
    params: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
    rows: list[dict[str, object]] | None = None,
) -> Response:
    """Return an answer in the one shape of errors."""
    error: dict[str, object] = {
        "code": code,
        "message": message or _(_MESSAGES[code]),
        "fields": fields or {},
        "params": params or {},
        "request_id": str(structlog.contextvars.get_contextvars().get("request_id") or ""),
    }
    if rows is not None:
        error["rows"] = rows
    return Response({"error": error}, status=status_code, headers=headers)


def flat_fields(detail: Any, path: str = "") -> dict[str, list[dict[str, str]]]:
    """Return nested errors by the dotted path of their field, such as `steps.0.price`."""
    found: dict[str, list[dict[str, str]]] = {}
    if isinstance(detail, dict):
        for name, value in detail.items():
            found.update(flat_fields(value, _joined(path, name)))
        return found
    if not isinstance(detail, list):
        detail = [detail]
    for index, value in enumerate(detail):
        if isinstance(value, dict | list):
            found.update(flat_fields(value, _joined(path, index)))
        else:
            entry = {"code": str(value.code), "message": str(value)}
            found.setdefault(path or WHOLE, []).append(entry)
    return found


def _joined(path: str, part: object) -> str:
    if part == WHOLE:
        return path or WHOLE
    return f"{path}.{part}" if path else str(part)


def _answer_rule(exc: RuleBroken) -> Response:
    message = error_text(exc)
    fields = {exc.field: [{"code": exc.code, "message": message}]} if exc.field else {}
    rows = [_row(row) for row in exc.rows] if isinstance(exc, ImportRefused) else None
    headers = {REPLAYED: "true"} if getattr(exc, "is_replay", False) else None
    is_own = exc.status in _RULE_STATUSES or isinstance(exc, RequestUnderWay)
    return error_response(
        exc.status if is_own else status.HTTP_400_BAD_REQUEST,
        exc.code,
        message=message,
        fields=fields,
        params=exc.params,
        rows=rows,
        headers=headers,
    )


def _row(row: RowError) -> dict[str, object]:
    return {
        "line": row.line,
        "field": row.field,
        "code": row.code,
        "message": message_text(row.message, dict(row.params)),
        "params": dict(row.params),
    }


def _answer_framework(exc: exceptions.APIException) -> Response:
    code = str(exc.get_codes()) if isinstance(exc.detail, str) else exc.default_code
    code = _CODES.get(code, code)
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait) + 1)  # type: ignore[attr-defined]
    message = "" if code in _MESSAGES else str(exc.detail)
    return error_response(exc.status_code, code, message=message, headers=headers)
