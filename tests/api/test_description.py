"""The description of the interface is committed, valid and true."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
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
    with translation.override("en"):
        return SchemaGenerator().get_schema(request=None, public=True)


def test_the_committed_description_is_the_generated_one() -> None:
    # Written by: manage.py spectacular --lang en --file docs/reference/openapi.yaml
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


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """Keep the test's transaction, as Django's own test client does: the application ends none."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.usefixtures("_one_connection")
def test_generated_requests_never_meet_a_server_error(day: Day) -> None:
    callers = [program_of(buyer()), program_of(day.market.west_seller), browser_of(operator())]
    description = schemathesis.openapi.from_dict(_description())
    description.app = application

    for operation in description.get_all_operations():
        is_public = operation.ok().definition.raw["security"] == [{}]
        _call(operation.ok(), [stranger()] if is_public else callers)


def _call(operation: Any, callers: list[Caller]) -> None:
    def call(case: Any) -> None:
        for caller in callers:
            cookies = {name: morsel.value for name, morsel in caller.client.cookies.items()}
            case.call_and_validate(headers=dict(caller.headers), cookies=cookies, checks=CHECKS)

    settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(given(case=operation.as_strategy())(call))()
