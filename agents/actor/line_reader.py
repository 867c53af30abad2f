"""Reads the waitlists of doctors from the record, and keeps them while the actors know their doctors."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import islice

from hub.records.ports import Records
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.line import Candidate, Line, OfferPolicy, candidates, offer_of

_OFFERS_SINCE = timedelta(days=31)
"""How far back offers are read. An accepted one ends its entry a moment later, unless no worker runs for so long."""
_LOOKED_UP_AT_ONCE = 100
"""Candidates who are looked up together: usually the first one is free."""


class LineReader:
    """The lines that this worker knows. A line is true as of the event up to which its doctor is known."""

    def __init__(self, records: Records, policy: OfferPolicy) -> None:
        self._records = records
        self._policy = policy
        self._lines: dict[str, Line] = {}

    def forget_all(self) -> None:
        """Forget every line."""
        self._lines.clear()

    def forget(self, doctor_id: str) -> None:
        """Forget the line of a doctor."""
        self._lines.pop(doctor_id, None)

    def get(self, doctor_id: str) -> Line | None:
        """Return a line that is known."""
        return self._lines.get(doctor_id)

    def keep(self, doctor_id: str, line: Line | None) -> None:
        """Keep a line as it is after a write."""
        if line is not None and doctor_id in self._lines:
            self._lines[doctor_id] = line.tidied()

    async def read(self, doctor_ids: Collection[str], now: datetime) -> dict[str, Line]:
        """Read the lines of these doctors. The caller checks that nothing was forgotten meanwhile, and puts them."""
        return dict(zip(doctor_ids, await asyncio.gather(*(self._read(id_, now) for id_ in doctor_ids)), strict=True))

    def put(self, lines: dict[str, Line]) -> None:
        """Know these lines from now on."""
        self._lines |= lines

    async def _read(self, doctor_id: str, now: datetime) -> Line:
        waitlist = self._records.waitlist
        entries, offered = await asyncio.gather(
            waitlist.line(doctor_id), waitlist.offers(doctor_id, now - _OFFERS_SINCE)
        )
        offers = {offer.appointment_id: offer for each in offered if (offer := offer_of(each))}
        return Line(self._policy, {each.id: each for each in entries}, offers)

    async def looked_up(self, state: DoctorState, now: datetime) -> DoctorState:
        """Return the state with a line that knows whether its next candidate is free, also with other doctors.

        Those who are passed over stay where they are in the line.
        """
        line = state.line
        if line is None:
            return state
        if not line.policy.may_text(state.schedule, now):
            line = line.with_connected(await self._records.presence.connected(now))
        while True:
            some = list(islice(candidates(state.schedule, line, state.slot_owners.keys(), now), _LOOKED_UP_AT_ONCE))
            busy, asked = await self._not_free(some)
            line = line.without(busy, asked)
            if not some or _is_free(some[0], busy, asked):
                return state.with_line(line)
            # The next ones are known as well, unless all of these are taken up.

    async def _not_free(self, some: Sequence[Candidate]) -> tuple[set[tuple[str, datetime]], set[str]]:
        """Return which of these pairs of a patient and a start are busy, and which of the patients have an offer."""
        if not some:
            return set(), set()
        pairs = {(each.entry.patient_id, each.start) for each in some}
        busy, asked = await asyncio.gather(
            self._records.appointments.busy(pairs), self._records.waitlist.asked({patient for patient, _ in pairs})
        )
        return busy, asked


def _is_free(candidate: Candidate, busy: Collection[tuple[str, datetime]], asked: Collection[str]) -> bool:
    patient_id = candidate.entry.patient_id
    return patient_id not in asked and (patient_id, candidate.start) not in busy
