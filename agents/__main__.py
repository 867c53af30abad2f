"""Runs the agents process: `python -m agents`."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import NoReturn

import faust
import structlog
import uvloop
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents import metrics
from agents.app import Agents, TextingConfig, build
from agents.recovery_watchdog import until_recovery_stalls
from agents.texts.sending import SmsGateway
from hub import ids, settings
from hub.bus import topics
from hub.bus.broker_config import BrokerConfig, broker_config
from hub.bus.broker_incarnation import until_data_lost
from hub.logs import configure
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.settings import Settings
from hub.texting.twilio import Twilio
from hub.texting.wording import Clinic

log = structlog.get_logger("agents")

_TRY_AGAIN = 1.0
"""Seconds between two attempts to reach a service that is not there yet."""
_LEAVE_WITHIN = 8.0
"""Seconds that Faust may take to stop."""
_GONE_WITHIN = 12.0
"""Seconds after which the process ends, whatever still waits for a broker that is away."""


def main() -> None:
    """Run until SIGTERM or SIGINT; exit 0 then, 1 when something broke, 2 when the settings make no sense."""
    try:
        chosen = settings.load()
        broker = broker_config(chosen)
        mongodb_url = settings.address(chosen, "mongodb_url")
    except settings.BadSettings as error:
        sys.exit(f"clinic-hub agents cannot start:\n{error}")
    configure("agents", chosen.log_level)
    # For all loops of this process: Faust's consumer has one of its own, in a thread.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        asyncio.run(_serve(broker, mongodb_url, chosen))
    except metrics.PortTaken as error:
        sys.exit(f"clinic-hub agents cannot start:\nMETRICS_PORT: {error}")
    except BrokenRecord as error:
        sys.exit(f"clinic-hub agents cannot go on:\n{error}")


async def _serve(broker: BrokerConfig, mongodb_url: str, chosen: Settings) -> None:
    """Run until told to stop."""
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    records = connect(mongodb_url)  # not sooner: the driver keeps to the loop in which it is made
    running = asyncio.create_task(_run(broker, records, chosen))
    until_stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, until_stopped}, return_when=asyncio.FIRST_COMPLETED)
    until_stopped.cancel()
    if stopping.is_set():
        _be_gone_soon()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _be_gone_soon() -> None:
    """See to it that the process ends in bounded time; what it was at comes again to the next owner."""

    def leave() -> None:
        log.warning("shutdown_timed_out", after_s=_GONE_WITHIN)
        sys.stdout.flush()
        os._exit(0)

    timer = threading.Timer(_GONE_WITHIN, leave)  # not of the loop, which may have ended and wait for its threads
    timer.daemon = True
    timer.start()


async def _run(broker: BrokerConfig, records: Records, chosen: Settings) -> None:
    """Wait for the services, work until cancelled, and tidy up; raise what Faust died of."""
    presence = topics.presence(ids.instance_id())
    wanted = {topics.COMMANDS: broker.partitions, topics.EVENTS: broker.partitions, topics.REJECTED: 1, presence: 1}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(records.close)
        await stack.enter_async_context(metrics.serve_metrics(chosen.host, chosen.metrics_port))
        await _until(records.prepare_fences, StoreUnavailable, service="database", at="MONGODB_URL")
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.servers)
        stack.push_async_callback(admin.close)
        await _until(admin.start, KafkaError, service="broker", at=broker.servers)
        # It may be there and gone again.
        making = partial(topics.create, admin, wanted, broker.replication)
        await _until(making, KafkaError, service="broker", at=broker.servers)
        stack.push_async_callback(topics.delete, admin, presence)
        texting = await _texting(chosen, stack)
        agents = build(broker, records, settings.timekeeper(chosen), texting)
        await _until(agents.publisher.start, KafkaError, service="broker", at=broker.servers)
        stack.push_async_callback(agents.publisher.stop)
        stack.push_async_callback(_stop, agents.app)
        _begin_anew(await _until_in_vain(agents, records, admin, presence))


def _begin_anew(why: str) -> NoReturn:
    """Start this process again where it stands.

    Faust would go on at offsets of a broker that is no more, and it does not stop quickly either: it waits for a group
    that is not there (8 s on Apache Kafka). Nothing that was acknowledged is lost: it is in MongoDB.
    """
    log.warning(why, doing="beginning anew")
    sys.stdout.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 -- ourselves, again


async def _texting(chosen: Settings, stack: AsyncExitStack) -> TextingConfig:
    """Return how texts leave; without Twilio's keys they are recorded only."""
    clinic = Clinic(chosen.clinic_name, chosen.clinic_phone)
    sid, token = chosen.twilio_account_sid, chosen.twilio_auth_token
    to_patients, to_doctors = chosen.twilio_from_patient, chosen.twilio_from_doctor
    if sid is None or token is None or to_patients is None or to_doctors is None:
        log.warning("texts_not_sent", reason="TWILIO_ACCOUNT_SID and the other three are not set")
        return TextingConfig(clinic, None)
    twilio = Twilio(sid, token.get_secret_value(), chosen.twilio_base_url)
    stack.push_async_callback(twilio.close)
    return TextingConfig(
        clinic,
        SmsGateway(
            twilio=twilio,
            numbers={"patient": to_patients, "doctor": to_doctors},
            public_url=settings.public_url(chosen),
            per_second=chosen.texts_per_second,
        ),
    )


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


async def _finish_indexes(records: Records) -> None:
    """Make the indexes that only speed up reads, while commands are decided already; never return."""
    await _until(records.prepare, StoreUnavailable, service="database", at="MONGODB_URL")
    await asyncio.Event().wait()  # the end of a task beside Faust would end the process


async def _until_in_vain(agents: Agents, records: Records, admin: AIOKafkaAdminClient, presence: str) -> str:
    """Work until there is no use in going on; return why, or raise what any part died of before."""
    in_vain = {
        asyncio.create_task(until_data_lost(admin, presence, lambda _: None)): "broker_data_lost",
        asyncio.create_task(until_recovery_stalls(agents.app.entries_to_recover)): "table_not_recovered",
        asyncio.create_task(_serve_doctors(agents.app)): "faust_stopped",
    }
    tasks = {
        *in_vain,
        asyncio.create_task(_finish_indexes(records)),
        *(asyncio.create_task(run()) for run in agents.background),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await agents.finish()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()
    if isinstance(agents.app.crash_reason, BrokenRecord):
        raise agents.app.crash_reason
    if agents.app.crashed:
        raise RuntimeError("Faust died") from agents.app.crash_reason
    return ", ".join(in_vain[task] for task in done if task in in_vain)


async def _serve_doctors(app: faust.App) -> None:
    """Start Faust, which takes until its table is complete, and return when it has stopped."""
    await app.start()
    log.info("ready")
    await app.wait_until_stopped()


async def _stop(app: faust.App) -> None:
    """Stop Faust in bounded time: what it was at comes again to the next owner."""
    try:
        async with asyncio.timeout(_LEAVE_WITHIN):
            await app.stop()
    except TimeoutError:
        log.warning("shutdown_timed_out", after_s=_LEAVE_WITHIN)


if __name__ == "__main__":
    main()
