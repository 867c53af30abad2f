"""What goes wrong when: drawn from a seed, so that the same scenario can be played again."""

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
"""Seconds of peace at the beginning and at the end."""
_BETWEEN, _BETWEEN_IN_LONG_RUNS = (2.5, 6.5), (3.0, 15.0)
"""Seconds from one to the next; most last as long, so that they overlap. In long runs there is peace now and then."""
_LONG_RUN = 300.0
_TWO_AT_ONCE = 0.35
"""How often two begin at the same moment."""
_SHORT, _LONG = 1.0, 5.0


@dataclass(frozen=True)
class Fault:
    """Something goes wrong `at` so many seconds after the beginning and stays so for `seconds`.

    `which` picks the process, counted through those of its kind.
    """

    at: float
    kind: Kind
    which: int
    seconds: float


def kinds_on(broker: Broker) -> list[Kind]:
    """Return what can go wrong: the embedded broker keeps nothing, so it cannot be killed and keep its data."""
    return [kind for kind in KINDS if broker == "kafka" or kind != "broker killed"]


def scenario(seed: int, seconds: float, broker: Broker, session: float) -> list[Fault]:
    """Return the faults of a run of so many seconds, in order of time.

    `session` is how long the broker takes a silent worker for alive, in seconds; workers are silent for longer.
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
    """Deal from a deck that is shuffled whenever it is empty: each kind comes before one comes twice."""
    while True:
        yield from chance.sample(kinds, len(kinds))


def _length(chance: random.Random, kind: Kind, session: float) -> float:
    least = session * 1.3 if kind in {"agents paused", "agents stalled before a write"} else _SHORT
    return round(chance.uniform(least, least + _LONG - _SHORT), 1)
