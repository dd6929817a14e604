"""What the generated description of the interface says about every endpoint alike."""

from typing import Any

_MESSAGE = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
_ROW = {
    "type": "object",
    "required": ["line", "field", "code", "message", "params"],
    "properties": {
        "line": {"type": "integer"},
        "field": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "params": {"type": "object", "additionalProperties": {}},
    },
}
ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields", "params", "request_id"],
            "properties": {
                "code": {"type": "string", "description": "Stable; programs may rely on it."},
                "message": {"type": "string", "description": "In the language asked for."},
                "fields": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": _MESSAGE},
                },
                "params": {"type": "object", "additionalProperties": {}},
                "request_id": {"type": "string"},
                "rows": {"type": "array", "items": _ROW, "description": "Of a refused file."},
            },
        }
    },
}
METHODS = ("get", "post", "put", "patch", "delete")


def describe_errors(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Add the one shape of errors as the answer of every other status."""
    components = result.setdefault("components", {}).setdefault("schemas", {})
    components["Error"] = ERROR_SCHEMA
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path in result["paths"].values():
        for method in METHODS:
            if method in path:
                path[method]["responses"]["default"] = {
                    "description": "A refusal; see the error codes.",
                    "content": content,
                }
    return result
