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
from agents.texts.gateway import SmsGateway
from hub import ids, settings
from hub.bus import topics
from hub.bus.broker_config import BrokerConfig, broker_config
from hub.bus.broker_incarnation import until_data_lost
from hub.bus.diagnosis import diagnosis
from hub.bus.session_limit import SessionRefused, refuse_too_short
from hub.logs import configure
from hub.records.errors import BrokenRecord, StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.settings import Settings
from hub.texting.twilio import Twilio
from hub.texting.wording import Clinic

log = structlog.get_logger("agents")

_RETRY_DELAY = 1.0
"""Seconds between two attempts to reach a service at startup."""
_FAUST_STOP_TIMEOUT = 8.0
"""Seconds that Faust may take to stop."""
_EXIT_TIMEOUT = 12.0
"""Seconds after which the process exits even if something still waits for an unreachable broker."""


def main() -> None:
    """Run until SIGTERM or SIGINT and exit with 0. Exit with 1 after an error, also for invalid settings."""
    try:
        chosen = settings.load()
        broker = broker_config(chosen)
        mongodb_url = settings.address(chosen, "mongodb_url")
    except settings.BadSettings as error:
        sys.exit(f"clinic-hub agents cannot start:\n{error}")
    configure("agents", chosen.log_level)
    # The policy applies to all event loops of this process: Faust's consumer has its own loop in a thread.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        asyncio.run(_serve(broker, mongodb_url, chosen))
    except metrics.PortTaken as error:
        sys.exit(f"clinic-hub agents cannot start:\nMETRICS_PORT: {error}")
    except SessionRefused as error:
        sys.exit(f"clinic-hub agents cannot start:\nKAFKA_SESSION_SECONDS: {error}")
    except BrokenRecord as error:
        sys.exit(f"clinic-hub agents cannot go on:\n{error}")


async def _serve(broker: BrokerConfig, mongodb_url: str, chosen: Settings) -> None:
    """Run until a signal arrives."""
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    records = connect(mongodb_url)  # inside the loop: the driver binds to the loop in which it is created
    running = asyncio.create_task(_run(broker, records, chosen))
    until_stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({running, until_stopped}, return_when=asyncio.FIRST_COMPLETED)
    until_stopped.cancel()
    if stopping.is_set():
        _exit_after_timeout()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _exit_after_timeout() -> None:
    """Guarantee that the process ends in bounded time. The next owner receives its unfinished commands again."""

    def leave() -> None:
        log.warning("shutdown_timed_out", after_s=_EXIT_TIMEOUT)
        sys.stdout.flush()
        os._exit(0)

    timer = threading.Timer(_EXIT_TIMEOUT, leave)  # a thread: the loop may have ended and be waiting for its threads
    timer.daemon = True
    timer.start()


async def _run(broker: BrokerConfig, records: Records, chosen: Settings) -> None:
    """Wait for the services, work until cancelled, and clean up. Raises the error that stopped Faust."""
    presence = topics.presence(ids.instance_id())
    wanted = {topics.COMMANDS: broker.partitions, topics.EVENTS: broker.partitions, topics.REJECTED: 1, presence: 1}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(records.close)
        await stack.enter_async_context(metrics.serve_metrics(chosen.host, chosen.metrics_port))
        await _retry_until_available(records.prepare_fences, StoreUnavailable, service="database", at="MONGODB_URL")
        why = partial(diagnosis, broker)
        admin = AIOKafkaAdminClient(**broker.client)
        stack.push_async_callback(admin.close)
        await _retry_until_available(admin.start, KafkaError, service="broker", at=broker.servers, why=why)
        if chosen.kafka_session_seconds:
            await refuse_too_short(admin, chosen.kafka_session_seconds)
        # The broker may have become unreachable again meanwhile.
        create_topics = partial(topics.create, admin, wanted, broker.replication, broker.retention)
        await _retry_until_available(create_topics, KafkaError, service="broker", at=broker.servers, why=why)
        stack.push_async_callback(topics.delete, admin, presence)
        texting = await _texting(chosen, stack)
        policy, most_active = settings.offer_policy(chosen), chosen.active_appointments_per_patient
        agents = build(broker, records, settings.timekeeper(chosen), texting, policy, most_active)
        await _retry_until_available(agents.publisher.start, KafkaError, service="broker", at=broker.servers, why=why)
        stack.push_async_callback(agents.publisher.stop)
        stack.push_async_callback(_stop, agents.app)
        _restart_process(await _run_until_restart_needed(agents, records, admin, presence))


