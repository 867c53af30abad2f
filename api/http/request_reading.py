"""Reads the path, query, headers and body of a request into the models of its endpoint."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, get_args, get_origin

from aiohttp import hdrs, web
from multidict import MultiMapping
from pydantic import ValidationError

from api.http.problems import Code, FieldError, Problem, invalid, pointer
from hub.scheduling.values import Value

CONTENT_TYPE = "application/json"
BODY_LIMIT = 64 * 1024
"""Maximum size of a request's body in bytes."""

Source = Literal["path", "query", "headers", "body"]
"""A part of a request that an endpoint reads into a model."""
Reader = Callable[[web.Request], Value]

SOURCES: tuple[Source, ...] = get_args(Source)
PROBLEMS: Mapping[Source, tuple[Code, ...]] = {
    "path": ("not_found",),
    "query": ("invalid_request",),
    "headers": ("invalid_request",),
    "body": ("malformed_json", "malformed_request", "unsupported_media_type", "body_too_large", "invalid_request"),
}
"""The problems of each source."""


class OptionalBody(Value):
    """A body that may be left out. Every field has a default."""


async def read_body(model: type[Value], request: web.Request) -> Value:
    """Return the JSON body as this model. Raises `Problem`."""
    if issubclass(model, OptionalBody) and not request.body_exists:
        return model()
    if request.content_type != CONTENT_TYPE:
        raise Problem(
            "unsupported_media_type", f"Send the body as {CONTENT_TYPE}.", headers={hdrs.ACCEPT: CONTENT_TYPE}
        )
    raw = await request.read()
    try:
        # strict: `false` is not a number and 5 is not a text. By alias only: doctor_id is an unknown field.
        return model.model_validate_json(raw, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error) from None


def reader_of(source: Source, model: type[Value]) -> Reader:
    """Return the function that reads the path, query or headers of a request as this model. It raises `Problem`."""
    return _READERS[source](model)


def split(given: object) -> object:
    """Split the values of a repeatable parameter at commas: `?status=a,b` means `?status=a&status=b`."""
    return [word for text in given for word in text.split(",")] if isinstance(given, list) else given


def _path_reader(model: type[Value]) -> Reader:
    def read(request: web.Request) -> Value:
        try:
            return model.model_validate(dict(request.match_info))
        except ValidationError:  # the id has not the form of an id, so nothing can have it
            raise Problem("not_found", "Nothing has this id.") from None

    return read


def _query_reader(model: type[Value]) -> Reader:
    repeatable = _repeatable(model)
    return lambda request: _read_texts(model, request.query, request.query.keys(), repeatable, "query")


def _headers_reader(model: type[Value]) -> Reader:
    names = frozenset(field.alias or name for name, field in model.model_fields.items())
    return lambda request: _read_texts(model, request.headers, names, frozenset(), "header")


_READERS: Mapping[Source, Callable[[type[Value]], Reader]] = {
    "path": _path_reader,
    "query": _query_reader,
    "headers": _headers_reader,
}


def _repeatable(model: type[Value]) -> frozenset[str]:
    """Return the parameters that may be given more than once: those that are a tuple in the model."""
    return frozenset(
        field.alias or name for name, field in model.model_fields.items() if get_origin(field.annotation) is tuple
    )


def _read_texts(
    model: type[Value],
    source: MultiMapping[str],
    names: Iterable[str],
    repeatable: frozenset[str],
    what: str,
) -> Value:
    given: dict[str, object] = {}
    for name in names:
        values = source.getall(name, [])
        if name in repeatable:
            given[name] = values
        elif len(values) > 1:
            raise Problem(
                "invalid_request",
                f"The {what} is not valid.",
                errors=[FieldError(pointer(name), "Give this only once", "repeated")],
            )
        elif values:
            given[name] = values[0]
    try:
        return model.model_validate(given, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error, what) from None
