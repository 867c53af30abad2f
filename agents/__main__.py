"""Runs the agents process: `python -m agents`."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import faust
import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents import metrics
from agents.app import build
from hub import ids, settings
from hub.bus import topics
from hub.bus.birthmark import until_forgotten
from hub.bus.place import BrokerPlace, place_of
from hub.clock import system_clock
from hub.logs import configure
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records

log = structlog.get_logger("agents")

_TRY_AGAIN = 1.0
"""Seconds between two attempts to reach a service that is not there yet."""
_LEAVE_WITHIN = 8.0
"""Seconds that a stop may take."""


def main() -> None:
    """Run until SIGTERM or SIGINT; exit 0 then, 1 when something broke, 2 when the settings make no sense."""
    try:
        chosen = settings.load()
        place = place_of(chosen)
        mongodb_url = settings.address(chosen, "mongodb_url")
    except settings.BadSettings as error:
        sys.exit(f"clinic-hub agents cannot start:\n{error}")
    configure("agents", chosen.log_level)
    try:
        ended = asyncio.run(_serve(place, mongodb_url, chosen))
    except metrics.PortTaken as error:
        sys.exit(f"clinic-hub agents cannot start:\nMETRICS_PORT: {error}")
    if ended == "emptied":
        # Faust would go on at offsets of a broker that is no more. Nothing that was acknowledged is lost by
        # beginning again: it is in MongoDB.
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 -- ourselves, again


async def _serve(place: BrokerPlace, mongodb_url: str, chosen: settings.Settings) -> str:
    """Run until told to stop; return "stopped", or "emptied" when the broker came back without its data."""
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    records = connect(mongodb_url)  # not sooner: the driver keeps to the loop in which it is made
    running = asyncio.create_task(_run(place, records, chosen))
    until_stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, until_stopped}, return_when=asyncio.FIRST_COMPLETED)
    until_stopped.cancel()
    running.cancel()
    try:
        return await running
    except asyncio.CancelledError:
        return "stopped"


async def _run(place: BrokerPlace, records: Records, chosen: settings.Settings) -> str:
    """Wait for the services, work, and tidy up; return "emptied", or raise what Faust died of."""
    presence = topics.presence(ids.instance_id())
    wanted = {topics.COMMANDS: place.partitions, topics.EVENTS: place.partitions, topics.REJECTED: 1, presence: 1}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(records.close)
        await stack.enter_async_context(metrics.served(chosen.host, chosen.metrics_port))
        await _until(records.prepare, StoreUnavailable, service="database", at="MONGODB_URL")
        admin = AIOKafkaAdminClient(bootstrap_servers=place.servers)
        stack.push_async_callback(admin.close)
        await _until(admin.start, KafkaError, service="broker", at=place.servers)
        await topics.make(admin, wanted, place.replication)
        stack.push_async_callback(topics.remove, admin, presence)
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="clinic-agents-"))
        agents = build(place, records, system_clock, scratch=f"{scratch}/faust")
        await agents.publisher.start()
        stack.push_async_callback(agents.publisher.stop)
        stack.push_async_callback(_stop, agents.app)
        await agents.app.start()
        log.info("ready", broker=place.servers)
        return await _until_over(agents.app, admin, presence)


async def _until(attempt: Callable[[], Awaitable[None]], failure: type[Exception], *, service: str, at: str) -> None:
    """Attempt until it works; say once what is missing and where it was looked for."""
    complained = False
    while True:
        try:
            return await attempt()
        except failure as error:
            if not complained:
                log.warning("waiting_for_service", service=service, at=at, error=str(error))
            complained = True
            await asyncio.sleep(_TRY_AGAIN)


async def _until_over(app: faust.App, admin: AIOKafkaAdminClient, presence: str) -> str:
    forgotten = asyncio.create_task(until_forgotten(admin, presence, lambda _: None))
    over = asyncio.create_task(app.wait_until_stopped())
    try:
        await asyncio.wait({forgotten, over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (forgotten, over):
            task.cancel()
    if app.crashed:
        raise RuntimeError("Faust died") from app.crash_reason
    return "emptied"


async def _stop(app: faust.App) -> None:
    """Stop Faust in bounded time: what it was at comes again to the next owner."""
    try:
        await asyncio.wait_for(app.stop(), _LEAVE_WITHIN)
    except TimeoutError:
        log.warning("left_in_a_hurry", after_s=_LEAVE_WITHIN)


if __name__ == "__main__":
    main()
