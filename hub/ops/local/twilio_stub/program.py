"""The stand-in as a program of a run on one machine, and the settings with which the hub takes it for Twilio."""

import sys

import aiohttp
from pydantic import SecretStr

from hub.ids import new_id, new_secret
from hub.ops.local.process import Program
from hub.settings import Settings, child_environment

_FROM_PATIENT, _FROM_DOCTOR = "+15005550006", "+15005550010"
"""Numbers that nobody has. The first is the one that Twilio's own test credentials send from."""


def wanted(settings: Settings) -> bool:
    """Return whether the hub needs the stand-in: Twilio is not set, and no real patients wait for texts."""
    return settings.twilio_account_sid is None and settings.clinic_env == "development"


def account(port: int) -> dict[str, object]:
    """Return the settings of a made-up account with the stand-in on this port.

    Its token is a new one each time, because whoever knows it can confirm and cancel as any patient.
    """
    return {
        "twilio_account_sid": "AC" + new_id().replace("-", ""),
        "twilio_auth_token": SecretStr(new_secret()),
        "twilio_from_patient": _FROM_PATIENT,
        "twilio_from_doctor": _FROM_DOCTOR,
        "twilio_base_url": page_url(port),
    }


def phones(settings: Settings, port: int) -> Program:
    """Return the program of the stand-in with these settings, which `account` of this port is part of."""
    return Program(
        name="phones",
        command=(sys.executable, "-u", "-m", "hub.ops.local.twilio_stub"),
        environment=child_environment(settings),
        port=port,
        answers=lambda: _answers(page_url(port)),
        after_death="It has forgotten the texts that it showed, and who had sent STOP.",
    )


def page_url(port: int) -> str:
    """Return the address of the page with everybody's phones."""
    return f"http://127.0.0.1:{port}"


async def _answers(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as client, client.get(f"{url}/control/state") as answer:
            return answer.ok
    except (aiohttp.ClientError, TimeoutError):
        return False
