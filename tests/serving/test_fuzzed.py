"""Requests drawn from the service's own description: whatever comes, it is never the service that fails."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.serving.running import running
from tests.tasks.every_task import model_of
from unrolled.serving.limits import Limits

SERVED = ("reviews", "series", "text", "classes")


@pytest.fixture(scope="module")
def described():
    models = {name: model_of(name) for name in SERVED}
    with running(models, Limits(max_steps=20, max_length=200, max_sessions=20)) as ask:
        yield schemathesis.openapi.from_url(f"{ask.address}/openapi.json")


def test_the_service_never_fails(described):
    for result in described.get_all_operations():
        _holds(result.ok())


def _holds(operation):
    @settings(max_examples=4, deadline=None, phases=(Phase.generate,), suppress_health_check=[*HealthCheck])
    @given(case=operation.as_strategy())
    def holds(case):
        response = case.call()
        assert response.status_code < 500, response.text
        case.validate_response(
            response,
            checks=[
                schemathesis.checks.not_a_server_error,
                schemathesis.checks.status_code_conformance,
                schemathesis.checks.content_type_conformance,
                schemathesis.checks.response_schema_conformance,
            ],
        )

    holds()
