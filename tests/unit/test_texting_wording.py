"""The wording of texts: one segment, local times, and no words that carriers act upon."""

import inspect
import re
from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.texting import wording
from hub.texting.inbound import CARRIERS_HELP, CARRIERS_START, CARRIERS_STOP
from hub.texting.segments import outside_gsm7, segments, units
from hub.texting.wording import LONGEST_CLOCK, LONGEST_TIME, Clinic, Language, local_time, most_segments

LONGEST = Clinic(name="N" * 40, phone="+" + "9" * 19)
SHORTEST = Clinic(name="A", phone=None)
TEMPLATES = [
    function
    for name, function in inspect.getmembers(wording, inspect.isfunction)
    if inspect.signature(function).return_annotation is str
    and not name.startswith("_")
    and name not in {"local_time", "local_clock"}
]


LANGUAGES: tuple[Language, ...] = get_args(Language)


def _worded(clinic: Clinic) -> dict[str, str]:
    """Return what each template says in each language, with the longest times."""
    bodies = {}
    for template in TEMPLATES:
        given = dict.fromkeys(("when", "before", "following"), LONGEST_TIME)
        given |= {"digits": "123456", "until": LONGEST_CLOCK}
        times = [given[name] for name in inspect.signature(template).parameters if name in given]
        for language in LANGUAGES:
            bodies[f"{template.__name__} {language}"] = template(clinic, *times, language)
    return bodies


def test_no_text_is_said_alike_in_two_languages() -> None:
    bodies = _worded(LONGEST)
    assert len(set(bodies.values())) == len(bodies) == len(TEMPLATES) * len(LANGUAGES)


def test_every_template_is_covered() -> None:
    assert {name.partition(" ")[0] for name in _worded(LONGEST)} >= {
        "booked",
        "reminder",
        "rescheduled",
        "cancelled_by_clinic",
        "doctor_booked",
        "doctor_rescheduled",
        "doctor_cancelled",
    }


@pytest.mark.parametrize(("name", "body"), _worded(LONGEST).items())
def test_each_text_is_one_plain_segment_even_with_the_longest_values(name: str, body: str) -> None:
    assert outside_gsm7(body) == [], name
    assert segments(body) == 1, f"{name} takes {units(body)} units"


@pytest.mark.parametrize(
    ("clinic", "most"),
    [
        (LONGEST, 1),
        (SHORTEST, 1),
        (Clinic(name="Clínica São José", phone="+55 11 5555-0100"), 2),
        (Clinic(name="Ιατρείο Αθηνών", phone=None), 2),
        (Clinic(name="Ω" * 39 + "Α", phone="+" + "9" * 19), 3),  # noqa: RUF001  # letters of other scripts are the point
    ],
)
def test_the_segments_of_the_longest_text_are_known(clinic: Clinic, most: int) -> None:
    assert most_segments(clinic) == most == max(segments(body) for body in _worded(clinic).values())


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # made aware
    st.sampled_from(sorted(available_timezones() - {"localtime"})),
    st.sampled_from(LANGUAGES),
)
def test_no_time_is_longer_than_the_longest(instant: datetime, zone: str, language: Language) -> None:
    text = local_time(instant, zone, language)

    assert len(text) <= len(LONGEST_TIME)
    assert outside_gsm7(text) == []
    assert units(text) == len(text)


@pytest.mark.parametrize("clinic", [LONGEST, SHORTEST])
def test_no_text_asks_for_or_shouts_a_word_that_carriers_act_upon(clinic: Clinic) -> None:
    acted_upon = CARRIERS_STOP | CARRIERS_START | CARRIERS_HELP
    for name, body in _worded(clinic).items():
        sentences = [part.strip().lower() for part in re.split(r"[.:?!,]", body)]
        asked_for = re.findall(r"(?i)\b(?:reply|text|send|answer)\W+(\w+)", body)
        shouted = re.findall(r"\b[A-Z]{2,}\b", body)
        assert acted_upon.isdisjoint(sentences), name
        assert acted_upon.isdisjoint(word.lower() for word in [*asked_for, *shouted]), name


def test_the_clinic_and_its_phone_are_named() -> None:
    clinic = Clinic(name="Riverside Clinic", phone="555-010-0199")

    assert wording.reminder(clinic, "Tue 24 Nov, 3:15 PM") == (
        "Riverside Clinic reminder: appointment Tue 24 Nov, 3:15 PM. "
        "Reply 1 to confirm or 2 to cancel. Or call 555-010-0199"
    )
    assert wording.booked(clinic, "Tue 24 Nov, 3:15 PM") == (
        "Riverside Clinic: your appointment is booked for Tue 24 Nov, 3:15 PM. Questions? Call 555-010-0199"
    )
    assert "call" not in wording.reminder(SHORTEST, "Tue 24 Nov, 3:15 PM")


