import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.tools.bench import reminders
from tests.tools.bench.service import DUE_DOCTORS, DUE_EACH, WrongAnswers, due_bookings


class SlowToStart:
    async def come_due(self, after: float) -> list[str]:
        await asyncio.sleep(after + 0.01)
        return []


async def test_lateness_never_includes_the_start_of_the_process() -> None:
    service: Any = SlowToStart()

    with pytest.raises(WrongAnswers, match="the start took longer"):
        await reminders.due(service, 1.0, shortly=0.01)


def test_no_doctor_and_no_patient_has_two_appointments_at_once() -> None:
    doctors = [f"doctor-{number}" for number in range(DUE_DOCTORS)]
    patients = [f"patient-{number}" for number in range(DUE_DOCTORS * DUE_EACH)]

    bookings = due_bookings(doctors, patients, datetime(2026, 12, 1, 9, tzinfo=UTC))

    assert len({(doctor, start) for doctor, _, start in bookings}) == len(bookings) == DUE_DOCTORS * DUE_EACH
    assert len({patient for _, patient, _ in bookings}) == len(bookings)
