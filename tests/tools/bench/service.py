"""What a scenario needs of a running service: the hub's or the rival's."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Protocol

from tests.tools.bench.population import Population

DUE_DOCTORS, DUE_EACH = 64, 8
"""Doctors with reminders that come due during a measurement, and the number of reminders of each doctor."""


class WrongAnswers(Exception):
    """The service gave wrong answers, so its speed means nothing."""


class Service(Protocol):
    """A running service with a population."""

    @property
    def population(self) -> Population:
        """The accounts, with free slots and tokens."""
        ...

    @property
    def host(self) -> str:
        """The address that clients connect to."""
        ...

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        ...

    @property
    def processes(self) -> Mapping[str, int]:
        """The pid of each process by its name."""
        ...

    async def appointments(self) -> int:
        """Return the number of appointments, read directly from the database."""
        ...

    async def at_rest(self) -> None:
        """Return when nothing is left to do, so that no scenario affects the next one."""
        ...

    async def come_due(self, after: float) -> list[str]:
        """Restart the process that reminds, with `DUE_EACH` reminders of `DUE_DOCTORS` new doctors in its record.

        The first ones are due `after` these seconds, the next ones each a second later. Returns the doctors' tokens.
        """
        ...


def due_bookings(doctors: Sequence[str], patients: Iterable[str], first: datetime) -> list[tuple[str, str, datetime]]:
    """Return (doctor id, patient id, start) of the appointments whose reminders `come_due`."""
    times = (first + timedelta(seconds=number) for number in range(DUE_EACH))
    places = zip(product(times, doctors), patients, strict=True)
    return [(doctor, patient, start) for (start, doctor), patient in places]
