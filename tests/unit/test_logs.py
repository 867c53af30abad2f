"""The log format, and the private data that is never logged."""

import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from hub import logs

Written = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def written() -> Iterator[Written]:
    """Configure logging for a process "api" at INFO; give what it has written, one mapping a line."""
    handlers, level = logging.root.handlers, logging.root.level
    stream = io.StringIO()
    logs.configure("api", "INFO", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.root.handlers, logging.root.level = handlers, level
    structlog.reset_defaults()


def test_an_event_is_one_line_with_time_level_and_process(written: Written) -> None:
    structlog.get_logger().info("appointment_booked", doctor_id="d-1")
    (line,) = written()
    at = datetime.fromisoformat(line.pop("timestamp"))
    assert at.utcoffset() == timedelta(0)
    assert line == {"event": "appointment_booked", "doctor_id": "d-1", "level": "info", "process": "api"}


def test_what_is_below_the_level_is_not_written(written: Written) -> None:
    structlog.get_logger().debug("detail")
    assert written() == []


@pytest.mark.parametrize(
    "key", ["password", "password_hash", "accessToken", "token", "to_phone", "Email", "body", "jwt_secret", "textBody"]
)
def test_private_keys_are_left_out_wherever_they_stand(written: Written, key: str) -> None:
    structlog.get_logger().info("asked", **{key: "s3cret"}, inner={key: "s3cret", "kept": 1})
    (line,) = written()
    assert "s3cret" not in json.dumps(line)
    assert line["inner"] == {"kept": 1}


def test_the_cause_of_an_event_is_written_without_private_text(written: Written) -> None:
    structlog.get_logger().info(
        "socket_cut", cause="does_not_read", error="no route to ann@clinic.test or +12025550123"
    )
    (line,) = written()
    assert (line["cause"], line["error"]) == ("does_not_read", "no route to [private] or [private]")


def test_no_event_of_ours_has_a_key_that_is_left_out() -> None:
    keys = re.compile(r"\blog\.(?:debug|info|warning|error|critical)\([^)]*?\b(\w+)=")
    root = Path(__file__).parents[2]
    found = [
        f"{file.relative_to(root)}: {key}"
        for folder in ("agents", "api", "hub")
        for file in (root / folder).rglob("*.py")
        for key in keys.findall(file.read_text())
        if not logs.drop_private(None, "", {key: 1})
    ]
    assert found == []


@pytest.mark.parametrize("key", ["text_id", "tokens_left", "phoned", "bodies", "emails_sent"])
def test_keys_that_only_resemble_private_ones_stay(written: Written, key: str) -> None:
    structlog.get_logger().info("counted", **{key: 3})
    assert written()[0][key] == 3


def test_libraries_are_heard_from_warning_on_and_in_the_same_form(written: Written) -> None:
    logging.getLogger("aiokafka").info("connected")
    logging.getLogger("aiokafka").warning("lost %s", "broker-1")
    (line,) = written()
    assert line["event"] == "lost broker-1"
    assert (line["level"], line["logger"], line["process"]) == ("warning", "aiokafka", "api")


def test_private_data_in_messages_of_libraries_is_replaced(written: Written) -> None:
    logging.getLogger("pymongo").warning("dup key: {email: 'ada@clinic.test', phone: '+12025550123'}")
    logging.getLogger("pymongo").warning("no answer from mongodb://clinic:s3cret@db.example:27017/clinic")
    text = json.dumps(written())
    assert "ada" not in text
    assert "2025550123" not in text
    assert "s3cret" not in text
    assert text.count("[private]") == 3


def test_an_exception_is_shown_with_its_traceback_but_without_private_values(written: Written) -> None:
    try:
        int("ada@clinic.test")
    except ValueError:
        structlog.get_logger().exception("broke")
    (line,) = written()
    assert line["exception"].endswith("ValueError: invalid literal for int() with base 10: '[private]'")
    assert "Traceback" in line["exception"]


def test_a_line_stays_one_line_whatever_it_holds(written: Written) -> None:
    structlog.get_logger().info("odd", value=object(), text_of_library="a\nb")
    assert len(written()) == 1


def test_what_a_library_says_again_and_again_is_written_now_and_then_with_the_number(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, now = logging.getLogger("aiokafka"), 1_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    for second in (0.0, 0.1, 9.9, 10.1, 10.2):
        now = 1_000.0 + second
        library.error("no way to %s", f"node {second}")
        library.error("something else") if second == 0.1 else None
    assert [line["event"] for line in written()] == [
        "no way to node 0.0",
        "something else",
        "no way to node 10.1 (and 2 times before)",
    ]


def test_what_a_library_says_again_is_written_when_there_is_a_traceback(written: Written) -> None:
    for _ in range(2):
        logging.getLogger("aiokafka").error("it failed", exc_info=ValueError("broken"))
    assert len(written()) == 2


def test_our_own_events_are_written_each(written: Written) -> None:
    for _ in range(2):
        structlog.get_logger().info("request")
    assert len(written()) == 2
