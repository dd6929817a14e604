"""The description of the interface is committed, valid and true."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from tests.api.callers import Caller, Day, browser_of, program_of, stranger
from tests.factories.marketplace import operator
from tests.factories.trading import buyer

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.yaml"
EXAMPLES = 3
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


def _description() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_committed_description_is_the_generated_one() -> None:
    # Written by: manage.py spectacular --file docs/reference/openapi.yaml
    generated = OpenApiYamlRenderer().render(_description(), renderer_context={})

    assert COMMITTED.read_bytes() == generated


def test_the_description_is_valid_and_every_operation_is_named_once() -> None:
    description = _description()
    validate_schema(description)

    operations = [
        operation
        for path in description["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]

    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert [o["operationId"] for o in operations if not o["description"]] == []
    assert [o["operationId"] for o in operations if "default" not in o["responses"]] == []


@pytest.mark.django_db
def test_generated_requests_never_meet_a_server_error(day: Day) -> None:
    callers = [
        stranger(),
        program_of(buyer()),
        program_of(day.market.west_seller),
        browser_of(operator()),
    ]
    description = schemathesis.openapi.from_dict(_description())
    description.app = application

    for operation in description.get_all_operations():
        for caller in callers:
            _call(operation.ok(), caller)


def _call(operation: Any, caller: Caller) -> None:
    headers = dict(caller.headers)
    cookies = {name: morsel.value for name, morsel in caller.client.cookies.items()}

    def call(case: Any) -> None:
        case.call_and_validate(headers=headers, cookies=cookies, checks=CHECKS)

    from hypothesis import given  # noqa: PLC0415

    test = given(case=operation.as_strategy())(call)
    settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(test)()
