"""Working until Ctrl-C or SIGTERM says that it is enough."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

_AFTER_CTRL_C = 130
"""The exit code that a shell expects of what Ctrl-C ended."""


def first_signal(then: Callable[[], None]) -> asyncio.Future[signal.Signals]:
    """Return what will be the first signal that asks this process to stop; at each later one, call `then`."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[signal.Signals] = loop.create_future()

    def on_signal(number: signal.Signals) -> None:
        if first.done():
            then()
        else:
            first.set_result(number)

    loop.add_signal_handler(signal.SIGINT, on_signal, signal.SIGINT)
    loop.add_signal_handler(signal.SIGTERM, on_signal, signal.SIGTERM)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` means that it should go on
        loop.add_signal_handler(signal.SIGHUP, on_signal, signal.SIGHUP)
    return first


async def until_stopped(work: Coroutine[None, None, None], asked: asyncio.Future[signal.Signals]) -> int:
    """Work until asked to stop; return the exit code. Raises what the work raises."""
    working = asyncio.create_task(work)
    try:
        either: set[asyncio.Future[Any]] = {working, asked}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
        return _AFTER_CTRL_C if asked.result() is signal.SIGINT else 0
    finally:
        working.cancel()
        await asyncio.wait({working})  # only then does nobody start a process again that is being stopped
