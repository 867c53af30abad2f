"""The scenario: all patients and doctors act until every command is answered; then the slots are freed again."""

import asyncio
from collections.abc import Callable, Sequence

from hub.ops.demo.doctors import Seat
from hub.ops.demo.openings import Opening
from hub.ops.demo.patients import Patient, take_part
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History
from hub.scheduling.values import ACTIVE
from hub.scheduling.views import AppointmentView

_PATIENCE = 30.0
"""Seconds that the last change may take to be handled and to reach the dashboards."""
_LOOK_EVERY = 0.02


class Morning:
    """Doctors, patients and what they race for; everybody is connected. `history` is the witness of them all."""

    def __init__(
        self, seats: Sequence[Seat], patients: Sequence[Patient], openings: Sequence[Opening], history: History
    ) -> None:
        self._seats = seats
        self._patients = {patient.member.user.id: patient for patient in patients}
        self._openings = openings
        self._history = history
        self._dashboards = {seat.doctor.user.id: seat.dashboard for seat in seats} | {
            patient.member.user.id: patient.dashboard for patient in patients if patient.dashboard
        }

    @property
    def dashboards(self) -> Sequence[Dashboard]:
        """The dashboards of all users with a line, the doctors first."""
        return list(self._dashboards.values())

    async def race(self, finished: Callable[[], None]) -> None:
        """Run all patients and doctors until everything is answered and received. `finished` is called per patient."""

        async def play(patient: Patient) -> None:
            await take_part(patient, self._openings)
            finished()

        try:
            async with asyncio.TaskGroup() as clinic:
                desks = [clinic.create_task(seat.desk.work(seat.doctor, seat.line.commands)) for seat in self._seats]
                await asyncio.gather(*(play(patient) for patient in self._patients.values()))
                await _until(lambda: self._desks_are_clear() and self._all_is_told())
                for desk in desks:
                    desk.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def tidy_up(self) -> int:
        """Let the patients cancel what is left of the morning, for the next one to find free slots; return how many."""
        left = [each for each in self._booked() if each.status in ACTIVE]
        await asyncio.gather(*(self._patients[each.patient_id].member.commands.cancel(each.id) for each in left))
        await _until(self._all_is_told)
        return len(left)

    def _desks_are_clear(self) -> bool:
        return all(seat.desk.is_clear for seat in self._seats) and all(
            exchange.answer for exchange in self._history.exchanges()
        )

    def _all_is_told(self) -> bool:
        """Whether every acknowledged change has reached the dashboards that it concerns."""
        answers = [exchange.answer for exchange in self._history.exchanges() if exchange.answer]
        return all(self._is_told(answer.appointment) for answer in answers) and self._slots_are_told()

    def _is_told(self, appointment: AppointmentView | None) -> bool:
        """Whether an acknowledged change has reached the dashboards of its doctor and patient, if they have one."""
        return appointment is None or all(
            self._dashboards[person].has(appointment.id, appointment.version)
            for person in (appointment.doctor_id, appointment.patient_id)
            if person in self._dashboards
        )

    def _slots_are_told(self) -> bool:
        """Whether who watches sees free and taken as the doctors' dashboards do."""
        held = {(each.doctor_id, each.start) for each in self._of_doctors() if each.status in ACTIVE}
        wanted = {(opening.doctor.id, opening.start) for opening in self._openings}
        return all(
            dashboard.slots[slot] is (slot not in held)
            for dashboard in self._dashboards.values()
            for slot in wanted & dashboard.slots.keys()
        )

    def _of_doctors(self) -> list[AppointmentView]:
        return [each for seat in self._seats for each in seat.dashboard.appointments]

    def _booked(self) -> list[AppointmentView]:
        """Return what was booked this morning, as it stood last."""
        ids = {
            exchange.request.command_id
            for exchange in self._history.exchanges()
            if exchange.request.command.kind == "book"
        }
        return [each for each in self._of_doctors() if each.id in ids]


async def _until(holds: Callable[[], bool]) -> None:
    """Return when it holds, or patience ends: then the judge finds what is missing, and says it better."""
    give_up_at = asyncio.get_running_loop().time() + _PATIENCE
    while not holds() and asyncio.get_running_loop().time() < give_up_at:  # noqa: ASYNC110  # no one event tells
        await asyncio.sleep(_LOOK_EVERY)
