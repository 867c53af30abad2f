"""Idempotency keys: the header of a repeatable request, and the answer to a repetition."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from api.commands.command_client import Done
from api.http.endpoints import Answer, Written
from api.http.positions import position_header
from hub.scheduling.values import Value

REPLAYED: Final = "Idempotency-Replayed"

T = TypeVar("T")


class Repeatable(Value):
    """With an idempotency key, the same request may be sent several times, and is carried out once.

    A repetition is answered with the result of the first time, and with the header `Idempotency-Replayed: true`.
    """

    key: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x20-\x7e]+$")] | None = Field(
        default=None, alias="Idempotency-Key"
    )


def written(done: Done[Any], content: bytes, headers: Mapping[str, str] | None = None) -> Written[Any]:
    """Return the answer to a command whose JSON is `content`, with the headers of `answer_of`."""
    return Written(content, answer_of(done, headers).headers)


def answer_of(done: Done[T], headers: Mapping[str, str] | None = None) -> Answer[T]:
    """Return the answer to a command, with its position, and whether it had been carried out before this request."""
    replayed = {REPLAYED: "true"} if done.replayed else {}
    return Answer(done.value, {**(headers or {}), **replayed, **position_header(done.position)})
