"""How far a client has come, so that over all its connections it applies every event once and in order."""

from collections.abc import Iterable

from hub.client.wire import Synced, Told


class Progress:
    """The client's position, and what it has been told while it does not know yet what it missed.

    The hub begins to tell before it answers `sync`, and its answer may hold some of that, or less. So what is told is
    kept until the answer, and then everything is applied that is above the position.
    """

    def __init__(self) -> None:
        self.position: dict[str, int] | None = None
        """The last `seq` applied, by the doctor's id; None before the first answer."""
        self._kept: list[Told] | None = []

    def lost(self) -> None:
        """From now on, and before the next connection is opened: something may be missed."""
        self._kept = []

    def ask(self) -> dict[str, object]:
        """Return the argument of `sync`."""
        return {} if self.position is None else {"since": dict(self.position)}

    def told(self, event: Told) -> list[Told]:
        """Return what is to be applied now that this has been told."""
        if self._kept is None:
            return self._new([event])
        self._kept.append(event)
        return []

    def answered(self, answer: Synced) -> list[Told]:
        """Return what is to be applied after the answer of `sync`: on top of a snapshot, if it is one."""
        kept, self._kept = self._kept or [], None
        if answer.mode == "snapshot" or self.position is None:
            self.position = dict(answer.position)
            return self._new(kept)
        missed = self._new(answer.events)
        for doctor_id, seq in answer.position.items():
            self.position[doctor_id] = max(seq, self.position.get(doctor_id, 0))
        return [*missed, *self._new(kept)]

    def _new(self, events: Iterable[Told]) -> list[Told]:
        position = {} if self.position is None else self.position
        new = []
        for event in events:
            if event.seq > position.get(event.doctor_id, 0):
                position[event.doctor_id] = event.seq
                new.append(event)
        return new
