"""`python -m hub.ops.local.twilio_stub`: simulate Twilio at TWILIO_BASE_URL, on loopback, until SIGTERM or Ctrl-C."""

import asyncio
import signal
import sys
from typing import Never
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from hub import logs
from hub.ops.local.twilio_stub.application import application
from hub.ops.local.twilio_stub.carrier import Carrier
from hub.ops.local.twilio_stub.control import Control
from hub.ops.local.twilio_stub.deliveries import Deliveries
from hub.ops.local.twilio_stub.faults import Faults
from hub.ops.local.twilio_stub.listener import Listener
from hub.ops.local.twilio_stub.messages_api import MessagesApi
from hub.ops.local.twilio_stub.webhooks import Webhooks
from hub.settings import BadSettings, Settings, load, public_url, timekeeper
from hub.texting.callback_urls import WEBHOOK

log = structlog.get_logger()

_SHUTDOWN_TIMEOUT = 1.0
"""Seconds to wait at the end for open requests; an open page always has one, which waits for changes."""


def main() -> None:
    """Run the stub; exit 1, with the reason, when a setting is invalid or the port is taken."""
    try:
        settings = load()
        logs.configure("twilio_stub", settings.log_level)
        asyncio.run(run(settings))
    except BadSettings as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"cannot listen: {error}")


class _Stopped(Exception):
    """A signal has asked the process to stop."""


async def run(settings: Settings) -> None:
    """Serve until a signal asks the process to stop."""
    account, token, port = settings.twilio_account_sid, settings.twilio_auth_token, _port(settings)
    lines = [line for line in (settings.twilio_from_patient, settings.twilio_from_doctor) if line is not None]
    if account is None or token is None:
        raise BadSettings("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: not set; `clinic-hub run` generates them")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    secret, clock = token.get_secret_value(), timekeeper(settings)
    webhooks = Webhooks(account, secret)
    try:
        async with asyncio.TaskGroup() as group:
            carrier, faults, listener = Carrier(lines, clock), Faults(), Listener(port, group)
            deliveries = Deliveries(carrier, webhooks, group)
            messages = MessagesApi(account, secret, carrier, faults, deliveries)
            control = Control(
                webhook=public_url(settings) + WEBHOOK,
                clock=clock,
                carrier=carrier,
                faults=faults,
                deliveries=deliveries,
                webhooks=webhooks,
                messages=messages,
                listener=listener,
            )
            await _serve(application([*messages.routes(), *control.routes()]), listener, stop)
    except* _Stopped:
        log.info("stopped")
    finally:
        await webhooks.close()


async def _serve(app: web.Application, listener: Listener, stop: asyncio.Event) -> Never:
    """Serve until `stop`, then raise `_Stopped`, which cancels the deliveries in the task group."""
    # A handler is cancelled when its client disconnects: a closed page waits for no changes.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await listener.open(runner)
        log.info("listening", port=listener.port)
        await stop.wait()
    finally:
        await runner.cleanup()
    raise _Stopped


def _port(settings: Settings) -> int:
    """Return the port of TWILIO_BASE_URL, whose host must be 127.0.0.1."""
    address = urlsplit(settings.twilio_base_url)
    if address.hostname != "127.0.0.1" or address.port is None or address.path:
        raise BadSettings("TWILIO_BASE_URL: the Twilio stub needs http://127.0.0.1:PORT")
    return address.port


if __name__ == "__main__":
    main()
