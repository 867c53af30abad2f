"""`python -m api`: run one api process until SIGTERM or Ctrl-C."""

import asyncio
import signal
import sys

import structlog
import uvloop
from aiohttp import web

from api.app import build, open_services
from api.runner import Runner
from hub import logs
from hub.settings import BadSettings, Settings, load

log = structlog.get_logger()

FINISH_WITHIN = 11.0
"""Seconds that requests in flight have at the end: a command gets its answer, or `try_again`, within ten."""
STOP_WITHIN = 15.0
"""Seconds after which the process ends whatever still hangs; aiohttp uses its own limit twice over."""
_BACKLOG = 2048  # a burst of reconnecting dashboards does not fit into the default of 128


def main() -> None:
    """Run; exit 2 when the settings make no sense, 1 when the port is taken or something in the background died."""
    try:
        settings = load()
        logs.configure("api", settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except BadSettings as error:
        sys.exit(f"{error}\n")
    except OSError as error:
        sys.exit(f"{error.strerror or error}\n")


async def run(settings: Settings) -> None:
    """Serve until a signal asks to stop; then stop listening, finish what is in flight, and let go of everything."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_services(settings) as services:
        runner = Runner(build(services), access_log=None, handle_signals=False, shutdown_timeout=FINISH_WITHIN)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.host, settings.port, backlog=_BACKLOG).start()
            log.info("listening", addresses=[f"{host}:{port}" for host, port, *_ in runner.addresses])
            await stop.wait()
            log.info("stopping")
        finally:
            await _finish(runner)
    log.info("stopped")


async def _finish(runner: Runner) -> None:
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await runner.cleanup()
    except TimeoutError:
        log.warning("stopped_before_all_was_finished", after_seconds=STOP_WITHIN)


if __name__ == "__main__":
    main()
