"""`clinic-hub run`, `seed` and `demo` with the real agents and api."""

import json
from pathlib import Path

import aiohttp
import pytest

from tests.local.conftest import CLINIC_HUB, StartHub
from tests.stack import is_gone, until

pytestmark = pytest.mark.stack


async def log_in(url: str, role: str, email: str, password: str) -> int:
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            f"{url}/api/v1/auth/{'staff' if role == 'receptionist' else role}/login",
            json={"email": email, "password": password},
        ) as answer,
    ):
        return answer.status


async def test_a_run_in_an_empty_folder_seeds_a_clinic_with_working_log_ins(
    start: StartHub, up: StartHub, tmp_path: Path
) -> None:
    hub = await up(command=(CLINIC_HUB, "run"), folder=tmp_path)
    report = json.loads((tmp_path / "seed" / "report.json").read_text())
    for role in ("doctor", "patient", "receptionist"):
        known = next(person for person in report["logIns"] if person["role"] == role)
        assert await log_in(hub.running.urls[0], role, known["email"], known["password"]) == 200

    code, said = await (await start(command=(CLINIC_HUB, "seed"), folder=tmp_path)).end()
    assert code == 0
    assert "has users already" in said

    run, children = hub.process, hub.children()
    run.kill()
    await until(lambda: all(is_gone(pid) for pid in children.values()), "nothing is left behind")
    _, said = await hub.end()
    assert "doctor1@clinic.test / Doctor#1" in said
    assert f"{report['offeredTo']['email']} has waited and is offered a slot" in said
    assert hub.running.pid == 0


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"MONGODB_URL": "mongodb://db.example/clinic"}, "MONGODB_URL is on another machine"),
        ({"MONGODB_URL": "mongodb://127.0.0.1/clinic", "HOST": "0.0.0.0"}, "other machines reach HOST=0.0.0.0"),
        (
            {
                "CLINIC_ENV": "production",
                "MONGODB_URL": "mongodb://127.0.0.1/clinic",
                "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
            },
            "CLINIC_ENV is production",
        ),
    ],
    ids=["elsewhere", "reached", "production"],
)
async def test_public_passwords_stay_on_this_machine(
    start: StartHub, tmp_path: Path, environment: dict[str, str], reason: str
) -> None:
    own_key = {"JWT_SECRET_KEY": "q0Zr7_vTn2kLx9WbYc4Dh8JsPe6MuA1fGi3RtXo5VwK"}
    started = await start(command=(CLINIC_HUB, "seed"), environment={**environment, **own_key}, folder=tmp_path)
    code, said = await started.end()
    assert code == 1
    assert f"{reason}: nothing was changed" in said
    assert not (tmp_path / "seed").exists()


async def test_a_run_is_not_for_production(start: StartHub, tmp_path: Path) -> None:
    environment = {
        "CLINIC_ENV": "production",
        "JWT_SECRET_KEY": "q0Zr7_vTn2kLx9WbYc4Dh8JsPe6MuA1fGi3RtXo5VwK",
        "MONGODB_URL": "mongodb://127.0.0.1/clinic",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    }
    code, said = await (await start(command=(CLINIC_HUB, "run"), environment=environment, folder=tmp_path)).end()
    assert code == 1
    assert "python -m agents" in said


async def test_a_demo_without_a_hub_says_how_to_start_one(start: StartHub, tmp_path: Path) -> None:
    code, said = await (await start(command=(CLINIC_HUB, "demo"), folder=tmp_path)).end()
    assert code == 2
    assert "MONGODB_URL" in said
    assert "make run" in said
