"""The judge of the waitlist: a faultless history has no violation, and each defect is found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.client.commands import User
from hub.ops.judge import text_deliveries
from hub.ops.judge.history import History, LineRequest
from hub.ops.judge.promises import Promise
from hub.ops.judge.record import Record
from hub.ops.judge.text_deliveries import AcceptedText, TextEvidence
from hub.ops.judge.tolerance import Tolerance
from hub.ops.judge.verdict import judge
from hub.scheduling.apply import apply
from hub.scheduling.events import AppointmentBooked, OfferAccepted, OfferLapsed, SlotOffered
from hub.scheduling.line import OfferPolicy
from hub.scheduling.schedule import Schedule, Shift
from hub.scheduling.schedule_record import unchanged_schedule
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_events import WaitlistJoined
from hub.scheduling.wish import Wish
from hub.texting.text import Text, TextStatus, text_id

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)
NOON = NINE + timedelta(hours=3)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")
DESK = Actor(id="desk", role=Role.RECEPTIONIST, via="rest")
SHIFTS = (Shift(weekday=0, opens=12 * 60, closes=12 * 60 + 30),)


class Story:
    """Ada and Ben work from noon to half past twelve on one day, and an event happens every second."""

    def __init__(self) -> None:
        self.seqs = {"ada": 0, "ben": 0}
        self.now = NINE
        self.appointments: dict[str, Any] = {}
        self.entries: dict[str, Any] = {}
        self.by = HUB

    def joins(self, patient: str, doctor: str = "ada") -> None:
        wish = Wish(first_day=NINE.date(), last_day=NINE.date())
        joined = WaitlistJoined(
            **self._header(doctor, f"e-{patient}-{doctor}"), doctor_id=doctor, patient_id=patient, wish=wish
        )
        self.entries[joined.command_id] = apply(None, joined)

    def offer(
        self,
        patient: str,
        doctor: str = "ada",
        *,
        out_of_turn: bool = False,
        without_text: bool = False,
        stands: timedelta = 30 * MINUTE,
        start: datetime = NOON,
    ) -> str:
        offered = SlotOffered(
            **self._header(doctor, f"o{len(self.appointments)}"),
            doctor_id=doctor,
            patient_id=patient,
            entry_id=f"e-{patient}-{doctor}",
            start=start,
            until=self.now + stands,
            out_of_turn=out_of_turn,
            without_text=without_text,
        )
        self.appointments[offered.command_id] = apply(None, offered)
        return offered.command_id

    def books(self, patient: str, doctor: str) -> None:
        header = self._header(doctor, f"b{len(self.appointments)}")
        booked = AppointmentBooked(**header, doctor_id=doctor, patient_id=patient, start=NOON)
        self.appointments[booked.command_id] = apply(None, booked)

    def lapses(self, offer: str) -> None:
        self._change(offer, OfferLapsed)

    def accepts(self, offer: str) -> None:
        self._change(offer, OfferAccepted)

    def record(self) -> Record:
        schedules = [unchanged_schedule(Schedule(id=each, zone="UTC", shifts=SHIFTS)) for each in self.seqs]
        return Record(self.appointments.values(), schedules, self.now, self.entries.values())

    def _change(self, offer: str, kind: type[OfferLapsed | OfferAccepted]) -> None:
        before = self.appointments[offer]
        event = kind(**self._header(before.doctor_id, f"c{sum(self.seqs.values())}"))
        self.appointments[offer] = apply(before, event)

    def _header(self, doctor: str, command: str) -> dict[str, Any]:
        self.now += SECOND
        self.seqs[doctor] += 1
        seq = self.seqs[doctor]
        by = self.by
        return {"seq": seq, "prev": seq - 1, "at": self.now, "by": by, "command_id": command, "fingerprint": "f"}


TOLERANCE = Tolerance(writing=5 * SECOND, offering=5 * SECOND)


def judged(story: Story, tolerance: Tolerance = TOLERANCE) -> list[str]:
    """Return what the whole judge finds, of a clinic that is watched from nine o'clock on."""
    history = History()
    history.on_line_request(LineRequest(User("-", "receptionist", "-"), "leave", "-", NINE, "ada", "-", abandoned=True))
    return [each.what for each in judge(history, [], story.record(), tolerance)]


def faultless() -> Story:
    story = Story()
    story.joins("carl")
    story.joins("dora")
    story.lapses(story.offer("carl"))
    story.accepts(story.offer("dora"))
    return story


def test_a_faultless_history_has_no_violation() -> None:
    story = faultless()
    story.now += MINUTE  # the slot is taken, so nobody is offered anything
    assert judged(story) == []


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
    story.now += MINUTE


def _two_in_a_slot(story: Story) -> None:
    story.joins("carl")
    story.offer("carl")
    story.books("dora", "ada")


def _after_its_end(story: Story) -> None:
    story.joins("carl")
    offer = story.offer("carl")
    story.now += 31 * MINUTE
    story.accepts(offer)


def _no_end(story: Story) -> None:
    story.joins("carl")
    story.offer("carl")
    story.now += 45 * MINUTE


def _nothing(story: Story) -> None:
    story.joins("carl")
    story.now += 15 * SECOND


def _nothing_for_a_while(story: Story) -> None:
    _nothing(story)
    story.accepts(story.offer("carl"))


def _nothing_after_an_end(story: Story) -> None:
    story.joins("carl")
    story.joins("dora")
    story.lapses(story.offer("carl"))
    story.now += 15 * SECOND


