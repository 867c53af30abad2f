"""Commands without a bus: the doctors' actors run in this process, over the same store as the api."""

import asyncio

from agents.actor.actors import DoctorActors
from agents.actor.doctor_table import DoctorTable
from agents.answers import Answer
from hub.bus.messages import Reply
from hub.bus.ports import NoAnswer
from hub.clock import Clock
from hub.records.ports import Records
from hub.scheduling.commands import Command


class DirectCommands:
    """Implements `hub.bus.ports.Commands`. `asked` has every command; while `silent`, no command is answered."""

    def __init__(self, records: Records, clock: Clock, most_active: int = 0) -> None:
        self.asked: list[Command] = []
        self.silent = False
        self._actors = DoctorActors(records, DoctorTable({}), clock, most_active=most_active)
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, command: Command) -> Reply:
        return (await self._answer(command)).reply

    async def _answer(self, command: Command) -> Answer:
        self.asked.append(command)
        if self.silent:
            raise NoAnswer("no agents process answers")
        async with self._one_at_a_time:
            (answer,) = await self._actors.handle([command])
        return answer
