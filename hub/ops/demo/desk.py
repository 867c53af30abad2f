"""The front desk of the demo: it checks patients in while the others race, and undoes it in the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.client.line import Line
from hub.client.member import Member
from hub.clock import Clock
from hub.ops.judge.dashboard import Dashboard
from hub.scheduling.appointment import CHECK_IN_LEAD
from hub.scheduling.values import ACTIVE
from hub.scheduling.views import AppointmentView

_VISITS = 12
"""Patients who are checked in at most."""
_TOO_EARLY = 2
"""Further attempts, for patients of later days: they are refused."""


@dataclass
class Desk:
    """A receptionist with a line, whose dashboard shows the appointments of all doctors."""

    receptionist: Member
    line: Line
    dashboard: Dashboard
    clock: Clock
    _steps: list[str] = field(default_factory=list)

    async def work(self) -> None:
        """Check in those who are expected now, and call every second one in. Two of a later day are too early."""
        now = self.clock()
        shown = sorted(self.dashboard.appointments, key=lambda each: (each.start, each.id))
        waiting = [each for each in shown if each.status in ACTIVE and each.visit is None]
        for number, appointment in enumerate(_expected(waiting, now)[:_VISITS]):
            steps = self.line.commands.check_in, self.line.commands.call_in
            for step in steps[: 1 + number % 2]:
                if (await step(appointment.id)).ok:
                    self._steps.append(appointment.id)
        for appointment in [each for each in waiting if each.start > now + 2 * CHECK_IN_LEAD][:_TOO_EARLY]:
            await self.line.commands.check_in(appointment.id)

    async def undo(self) -> None:
        """Undo the visits, so that the next demo finds patients who have not arrived."""
        for id_ in self._steps:
            await self.line.commands.undo_visit(id_)


def _expected(waiting: Sequence[AppointmentView], now: datetime) -> list[AppointmentView]:
    """Return those whose start is near, and which do not become a no-show when the check-in is undone in a minute."""
    return [each for each in waiting if now - timedelta(minutes=10) < each.start < now + CHECK_IN_LEAD]
