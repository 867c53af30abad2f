"""The scenario: all patients and doctors act until every command is answered; then the slots are freed again."""

import asyncio
from collections.abc import Callable, Sequence

from hub.ops.demo.connecting import Connected
from hub.ops.demo.free_slots import FreeSlot
from hub.ops.demo.patients import Patient, act
from hub.ops.demo.waiting import Waitlists
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.scheduling.values import ACTIVE, HOLDING
from hub.scheduling.views import AppointmentView

_SETTLE_TIMEOUT = 30.0
"""Seconds that the last change may take to be handled and to reach the dashboards."""
_CHECK_INTERVAL = 0.02
_WAITS = 4
"""Every so many-th patient who gets no slot waits for one."""


class Scenario:
    """Connected users, and the free slots. `history` records the commands of all of them."""

    def __init__(self, users: Connected, free_slots: Sequence[FreeSlot], history: History) -> None:
        self._doctors = users.doctors
        self._patients = {patient.member.user.id: patient for patient in users.patients}
        self._desk = users.desk
        self._free_slots = free_slots
        self._history = history
        self._waitlists = Waitlists(users.desk, self._patients, history)
        self._dashboards = {each.doctor.user.id: each.dashboard for each in users.doctors} | {
            patient.member.user.id: patient.dashboard for patient in users.patients if patient.dashboard
        }
        self._dashboards[self._desk.receptionist.user.id] = self._desk.dashboard

    @property
    def dashboards(self) -> Sequence[Dashboard]:
        """The dashboards of all users with a line, the doctors first, the desk last."""
        return list(self._dashboards.values())

    async def run(self, finished: Callable[[], None]) -> None:
        """Run everybody until everything is answered and received. `finished` is called per patient."""

        async def play(patient: Patient) -> None:
            wanted = await act(patient, self._free_slots)
            if wanted and patient.number % _WAITS == 0:
                await self._waitlists.join(patient, wanted)
            finished()

        try:
            async with asyncio.TaskGroup() as group:
                working = [
                    group.create_task(each.inbox.work(each.doctor, each.line.commands)) for each in self._doctors
                ]
                await asyncio.gather(self._desk.work(), *(play(patient) for patient in self._patients.values()))
                await _until(lambda: self._inboxes_are_empty() and self._dashboards_are_up_to_date())
                await self._waitlists.fill(self._free_slots)
                await self._waitlists.end()
                await _until(lambda: self._inboxes_are_empty() and self._dashboards_are_up_to_date())
                for task in working:
                    task.cancel()
        except ExceptionGroup as group_error:
            raise group_error.exceptions[0] from None

    async def free_the_slots(self) -> int:
        """Cancel all appointments that are still booked, so that the next demo finds free slots; return how many.

        The desk undoes its visits.
        """
        left = [each for each in self._booked() if each.status in ACTIVE]
        cancelling = (self._patients[each.patient_id].member.commands.cancel(each.id) for each in left)
        await asyncio.gather(self._desk.undo(), *cancelling)
        await _until(self._dashboards_are_up_to_date)
        return len(left)

    def _inboxes_are_empty(self) -> bool:
        all_answered = all(exchange.answer for exchange in self._history.exchanges())
        return all_answered and all(each.inbox.is_empty for each in self._doctors)

    def _dashboards_are_up_to_date(self) -> bool:
        """Whether every acknowledged change has reached the dashboards of its doctor and patient."""
        answers = [exchange.answer for exchange in self._history.exchanges() if exchange.answer]
        return all(self._has_arrived(answer.appointment) for answer in answers) and self._watched_slots_agree()

    def _has_arrived(self, appointment: AppointmentView | None) -> bool:
        return appointment is None or all(
            self._dashboards[user_id].has(appointment.id, appointment.version)
            for user_id in (appointment.doctor_id, appointment.patient_id, self._desk.receptionist.user.id)
            if user_id in self._dashboards
        )

    def _watched_slots_agree(self) -> bool:
        """Whether the watched slots are free or taken as the doctors' dashboards show them."""
        held = {(each.doctor_id, each.start) for each in self._known_to_doctors() if each.status in HOLDING}
        wanted = {(slot.doctor.id, slot.start) for slot in self._free_slots}
        return all(
            dashboard.slots[slot] is (slot not in held)
            for dashboard in self._dashboards.values()
            for slot in wanted & dashboard.slots.keys()
        )

    def _known_to_doctors(self) -> list[AppointmentView]:
        return [each for doctor in self._doctors for each in doctor.dashboard.appointments]

    def _booked(self) -> list[AppointmentView]:
        """Return the appointments booked or accepted in this demo, in their latest states."""
        requests = [exchange.request for exchange in self._history.exchanges()]
        ids = {each.command_id for each in requests if each.command.kind == "book"}
        ids |= {id_ for each in requests if each.command.kind == "accept" and (id_ := each.command.appointment_id)}
        return [each for each in self._known_to_doctors() if each.id in ids]


async def _until(holds: Callable[[], bool]) -> None:
    """Return when the condition holds, or after the timeout: then the judge reports what is missing."""
    give_up_at = asyncio.get_running_loop().time() + _SETTLE_TIMEOUT
    while not holds() and asyncio.get_running_loop().time() < give_up_at:  # noqa: ASYNC110  # depends on many events
        await asyncio.sleep(_CHECK_INTERVAL)
