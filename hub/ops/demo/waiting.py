"""Who loses the race waits for the slot. Some slots are given back, and those who wait take them, or pass."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hub.client.wire import WaitingEntry
from hub.ids import new_id
from hub.ops.demo.desk import Desk
from hub.ops.demo.free_slots import FreeSlot
from hub.ops.demo.patients import Patient
from hub.ops.judge.history import History, LineRequest
from hub.scheduling.schedule import zone
from hub.scheduling.values import ACTIVE, APPOINTMENT_DURATION, OFFERS, Status
from hub.scheduling.views import AppointmentView

_GIVEN_BACK = 6
"""Slots that are cancelled while somebody waits for them, at most."""
_OFFERED_WITHIN = 3.0
"""Seconds. Outside the hours for texts the hub offers nothing: then the desk does."""
_SHOWN_WITHIN = 1.0
"""Seconds from an answer until the desk's dashboard shows it."""
_LOOK_EVERY = 0.05
_ANSWERED_WITHIN = 20.0
_PASSES = 3
"""Every so many-th offer is declined, and goes to the next one."""
_MINUTE = timedelta(minutes=1)


@dataclass
class Waitlists:
    """The patients of the demo who wait, and what they are offered, as the desk's dashboard shows it."""

    desk: Desk
    patients: Mapping[str, Patient]
    history: History
    _entries: dict[str, WaitingEntry] = field(default_factory=dict)
    _slots: dict[str, FreeSlot] = field(default_factory=dict)
    """For which slot each entry waits."""
    _answered: set[str] = field(default_factory=set)

    async def join(self, patient: Patient, slot: FreeSlot) -> None:
        """Wait for exactly this slot."""
        local = slot.start.astimezone(zone(slot.doctor.zone))
        minute = local.hour * 60 + local.minute
        between = minute, minute + APPOINTMENT_DURATION // _MINUTE
        who = patient.member.user
        request = LineRequest(who, "join", new_id(), self.desk.clock(), slot.doctor.id, who.id)
        self.history.on_line_request(request)
        answer = await patient.member.waitlist.join(
            slot.doctor.id, local.date(), local.date(), between=between, key=request.key
        )
        request.on_answer(answer, self.desk.clock())
        if isinstance(answer, WaitingEntry):
            self._entries[answer.id], self._slots[answer.id] = answer, slot

    async def fill(self, free_slots: Sequence[FreeSlot]) -> None:
        """Give some slots back for which somebody waits, and answer the offers until there are none."""
        awaited = {(slot.doctor.id, slot.start) for slot in self._slots.values()}
        held = {(each.doctor_id, each.start): each for each in self._shown(ACTIVE)}
        wanted = [(slot.doctor.id, slot.start) for slot in free_slots]
        given = [held[each] for each in wanted if each in awaited and each in held][:_GIVEN_BACK]
        for appointment in given:
            await self.patients[appointment.patient_id].commands.cancel(appointment.id)
        await self._answer_until_quiet(_OFFERED_WITHIN)
        for appointment in given:
            await self._offer_out_of_turn(appointment)
        await self._answer_until_quiet(_SHOWN_WITHIN)

    async def end(self) -> None:
        """Let nobody wait any more, and decline what is still offered."""
        await asyncio.gather(*(self._leave(entry) for entry in self._entries.values()))
        for offer in self._shown({Status.OFFERED}):
            await self.patients[offer.patient_id].commands.decline(offer.id)

    async def _leave(self, entry: WaitingEntry) -> None:
        """Leave. Who has taken an offer does not wait any more, and is refused."""
        patient = self.patients[entry.patient_id]
        who = patient.member.user
        request = LineRequest(who, "leave", new_id(), self.desk.clock(), entry.doctor_id, who.id, entry.id)
        self.history.on_line_request(request)
        request.on_answer(await patient.member.waitlist.leave(entry.id, request.key), self.desk.clock())

    async def _answer_until_quiet(self, seconds: float) -> None:
        """Answer offers until none has come for these seconds, or for `_ANSWERED_WITHIN` in all."""
        now = asyncio.get_running_loop().time
        give_up_at, quiet_since = now() + _ANSWERED_WITHIN, now()
        while now() < give_up_at and now() - quiet_since < seconds:
            if await self._answer_offers():
                quiet_since = now()
            await asyncio.sleep(_LOOK_EVERY)

    async def _answer_offers(self) -> bool:
        """Answer the open offers; return whether there were any."""
        offers = [each for each in self._shown({Status.OFFERED}) if each.id not in self._answered]
        for offer in offers:
            self._answered.add(offer.id)
            commands = self.patients[offer.patient_id].commands
            passes = len(self._answered) % _PASSES == 0
            await (commands.decline(offer.id) if passes else commands.accept(offer.id))
        return bool(offers)

    async def _offer_out_of_turn(self, cancelled: AppointmentView) -> None:
        """Let the desk offer a slot that is still free, to one who was not offered it."""
        held = {(each.doctor_id, each.start) for each in self._shown(ACTIVE | {Status.OFFERED})}
        had = {(each.patient_id, each.start) for each in self._shown({Status.OFFERED, Status.LAPSED})}
        if (cancelled.doctor_id, cancelled.start) in held:
            return
        for entry in self._entries.values():
            slot = self._slots[entry.id]
            fits = (slot.doctor.id, slot.start) == (cancelled.doctor_id, cancelled.start)
            if fits and (entry.patient_id, cancelled.start) not in had:
                await self._offer(entry, cancelled)
                return

    async def _offer(self, entry: WaitingEntry, cancelled: AppointmentView) -> None:
        who = self.desk.receptionist
        request = LineRequest(
            who.user,
            "offer",
            new_id(),
            self.desk.clock(),
            entry.doctor_id,
            entry.patient_id,
            entry.id,
            cancelled.start,
        )
        self.history.on_line_request(request)
        answer = await who.waitlist.offer(entry.id, cancelled.start, request.key)
        request.on_answer(answer, self.desk.clock())

    def _shown(self, statuses: Collection[Status]) -> list[AppointmentView]:
        """Return what the desk sees of the demo's patients, with one of these statuses.

        What they were offered elsewhere is left out: the seeded clinic has an open offer, and its patients wait too.
        """
        awaited = {(slot.doctor.id, slot.start) for slot in self._slots.values()}
        return [
            each
            for each in self.desk.dashboard.appointments
            if each.status in statuses
            and each.patient_id in self.patients
            and (each.status not in OFFERS or (each.doctor_id, each.start) in awaited)
        ]
