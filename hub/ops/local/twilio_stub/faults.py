"""What goes wrong on demand: for the next so many texts, all of them or those to one phone."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeVar, get_args

from pydantic import Field

from hub.scheduling.values import Value

AnswerFault = Literal["too_many_requests", "server_error", "time_out", "dropped", "server_error_but_accepted"]
"""What a POST is answered. The first three accept nothing; `time_out` says nothing for a minute. `dropped` accepts the
text and cuts the connection, `server_error_but_accepted` accepts it and says 502."""
CarrierFault = Literal["callbacks_twice", "callbacks_reversed", "callbacks_withheld", "undelivered"]
"""What becomes of a text that was accepted."""

ANSWER_FAULTS: Final[tuple[AnswerFault, ...]] = get_args(AnswerFault)
CARRIER_FAULTS: Final[tuple[CarrierFault, ...]] = get_args(CarrierFault)
_MOST = 100

F = TypeVar("F", AnswerFault, CarrierFault)


class Fault(Value):
    """One thing that goes wrong `count` times; `to` narrows it to one phone. `error_code` is for `undelivered`."""

    kind: AnswerFault | CarrierFault
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
    to: str | None = None
    error_code: int = 30003


class Faults:
    """The faults that are still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    @property
    def coming(self) -> tuple[Fault, ...]:
        """What is still to come."""
        return tuple(self._coming)

    def add(self, fault: Fault) -> bool:
        """Let this happen after what was asked for before; return False when too much is to come already."""
        if len(self._coming) >= _MOST:
            return False
        self._coming.append(fault)
        return True

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._coming.clear()

    def take_answer(self, to: str) -> AnswerFault | None:
        """Return what the POST of a text to this phone is answered, and use that up."""
        fault = self._take(to, ANSWER_FAULTS)
        return None if fault is None else _only(fault.kind, ANSWER_FAULTS)

    def take_carrier(self, to: str) -> tuple[CarrierFault, int] | None:
        """Return what becomes of an accepted text to this phone, with its error code, and use that up."""
        fault = self._take(to, CARRIER_FAULTS)
        return None if fault is None else (_only(fault.kind, CARRIER_FAULTS), fault.error_code)

    def _take(self, to: str, kinds: Sequence[str]) -> Fault | None:
        for index, fault in enumerate(self._coming):
            if fault.kind in kinds and fault.to in (None, to):
                left = [fault.model_copy(update={"count": fault.count - 1})] if fault.count > 1 else []
                self._coming[index : index + 1] = left
                return fault
        return None


def _only(kind: str, kinds: Sequence[F]) -> F:
    return next(each for each in kinds if each == kind)
