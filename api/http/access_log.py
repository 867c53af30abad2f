"""Collects the lines of the access log in memory and writes them in batches: no answer waits for them.

At the end of the process the rest is written. A process that gets kill -9 loses what came since its last write, which
is at most `every` seconds while the database answers. While it does not, lines wait up to a limit. What comes beyond it
is dropped, counted and logged.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from hub.accounts.access import EVERY_DOCTOR, REFERS_WITHIN, AccessAction, AccessEntry
from hub.accounts.identity import Identity
from hub.accounts.ports import AccessRecords
from hub.clock import Clock
from hub.ids import new_id
from hub.records.errors import StoreUnavailable
from hub.scheduling.values import Role

log = structlog.get_logger(__name__)
WAITING = Gauge("clinic_access_lines_waiting", "Lines of the access log that are not written yet.")
DROPPED = Counter("clinic_access_lines_dropped_total", "Lines of the access log that were dropped: too many waited.")

BATCH: Final = 500
"""Lines in one write."""
MOST_PEOPLE: Final = 1000
"""People in one line. A longer list takes several lines with the same request id."""
_FEW: Final = 3
"""So many people are named again: an index entry for each costs no more than a reference."""
_LISTS: Final = 5000
"""Lists of people that are remembered."""
_KEEP_REFERRED: Final = timedelta(days=1)
"""How much longer a line is kept that later ones may refer to."""


@dataclass(frozen=True)
class Caller:
    """Where a request comes from, and its id."""

    address: str | None
    request_id: str | None


@dataclass(frozen=True)
class Doer:
    """Somebody who has no token (yet): who logs in, and whose link is used."""

    user_id: str
    role: Role


CALLER: ContextVar[Caller] = ContextVar("caller", default=Caller(None, None))  # noqa: B039  # it is frozen


class AccessLog:
    """The access log of a process. No method but `flush` and `close` suspends."""

    def __init__(  # noqa: PLR0913  # called once, in `api.services`
        self,
        records: AccessRecords,
        clock: Clock,
        *,
        days: int,
        secret: str,
        every: float,
        capacity: int = 200_000,
    ) -> None:
        """Keep lines for `days`. At most `capacity` people and lines wait. `secret` is the key of the hashes."""
        self._records = records
        self._clock = clock
        self._kept_for = timedelta(days=days)
        self._secret = secret
        self._every = every
        self._capacity = capacity
        self._waiting: deque[AccessEntry] = deque()
        self._held = 0
        self._dropped = 0
        self._lists: OrderedDict[bytes, tuple[str, datetime]] = OrderedDict()
        """The line that names a list of people, and when it was made, by a hash of the list; the latest used last."""
        self._unavailable = False
        self._writing = asyncio.Lock()
        WAITING.set_function(lambda: len(self._waiting))

    def looked(self, action: AccessAction, who: Identity | Doer, people: Iterable[str]) -> None:
        """Note that staff were shown data of these people. What patients see of their own is not noted."""
        if who.role is not Role.PATIENT:
            listed = tuple(dict.fromkeys(people))
            for first in range(0, max(1, len(listed)), MOST_PEOPLE):
                self.note(action, who, people=listed[first : first + MOST_PEOPLE])

    def looked_at_any(self, action: AccessAction, who: Identity | Doer, people: Iterable[str]) -> None:
        """Note that staff were shown data of these people, if there are any."""
        if who.role is not Role.PATIENT and (listed := dict.fromkeys(people)):
            self.looked(action, who, listed)

    def follows(self, action: AccessAction, who: Identity) -> None:
        """Note that from now on, or until now, a socket of staff is sent the events of the doctors of this person."""
        if who.role is not Role.PATIENT:
            self.note(action, who, doctors=(who.user_id if who.role is Role.DOCTOR else EVERY_DOCTOR,))

    def note(  # noqa: PLR0913  # each is a field of a line
        self,
        action: AccessAction,
        who: Identity | Doer | None = None,
        *,
        people: tuple[str, ...] = (),
        doctors: tuple[str, ...] = (),
        fields: tuple[str, ...] = (),
        key: str | None = None,
    ) -> None:
        """Add a line. `key` is an e-mail address, of which only a keyed hash is kept."""
        if self._held + 1 + len(people) > self._capacity:
            self._dropped += 1
            DROPPED.inc()
            return
        now, caller = self._clock(), CALLER.get()
        id_, expires_at, same_as = new_id(), now + self._kept_for, None
        if len(people) > _FEW:
            expires_at += _KEEP_REFERRED
            same_as = self._named_before(people, id_, now)
        self._held += 1 + (0 if same_as else len(people))
        # Without validation, which would take longer than all the rest: every value is ours.
        self._waiting.append(
            AccessEntry.model_construct(
                id=id_,
                at=now,
                action=action,
                by=who.user_id if who else None,
                by_role=who.role if who else None,
                address=caller.address,
                request_id=caller.request_id,
                people=() if same_as else people,
                same_as=same_as,
                doctors=doctors,
                fields=fields,
                key=self.keyed(key) if key is not None else None,
                expires_at=expires_at,
            )
        )

    def keyed(self, text: str) -> str:
        """Return the hash that stands for an e-mail address: the same for the same address and key."""
        return digest(self._secret.encode(), f"access log {text}".encode(), "sha256").hex()[:16]

    async def run(self) -> None:
        """Write what waits, again and again."""
        while True:
            await asyncio.sleep(self._every)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits. If the database does not answer, it goes on waiting."""
        async with self._writing:
            if self._dropped:
                log.error("access_lines_dropped", lines=self._dropped, waiting=len(self._waiting))
                self._dropped = 0
            while self._waiting:
                batch = [self._waiting[number] for number in range(min(BATCH, len(self._waiting)))]
                try:
                    await self._records.add(batch)
                except StoreUnavailable as error:
                    if not self._unavailable:  # once per outage
                        log.warning("access_log_not_written", waiting=len(self._waiting), cause=str(error))
                    self._unavailable = True
                    return
                self._unavailable = False
                for entry in batch:
                    self._waiting.popleft()
                    self._held -= 1 + len(entry.people)

    async def close(self, within: float) -> None:
        """Write what waits, in at most `within` seconds; log how much could not be written."""
        try:
            async with asyncio.timeout(within):
                await self.flush()
        except TimeoutError:
            pass
        if self._waiting:
            log.error("access_lines_lost", lines=len(self._waiting))

    def _named_before(self, people: tuple[str, ...], id_: str, now: datetime) -> str | None:
        """Return the line that names the same people; None if this line, with `id_`, has to do it."""
        key = sha256("\n".join(people).encode()).digest()
        last = self._lists.pop(key, None)
        if last is None or now - last[1] >= REFERS_WITHIN:
            last = id_, now
        self._lists[key] = last
        if len(self._lists) > _LISTS:
            self._lists.popitem(last=False)
        return None if last[0] == id_ else last[0]
