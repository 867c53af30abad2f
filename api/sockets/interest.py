"""Whose notices this process must not miss: the doctors of the people who are connected, and those they watch."""

import asyncio
from contextlib import suppress

from hub.bus.messages import Notice
from hub.bus.ports import Following
from hub.records.errors import StoreUnavailable

_RETRY = 0.5
"""Seconds between two attempts to follow a doctor while the database does not answer."""


class Gone(Exception):
    """The client disconnected while something was done for it."""


class Interest:
    """Follows a doctor as long as some client has a reason for it."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._reasons: dict[str, dict[str, str]] = {}
        self._patients: dict[str, set[str]] = {}
        self._patient_of: dict[str, str] = {}
        self._wanted: dict[tuple[str, str], None] = {}
        self._news = asyncio.Event()

    def arrive(self, sid: str, patient_id: str | None) -> None:
        """Begin to keep reasons for a client; a patient's are found by themselves in later notices."""
        self._reasons[sid] = {}
        if patient_id is not None:
            self._patients.setdefault(patient_id, set()).add(sid)
            self._patient_of[sid] = patient_id

    def depart(self, sid: str) -> None:
        """Drop all reasons of a client."""
        for doctor_id in self._reasons.pop(sid, {}).values():
            self._following.unfollow(doctor_id)
        if patient_id := self._patient_of.pop(sid, None):
            self._patients[patient_id].discard(sid)
            if not self._patients[patient_id]:
                del self._patients[patient_id]

    async def hold(self, sid: str, reason: str, doctor_id: str) -> int:
        """Follow a doctor for a client; return the `seq` after which every notice is delivered.

        A reason counts once, however often it is given. Raises `Gone` and `StoreUnavailable`.
        """
        seq = await self._following.follow(doctor_id)
        reasons = self._reasons.get(sid)
        if reasons is None:  # it disconnected while we waited, so nobody else would take this back
            self._following.unfollow(doctor_id)
            raise Gone
        if reason in reasons:
            self._following.unfollow(doctor_id)
        reasons[reason] = doctor_id
        return seq

    def release(self, sid: str, reason: str) -> None:
        """Drop one reason of a client, if it has it."""
        if doctor_id := self._reasons.get(sid, {}).pop(reason, None):
            self._following.unfollow(doctor_id)

    async def hold_own(self, sid: str, doctor_id: str) -> None:
        """Follow a doctor because the client is that doctor, or a patient of that doctor. Raises as `hold` does."""
        await self.hold(sid, _own(doctor_id), doctor_id)

    def heard(self, notice: Notice) -> None:
        """Note that a patient who is connected has to do with this doctor."""
        for sid in self._patients.get(notice.appointment.patient_id, ()):
            if _own(notice.doctor_id) not in self._reasons[sid]:
                self._wanted[sid, notice.doctor_id] = None
                self._news.set()

    async def run(self) -> None:
        """Follow, for ever, the doctors that connected patients turn out to have to do with."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._wanted:
                sid, doctor_id = next(iter(self._wanted))
                try:
                    with suppress(Gone):
                        await self.hold_own(sid, doctor_id)
                except StoreUnavailable:
                    await asyncio.sleep(_RETRY)
                else:
                    del self._wanted[sid, doctor_id]


def _own(doctor_id: str) -> str:
    return f"own:{doctor_id}"
