"""Commands say what is wrong with their options before they ask the database."""

from datetime import UTC, datetime

import pytest

from hub.ops import audit_commands, doctor_commands


async def test_an_audit_that_ends_before_it_begins_is_refused_with_both_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    since, until = datetime(2026, 12, 2, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    assert await audit_commands.show(patient="carl", since=since, until=until) == 1
    assert capsys.readouterr().err == (
        "clinic-hub audit: --since has to be before --until: no instant is from 2026-12-02T00:00:00Z on and before "
        "2026-12-01T00:00:00Z.\n"
    )


async def test_what_is_no_time_zone_is_said_in_our_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert await doctor_commands.add_doctor(name="Dr. Ada", email="ada@clinic.test", zone="Berlin") == 1
    assert capsys.readouterr().err == "zone: 'Berlin' is not an IANA time zone, for example Europe/Berlin\n"
