"""The faults of a run and their times, chosen from a seed, so that a scenario can be repeated."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from hub.ops.local.broker import Kind as Broker

Kind = Literal[
    "agents killed",
    "agents paused",
    "agents restarted",
    "agents stalled before a write",
    "agents joined and left",
    "api killed",
    "api paused",
    "api restarted",
    "broker emptied",
    "broker killed",
    "broker paused",
    "database killed",
    "database paused",
    "database restarted",
    "replies lost",
    "replies late",
    "notices lost",
    "notices late",
    "notices lost at an api",
    "clients cut off",
    "Twilio's answers lost",
]
KINDS: Sequence[Kind] = get_args(Kind)

_FIRST, _LAST = 3.0, 5.0
"""Seconds without faults at the beginning and at the end."""
_BETWEEN, _BETWEEN_IN_LONG_RUNS = (2.5, 6.5), (3.0, 15.0)
"""Seconds between two faults. Most faults last about as long, so that they overlap; long runs also have pauses."""
_LONG_RUN = 300.0
_TWO_AT_ONCE = 0.35
"""Probability that two faults begin together."""
_SHORT, _LONG = 1.0, 5.0


@dataclass(frozen=True)
class Fault:
    """A fault that begins `at` seconds after the start of the run and lasts `seconds`.

    `which` selects the process among those of its kind (modulo their number).
    """

    at: float
    kind: Kind
    which: int
    seconds: float


def kinds_on(broker: Broker) -> list[Kind]:
    """Return the possible kinds. The embedded broker stores nothing, so it cannot be killed and keep its data."""
    return [kind for kind in KINDS if broker == "kafka" or kind != "broker killed"]


def scenario(seed: int, seconds: float, broker: Broker, session: float) -> list[Fault]:
    """Return the faults of a run of `seconds`, in order of time.

    `session`: the broker's session timeout in seconds. Workers are stopped for longer.
    """
    chance = random.Random(seed)
    deck = _dealt(chance, kinds_on(broker))
    faults: list[Fault] = []
    at = _FIRST
    while at < seconds - _LAST:
        for _ in range(2 if chance.random() < _TWO_AT_ONCE else 1):
            kind = next(deck)
            faults.append(Fault(round(at, 1), kind, chance.randrange(12), _length(chance, kind, session)))
        at += chance.uniform(*(_BETWEEN if seconds < _LONG_RUN else _BETWEEN_IN_LONG_RUNS))
    return faults


def _dealt(chance: random.Random, kinds: Sequence[Kind]) -> Iterator[Kind]:
    """Yield the kinds in random order, for ever. Every kind comes once before any comes again."""
    while True:
        yield from chance.sample(kinds, len(kinds))


def _length(chance: random.Random, kind: Kind, session: float) -> float:
    least = session * 1.3 if kind in {"agents paused", "agents stalled before a write"} else _SHORT
    return round(chance.uniform(least, least + _LONG - _SHORT), 1)
