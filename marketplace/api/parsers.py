"""Reading request bodies: JSON as RFC 8259 says, CSV as bytes, both of limited size."""

import json
from typing import Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer


class BodyTooLarge(APIException):
    """The body is larger than the interface reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The request is too large.")
    default_code = "too_large"


class MalformedJson(ParseError):
    """The body is not JSON."""

    default_detail = _("The request body is not valid JSON in UTF-8.")
    default_code = "malformed_json"


class StrictJSONParser(BaseParser):
    """JSON in UTF-8 whatever the header says; NaN, Infinity and repeated names are refused."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Return the value; raises MalformedJson or BodyTooLarge."""
        try:
            return json.loads(
                read_limited(stream).decode("utf-8"),
                parse_constant=_refuse,
                object_pairs_hook=_without_repeats,
            )
        except (ValueError, RecursionError):
            raise MalformedJson from None


class CsvParser(BaseParser):
    """A CSV file as the whole body; its encoding is the import's business."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Return the bytes; raises BodyTooLarge."""
        return read_limited(stream)


class XmlParser(CsvParser):
    """An XML file as the whole body; nothing of it is parsed here."""

    media_type = "application/xml"


class JsonFileParser(CsvParser):
    """A JSON file as the whole body, kept as it came; the import reads it."""

    media_type = "application/json"


def read_limited(stream: Any) -> bytes:
    """Return a body of at most the size that settings allow."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated")
    return found