def _restart_process(reason: str) -> NoReturn:
    """Replace this process by a new one.

    Otherwise Faust would continue at offsets of a broker that has lost its data. Stopping Faust takes too long: it
    waits for a consumer group that does not exist (8 s on Apache Kafka). No acknowledged command is lost: they are all
    in MongoDB.
    """
    log.warning(reason, action="restarting the process")
    sys.stdout.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 -- the same program and arguments


async def _texting(chosen: Settings, stack: AsyncExitStack) -> TextingConfig:
    """Return the texting configuration. Without Twilio's credentials, texts are only recorded."""
    clinic = Clinic(chosen.clinic_name, chosen.clinic_phone)
    sid, token = chosen.twilio_account_sid, chosen.twilio_auth_token
    to_patients, to_doctors = chosen.twilio_from_patient, chosen.twilio_from_doctor
    if sid is None or token is None or to_patients is None or to_doctors is None:
        log.warning("texts_not_sent", cause="TWILIO_ACCOUNT_SID and the other three TWILIO_ settings are not set")
        return TextingConfig(clinic, gateway=None, proven_only=chosen.phones_must_be_proven)
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
        proven_only=chosen.phones_must_be_proven,
    )


async def _retry_until_available(
    attempt: Callable[[], Awaitable[None]],
    failure: type[Exception],
    *,
    service: str,
    at: str,
    why: Callable[[Exception], Awaitable[str]] | None = None,
) -> None:
    """Repeat the attempt until it succeeds. Log once which service is not available, its address, and `why`."""
    warned = False
    while True:
        try:
            return await attempt()
        except failure as error:
            if not warned:
                reason = await why(error) if why else str(error)
                log.warning("waiting_for_service", service=service, at=at, error=reason)
            warned = True
            await asyncio.sleep(_RETRY_DELAY)


async def _finish_indexes(records: Records) -> None:
    """Create the indexes that only speed up reads while commands are already decided. Never returns."""
    await _retry_until_available(records.prepare, StoreUnavailable, service="database", at="MONGODB_URL")
    await asyncio.Event().wait()  # the process ends when a task beside Faust ends


async def _run_until_restart_needed(agents: Agents, records: Records, admin: AIOKafkaAdminClient, presence: str) -> str:
    """Work until the process has to restart and return the reason. Raises the error of any part that fails."""
    restart_reasons = {
        asyncio.create_task(until_data_lost(admin, presence, lambda _: None)): "broker_data_lost",
        asyncio.create_task(until_recovery_stalls(agents.app.entries_to_recover)): "table_not_recovered",
        asyncio.create_task(_serve_doctors(agents.app)): "faust_stopped",
    }
    tasks = {
        *restart_reasons,
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
        raise RuntimeError("Faust crashed") from agents.app.crash_reason
    return ", ".join(restart_reasons[task] for task in done if task in restart_reasons)


async def _serve_doctors(app: faust.App) -> None:
    """Start Faust and return when it has stopped. The start takes until its table is complete."""
    await app.start()
    log.info("ready")
    await app.wait_until_stopped()


async def _stop(app: faust.App) -> None:
    """Stop Faust in bounded time. The next owner receives its unfinished commands again."""
    try:
        async with asyncio.timeout(_FAUST_STOP_TIMEOUT):
            await app.stop()
    except TimeoutError:
        log.warning("faust_stop_timed_out", after_s=_FAUST_STOP_TIMEOUT)


if __name__ == "__main__":
    main()
