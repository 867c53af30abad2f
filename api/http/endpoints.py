"""The route table. An endpoint says what it takes, gives and refuses; this makes the aiohttp handler of it.

A handler is a plain async function. It names what it needs as parameters: `services`, `who` (the caller), `request`,
and any of `path`, `query`, `headers`, `body`, each a pydantic model that is validated before the handler runs, or
`upload`, the bytes of a file. Its return annotation is the answer. The table keeps all of it, so documents and tests
can walk every endpoint.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

from aiohttp import hdrs, web
from multidict import MultiMapping
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.http.identity import Access, Authenticator
from api.http.problems import Code, FieldError, Problem, invalid, pointer
from api.http.rate_limits import WriteRateLimit
from api.http.uploads import PROBLEMS, read_upload
from hub.scheduling.values import Id, Value

CONTENT_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
BODY_LIMIT = 64 * 1024
"""Bytes of a request's body that are read at most."""

Source = Literal["path", "query", "headers", "body"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = Callable[..., Awaitable[object]]
Reader = Callable[[web.Request], Value]
H = TypeVar("H", bound=Handler)
T = TypeVar("T")

_SOURCES: tuple[Source, ...] = get_args(Source)
_TOKEN_PROBLEMS: tuple[Code, ...] = ("unauthenticated", "invalid_token", "token_expired")
_SOURCE_PROBLEMS: Mapping[Source, tuple[Code, ...]] = {
    "path": ("not_found",),
    "query": ("invalid_request",),
    "headers": ("invalid_request",),
    "body": ("malformed_json", "malformed_request", "unsupported_media_type", "body_too_large", "invalid_request"),
}

_NOTHING: Mapping[str, str] = {}


class ById(Value):
    """A path with one id in it."""

    id: Id


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A value to answer with, and headers besides."""

    value: T
    headers: Mapping[str, str]


@dataclass(frozen=True)
class File:
    """Bytes to answer with as they are, in the media type that the endpoint says it `gives`, and headers besides."""

    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """One line of the table: `problems` are all the codes it may say.

    `answer` is the type of the JSON; None: no content. Where it is `File`, `gives` is its media type. `upload` is the
    field of the form (multipart/form-data) in which a file comes, `form` what is in a plain form, which the handler
    reads itself because it is signed; None where there is none. `sends` names the headers that the answer may have
    besides those of all.
    """

    method: Method
    path: str
    access: Access
    status: int
    takes: Mapping[Source, type[Value]]
    answer: Any
    problems: tuple[Code, ...]
    sends: tuple[str, ...]
    handler: Handler
    needs: frozenset[str]
    gives: str
    upload: str | None
    form: type[BaseModel] | None

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (self.handler.__doc__ or "").partition("\n")[0]


class Routes:
    """The endpoints of one module, under one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.table: list[Endpoint] = []

    def endpoint(  # noqa: PLR0913  # what there is to say of an endpoint
        self,
        method: Method,
        path: str,
        *,
        access: Access,
        status: int = HTTPStatus.OK,
        problems: Sequence[Code] = (),
        sends: Sequence[str] = (),
        gives: str = CONTENT_TYPE,
        upload: str | None = None,
        form: type[BaseModel] | None = None,
    ) -> Callable[[H], H]:
        """Put a handler into the table. `problems` are its own; those of its access and its sources are added."""

        def put(handler: H) -> H:
            hints = get_type_hints(handler)
            answer = hints.pop("return")
            takes = {source: hints.pop(source) for source in _SOURCES if source in hints}
            fillable = {"services", "who", "request"} | ({"upload"} if upload else set())
            if strange := hints.keys() - fillable:
                raise TypeError(f"{handler.__name__}: nothing fills {', '.join(strange)}")
            if "who" in hints and access is Access.ANYONE:
                raise TypeError(f"{handler.__name__}: nobody is known where anyone may call")
            self.table.append(
                Endpoint(
                    method=method,
                    path=self._prefix + path,
                    access=access,
                    status=status,
                    takes=takes,
                    answer=get_args(answer)[0] if get_origin(answer) is Answer else answer,
                    problems=_all_problems(method, access, takes, (*PROBLEMS, *problems) if upload else problems),
                    sends=tuple(sends),
                    handler=handler,
                    needs=frozenset(hints) - {"upload"},
                    gives=gives,
                    upload=upload,
                    form=form,
                ),
            )
            return handler

        return put


class Guards(Protocol):
    """What every request passes before its handler runs; the handlers' `services` have it, among other things."""

    @property
    def authenticator(self) -> Authenticator:
        """Reads who calls from the bearer token."""

    @property
    def write_rate_limit(self) -> WriteRateLimit:
        """Counts writes."""


def serve(endpoint: Endpoint, services: Guards) -> Callable[..., Awaitable[web.Response]]:
    """Return the aiohttp handler: admit the caller, read what the endpoint takes, run it, write its answer."""
    access, needs, handler, status = endpoint.access, endpoint.needs, endpoint.handler, endpoint.status
    readers = {source: _READERS[source](model) for source, model in endpoint.takes.items() if source != "body"}
    body = endpoint.takes.get("body")
    writes = endpoint.method != "GET"
    write = None if endpoint.answer in {type(None), File} else TypeAdapter(endpoint.answer).serializer.to_json

    async def handle(request: web.Request) -> web.Response:
        who = services.authenticator.admit(request, access)
        if who is not None and writes:
            services.write_rate_limit.count(who.user_id, request.remote)
        known = {"services": services, "who": who, "request": request}
        given: dict[str, object] = {name: known[name] for name in needs}
        for source, read in readers.items():
            given[source] = read(request)
        if body is not None:
            given["body"] = await _read_body(body, request)
        if endpoint.upload is not None:
            given["upload"] = await read_upload(request, endpoint.upload)
        result = await handler(**given)
        if isinstance(result, File):
            return _file(request, endpoint, result)
        value, more = (result.value, result.headers) if isinstance(result, Answer) else (result, _NOTHING)
        if write is None:
            return web.Response(status=status, headers=more)
        return web.Response(
            status=status, body=write(value, by_alias=True), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE, **more}
        )

    return handle


