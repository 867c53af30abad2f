"""What is counted, and what is written down, of each request, command and event."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.api.rest_clinic import RestClinic, opening
from tests.api.sockets.clinic import open_sockets

APPOINTMENTS = "/api/v1/appointments"


async def figures(clinic: RestClinic) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    async with clinic.client.get("/metrics") as response:
        assert response.status == 200
        text = await response.text()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def rise(clinic: RestClinic, before: dict[Any, float], name: str, **labels: str) -> float:
    key = name, frozenset(labels.items())
    return (await figures(clinic)).get(key, 0.0) - before.get(key, 0.0)


async def test_a_request_and_its_command_are_counted_by_outcome(clinic: RestClinic) -> None:
    before = await figures(clinic)
    await clinic.book("carl", "ada", opening(1))
    taken = {"doctorId": clinic.id("ada"), "start": opening(1).isoformat()}
    await clinic.ask("POST", APPOINTMENTS, "dora", json=taken)
    route = {"method": "POST", "route": APPOINTMENTS}
    assert await rise(clinic, before, "clinic_requests_total", status="201", **route) == 1
    assert await rise(clinic, before, "clinic_requests_total", status="409", **route) == 1
    assert await rise(clinic, before, "clinic_request_seconds_count", **route) == 2
    command = {"kind": "book", "via": "rest"}
    assert await rise(clinic, before, "clinic_commands_total", outcome="done", **command) == 1
    assert await rise(clinic, before, "clinic_commands_total", outcome="slot_taken", **command) == 1
    assert await rise(clinic, before, "clinic_command_seconds_count", **command) == 2


async def test_text_of_a_client_becomes_no_metric_label(clinic: RestClinic) -> None:
    await clinic.ask("GET", "/nothing")
    before = await figures(clinic)
    await clinic.ask("PROPFIND", "/nothing")
    for number in range(3):
        await clinic.ask("GET", f"/made-up-{number}")
    grown = (await figures(clinic)).keys() - before.keys()
    assert not [name for name, labels in grown if "made-up" in str(labels) or "PROPFIND" in str(labels)]


async def test_a_command_logs_one_line_with_its_id_user_and_outcome(clinic: RestClinic, lines: list[Any]) -> None:
    body = {"doctorId": clinic.id("ada"), "start": opening(1).isoformat(), "reason": "a secret illness"}
    answer = await clinic.ask("POST", APPOINTMENTS, "carl", json=body, headers={"X-Request-ID": "abc"})
    (line,) = [line for line in lines if line["event"] == "command"]
    assert line.pop("ms") >= 0
    assert line == {
        "event": "command",
        "log_level": "info",
        "request_id": "abc",
        "command_id": answer.body["id"],
        "kind": "book",
        "via": "rest",
        "user_id": clinic.id("carl"),
        "doctor_id": clinic.id("ada"),
        "outcome": "done",
    }
    assert "illness" not in str(lines)


async def test_each_socket_event_is_counted_and_logs_one_line(lines: list[Any]) -> None:
    async with open_sockets() as clinic:
        before = await figures(clinic.rest)
        carl = await clinic.person("carl")
        await carl.ask("book", {"doctorId": clinic.id("ada"), "start": opening(1).isoformat()})
        await carl.refused("book", {})
        await carl.refused("made up", {})
        assert await rise(clinic.rest, before, "clinic_socket_events_total", event="book", outcome="done") == 1
        assert (
            await rise(clinic.rest, before, "clinic_socket_events_total", event="book", outcome="invalid_request") == 1
        )
        assert (
            await rise(clinic.rest, before, "clinic_socket_events_total", event="unknown", outcome="unknown_event") == 1
        )
        assert ("clinic_sockets_queued", frozenset()) in await figures(clinic.rest)
    told = [line for line in lines if line["event"] == "socket_event"]
    assert [(line["socket_event"], line["user_id"], line["outcome"]) for line in told] == [
        ("book", clinic.id("carl"), "done"),
        ("book", clinic.id("carl"), "invalid_request"),
        ("unknown", clinic.id("carl"), "unknown_event"),
    ]
    assert len({line["request_id"] for line in told}) == 3
