"""The actors and the waitlist: who is offered what, in which order, and what the fences refuse."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count

from agents.actor.actors import DoctorActors
from hub.scheduling.appointment import Appointment
from hub.scheduling.commands import BookAppointment, Command
from hub.scheduling.line import OfferPolicy
from hub.scheduling.values import Actor, Role, Status
from hub.scheduling.waitlist_commands import (
    AcceptOffer,
    DeclineOffer,
    JoinWaitingPatient,
    JoinWaitlist,
    LapseOffer,
    LeaveWaitlist,
    OfferSlot,
    TendWaitlist,
)
from hub.scheduling.waitlist_entry import EntryStatus
from hub.scheduling.wish import Between, Wish
from tests.agents.actor_fixtures import (
    ASKED,
    SharedStore,
    back,
    book,
    cancel,
    given,
    hours,
    join,
    leave,
    off,
    refused,
    slot,
)
from tests.people import doctor

DAY = date(2026, 6, 1)
DESK = Actor(id="robin", role=Role.RECEPTIONIST, via="rest")
HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")
_ids = count(1)


def wish(first: date = DAY, last: date = DAY, **more: object) -> Wish:
    return Wish(first_day=first, last_day=last, **more)


AT_NOON = Between(opens=12 * 60, closes=12 * 60 + 30)
"""Only slot 0 suits."""


def waits(patient: str, doctor: str = "ada", key: str | None = None, **more: object) -> JoinWaitlist:
    return JoinWaitlist(
        id=key or f"entry-{patient}-{doctor}",
        doctor_id=doctor,
        by=Actor(id=patient, role=Role.PATIENT, via="rest"),
        at=ASKED,
        patient_id=patient,
        wish=wish(**{"between": AT_NOON, **more}),
    )


def tend(doctor: str = "ada", key: str | None = None) -> TendWaitlist:
    return TendWaitlist(id=key or f"tend-{next(_ids)}", doctor_id=doctor, by=HUB, at=ASKED)


def _to_offer(offer: Appointment, by: Actor | None = None) -> dict[str, object]:
    by = by or Actor(id=offer.patient_id, role=Role.PATIENT, via="rest")
    return {
        "id": f"answer-{next(_ids)}",
        "doctor_id": offer.doctor_id,
        "by": by,
        "at": ASKED,
        "appointment_id": offer.id,
    }


def accept(offer: Appointment, by: Actor | None = None) -> AcceptOffer:
    return AcceptOffer(**_to_offer(offer, by))


def decline(offer: Appointment) -> DeclineOffer:
    return DeclineOffer(**_to_offer(offer))


def lapse(offer: Appointment) -> LapseOffer:
    return LapseOffer(**_to_offer(offer, HUB), start=offer.start)


class Clinic:
    """A store, one worker, and what the tests look at. It is eight o'clock."""

    def __init__(self) -> None:
        self.store = SharedStore(now=datetime(2026, 6, 1, 8, tzinfo=UTC))
        self.worker = self.store.worker()

    async def open(self, *commands: Command) -> None:
        await self.store.open()
        await self.do(*commands)

    async def do(self, *commands: Command) -> list[str]:
        return [await self.one(command) for command in commands]

    async def one(self, command: Command) -> str:
        [answer] = await self.worker.handle([command])
        result = answer.reply.result
        return str(getattr(result, "status", None) or getattr(result, "code", "arranged"))

    async def tended(self, doctor: str = "ada", worker: DoctorActors | None = None) -> int:
        """Tend the waitlist of a doctor until there is nothing to do; return how much was done."""
        for done in range(50):
            [answer] = await (worker or self.worker).handle([tend(doctor)])
            if hasattr(answer.reply.result, "code") and "nothing" in refused(answer).detail:
                return done
        raise AssertionError("the waitlist is never done")

    async def offers(self, doctor: str = "ada", status: Status = Status.OFFERED) -> Sequence[Appointment]:
        found = await self.store.records.waitlist.offers(doctor, slot(-100))
        return [each for each in found if each.status is status]

    async def offer(self, doctor: str = "ada") -> Appointment:
        [offer] = await self.offers(doctor)
        return offer

    async def entry(self, patient: str, doctor: str = "ada") -> EntryStatus:
        found = await self.store.records.waitlist.by_ids([f"entry-{patient}-{doctor}"])
        return found[f"entry-{patient}-{doctor}"].status