@pytest.mark.parametrize(
    ("instant", "zone", "shown"),
    [
        # Midnight and noon.
        ("2026-11-24T00:00Z", "Europe/London", "Tue 24 Nov, 12:00 AM"),
        ("2026-11-24T12:00Z", "Europe/London", "Tue 24 Nov, 12:00 PM"),
        ("2026-11-24T23:30Z", "Europe/London", "Tue 24 Nov, 11:30 PM"),
        # Zones of half and quarter hours, which are also another day.
        ("2026-11-24T18:30Z", "Asia/Kolkata", "Wed 25 Nov, 12:00 AM"),
        ("2026-11-24T18:15Z", "Asia/Kathmandu", "Wed 25 Nov, 12:00 AM"),
        ("2026-06-01T03:45Z", "Asia/Kathmandu", "Mon 1 Jun, 9:30 AM"),
        ("2026-11-24T21:15Z", "Pacific/Chatham", "Wed 25 Nov, 11:00 AM"),
        ("2026-06-01T21:15Z", "Pacific/Chatham", "Tue 2 Jun, 10:00 AM"),
        # Spring in Berlin (the hour from 2 is skipped) and in New York.
        ("2026-03-29T00:30Z", "Europe/Berlin", "Sun 29 Mar, 1:30 AM"),
        ("2026-03-29T01:00Z", "Europe/Berlin", "Sun 29 Mar, 3:00 AM"),
        ("2026-03-08T07:00Z", "America/New_York", "Sun 8 Mar, 3:00 AM"),
        # Autumn: the repeated hour says which of the two it is, the hours around it do not.
        ("2026-10-24T23:30Z", "Europe/Berlin", "Sun 25 Oct, 1:30 AM"),
        ("2026-10-25T00:30Z", "Europe/Berlin", "Sun 25 Oct, 2:30 AM CEST"),
        ("2026-10-25T01:30Z", "Europe/Berlin", "Sun 25 Oct, 2:30 AM CET"),
        ("2026-10-25T02:00Z", "Europe/Berlin", "Sun 25 Oct, 3:00 AM"),
        ("2026-11-01T05:30Z", "America/New_York", "Sun 1 Nov, 1:30 AM EDT"),
        ("2026-11-01T06:30Z", "America/New_York", "Sun 1 Nov, 1:30 AM EST"),
        # Lord Howe changes by half an hour: 2:00 becomes 2:30 in spring, and 1:30 in autumn.
        ("2026-10-03T15:00Z", "Australia/Lord_Howe", "Sun 4 Oct, 1:30 AM"),
        ("2026-10-03T15:30Z", "Australia/Lord_Howe", "Sun 4 Oct, 2:30 AM"),
        ("2026-04-04T14:00Z", "Australia/Lord_Howe", "Sun 5 Apr, 1:00 AM"),
        ("2026-04-04T14:30Z", "Australia/Lord_Howe", "Sun 5 Apr, 1:30 AM +11"),
        ("2026-04-04T15:00Z", "Australia/Lord_Howe", "Sun 5 Apr, 1:30 AM +1030"),
        ("2026-04-04T15:30Z", "Australia/Lord_Howe", "Sun 5 Apr, 2:00 AM"),
    ],
)
def test_a_time_is_said_by_the_clinics_own_clock(instant: str, zone: str, shown: str) -> None:
    assert local_time(datetime.fromisoformat(instant), zone) == shown


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Europe/Berlin", "2026-10-24T22:00Z"),
        ("America/New_York", "2026-11-01T04:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T13:00Z"),
        ("Pacific/Chatham", "2026-04-04T12:15Z"),
    ],
)
def test_around_a_clock_change_no_two_slots_are_said_alike(zone: str, first: str) -> None:
    starts = [datetime.fromisoformat(first) + number * timedelta(minutes=30) for number in range(12)]

    for language in LANGUAGES:
        assert len({local_time(start, zone, language) for start in starts}) == 12


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        ("2026-11-24T23:00Z", "Mi 25.11., 0:00 Uhr"),
        ("2026-11-24T14:15Z", "Di 24.11., 15:15 Uhr"),
        ("2026-07-04T07:05Z", "Sa 4.7., 9:05 Uhr"),
        ("2026-10-25T01:30Z", "So 25.10., 2:30 Uhr CET"),
    ],
)
def test_german_times_are_written_as_germans_do(instant: str, shown: str) -> None:
    assert local_time(datetime.fromisoformat(instant), "Europe/Berlin", "de") == shown


def test_a_reminder_in_german() -> None:
    assert wording.reminder(Clinic("Praxis Süd", "030 1234"), "Di 24.11., 15:15 Uhr", "de") == (
        "Praxis Süd, Erinnerung: Termin Di 24.11., 15:15 Uhr. Antwort 1: ich komme, 2: Absage. Oder Tel. 030 1234"
    )
