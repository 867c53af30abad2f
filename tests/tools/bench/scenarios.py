"""The list of scenarios. To add one, write a function for one run and list it here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.tools.bench import board, bookings, cancellations, crowd, mixed, reading, recovery, reminders, storm
from tests.tools.bench.fan_out import node_to_many, one_to_many
from tests.tools.bench.figures import Figures
from tests.tools.bench.pending import pending
from tests.tools.bench.service import Service
from tests.tools.bench.subject import Hub

Run = Callable[[Any, float], Awaitable[Figures]]
"""Measures a `Subject`, or any `Service` if it can be the rival, for these seconds. Raises `WrongAnswers`."""

_ONE_OF_EACH = Hub()


@dataclass(frozen=True)
class Scenario:
    """Scenarios with the same figures share a table. Consecutive scenarios with the same hub size share a hub.

    What takes minutes is measured `on_request`, by its name. With `rival`, the rival can be measured, too.
    """

    name: str
    run: Run
    hub: Hub = _ONE_OF_EACH
    on_request: bool = False
    rival: bool = False


_IN_FLIGHT = (1, 32, 128)
_MANY = max(_IN_FLIGHT)
_DASHBOARDS = (100, 500, 1000)
_PEOPLE = (10_000, 100_000)
_PENDING = (10_000, 100_000, 1_000_000)
_YEARS = Hub(stored=100_000)
_TWO_WORKERS, _TWO_APIS = Hub(agents=2), Hub(apis=2)
_bookings_of_many = partial(bookings.over_rest, in_flight=_MANY)
_QUESTIONS: Mapping[str, reading.Questions] = {
    "slots of a day": reading.slots_of_a_day,
    "list of a patient": reading.list_of_a_patient,
    "week of a doctor": reading.week_of_a_doctor,
    "missed ones of a doctor": reading.missed_by_patients,
    "statistics of a doctor": reading.statistics_of_all_years,
}
_RIVAL_ANSWERS = _QUESTIONS.keys() - {"statistics of a doctor"}


def _asked_by_four(questions: reading.Questions) -> Run:
    return partial(reading.asked, questions=questions, in_flight=4)


# Those that book least come first: the embedded broker answers more slowly the more it holds.
ALL = (
    *(
        Scenario(f"bookings over REST, {n} in flight", partial(bookings.over_rest, in_flight=n), rival=True)
        for n in _IN_FLIGHT
    ),
    *(
        Scenario(f"bookings over sockets, {n} in flight", partial(bookings.over_sockets, in_flight=n), rival=True)
        for n in _IN_FLIGHT
    ),
    Scenario(f"bookings of one partition, {_MANY} in flight", partial(bookings.of_one_partition, in_flight=_MANY)),
    Scenario(f"bookings of one doctor, {_MANY} in flight", partial(bookings.of_one_doctor, in_flight=_MANY)),
    Scenario("2000 clients connected", partial(crowd.connected, clients=2000)),
    Scenario("mixed, 32 in flight", partial(mixed.half_slots, in_flight=32)),
    Scenario("mixed, 80 % reads, 64 in flight", partial(mixed.mostly_reads, in_flight=64), rival=True),
    Scenario(f"storm of 500 clients on {storm.SLOTS} slots", storm.over_sockets, rival=True),
    Scenario(f"storm of 500 clients on {storm.SLOTS} slots, over REST", storm.over_rest, rival=True),
    *(Scenario(f"last of {n} dashboards told", partial(one_to_many, dashboards=n), rival=True) for n in _DASHBOARDS),
    *(Scenario(f"last of {n} told by Node", partial(node_to_many, dashboards=n)) for n in _DASHBOARDS),
    Scenario(f"cancellations with {cancellations.WAITING} waiting, beside none", cancellations.beside),
    Scenario("board of all doctors", board.read),
    Scenario("last of 100 boards told", partial(board.told, boards=100)),
    Scenario("reminders due", reminders.due, rival=True),
    Scenario("kill -9 of the only worker", recovery.of_doctors),
    Scenario(f"bookings with two workers, {_MANY} in flight", _bookings_of_many, _TWO_WORKERS),
    Scenario("kill -9 of one of two workers", recovery.of_doctors, _TWO_WORKERS),
    Scenario(f"bookings with two apis, {_MANY} in flight", _bookings_of_many, _TWO_APIS),
    Scenario("kill -9 of one of two apis", recovery.of_sockets, _TWO_APIS),
    *(
        Scenario(f"100,000 stored: {name}", _asked_by_four(questions), _YEARS, rival=name in _RIVAL_ANSWERS)
        for name, questions in _QUESTIONS.items()
    ),
    Scenario("100,000 stored: bookings, 32 in flight", partial(bookings.over_rest, in_flight=32), _YEARS, rival=True),
    Scenario("100,000 stored: kill -9 of the only worker", recovery.of_doctors, _YEARS),
    *(
        Scenario(
            f"search of {n} people",
            _asked_by_four(reading.search_of_the_desk),
            Hub(guests=n),
            on_request=n > _PEOPLE[0],
        )
        for n in _PEOPLE
    ),
    *(Scenario(f"{n} deadlines pending", partial(pending, number=n), on_request=True) for n in _PENDING),
)


async def warm_up(service: Service, seconds: float) -> None:
    """Warm up: every doctor is read, every connection opened, and just-in-time code compiled."""
    await recovery.touch_each_doctor(service)
    await _bookings_of_many(service, seconds)
