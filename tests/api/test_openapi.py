"""The document of the REST api is valid and complete. `tests.api.rest_clinic` compares every answer with it."""

from typing import Any, get_args

import pytest
from jsonschema import ValidationError
from openapi_spec_validator import validate

from api import metrics
from api.app import TABLE, build
from api.documents.routes import PATHS
from api.http.endpoints import Endpoint
from api.http.problems import KINDS, Code
from api.pages import routes as pages
from tests.api.documented import assert_documented, document, validator
from tests.api.rest_clinic import RestClinic, make_services

OPERATIONS = [
    pytest.param(endpoint, document()["paths"][endpoint.path][endpoint.method.lower()], id=endpoint.name)
    for endpoint in TABLE
]


def test_the_document_is_valid() -> None:
    validate(document())


async def test_every_route_is_in_the_document_or_is_a_document_or_a_page() -> None:
    application = build(await make_services())
    served = {
        (route.method, route.resource.canonical)
        for route in application.router.routes()
        if route.resource and route.method != "HEAD"
    }
    told = {(method.upper(), path) for path, each in document()["paths"].items() for method in each}
    assert served - told == {("GET", path) for path in {*PATHS, *pages.PATHS, pages.FILE_ROUTE, metrics.PATH}}
    assert told - served == set()


@pytest.mark.parametrize(("endpoint", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does_and_lists_each_code(endpoint: Endpoint, operation: dict[str, Any]) -> None:
    assert operation["summary"].endswith(".")
    listed = {
        code: int(status)
        for status, response in operation["responses"].items()
        for code in response.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    assert listed == {code: KINDS[code].status for code in endpoint.problems}


def test_every_code_of_the_api_is_listed_with_the_problem() -> None:
    assert document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == list(get_args(Code))


@pytest.mark.parametrize("operation", [each.values[1] for each in OPERATIONS], ids=[each.id for each in OPERATIONS])
def test_every_operation_has_examples_that_its_schemas_allow(operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        validator(parameter["schema"], document()).validate(parameter["example"])
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for given in [*bodies, *operation["responses"].values()]:
        for content in given.get("content", {}).values():
            if content["schema"].get("format") == "binary":
                continue
            examples = [example["value"] for example in content.get("examples", {}).values()] or [content["example"]]
            for example in examples:
                validator(content["schema"], document()).validate(example)


@pytest.mark.parametrize(("endpoint", "operation"), OPERATIONS)
def test_every_example_of_a_body_is_one_that_the_endpoint_reads(endpoint: Endpoint, operation: dict[str, Any]) -> None:
    if body := endpoint.takes.get("body"):
        (content,) = operation["requestBody"]["content"].values()
        body.model_validate(content["example"], by_alias=True, by_name=False)


async def test_the_document_is_served_to_anybody(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/openapi.json")
    assert (answer.status, {**answer.body, "servers": document()["servers"]}) == (200, document())


def test_an_answer_that_the_document_does_not_know_is_noticed() -> None:
    with pytest.raises(AssertionError, match="nothing is said of 418"):
        assert_documented("GET", "/api/v1/time/now", 418, "application/json", {})
    with pytest.raises(ValidationError):
        assert_documented("GET", "/api/v1/time/now", 200, "application/json", {"now": "2026-11-23T08:00:00Z"})
