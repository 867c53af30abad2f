"""The judge of the waitlist: a faultless history has no violation, and each defect is found."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.ops.judge import waitlist
from hub.ops.judge.record import Record
from hub.scheduling.apply import apply
from hub.scheduling.events import OfferAccepted, OfferLapsed, SlotOffered
from hub.scheduling.line import OfferPolicy
from hub.scheduling.schedule import Schedule, Shift
from hub.scheduling.schedule_record import unchanged_schedule
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_events import WaitlistJoined
from hub.scheduling.wish import Wish

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)
NOON = NINE + timedelta(hours=3)
SECOND = timedelta(seconds=1)
WRITING = timedelta(seconds=5)
HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")
SHIFTS = (Shift(weekday=0, opens=12 * 60, closes=12 * 60 + 30),)


class Story:
    """Ada works from noon to half past twelve, and events happen one minute after the other."""

    def __init__(self) -> None:
        self.seqs = {"ada": 0, "ben": 0}
        self.now = NINE
        self.appointments: dict[str, Any] = {}
        self.entries: dict[str, Any] = {}

    def joins(self, patient: str, doctor: str = "ada") -> None:
        wish = Wish(first_day=NINE.date(), last_day=NINE.date())
        joined = WaitlistJoined(
            **self._header(doctor, f"e-{patient}-{doctor}"), doctor_id=doctor, patient_id=patient, wish=wish
        )
        self.entries[joined.command_id] = apply(None, joined)

    def offer(self, patient: str, doctor: str = "ada", start: datetime = NOON, *, out_of_turn: bool = False) -> str:
        header = self._header(doctor, f"o{len(self.appointments)}")
        offered = SlotOffered(
            **header,
            doctor_id=doctor,
            patient_id=patient,
            entry_id=f"e-{patient}-{doctor}",
            start=start,
            until=self.now + timedelta(minutes=30),
            out_of_turn=out_of_turn,
        )
        self.appointments[offered.command_id] = apply(None, offered)
        return offered.command_id

    def lapses(self, offer: str) -> None:
        self._change(offer, OfferLapsed)

    def accepts(self, offer: str) -> None:
        self._change(offer, OfferAccepted)

    def record(self, read_at: datetime | None = None) -> Record:
        schedules = [unchanged_schedule(Schedule(id=each, zone="UTC", shifts=SHIFTS)) for each in self.seqs]
        return Record(self.appointments.values(), schedules, read_at or self.now, self.entries.values())

    def _change(self, offer: str, kind: type[OfferLapsed | OfferAccepted]) -> None:
        before = self.appointments[offer]
        event = kind(**self._header(before.doctor_id, f"c{self.now.minute}"))
        self.appointments[offer] = apply(before, event)

    def _header(self, doctor: str, command: str) -> dict[str, object]:
        self.now += timedelta(minutes=1)
        self.seqs[doctor] += 1
        seq = self.seqs[doctor]
        return {
            "seq": seq,
            "prev": seq - 1,
            "at": self.now,
            "by": HUB,
            "command_id": command,
            "fingerprint": "f",
        }


def judged(story: Story, read_at: datetime | None = None) -> list[str]:
    record = story.record(read_at)
    return [
        each.what
        for each in (
            *waitlist.offers(record, WRITING),
            *waitlist.lapses(record, WRITING),
            *waitlist.unoffered(record, OfferPolicy(), WRITING),
        )
    ]


def faultless() -> Story:
    story = Story()
    story.joins("carl")
    story.joins("dora")
    story.lapses(story.offer("carl"))
    story.accepts(story.offer("dora"))
    return story


def test_a_faultless_history_has_no_violation() -> None:
    assert judged(faultless()) == []


def _past_the_first(story: Story) -> None:
    story.joins("carl")
    story.joins("dora")
    story.offer("dora")


def _twice(story: Story) -> None:
    story.joins("carl")
    story.lapses(story.offer("carl"))
    story.offer("carl")


def _stranger(story: Story) -> None:
    story.offer("dora")


def _two_at_once(story: Story) -> None:
    story.joins("carl")
    story.joins("carl", "ben")
    story.offer("carl")
    story.offer("carl", "ben")
    story.now += timedelta(minutes=1)


def _after_its_end(story: Story) -> None:
    story.joins("carl")
    offer = story.offer("carl")
    story.now += timedelta(minutes=31)
    story.accepts(offer)


def _no_end(story: Story) -> None:
    story.joins("carl")
    story.offer("carl")
    story.now += timedelta(minutes=45)


def _nothing(story: Story) -> None:
    story.joins("carl")
    story.now += timedelta(minutes=1)


@pytest.mark.parametrize(
    ("defect", "what"),
    [
        (_past_the_first, "an offer went past entry e-carl-ada, which was before"),
        (_twice, "a patient was offered the same slot twice"),
        (_stranger, "a slot was offered to somebody who did not wait"),
        (_two_at_once, "a patient had two offers at once"),
        (_after_its_end, "an offer was accepted after its end"),
        (_no_end, "the end of an offer was lost"),
        (_nothing, "a free slot was not offered"),
    ],
)
def test_each_defect_is_found(defect: Callable[[Story], None], what: str) -> None:
    story = Story()
    defect(story)
    assert what in judged(story)


def test_an_offer_out_of_turn_is_no_defect() -> None:
    story = Story()
    story.joins("carl")
    story.joins("dora")
    story.accepts(story.offer("dora", out_of_turn=True))
    assert judged(story) == []
