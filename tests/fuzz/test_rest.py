"""The running hub gets requests that its OpenAPI document allows, and many that it does not. None causes a failure.

Each answer has to be one that the document knows: its status, its type, its headers, its schema.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from api.documents.examples import DOCTOR_ID, PATIENT_ID
from hub.accounts.account import Session
from hub.accounts.passwords import hash_password
from hub.accounts.tokens import AccessTokens
from hub.clock import system_clock
from hub.ids import new_id
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.scheduling.values import Role
from tests.people import doctor, patient
from tests.stack import Stack

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
)
LEFT_OUT = ("/api/v1/auth/logout", "/api/v1/auth/logout/all", "/api/v1/users/me/sessions/{id}")
"""Excluded: these end the session, and every later request would be answered with 401."""
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))


IDS = {Role.DOCTOR: DOCTOR_ID, Role.PATIENT: PATIENT_ID}


@pytest.fixture(scope="module")
async def records(stack: Stack) -> AsyncIterator[Records]:
    """The store, with the two accounts of the document's examples."""
    records = connect(str(stack.settings.mongodb_url))
    password_hash = await hash_password("nobody-guesses-this", 4)
    people = [
        doctor(DOCTOR_ID, "Europe/Berlin", password_hash=password_hash),
        patient(PATIENT_ID, password_hash=password_hash),
    ]
    assert await records.users.add(people) is None
    yield records
    await records.close()


async def token_of(stack: Stack, records: Records, role: Role) -> str:
    """Create a session for this role, and return the access token."""
    now = system_clock()
    session = Session(
        id=new_id(),
        user_id=IDS[role],
        role="doctor" if role is Role.DOCTOR else "patient",
        token_hash="-",
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    await records.sessions.add(session)
    tokens = AccessTokens(stack.settings.jwt_secret_key.get_secret_value(), timedelta(hours=1), system_clock)
    return tokens.issue(IDS[role], role, session.id)


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DOCTOR])
async def test_every_answer_is_described_in_the_document(
    stack: Stack, records: Records, role: Role, tmp_path: Path
) -> None:
    token = await token_of(stack, records, role)
    process = await asyncio.create_subprocess_exec(
        *(SCHEMATHESIS, "run", f"{stack.base_url()}/openapi.json", "--header", f"Authorization: Bearer {token}"),
        *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", "12"),
        *("--seed", "1", "--no-shrink", "--continue-on-failure", "--max-time", "12", "--request-timeout", "15"),
        *("--no-color", "--warnings", "off"),
        *(part for path in LEFT_OUT for part in ("--exclude-path", path)),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-12_000:]
    # With a token that opens nothing all answers would be 401, which the document knows too.
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.get(f"{stack.base_url()}/api/v1/users/me") as me,
    ):
        assert (await me.json())["role"] == role.value
