"""The program of the Twilio stub, and the settings with which the hub uses it instead of Twilio."""

import sys

import aiohttp
from pydantic import SecretStr

from hub.ids import new_id, new_secret
from hub.ops.local.process import Program
from hub.settings import Settings, child_environment

_FROM_PATIENT, _FROM_DOCTOR = "+15005550006", "+15005550010"
"""Numbers that no phone has. The first is the sender number of Twilio's own test credentials."""


def is_needed(settings: Settings) -> bool:
    """Return whether to start the stub: no Twilio account is set, and this is not production."""
    return settings.twilio_account_sid is None and settings.clinic_env == "development"


def account(port: int) -> dict[str, object]:
    """Return the settings of a generated Twilio account whose API is the stub on this port.

    The token is new each time: anyone who knows it can confirm and cancel as any patient.
    """
    return {
        "twilio_account_sid": "AC" + new_id().replace("-", ""),
        "twilio_auth_token": SecretStr(new_secret()),
        "twilio_from_patient": _FROM_PATIENT,
        "twilio_from_doctor": _FROM_DOCTOR,
        "twilio_base_url": page_url(port),
    }


def twilio_stub(settings: Settings, port: int) -> Program:
    """Return the program of the stub. The settings must include those of `account` for this port."""
    return Program(
        name="twilio_stub",
        command=(sys.executable, "-u", "-m", "hub.ops.local.twilio_stub"),
        environment=child_environment(settings),
        port=port,
        probe=lambda: _answers(page_url(port)),
        restart_note="It has lost its texts and the list of phones that have sent STOP.",
    )


def page_url(port: int) -> str:
    """Return the URL of the page that shows all phones."""
    return f"http://127.0.0.1:{port}"


async def _answers(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as client, client.get(f"{url}/control/state") as answer:
            return answer.ok
    except (aiohttp.ClientError, TimeoutError):
        return False
