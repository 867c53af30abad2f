"""Compares answers with `/openapi.json`."""

import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from api.app import TABLE
from api.documents.openapi import openapi, openapi_servers


@cache
def document() -> dict[str, Any]:
    return {**openapi(TABLE), "servers": openapi_servers("https://clinic.example")}


def validator(schema: dict[str, Any], whole: dict[str, Any]) -> Draft202012Validator:
    """Return a validator for a schema of a document. Its references lead into the document's components."""
    return Draft202012Validator({**schema, "components": whole["components"]}, format_checker=FormatChecker())


def assert_documented(method: str, path: str, status: int, content_type: str, body: object) -> None:
    """Fail when the answer of a documented endpoint does not match the document."""
    operation = _operation(method.lower(), path)
    if operation is None:
        return
    assert str(status) in operation["responses"], f"{method} {path}: nothing is said of {status}"
    content = operation["responses"][str(status)].get("content", {})
    if body is None:
        assert not content
    else:
        _validator(method.lower(), operation["path"], status, content_type).validate(body)


@cache
def _validator(method: str, template: str, status: int, content_type: str) -> Draft202012Validator:
    content = document()["paths"][template][method]["responses"][str(status)]["content"]
    return validator(content[content_type]["schema"], document())


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for template, operations in document()["paths"].items():
        if method in operations and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return {**operations[method], "path": template}
    return None
