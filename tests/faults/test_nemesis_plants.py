"""The judge must find each planted bug, and name the promise that it breaks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hub.ops.local.broker import session_timeout
from tests.faults.judged_run import broken
from tests.stack import BROKER
from tests.tools.nemesis.clients import Behaviour
from tests.tools.nemesis.run import Plan, play
from tests.tools.nemesis.scenario import Fault
from tests.tools.nemesis.verdict import Patience, rule

pytestmark = pytest.mark.stack

_PLANTS = "tests.tools.nemesis.plants"
_BUSY = Behaviour(pause=(0.1, 0.8))
_CHANGING = Behaviour(pause=(0.1, 0.5), changes_own=0.9)
_BOOKING = Behaviour(pause=(0.1, 0.5), changes_own=0.1)
_CHANGING_DAYS = Behaviour(pause=(0.1, 0.8), changes_a_day=0.15)
_WAITING = Behaviour(pause=(0.1, 0.5), waits=0.4, changes_own=0.3)
_ERASING = Behaviour(pause=(0.1, 0.8), erases=0.05)
_PATIENCE = Patience(deadlines=4.0)
_SEEDS = (1, 2, 3)
_SESSION = session_timeout(BROKER)


@dataclass(frozen=True)
class Planted:
    """A planted bug: its process, the faults that reveal it, and what the judge must find."""

    agents: str = "tests.tools.nemesis.agents"
    api: str = "tests.tools.nemesis.api"
    faults: Sequence[Fault] = ()
    says: tuple[int, str] = (0, "")
    behaviour: Behaviour = field(default_factory=lambda: _BUSY)
    seconds: float = 12.0
    rate: float = 120.0


def _kills(*at: float) -> list[Fault]:
    return [Fault(each, "agents killed", number, 0.5) for number, each in enumerate(at)]


def _stalls(*at: float) -> list[Fault]:
    return [Fault(each, "agents stalled before a write", 0, 1.3 * _SESSION + 2.0) for each in at]


QUICK = {
    "no unique index": Planted(
        agents=f"{_PLANTS}.agents_without_indexes",
        api=f"{_PLANTS}.api_without_indexes",
        says=(2, "a patient had two appointments at once"),
        seconds=8.0,
    ),
}
SLOW = {
    "a day change that skips an appointment": Planted(
        api=f"{_PLANTS}.api_skipping_appointments",
        says=(7, "a day change skipped an appointment"),
        behaviour=_CHANGING_DAYS,
        seconds=20.0,
    ),
    "no limit on a patient's appointments": Planted(
        agents=f"{_PLANTS}.agents_without_limit",
        says=(2, "a patient had more appointments to come than the clinic allows"),
        behaviour=_BOOKING,
        seconds=20.0,
        rate=20.0,
    ),
    "lost deadlines": Planted(
        agents=f"{_PLANTS}.agents_forgetting_deadlines",
        says=(5, "a due reminder was never sent"),
        rate=600.0,
    ),
    "a no-show of a patient who has arrived": Planted(
        agents=f"{_PLANTS}.agents_missing_arrivals",
        says=(5, "a patient who had arrived was marked as no-show"),
        behaviour=_CHANGING,
        seconds=20.0,
        rate=300.0,
    ),
    "offers without a fence of the slot": Planted(
        agents=f"{_PLANTS}.agents_without_offer_fences",
        api=f"{_PLANTS}.api_without_offer_fences",
        says=(2, "two appointments held the same slot"),
        behaviour=_WAITING,
    ),
    "offers without a fence of the patient": Planted(
        agents=f"{_PLANTS}.agents_without_offer_fences",
        api=f"{_PLANTS}.api_without_offer_fences",
        says=(8, "a patient had two offers at once"),
        behaviour=_WAITING,
    ),
    "lost ends of offers": Planted(
        agents=f"{_PLANTS}.agents_losing_ends_of_offers",
        says=(8, "the end of an offer was lost"),
        behaviour=_WAITING,
        rate=600.0,
    ),
    "offers to the last of the line": Planted(
        agents=f"{_PLANTS}.agents_offering_to_the_last",
        says=(8, "an offer went past an entry that was before"),
        behaviour=_WAITING,
    ),
    "a waitlist that nobody sees to": Planted(
        agents=f"{_PLANTS}.agents_not_tending",
        says=(8, "a free slot was not offered"),
        behaviour=_WAITING,
        seconds=15.0,
    ),
    "acked before it was handled": Planted(
        agents=f"{_PLANTS}.agents_acking_first",
        faults=_kills(3.0, 6.0, 9.0),
        says=(7, "a command that the broker took was never decided"),
    ),
    "no claim of a text": Planted(
        agents=f"{_PLANTS}.agents_sending_twice",
        says=(5, "a reminder was delivered twice"),
        rate=600.0,
    ),
    "no look at the version": Planted(
        agents=f"{_PLANTS}.agents_writing_over",
        faults=_stalls(2.0, 9.0, 16.0, 23.0),
        says=(1, "an acknowledged change is not in the record"),
        behaviour=_CHANGING,
        seconds=30.0,
    ),
    "notices before the write": Planted(
        agents=f"{_PLANTS}.agents_publishing_first",
        faults=_kills(3.0, 6.0, 9.0),
        says=(4, "an event was sent with other content than in the record"),
    ),
    "replies before the write": Planted(
        agents="tests.faults.agents_telling_first",
        faults=_kills(3.0, 6.0, 9.0),
        says=(6, "what was acknowledged did not survive"),
    ),
    "a fresh id at each repetition": Planted(
        api="tests.faults.api_with_fresh_ids",
        faults=[Fault(2.0, "replies lost", 0, 6.0)],
        says=(3, "a refused command was applied"),
    ),
    "lost notices that nobody reads from the record": Planted(
        api="tests.faults.api_losing_without_mending",
        says=(4, "an event was not sent"),
    ),
    "an erasure that leaves appointments": Planted(
        api=f"{_PLANTS}.api_leaving_appointments",
        says=(1, "an erasure has left an appointment to come"),
        behaviour=_ERASING,
    ),
    "an erasure that leaves texts": Planted(
        api=f"{_PLANTS}.api_leaving_texts",
        says=(1, "an erasure has left words in the database"),
        behaviour=_ERASING,
    ),
    "a view that skips an event": Planted(
        api=f"{_PLANTS}.api_skipping_events",
        says=(4, "a read was answered with other appointments than in the record"),
    ),
}


@pytest.mark.parametrize("name", QUICK)
async def test_the_judge_finds_a_planted_bug(tmp_path: Path, name: str) -> None:
    await _expose(tmp_path, QUICK[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
async def test_the_judge_finds_each_planted_bug(tmp_path: Path, name: str) -> None:
    await _expose(tmp_path, SLOW[name])


async def _expose(folder: Path, planted: Planted) -> None:
    """Run until the judge finds it, three times at most: whether clients meet a bug depends on chance."""
    said: list[object] = []
    for seed in _SEEDS:
        plan = Plan(
            seed, planted.seconds, planted.faults, agents=planted.agents, api=planted.api, behaviour=planted.behaviour
        )
        evidence = await play(
            folder / str(seed), replace(plan, rate=planted.rate, quiescent_within=5.0), lambda _: None
        )
        ruling = rule(evidence, _PATIENCE, {})
        said.append((ruling.not_happened, broken(ruling.violations)))
        if not ruling.not_happened and planted.says in broken(ruling.violations):
            assert not ruling.kept
            return
    raise AssertionError(f"the judge did not say {planted.says}, but {said}")
