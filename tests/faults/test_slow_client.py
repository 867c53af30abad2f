"""One dashboard of five hundred stops reading: it is cut, the api's memory stays flat, and nobody else notices."""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench.fan_out import _Audience, _open
from tests.bench.rest import RestClient
from tests.bench.sockets import SocketClient
from tests.bench.subject import Subject, _clinic
from tests.stack import Stack

OTHERS = 499
EVENTS = 60
RESIDENT = 30 * 1024 * 1024
"""Bytes that the api may grow by: what all the queues together could hold of one slow client is under one of them."""


async def test_a_client_that_stops_reading_harms_only_itself(tmp_path: Path) -> None:
    async with Stack(tmp_path) as stack:
        await stack.start()
        clinic = await _clinic(stack.settings)
        subject = Subject(stack.settings.host, stack.apis[0].port, {}, clinic, None)  # type: ignore[arg-type]
        doctor_id = clinic.patients[0].doctor_id
        token = clinic.doctor_tokens[doctor_id]
        audience = _Audience(OTHERS)
        async with AsyncExitStack() as lines:
            await _open(subject, token, audience, lines)
            rest = await RestClient.open(subject.host, subject.port)
            lines.callback(rest.close)

            async def told() -> float:
                all_told, began = audience.expect(), time.perf_counter()
                patient = clinic.patients[0]
                assert (await rest.book(patient, clinic.free_slot(doctor_id))).status == 201
                return await asyncio.wait_for(all_told, 20) - began

            before = [await told() for _ in range(EVENTS)]
            resident = _resident(stack.apis[0].pid)
            slow = await SocketClient.open(subject.host, subject.port, token, lambda _: None)
            lines.callback(slow.close)
            slow._transport.pause_reading()
            after: list[float] = []
            while '"socket_cut"' not in stack.apis[0].written() and len(after) < 20 * EVENTS:
                after.append(await told())

        assert '"reason":"does_not_read"' in stack.apis[0].written()
        assert audience.heard == (len(before) + len(after)) * OTHERS, "somebody else lost an event"
        assert _resident(stack.apis[0].pid) - resident < RESIDENT
        assert statistics.median(after) < 2 * statistics.median(before)


def _resident(pid: int) -> int:
    """Return the bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
