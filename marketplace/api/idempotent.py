"""The Idempotency-Key header of requests that have an effect."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.access import MemberView
from marketplace.api.errors import REPLAYED
from marketplace.services.idempotency import answer_once

HEADER = "Idempotency-Key"
IDEMPOTENCY_KEY = OpenApiParameter(
    name=HEADER,
    type=OpenApiTypes.STR,
    location=OpenApiParameter.HEADER,
    required=False,
    description=(
        "Your own name of this request, 1 to 120 printable ASCII characters. Sent again, the "
        "request has no second effect and gets the first answer, with `Idempotency-Replayed: true`."
    ),
)


def answer_with_key(
    view: MemberView, work: Callable[[], tuple[int, Any]], *, content: Any = None
) -> Response:
    """Answer a request; if it carries a key, its effect happens once.

    Args:
        view: the view, for the request and who acts.
        work: has the effect and returns status and JSON-able body.
        content: what the request asks for, if that is not its JSON body.
    """
    request: Request = view.request
    key = request.headers.get(HEADER)
    if key is None:
        status_code, body = work()
        return Response(body, status=status_code)
    answer = answer_once(
        user=view.actor.user,
        operation=f"{request.method} {request.path}"[:80],
        key=key,
        content=[view.organisation.pk, request.data if content is None else content],
        work=work,
    )
    headers = {REPLAYED: "true"} if answer.is_replay else None
    return Response(answer.body, status=answer.status_code, headers=headers)