def _for_too_long(story: Story) -> None:
    story.joins("carl")
    story.offer("carl", stands=31 * MINUTE)


def _too_near(story: Story) -> None:
    story.joins("carl")
    story.now = NOON - 59 * MINUTE
    story.accepts(story.offer("carl", stands=29 * MINUTE - SECOND))


def _out_of_turn_by_the_hub(story: Story) -> None:
    story.joins("carl")
    story.joins("dora")
    story.offer("dora", out_of_turn=True)


@pytest.mark.parametrize(
    ("defect", "what"),
    [
        (_past_the_first, "an offer went past an entry that was before"),
        (_twice, "a patient was offered the same slot twice"),
        (_stranger, "a slot was offered to somebody who did not wait"),
        (_two_at_once, "a patient had two offers at once"),
        (_two_in_a_slot, "two appointments held the same slot"),
        (_after_its_end, "an offer was accepted after its end"),
        (_no_end, "the end of an offer was lost"),
        (_nothing, "a free slot was not offered"),
        (_nothing_for_a_while, "a free slot was not offered"),
        (_nothing_after_an_end, "a free slot was not offered"),
        (_for_too_long, "an offer stands for too long"),
        (_too_near, "a slot was offered that is too near"),
        (_out_of_turn_by_the_hub, "an offer out of turn was not made by the clinic"),
    ],
)
def test_each_defect_is_found(defect: Callable[[Story], None], what: str) -> None:
    story = Story()
    defect(story)
    assert what in judged(story)


def test_an_offer_at_night_is_found() -> None:
    story = Story()
    story.joins("carl")
    story.offer("carl")
    assert "an offer was made outside the hours for texts" in judged(
        story, replace(TOLERANCE, offers=OfferPolicy(opens=10 * 60))
    )


def test_an_offer_at_night_to_one_who_is_connected_is_no_defect_and_by_day_it_needs_a_text() -> None:
    story = Story()
    for patient in ("carl", "dora"):
        story.joins(patient)
    story.accepts(story.offer("dora", without_text=True))  # carl was not connected
    assert judged(story, replace(TOLERANCE, offers=OfferPolicy(opens=10 * 60))) == []
    assert judged(story) == ["an offer was made without a text in the hours for texts"]


def test_an_offer_of_the_clinic_out_of_turn_is_no_defect() -> None:
    story = Story()
    story.joins("carl")
    story.joins("dora")
    story.by = DESK
    offer = story.offer("dora", out_of_turn=True)
    story.by = HUB
    story.accepts(offer)
    assert judged(story) == []


@pytest.mark.parametrize(
    "excused",
    [
        {"disturbed": [(NINE, NINE + MINUTE)]},
        {"stopped": NINE + 3 * SECOND},
        {"offers": OfferPolicy(lead=timedelta(hours=4))},
        {"offers": OfferPolicy(opens=10 * 60)},
    ],
)
def test_a_slot_that_could_not_be_offered_is_no_defect(excused: dict[str, Any]) -> None:
    story = Story()
    _nothing(story)
    assert judged(story, replace(TOLERANCE, **excused)) == []


@pytest.mark.parametrize("why", ["busy with another doctor", "offered something else"])
def test_who_is_not_free_is_passed_over(why: str) -> None:
    story = Story()
    if why == "offered something else":
        story.joins("carl", "ben")
        story.offer("carl", "ben")
    else:
        story.books("carl", "ben")
    story.joins("carl")
    story.now += MINUTE
    assert judged(story) == []


def texted(story: Story, *arrived: datetime, **changed: Any) -> list[tuple[Promise, str]]:
    """Return what the judge says when the first offer's text has arrived at these times."""
    (offer,) = story.appointments.values()
    text = Text(
        id=text_id("ada", 2, "carl"),
        kind="offer",
        line="patient",
        user_id="carl",
        phone="+12025550100",
        appointment_id=offer.id,
        doctor_id="ada",
        seq=2,
        version=1,
        start=NOON,
        body="-",
        status=TextStatus.SENT,
        not_before=NINE,
        useless_after=NINE + timedelta(minutes=30),
        created_at=NINE,
        updated_at=NINE,
    ).model_copy(update=changed)
    accepted = [AcceptedText(text.id, at) for at in arrived]
    evidence = TextEvidence({text.id: text}, accepted, settled=NOON, given_up=NOON, in_transit=MINUTE)
    record = story.record()
    looks = text_deliveries.undelivered, text_deliveries.duplicates, text_deliveries.too_late
    return [(each.promise, each.what) for look in looks for each in look(record, evidence)]


def test_an_offer_is_texted_once_and_in_time() -> None:
    story = Story()
    story.joins("carl")
    offer = story.offer("carl")
    soon = story.now + SECOND
    assert texted(story, soon) == []
    assert texted(story) == [(Promise.WAITLIST, "an offer was not delivered: sent")]
    assert texted(story, id="another") == [(Promise.WAITLIST, "an offer was not put into the outbox")]
    assert texted(story, soon, soon) == [(Promise.WAITLIST, "an offer was delivered twice")]
    late = [(Promise.WAITLIST, "an offer was delivered after its end")]
    assert texted(story, soon + 32 * MINUTE) == late
    story.lapses(offer)
    assert texted(story, soon + 2 * MINUTE) == late
    assert texted(story, status=TextStatus.SKIPPED, reason="over") == []
    assert texted(story, status=TextStatus.SKIPPED, reason="too_late") == []
