"""Injected faults: each applies to the next `count` texts, to all phones or to one."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeVar, get_args

from pydantic import Field

from hub.scheduling.values import Value

AnswerFault = Literal["too_many_requests", "server_error", "time_out", "dropped", "server_error_but_accepted"]
"""A fault in the answer to a POST. The first three do not accept the text; `time_out` sends no answer for a minute.
`dropped` accepts the text and cuts the connection; `server_error_but_accepted` accepts it and answers 502."""
CarrierFault = Literal["callbacks_twice", "callbacks_reversed", "callbacks_withheld", "undelivered"]
"""A fault in the delivery of a text that was accepted."""

ANSWER_FAULTS: Final[tuple[AnswerFault, ...]] = get_args(AnswerFault)
CARRIER_FAULTS: Final[tuple[CarrierFault, ...]] = get_args(CarrierFault)
_MAX_PENDING = 100

F = TypeVar("F", AnswerFault, CarrierFault)


class Fault(Value):
    """A fault that applies `count` times, only to texts to `to` if that is set. `error_code` is for `undelivered`."""

    kind: AnswerFault | CarrierFault
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
    to: str | None = None
    error_code: int = 30003


class Faults:
    """The faults that have not been used up, in the order in which they were added."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that have not been used up."""
        return tuple(self._pending)

    def add(self, fault: Fault) -> bool:
        """Add a fault after those added before; return False when there are too many already."""
        if len(self._pending) >= _MAX_PENDING:
            return False
        self._pending.append(fault)
        return True

    def clear(self) -> None:
        """Remove all faults."""
        self._pending.clear()

    def take_answer(self, to: str) -> AnswerFault | None:
        """Take the next fault for the answer to a POST of a text to this phone, if there is one."""
        fault = self._take(to, ANSWER_FAULTS)
        return None if fault is None else _only(fault.kind, ANSWER_FAULTS)

    def take_carrier(self, to: str) -> tuple[CarrierFault, int] | None:
        """Take the next fault, with its error code, for the delivery of a text to this phone, if there is one."""
        fault = self._take(to, CARRIER_FAULTS)
        return None if fault is None else (_only(fault.kind, CARRIER_FAULTS), fault.error_code)

    def _take(self, to: str, kinds: Sequence[str]) -> Fault | None:
        for index, fault in enumerate(self._pending):
            if fault.kind in kinds and fault.to in (None, to):
                left = [fault.model_copy(update={"count": fault.count - 1})] if fault.count > 1 else []
                self._pending[index : index + 1] = left
                return fault
        return None


def _only(kind: str, kinds: Sequence[F]) -> F:
    return next(each for each in kinds if each == kind)
