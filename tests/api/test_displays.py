"""The display in the waiting room: what it shows of whom, and who may look at it for how long."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from api.resources.displays import initials
from hub.ops import display_commands
from hub.ops.staff_accounts import disable_receptionist
from hub.records.ports import Records
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import Answer, RestClinic, make_services, opening

DISPLAYS = "/api/v1/displays"


async def link(clinic: RestClinic, who: str = "robin") -> str:
    """Make a link; return the path of what the display reads."""
    answer = await clinic.ask("POST", DISPLAYS, who)
    page, _, key = str(answer.body["path"]).partition("#")
    assert page == "/display"
    return f"{DISPLAYS}/{key}"


async def change(clinic: RestClinic, appointment: str, *kinds: str) -> None:
    for kind in kinds:
        assert (await clinic.ask("PATCH", f"/api/v1/appointments/{appointment}/{kind}", "robin")).status == 200


async def test_it_shows_who_is_called_where_without_names_and_the_last_one_first(clinic: RestClinic) -> None:
    carl = await clinic.book("carl", "ada", opening(0, 1), reason='\\"visit\\":\\"in_room\\" "visit":"in_room"')
    dora = await clinic.book("dora", "ben", opening(0, 2))
    path = await link(clinic)
    assert (await clinic.ask("GET", path)).body == []
    await change(clinic, carl, "check-in")
    assert (await clinic.ask("GET", path)).body == []
    await change(clinic, carl, "call-in")
    clinic.clock.forward(opening(0, 1) - opening(0))
    await change(clinic, dora, "check-in", "call-in")

    shown = await clinic.ask("GET", path)
    assert shown.body == [
        {
            "initials": "D.",
            "start": "2026-11-23T09:00:00Z",
            "calledAt": "2026-11-23T08:30:00Z",
            "doctor": "Dr. Ben",
            "zone": "Europe/Berlin",
        },
        {
            "initials": "C.",
            "start": "2026-11-23T08:30:00Z",
            "calledAt": "2026-11-23T08:00:00Z",
            "doctor": "Dr. Ada",
            "zone": "Europe/Berlin",
        },
    ]
    again = await clinic.ask("GET", path, headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status == 304
    await change(clinic, dora, "undo-visit")
    await change(clinic, carl, "complete")
    assert (await clinic.ask("GET", path)).body == []


async def test_a_link_ends_with_the_next_one_by_hand_and_with_the_account_of_who_made_it(clinic: RestClinic) -> None:
    async def is_shown(path: str) -> bool:
        answer: Answer = await clinic.ask("GET", path)
        assert answer.status in {200, 404}
        return answer.status == 200

    first, other = await link(clinic), await link(clinic, "rosa")
    second = await link(clinic)
    assert [await is_shown(path) for path in (first, second, other)] == [False, True, True]
    assert not await is_shown(second.replace("robin", "rosa"))
    await clinic.ask("DELETE", DISPLAYS, "robin")
    assert [await is_shown(path) for path in (second, other)] == [False, True]
    rosa = await clinic.services.records.users.by_id(clinic.id("rosa"))
    assert rosa is not None
    await disable_receptionist(clinic.services.records, rosa, clinic.clock)
    assert not await is_shown(other)


async def test_an_operator_lists_the_links_and_ends_one_by_command(
    clinic: RestClinic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @asynccontextmanager
    async def store() -> AsyncIterator[Records]:
        yield clinic.services.records

    monkeypatch.setattr(display_commands, "store", store)
    robin, rosa = await link(clinic), await link(clinic, "rosa")
    capsys.readouterr()
    assert await display_commands.list_displays() == 0
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == [
        "receptionist-robin",
        "receptionist-rosa",
    ]
    assert await display_commands.end_display("Robin@clinic.test") == 0
    assert capsys.readouterr().out == "The link of Robin is ended.\n"
    assert [(await clinic.ask("GET", path)).status for path in (robin, rosa)] == [404, 200]
    assert await display_commands.end_display("receptionist-robin") == 0
    assert "has made no link" in capsys.readouterr().out
    assert await display_commands.end_display("ada@clinic.test") == 1
    assert await display_commands.list_displays() == 0
    assert "robin" not in capsys.readouterr().out


async def test_a_stranger_can_guess_only_so_many_keys(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(visitor_reads_per_minute_per_address=2))
    guesses = [await clinic.ask("GET", f"{DISPLAYS}/receptionist-robin/guess{number}") for number in range(3)]
    assert [guess.status for guess in guesses] == [404, 404, 429]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zora Quill", "Z. Q."),
        ("Zora van der Quill", "Z. Q."),
        ("zora", "Z."),
        ("Özgür Ångström (junior)", "Ö. Å."),
        ("张 伟", "张. 伟."),
        ("", ""),
    ],
)
def test_the_initials_are_of_the_first_and_the_last_name(name: str, shown: str) -> None:
    assert initials(name) == shown
