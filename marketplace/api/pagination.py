"""Pages of lists: the cursor is the public id of the last row seen.

A row number or a primary key in a cursor would tell how many rows other members have.
"""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import IdentifierField
from marketplace.api.serializers import QueryNumberField, QuerySerializer

DEFAULT_LIMIT = 50
MOST_ROWS = 200


class PageQuery(QuerySerializer):
    """Parameters of every list."""

    limit = QueryNumberField(
        min_value=1, max_value=MOST_ROWS, default=DEFAULT_LIMIT, help_text="Rows of a page."
    )
    after = IdentifierField(required=False, help_text="Id of the last row of the page before.")


def page_of(
    rows: QuerySet[Any],
    request: Request,
    serializer_class: type[serializers.Serializer],
    *,
    limit: int,
    after: Any = None,
    order: tuple[str, ...] = ("-id",),
    context: dict[str, Any] | None = None,
) -> Response:
    """Answer one page of a list.

    Args:
        rows: what the caller may see, filtered.
        request: the request, for the address of the next page.
        serializer_class: serializer of a row.
        limit: rows of a page.
        after: public id of the last row of the page before.
        order: the total order, all rising or all falling.
        context: what the serializer needs.
    """
    if after is not None:
        rows = rows.filter(_beyond(rows, after, order))
    found = list(rows.order_by(*order)[: limit + 1])
    page = found[:limit]
    following = None
    if len(found) > limit:
        parameters = {
            **{name: request.query_params[name] for name in request.query_params},
            "after": str(page[-1].public_id),
        }
        following = request.build_absolute_uri(f"{request.path}?{urlencode(parameters)}")
    results = serializer_class(page, many=True, context=context or {}).data
    return Response({"results": results, "next": following})


def _beyond(rows: QuerySet[Any], after: Any, order: tuple[str, ...]) -> Q:
    names = [name.removeprefix("-") for name in order]
    anchor = rows.filter(public_id=after).values_list(*names).first()
    if anchor is None:
        message = str(_("The list has no such row."))
        raise serializers.ValidationError(
            {"after": [serializers.ErrorDetail(message, code="cursor_unknown")]}
        )
    relation = "lt" if order[0].startswith("-") else "gt"
    condition = Q()
    for index, (name, value) in enumerate(zip(names, anchor, strict=True)):
        same = dict(zip(names[:index], anchor[:index], strict=True))
        condition |= Q(**same, **{f"{name}__{relation}": value})
    return condition
