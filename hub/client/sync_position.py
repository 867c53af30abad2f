"""The client's position in the events of its doctors, so that each event is applied once and in order."""

from collections.abc import Iterable

from hub.client.wire import DoctorEvent, SyncAnswer


class SyncPosition:
    """The position, and the events that arrived before the answer to `sync`.

    The hub starts to send events before it answers `sync`, and that answer may contain some of them. So events are held
    back until the answer; then every event above the position is applied.
    """

    def __init__(self) -> None:
        self.position: dict[str, int] | None = None
        """The last `seq` applied, by the doctor's id; None before the first answer."""
        self._held_back: list[DoctorEvent] | None = []

    def begin_connection(self) -> None:
        """Hold back events from now on. Call this before a new connection opens: events may have been missed."""
        self._held_back = []

    def request(self) -> dict[str, object]:
        """Return the argument of `sync`."""
        return {} if self.position is None else {"since": dict(self.position)}

    def on_event(self, event: DoctorEvent) -> list[DoctorEvent]:
        """Return the events to apply after this event arrived."""
        if self._held_back is None:
            return self._new([event])
        self._held_back.append(event)
        return []

    def on_answer(self, answer: SyncAnswer) -> list[DoctorEvent]:
        """Return the events to apply after the answer to `sync`. A snapshot has to be applied before them."""
        held_back, self._held_back = self._held_back or [], None
        if answer.mode == "snapshot" or self.position is None:
            self.position = dict(answer.position)
            return self._new(held_back)
        missed = self._new(answer.events)
        for doctor_id, seq in answer.position.items():
            self.position[doctor_id] = max(seq, self.position.get(doctor_id, 0))
        return [*missed, *self._new(held_back)]

    def _new(self, events: Iterable[DoctorEvent]) -> list[DoctorEvent]:
        position = {} if self.position is None else self.position
        new = []
        for event in events:
            if event.seq > position.get(event.doctor_id, 0):
                position[event.doctor_id] = event.seq
                new.append(event)
        return new
