"""Runs work until Ctrl-C or SIGTERM stops it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

_AFTER_CTRL_C = 130
"""The exit code that a shell expects of a program that Ctrl-C ended."""


def first_stop_signal(on_repeat: Callable[[], None]) -> asyncio.Future[signal.Signals]:
    """Return a future of the first signal that asks this process to stop. Each later one calls `on_repeat`."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[signal.Signals] = loop.create_future()

    def on_signal(number: signal.Signals) -> None:
        if first.done():
            on_repeat()
        else:
            first.set_result(number)

    loop.add_signal_handler(signal.SIGINT, on_signal, signal.SIGINT)
    loop.add_signal_handler(signal.SIGTERM, on_signal, signal.SIGTERM)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` ignores SIGHUP so that the program goes on
        loop.add_signal_handler(signal.SIGHUP, on_signal, signal.SIGHUP)
    return first


async def until_stopped(work: Coroutine[None, None, None], stop: asyncio.Future[signal.Signals]) -> int:
    """Run `work` until a stop signal; return the exit code. Raises what `work` raises."""
    working = asyncio.create_task(work)
    try:
        either: set[asyncio.Future[Any]] = {working, stop}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
        return _AFTER_CTRL_C if stop.result() is signal.SIGINT else 0
    finally:
        working.cancel()
        await asyncio.wait({working})  # after this no supervisor restarts a process that is being stopped
