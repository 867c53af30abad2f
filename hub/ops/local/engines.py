"""Starting an engine on the port that was asked for, or on a free one."""

from collections.abc import Callable

from hub.ops.local.ports import PortTaken, free_port, is_free
from hub.ops.local.process import Process, Program, StartFailed

_TRIES = 3


async def start_engine(
    program_on: Callable[[int], Program], port: int | None, process_of: Callable[[Program], Process]
) -> Process:
    """Start the engine, return its process when it answers.

    `port` None: a free one is chosen, and another when somebody takes it in between. Raises `PortTaken` when `port` is
    in use, `StartFailed` when the engine ends or does not answer.
    """
    if port is not None:
        program = program_on(port)
        if not is_free(port):
            raise PortTaken(f"port {port}, which the {program.name} was to have, is taken by another process")
        return await _up(process_of(program))
    for _ in range(_TRIES - 1):
        process = process_of(program_on(chosen := free_port()))
        try:
            return await _up(process)
        except StartFailed:
            if is_free(chosen):
                raise
    return await _up(process_of(program_on(free_port())))


async def _up(process: Process) -> Process:
    await process.bring_up()
    return process