async def test_what_becomes_free_is_offered_to_the_first_in_the_line() -> None:
    clinic = Clinic()
    taken = book("emil")
    await clinic.open(taken, waits("dora"), waits("carl"))
    assert await clinic.tended() == 0
    await clinic.do(cancel(taken))
    assert await clinic.tended() == 1
    offer = await clinic.offer()
    assert (offer.patient_id, offer.start, offer.due_kind) == ("dora", slot(0), "offer")
    assert offer.due == clinic.store.now + timedelta(minutes=30)
    assert await clinic.one(book("carl")) == "slot_taken"


async def test_an_accepted_offer_is_an_appointment_and_ends_the_entry() -> None:
    clinic = Clinic()
    await clinic.open(waits("carl"))
    await clinic.tended()
    offer = await clinic.offer()
    assert await clinic.one(accept(offer)) == "scheduled"
    appointment = await clinic.store.appointment(offer.id)
    assert (appointment.status, appointment.due_kind) == (Status.SCHEDULED, "reminder")
    assert appointment.due == slot(0) - timedelta(hours=3)
    assert await clinic.one(waits("carl", key="again")) == "waiting", "the entry counts as booked at once"
    assert await clinic.tended() == 1
    assert await clinic.entry("carl") is EntryStatus.BOOKED


async def test_who_declines_or_does_not_answer_keeps_the_place_and_is_not_offered_it_again() -> None:
    clinic = Clinic()
    await clinic.open(waits("carl"), waits("dora"))
    await clinic.tended()
    assert await clinic.one(decline(await clinic.offer())) == "lapsed"
    await clinic.tended()
    offer = await clinic.offer()
    assert offer.patient_id == "dora"
    assert await clinic.one(lapse(offer)) == "too_early"
    clinic.store.now += timedelta(minutes=30)
    assert await clinic.one(accept(offer)) == "wrong_status", "its time is over"
    assert await clinic.one(lapse(offer)) == "lapsed"
    assert await clinic.tended() == 0, "everybody had this slot"
    assert [await clinic.entry(each) for each in ("carl", "dora")] == ["waiting", "waiting"]


async def test_who_is_busy_or_has_an_offer_elsewhere_is_passed_over_without_losing_the_place() -> None:
    clinic = Clinic()
    busy = book("carl", doctor="ben")
    await clinic.open(busy, waits("carl"), waits("dora", "ben", between=None), waits("dora"), waits("emil"))
    assert await clinic.tended("ben") == 1
    assert (await clinic.offer("ben")).patient_id == "dora"
    await clinic.tended()
    offer = await clinic.offer()
    assert offer.patient_id == "emil"
    await clinic.do(cancel(busy), decline(offer))
    await clinic.tended()
    assert (await clinic.offer()).patient_id == "carl"


async def test_a_hundred_who_are_busy_are_passed_over() -> None:
    clinic = Clinic()
    entries = [waits(f"p{number}", between=None) for number in range(150)]
    busy = [book(f"p{number}", at=0, doctor=f"d{number}") for number in range(150)]
    await clinic.open(*entries)
    for each in busy:
        await _busy_at_noon(clinic, each)
    await clinic.do(hours(12, 13))
    await clinic.do(book("emil", at=1))
    assert await clinic.tended() == 0
    await clinic.do(waits("carl"))
    assert await clinic.tended() == 1
    assert (await clinic.offer()).patient_id == "carl"


async def _busy_at_noon(clinic: Clinic, booking: BookAppointment) -> None:
    await clinic.store.records.users.add([doctor(booking.doctor_id)])
    await clinic.do(booking)


