"""What there is to measure. To add a scenario, write how one run of it goes and name it here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from tests.bench.bookings import over_rest, over_sockets
from tests.bench.fan_out import node_to_many, one_to_many
from tests.bench.figures import Figures
from tests.bench.pending import pending
from tests.bench.subject import Subject

Run = Callable[[Subject, float], Awaitable[Figures]]
"""Measures a hub for so many seconds. Raises `WrongAnswers` when it was quick by being wrong."""


@dataclass(frozen=True)
class Scenario:
    """Scenarios that give the same figures share a table. What takes minutes is measured `on_request`, by its name."""

    name: str
    run: Run
    on_request: bool = False


IN_FLIGHT = (1, 32, 128)
DASHBOARDS = (100, 500, 1000)
PENDING = (10_000, 100_000, 1_000_000)

# Those that book least come first: the embedded broker answers more slowly the more it holds.
ALL = (
    *(Scenario(f"bookings over REST, {n} in flight", partial(over_rest, in_flight=n)) for n in IN_FLIGHT),
    *(Scenario(f"bookings over sockets, {n} in flight", partial(over_sockets, in_flight=n)) for n in IN_FLIGHT),
    *(Scenario(f"last of {n} dashboards told", partial(one_to_many, dashboards=n)) for n in DASHBOARDS),
    *(Scenario(f"last of {n} told by Node", partial(node_to_many, dashboards=n)) for n in DASHBOARDS),
    *(Scenario(f"{n} deadlines pending", partial(pending, number=n), on_request=True) for n in PENDING),
)
WARM_UP = partial(over_rest, in_flight=max(IN_FLIGHT))
"""Has every doctor read from the record once, and every connection opened."""
