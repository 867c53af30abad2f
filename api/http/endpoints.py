"""The route table: each endpoint says what it takes, what it answers, and with which problems it may refuse.

A handler is a plain async function. It names what it needs as parameters: `services`, `who` (the caller), `request`,
any of `path`, `query`, `headers` and `body`, each a pydantic model that is validated before the handler runs, or
`upload`, the bytes of a file. Its return annotation is the type of the answer. The documents and the tests are made
from the table.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from api.http import request_reading, uploads
from api.http.encoded import Encoded
from api.http.identity import Access
from api.http.problems import Code
from api.http.request_reading import CONTENT_TYPE, SOURCES, Source
from hub.scheduling.values import Id, Value

FORM_TYPE = "application/x-www-form-urlencoded"

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = Callable[..., Awaitable[object]]
H = TypeVar("H", bound=Handler)
T = TypeVar("T")

_TOKEN_PROBLEMS: tuple[Code, ...] = ("unauthenticated", "invalid_token", "token_expired")


class ById(Value):
    """A path with one id in it."""

    id: Id


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A value to answer with, and additional headers."""

    value: T
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Accepted(Generic[T]):
    """A value to answer with 202 instead of the endpoint's status: what was asked for is not done yet."""

    value: T


@dataclass(frozen=True)
class Json(Generic[T]):
    """A value that was encoded before, to answer with, and additional headers."""

    encoded: Encoded
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Lines(Generic[T]):
    """Values to answer with one by one, as lines of JSON. Taking them does the work."""

    items: AsyncIterator[Any]


@dataclass(frozen=True)
class Written(Generic[T]):
    """The JSON of the answer to a command, and additional headers. Nobody asks for it again, so it has no ETag."""

    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class File:
    """Bytes to answer with, in the media type that the endpoint `gives`, and additional headers."""

    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """One line of the route table."""

    method: Method
    path: str
    access: Access
    status: int
    """The HTTP status of success."""
    takes: Mapping[Source, type[Value]]
    answer: Any
    """The type of the JSON answer; None without content; `File` for bytes."""
    accepted: type[Value] | None
    """The type of the JSON of the answer 202, if the handler may return `Accepted` instead."""
    problems: tuple[Code, ...]
    """Every problem that the endpoint may answer with."""
    sends: tuple[str, ...]
    """The headers that the answer may have besides those of all answers."""
    handler: Handler
    needs: frozenset[str]
    """Which of `services`, `who` and `request` the handler takes."""
    gives: str
    """The media type of the answer."""
    also_gives: str | None
    """Another media type, if the handler may return a `File` of it instead; the file names it as its `Content-Type`."""
    upload: str | None
    """The field of the form (multipart/form-data) that holds a file, if the endpoint takes one."""
    form: type[BaseModel] | None
    """The fields of a plain form, if the endpoint takes one. The handler reads it itself, because it is signed."""

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """What the endpoint does, in one sentence."""
        return (self.handler.__doc__ or "").partition("\n")[0]


class Routes:
    """The endpoints of one module, under one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.table: list[Endpoint] = []

    def endpoint(  # noqa: PLR0913  # each is a property of an endpoint
        self,
        method: Method,
        path: str,
        *,
        access: Access,
        status: int = HTTPStatus.OK,
        problems: Sequence[Code] = (),
        sends: Sequence[str] = (),
        gives: str = CONTENT_TYPE,
        also_gives: str | None = None,
        upload: str | None = None,
        form: type[BaseModel] | None = None,
    ) -> Callable[[H], H]:
        """Add a handler to the table. `problems` are its own; those of its access and its sources are added."""

        def add(handler: H) -> H:
            hints = get_type_hints(handler)
            answer, accepted = _without_accepted(hints.pop("return"))
            if also_gives is not None:
                (answer, _) = get_args(answer)
            takes = {source: hints.pop(source) for source in SOURCES if source in hints}
            fillable = {"services", "who", "request"} | ({"upload"} if upload else set())
            if unknown := hints.keys() - fillable:
                raise TypeError(f"{handler.__name__}: unknown parameters {', '.join(unknown)}")
            if "who" in hints and access in {Access.ANYONE, Access.VISITOR}:
                raise TypeError(f"{handler.__name__}: there is no identity where anyone may call")
            own = (*uploads.PROBLEMS, *problems) if upload else problems
            self.table.append(
                Endpoint(
                    method=method,
                    path=self._prefix + path,
                    access=access,
                    status=status,
                    takes=takes,
                    answer=get_args(answer)[0] if get_origin(answer) in {Answer, Json, Lines, Written} else answer,
                    accepted=accepted,
                    problems=_all_problems(access, takes, own),
                    sends=tuple(sends),
                    handler=handler,
                    needs=frozenset(hints) - {"upload"},
                    gives=gives,
                    also_gives=also_gives,
                    upload=upload,
                    form=form,
                ),
            )
            return handler

        return add


def _without_accepted(answer: Any) -> tuple[Any, type[Value] | None]:
    """Return what a handler returns besides `Accepted`, and the type of the value of `Accepted`; None without it."""
    match get_args(answer):
        case (done, pending) if get_origin(pending) is Accepted:
            (accepted,) = get_args(pending)
            return done, accepted
        case _:
            return answer, None


def _all_problems(access: Access, takes: Mapping[Source, type[Value]], own: Sequence[Code]) -> tuple[Code, ...]:
    codes: list[Code] = [] if access is Access.ANYONE else list(_TOKEN_PROBLEMS)
    if access not in {Access.ANYONE, Access.ANY_LOG_IN}:
        codes += ["password_change_required", "second_factor_required"]
    if access.of_some_roles:
        codes.append("forbidden")
    if access is not Access.ANYONE:
        codes.append("too_many_requests")
    for source in takes:
        codes += request_reading.PROBLEMS[source]
    return tuple(dict.fromkeys([*codes, *own, "unavailable", "internal"]))
