"""Whose notices this process must not miss: the doctors of the people who are connected, and those they watch."""

from hub.bus.ports import NoticeFeed


class Gone(Exception):
    """The client disconnected while something was done for it."""


class Interest:
    """Follows a doctor as long as some client has a reason for it."""

    def __init__(self, following: NoticeFeed) -> None:
        self._following = following
        self._reasons: dict[str, dict[str, str]] = {}

    def arrive(self, sid: str) -> None:
        """Begin to keep reasons for a client."""
        self._reasons[sid] = {}

    def depart(self, sid: str) -> None:
        """Drop all reasons of a client."""
        for doctor_id in self._reasons.pop(sid, {}).values():
            self._following.unfollow(doctor_id)

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
        await self.hold(sid, f"own:{doctor_id}", doctor_id)