async def test_an_offer_of_two_doctors_to_one_patient_meets_the_fence() -> None:
    clinic = Clinic()
    await clinic.open(waits("carl"), waits("carl", "ben", between=None))
    ada, ben = tend(), tend("ben")
    first, second = await clinic.worker.handle([ada, ben])
    assert first.reply.result.status == "offered"
    assert refused(second).code == "offer_open"
    assert await clinic.offers("ben") == []


async def test_nobody_is_offered_what_is_too_near_or_outside_the_hours_for_texts() -> None:
    clinic = Clinic()
    clinic.store.now = datetime(2026, 6, 1, 11, 1, tzinfo=UTC)
    await clinic.open(waits("carl"))
    assert await clinic.tended() == 0
    clinic.store.now = datetime(2026, 6, 1, 7, 59, tzinfo=UTC)
    assert await clinic.tended() == 0
    clinic.store.now = datetime(2026, 6, 1, 8, tzinfo=UTC)
    assert await clinic.tended() == 1


async def test_outside_the_hours_for_texts_the_first_who_is_connected_is_offered_it_without_a_text() -> None:
    clinic = Clinic()
    clinic.store.now = datetime(2026, 6, 1, 6, tzinfo=UTC)
    await clinic.open(waits("carl"), waits("dora"))
    presence = clinic.store.records.presence
    await presence.mark(["carl"], clinic.store.now)  # was connected
    assert await clinic.tended() == 0
    await presence.mark(["dora"], clinic.store.now + timedelta(seconds=1))
    assert await clinic.tended() == 1
    [offer] = await clinic.offers()
    assert (offer.patient_id, getattr(offer.history[0], "without_text", None)) == ("dora", True)
    await clinic.do(decline(offer))
    assert await clinic.tended() == 0  # dora had it, and carl keeps the place
    clinic.store.now = datetime(2026, 6, 1, 8, tzinfo=UTC)
    assert await clinic.tended() == 1
    [offer] = await clinic.offers()
    assert (offer.patient_id, getattr(offer.history[0], "without_text", None)) == ("carl", False)


async def test_an_offer_never_ends_later_than_half_an_hour_before_the_start() -> None:
    clinic = Clinic()
    clinic.store.now = slot(0) - timedelta(minutes=59)
    clinic.worker = DoctorActors(
        clinic.store.records,
        clinic.worker._reader._table,
        lambda: clinic.store.now,
        policy=OfferPolicy(lead=timedelta(minutes=31)),
    )
    await clinic.open(waits("carl"))
    await clinic.tended()
    assert (await clinic.offer()).due == slot(0) - timedelta(minutes=30)


async def test_hours_time_off_and_a_doctor_who_is_enabled_again_make_offers() -> None:
    clinic = Clinic()
    away = off(0)
    await clinic.open(away, waits("carl"))
    assert await clinic.tended() == 0
    await clinic.do(back(away))
    assert await clinic.tended() == 1
    await clinic.do(hours(13, 14))
    assert await clinic.tended() == 1, "the offer is withdrawn, because the doctor does not work then any more"
    assert await clinic.offers() == []


async def test_a_disabled_doctor_offers_nothing() -> None:
    clinic = Clinic()
    await clinic.open(leave(), waits("carl"))
    assert await clinic.tended() == 0


async def test_an_offer_cannot_be_accepted_when_the_doctor_does_not_work_any_more() -> None:
    clinic = Clinic()
    await clinic.open(waits("carl"))
    await clinic.tended()
    offer = await clinic.offer()
    await clinic.do(off(0))
    assert await clinic.one(accept(offer)) == "outside_hours"
    await clinic.do(leave())
    assert await clinic.one(accept(offer)) == "doctor_unavailable"


async def test_who_leaves_is_offered_nothing_and_an_open_offer_ends() -> None:
    clinic = Clinic()
    await clinic.open(waits("carl"))
    await clinic.tended()
    gone = LeaveWaitlist(
        id="gone",
        doctor_id="ada",
        by=Actor(id="carl", role=Role.PATIENT, via="rest"),
        at=ASKED,
        entry_id="entry-carl-ada",
    )
    assert await clinic.do(gone, gone) == ["left", "left"]
    assert await clinic.one(gone.model_copy(update={"id": "twice"})) == "wrong_status"
    assert await clinic.tended() == 1
    assert await clinic.offers() == []
    assert await clinic.tended() == 0


