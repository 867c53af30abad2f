"""`python -m api`: run one api process until SIGTERM or Ctrl-C."""

import asyncio
import signal
import socket
import sys

import structlog
import uvloop
from aiohttp import web

from api.app import Api, open_api
from api.http.runner import Runner
from hub import logs
from hub.records.errors import BrokenRecord
from hub.settings import BadSettings, Settings, load

log = structlog.get_logger()

ANSWER_WITHIN = 11.0
"""Seconds that what is in flight has at the end: a command gets its answer, or `try_again`, within ten."""
STOP_WITHIN = 25.0
"""Seconds after which the process ends whatever still hangs: sockets first, then requests, aiohttp's limit twice."""
_LINGER_FOR = 1.0
"""Seconds for the rest of a body that nobody reads any more. aiohttp's 10 held up the end of the process."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_BACKLOG = 2048  # a burst of reconnecting dashboards does not fit into the default of 128


def main() -> None:
    """Run; exit 1, with the reason, when the settings make no sense, the port is taken or something inside died."""
    try:
        settings = load()
        logs.configure("api", settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except BadSettings as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"cannot listen: {error}")
    except ExceptionGroup as died:
        if broken := died.subgroup(BrokenRecord):
            sys.exit(f"clinic-hub api cannot go on:\n{broken.exceptions[0]}")
        log.critical("died", exc_info=died)
        sys.exit(1)


async def run(settings: Settings) -> None:
    """Serve until a signal asks to stop; then stop listening, finish what is in flight, and let go of everything."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    listening = _listen(settings)
    async with open_api(settings) as api:
        runner = Runner(
            api.application,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=ANSWER_WITHIN,
            lingering_time=_LINGER_FOR,
        )
        await runner.setup()
        site = web.SockSite(runner, listening)
        await site.start()
        host, port, *_ = listening.getsockname()
        log.info("listening", host=host, port=port)
        try:
            await stop.wait()
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)  # a second one ends the process at once
            log.info("stopping")
            await _finish(api, site, runner)
    log.info("stopped")


def _listen(settings: Settings) -> socket.socket:
    """Return the listening socket. Raises OSError, before anything else is opened, when it cannot be."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)


async def _finish(api: Api, site: web.SockSite, runner: Runner) -> None:
    """Stop listening, then end the sockets: aiohttp, once it closes, drops what clients have sent on them."""
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await site.stop()
            await api.gateway.close(ANSWER_WITHIN)
            await runner.cleanup()
    except TimeoutError:
        log.warning("stopped_before_all_was_finished", after_seconds=STOP_WITHIN)


if __name__ == "__main__":
    main()