def _file(request: web.Request, endpoint: Endpoint, file: File) -> web.Response:
    """Return the file, or 304 to whoever has it already, by its ETag (a strong one, without a list of many)."""
    if hdrs.ETAG in file.headers and request.headers.get(hdrs.IF_NONE_MATCH) == file.headers[hdrs.ETAG]:
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=file.headers)
    return web.Response(
        status=endpoint.status, body=file.content, headers={hdrs.CONTENT_TYPE: endpoint.gives, **file.headers}
    )


def _all_problems(
    method: Method, access: Access, takes: Mapping[Source, type[Value]], own: Sequence[Code]
) -> tuple[Code, ...]:
    codes: list[Code] = [] if access is Access.ANYONE else list(_TOKEN_PROBLEMS)
    if access in {Access.DOCTOR, Access.PATIENT}:
        codes.append("forbidden")
    if method != "GET" and access is not Access.ANYONE:
        codes.append("too_many_requests")
    for source in takes:
        codes += _SOURCE_PROBLEMS[source]
    return tuple(dict.fromkeys([*codes, *own, "unavailable", "internal"]))


async def _read_body(model: type[Value], request: web.Request) -> Value:
    if request.content_type != CONTENT_TYPE:
        raise Problem(
            "unsupported_media_type", f"Send the body as {CONTENT_TYPE}.", headers={hdrs.ACCEPT: CONTENT_TYPE}
        )
    raw = await request.read()
    try:
        # strict: false is no number and 5 no text; by alias: doctor_id is as unknown outside as any other name
        return model.model_validate_json(raw, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error) from None


def _path_reader(model: type[Value]) -> Reader:
    def read(request: web.Request) -> Value:
        try:
            return model.model_validate(dict(request.match_info))
        except ValidationError:  # no id of ours, so nothing has this id
            raise Problem("not_found", "There is nothing here.") from None

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
    """Return which parameters may come more than once: those that the model has as a tuple."""
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
                f"The {what} is not as expected.",
                errors=[FieldError(pointer(name), "Give this only once", "repeated")],
            )
        elif values:
            given[name] = values[0]
    try:
        return model.model_validate(given, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error, what) from None
