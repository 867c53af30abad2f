"""`python -m api`: run one api process until SIGTERM or Ctrl-C."""

import asyncio
import resource
import signal
import socket
import sys

import structlog
import uvloop
from aiohttp import web

from api.app import Api, open_api
from api.http.middleware import security_headers
from api.http.runner import Runner
from hub import logs
from hub.records.errors import BrokenRecord
from hub.settings import BadSettings, Settings, load

log = structlog.get_logger()

ANSWER_WITHIN = 11.0
"""Seconds for requests in progress when the process stops. A command is answered, or `try_again`, within 10 s."""
STOP_WITHIN = 25.0
"""Seconds after which the process ends even if something hangs: for the sockets, then for the requests, which aiohttp
may give `ANSWER_WITHIN` twice."""
_LINGER_FOR = 1.0
"""Seconds for the rest of a body that the handler did not read. aiohttp's default of 10 s delayed the end of the
process."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_BACKLOG = 2048  # the default of 128 is too small for many dashboards that reconnect at once


def main() -> None:
    """Run. Exit with 1 and the reason when a setting is wrong, the port is taken or a background task failed."""
    try:
        settings = load()
        logs.configure("api", settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except BadSettings as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"cannot listen: {error}")
    except ExceptionGroup as error:
        if broken := error.subgroup(BrokenRecord):
            sys.exit(f"clinic-hub api cannot go on:\n{broken.exceptions[0]}")
        log.critical("background_task_failed", exc_info=error)
        sys.exit(1)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then stop listening, finish the requests in progress, and close everything."""
    _allow_many_connections()
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    listening = _listen(settings)
    async with open_api(settings) as api:
        runner = Runner(
            api.application,
            security_headers(settings),
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
            await stopped.wait()
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)  # a second signal ends the process at once
            log.info("stopping")
            await stop(api, site, runner, STOP_WITHIN)
    log.info("stopped")


def _allow_many_connections() -> None:
    """Raise the limit of open files of this process as far as it may: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _listen(settings: Settings) -> socket.socket:
    """Return the listening socket. Raises OSError when it cannot listen; nothing else has been opened by then."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)


async def stop(api: Api, site: web.BaseSite, runner: Runner, within: float) -> None:
    """Stop listening, close the sockets, then finish the requests, all in `within` seconds.

    The sockets come before aiohttp closes: from then on it drops what clients have sent on them.
    """
    try:
        async with asyncio.timeout(within):
            await site.stop()
            await api.gateway.close(ANSWER_WITHIN)
            await runner.cleanup()
    except TimeoutError:
        log.warning("stop_timed_out", after_seconds=within)


if __name__ == "__main__":
    main()