async def test_a_repeated_join_is_answered_as_the_first_one_and_a_second_one_is_refused() -> None:
    clinic = Clinic()
    joined = waits("carl")
    await clinic.open(joined)
    assert await clinic.do(joined, waits("carl", key="other")) == ["waiting", "already_waiting"]
    fresh = clinic.store.worker()
    assert await given_status(fresh, joined) == "waiting"


async def given_status(worker: DoctorActors, command: Command) -> str:
    [answer] = await worker.handle([command])
    return str(answer.reply.result.status)


async def test_an_entry_ends_after_its_last_day() -> None:
    clinic = Clinic()
    await clinic.open(waits("carl"))
    clinic.store.now += timedelta(days=1)
    assert await clinic.one(waits("dora")) == "in_the_past"
    assert await clinic.tended() == 1
    assert await clinic.entry("carl") is EntryStatus.EXPIRED


async def test_staff_offer_out_of_turn_and_the_history_says_who() -> None:
    clinic = Clinic()
    taken = book("emil")
    await clinic.open(taken, waits("carl"), waits("dora", between=None))
    offer = OfferSlot(id="out", doctor_id="ada", by=DESK, at=ASKED, entry_id="entry-dora-ada", start=slot(0))
    assert await clinic.one(offer) == "slot_taken"
    patient = offer.model_copy(update={"id": "x", "by": Actor(id="dora", role=Role.PATIENT, via="rest")})
    assert await clinic.one(patient) == "forbidden"
    await clinic.do(cancel(taken))
    assert await clinic.do(offer, offer) == ["offered", "offered"]
    [event] = (await clinic.offer()).history
    assert (event.by, event.out_of_turn) == (DESK, True)
    assert await clinic.one(offer.model_copy(update={"id": "out2", "start": slot(1)})) == "offer_open"
    assert await clinic.one(accept(await clinic.offer(), DESK)) == "scheduled"


async def test_joined_patients_keep_their_place_and_their_offer() -> None:
    clinic = Clinic()
    await clinic.open(waits("carl"), waits("dora"))
    await clinic.tended()
    offer = await clinic.offer()
    moved = JoinWaitingPatient(
        id="moved",
        doctor_id="ada",
        by=DESK,
        at=ASKED,
        entry_id="entry-carl-ada",
        previous_patient_id="carl",
        patient_id="emil",
    )
    assert await clinic.do(moved, moved) == ["waiting", "waiting"]
    await clinic.do(join(_booking_of(offer), "emil"))
    assert (await clinic.offer()).patient_id == "emil"
    into_dora = moved.model_copy(update={"id": "m2", "previous_patient_id": "emil", "patient_id": "dora"})
    assert await clinic.one(into_dora) == "left", "dora waits already"


def _booking_of(offer: Appointment) -> BookAppointment:
    return book(offer.patient_id, key=offer.id)


async def test_a_worker_that_was_paused_offers_nothing_that_its_successor_has_given_away() -> None:
    clinic = Clinic()
    taken = book("emil")
    await clinic.open(taken, waits("carl"))
    await clinic.tended()
    successor = clinic.store.worker()
    await given(successor, cancel(taken), book("dora", key="walk-in"))
    assert await clinic.tended() == 0
    assert await clinic.offers() == []
    await given(successor, cancel(book("dora", key="walk-in")))
    assert await clinic.tended() == 1


async def test_the_tending_of_a_batch_sees_what_the_batch_frees() -> None:
    clinic = Clinic()
    taken = book("emil")
    await clinic.open(taken, waits("carl"))
    await clinic.tended()
    answers = await clinic.worker.handle([cancel(taken), tend()])
    assert answers[1].reply.result.status == "offered"
