"""The nemesis can inject a fault into a process that has just ended by itself."""

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

from hub.clock import system_clock
from tests.tools.nemesis.faults import Nemesis
from tests.tools.nemesis.scenario import Fault


class DeadProcess:
    """An agents process that has ended by itself."""

    program = SimpleNamespace(name="agents-1")
    alive = False
    pid = 1

    def death_report(self) -> str:
        return "agents-1 exited with code 1"


class OneProcess:
    """A stack with this process. It pauses only what is alive."""

    broker_kind = "kafka"

    def __init__(self) -> None:
        self.process = DeadProcess()
        self.agents = [self.process]
        self.paused = 0

    async def restart(self, process: DeadProcess) -> None:
        process.alive, process.pid = True, process.pid + 1

    async def pause(self, process: DeadProcess) -> None:
        assert process.alive, "the process is paused"
        self.paused += 1

    async def resume(self, _: DeadProcess) -> None:
        pass


async def test_a_process_that_ended_by_itself_is_started_before_its_next_fault(tmp_path: Path) -> None:
    stack = OneProcess()
    nemesis = Nemesis(stack, tmp_path, Mock(), Mock(), system_clock)
    await nemesis.play([Fault(0.0, "agents paused", 0, 0.0)], lambda _: None)
    assert stack.paused == 1
    assert nemesis.deaths == ["agents-1 exited with code 1"]
