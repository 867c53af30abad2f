"""Random histories of a doctor with a waitlist, and a naive second reading of the events that says who is next."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.scheduling.apply import apply
from hub.scheduling.commands import (
    AddTimeOff,
    BookAppointment,
    CancelAppointment,
    ChangeHours,
    Command,
    DisableDoctor,
    EnableDoctor,
    RemoveTimeOff,
    RescheduleAppointment,
)
from hub.scheduling.decide import decide
from hub.scheduling.decision import Accepted, Refused, Repeated
from hub.scheduling.doctor_state import DoctorState
from hub.scheduling.events import AnyEvent
from hub.scheduling.line import Line, OfferPolicy
from hub.scheduling.schedule import Schedule, Shift, zone
from hub.scheduling.values import Actor, Role
from hub.scheduling.waitlist_commands import (
    AcceptOffer,
    DeclineOffer,
    JoinWaitlist,
    LapseOffer,
    LeaveWaitlist,
    OfferSlot,
    TendWaitlist,
)
from hub.scheduling.wish import Between, Wish

BEGIN = datetime(2026, 10, 23, 6, tzinfo=UTC)
"""A Friday; the clocks of Berlin change on Sunday."""
PATIENTS = [f"p{number}" for number in range(6)]
DAYS = 4
HALF_HOUR = timedelta(minutes=30)
SHIFTS = tuple(Shift(weekday=day, opens=9 * 60, closes=11 * 60) for day in range(7))
HUB = Actor(id="hub", role=Role.SYSTEM, via="timer")
DESK = Actor(id="desk", role=Role.RECEPTIONIST, via="rest")
POLICY = OfferPolicy()


@dataclass
class Clinic:
    """A doctor, the events so far, and who is busy with other doctors."""

    now: datetime = BEGIN
    events: list[tuple[str, AnyEvent]] = field(default_factory=list)
    busy: set[tuple[str, datetime]] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    connected: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        schedule = Schedule(id="ada", zone="Europe/Berlin", shifts=SHIFTS)
        self.state = DoctorState.new(schedule).with_line(Line(POLICY, {}, {}))
        self.ids = count(1)

    def give(self, kind: type[Any], by: Actor, **fields: object) -> Accepted | Refused:
        command: Command = kind(id=f"c{next(self.ids)}", doctor_id="ada", by=by, at=self.now, **fields)
        assert self.state.line is not None
        known = self.state.with_line(self.state.line.without(self.busy, self.asked).with_connected(self.connected))
        decision = decide(known, command, self.now)
        assert not isinstance(decision, Repeated)
        if isinstance(decision, Accepted):
            before = self.naive()
            self.state, recorded = self.state.apply_all(decision.aggregate_id, decision.events)
            self.events += [(decision.aggregate_id, each.event) for each in recorded]
            if kind is TendWaitlist:
                before.expects(decision.aggregate_id, decision.events[0])
        elif kind is TendWaitlist:
            self.naive().expects_nothing()
        return decision

    def naive(self) -> "Naive":
        return Naive(self)


class Naive:
    """What the events say, read one after the other, without the code that decides."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.line: dict[str, Any] = {}
        self.slots: dict[str, tuple[str, datetime]] = {}
        self.open: dict[str, tuple[str, datetime, str]] = {}
        self.had: set[tuple[str, datetime]] = set()
        self.taken_by_entry: dict[str, str] = {}
        starts: dict[str, datetime] = {}
        for about, event in clinic.events:
            match event.type:
                case "waitlist_joined":
                    self.line[about] = event
                case "waitlist_left" | "waitlist_booked" | "waitlist_expired":
                    del self.line[about]
                case "booked":
                    self.slots[about] = event.patient_id, event.start
                case "offered":
                    assert (event.patient_id, event.start) not in self.had, "the same slot twice"
                    assert event.patient_id not in {each[0] for each in self.open.values()}, "two open offers"
                    self.slots[about] = event.patient_id, event.start
                    self.open[about] = event.patient_id, event.start, event.entry_id
                    self.had.add((event.patient_id, event.start))
                    starts[about] = event.until
                case "rescheduled":
                    self.slots[about] = self.slots[about][0], event.start
                case "accepted":
                    assert event.at < starts[about], "accepted after its time"
                    self.taken_by_entry[self.open.pop(about)[2]] = about
                case "cancelled":
                    del self.slots[about]
                case "declined" | "lapsed":
                    del self.slots[about], self.open[about]
            held = [start for _, start in self.slots.values()]
            assert len(held) == len(set(held)), "two hold a slot"

    def next_offer(self) -> tuple[str, datetime] | None:
        """Return who is to be offered what: every half hour is tried, and everybody in the line for each."""
        clinic, here = self.clinic, zone("Europe/Berlin")
        schedule = clinic.state.schedule
        clock = clinic.now.astimezone(here)
        if schedule.disabled:
            return None
        at_night = not 8 <= clock.hour < 21
        taken = {start for _, start in self.slots.values()}
        asked = {each[0] for each in self.open.values()} | clinic.asked
        start = clinic.now - timedelta(minutes=clinic.now.minute % 30)
        while start < BEGIN + timedelta(days=DAYS + 20):
            if start - clinic.now >= timedelta(minutes=60) and start not in taken and schedule.works_at(start):
                local = start.astimezone(here)
                for entry_id, entry in self.line.items():
                    wish = entry.wish
                    minute = local.hour * 60 + local.minute
                    suits = (
                        wish.first_day.isoformat() <= local.date().isoformat() <= wish.last_day.isoformat()
                        and (not wish.weekdays or local.weekday() in wish.weekdays)
                        and (not wish.between or wish.between.opens <= minute < wish.between.closes)
                    )
                    passed_over = (
                        entry.patient_id in asked
                        or (entry.patient_id, start) in self.had | clinic.busy
                        or entry_id in self.taken_by_entry
                        or (at_night and entry.patient_id not in clinic.connected)
                    )
                    if suits and not passed_over:
                        return entry_id, start
            start += HALF_HOUR
        return None

    def to_end(self) -> set[str]:
        today = self.clinic.now.astimezone(zone("Europe/Berlin")).date()
        return {id_ for id_, each in self.line.items() if id_ in self.taken_by_entry or each.wish.last_day < today}

    def to_withdraw(self) -> set[str]:
        schedule = self.clinic.state.schedule
        return {
            id_
            for id_, (_, start, entry) in self.open.items()
            if entry not in self.line or schedule.disabled or not schedule.works_at(start)
        }

    def expects(self, about: str, event: AnyEvent) -> None:
        if self.to_end():
            assert about in self.to_end()
        elif self.to_withdraw():
            assert about in self.to_withdraw()
        else:
            assert event.type == "offered"
            assert self.next_offer() == (event.entry_id, event.start)
            assert event.without_text is not (8 <= event.at.astimezone(zone("Europe/Berlin")).hour < 21)

    def expects_nothing(self) -> None:
        assert not self.to_end()
        assert not self.to_withdraw()
        assert self.next_offer() is None


def person(patient: str) -> Actor:
    return Actor(id=patient, role=Role.PATIENT, via="rest")


patients, days, slots = st.sampled_from(PATIENTS), st.integers(0, DAYS), st.integers(0, 4 * (DAYS + 1) - 1)
wishes = st.builds(
    lambda first, last, weekdays, between: Wish(
        first_day=(BEGIN + timedelta(days=min(first, last))).date(),
        last_day=(BEGIN + timedelta(days=max(first, last))).date(),
        weekdays=weekdays,
        between=between,
    ),
    days,
    days,
    st.none() | st.sets(st.integers(0, 6), min_size=1).map(tuple),
    st.none() | st.builds(lambda opens: Between(opens=opens * 30, closes=opens * 30 + 60), st.integers(17, 21)),
)
steps = st.one_of(
    st.tuples(st.just("join"), patients, wishes),
    st.tuples(st.sampled_from(["leave", "accept", "accept", "decline", "cancel", "lapse"]), st.integers(0, 20)),
    st.tuples(st.sampled_from(["book", "busy", "free"]), patients, slots),
    st.tuples(st.just("move"), st.integers(0, 20), slots),
    st.tuples(st.just("out of turn"), st.integers(0, 20), slots),
    st.tuples(st.sampled_from(["off", "back", "hours", "disable", "enable", "asked", "unasked"]), slots),
    st.tuples(st.sampled_from(["connect", "disconnect"]), slots),
    st.tuples(st.just("wait"), st.integers(1, 700)),
    st.tuples(st.just("tend"), st.just(0)),
)


def start_of(clinic: Clinic, number: int) -> datetime:
    """Return one of the slots of the first days."""
    day = clinic.state.schedule.day_of(BEGIN) + timedelta(days=number // 4)
    local = datetime(day.year, day.month, day.day, 9, tzinfo=zone("Europe/Berlin"))
    return local.astimezone(UTC) + number % 4 * HALF_HOUR


def chosen(items: list[Any], number: int) -> Any:
    return items[number % len(items)] if items else None


def take(clinic: Clinic, step: tuple[Any, ...]) -> None:  # noqa: C901, PLR0912  # one case a step
    naive, kind = clinic.naive(), step[0]
    match kind:
        case "join":
            clinic.give(JoinWaitlist, person(step[1]), patient_id=step[1], wish=step[2])
        case "leave" if entry := chosen(list(naive.line), step[1]):
            clinic.give(LeaveWaitlist, DESK, entry_id=entry)
        case "accept" | "decline" | "lapse" if offer := chosen(list(naive.open), step[1]):
            which = {"accept": AcceptOffer, "decline": DeclineOffer, "lapse": LapseOffer}[kind]
            more = {"start": naive.open[offer][1]} if kind == "lapse" else {}
            clinic.give(which, HUB if kind == "lapse" else DESK, appointment_id=offer, **more)
        case "cancel" if held := chosen(list(naive.slots), step[1]):
            clinic.give(CancelAppointment, DESK, appointment_id=held)
        case "move" if held := chosen(list(naive.slots), step[1]):
            clinic.give(RescheduleAppointment, DESK, appointment_id=held, start=start_of(clinic, step[2]))
        case "book":
            clinic.give(BookAppointment, DESK, patient_id=step[1], start=start_of(clinic, step[2]))
        case "busy":
            clinic.busy.add((step[1], start_of(clinic, step[2])))
        case "free":
            clinic.busy.discard((step[1], start_of(clinic, step[2])))
        case "asked":
            clinic.asked.add(PATIENTS[step[1] % len(PATIENTS)])
        case "unasked":
            clinic.asked.discard(PATIENTS[step[1] % len(PATIENTS)])
        case "connect":
            clinic.connected.add(PATIENTS[step[1] % len(PATIENTS)])
        case "disconnect":
            clinic.connected.discard(PATIENTS[step[1] % len(PATIENTS)])
        case "out of turn" if entry := chosen(list(naive.line), step[1]):
            clinic.give(OfferSlot, DESK, entry_id=entry, start=start_of(clinic, step[2]))
        case "off":
            start = start_of(clinic, step[1])
            clinic.give(AddTimeOff, Actor(id="ada", role=Role.DOCTOR, via="rest"), start=start, end=start + HALF_HOUR)
        case "back" if away := chosen(list(clinic.state.schedule.time_off), step[1]):
            clinic.give(RemoveTimeOff, Actor(id="ada", role=Role.DOCTOR, via="rest"), time_off_id=away.id)
        case "hours":
            clinic.give(ChangeHours, Actor(id="ada", role=Role.DOCTOR, via="rest"), shifts=SHIFTS[: step[1] % 8])
        case "disable":
            clinic.give(DisableDoctor, HUB)
        case "enable":
            clinic.give(EnableDoctor, HUB)
        case "wait":
            clinic.now += timedelta(minutes=step[1])
        case "tend":
            clinic.give(TendWaitlist, HUB)


@given(st.lists(steps, max_size=60))
@settings(max_examples=300, deadline=None)
def test_the_first_who_fits_is_offered_the_first_slot_after_any_commands(taken: list[tuple[Any, ...]]) -> None:
    clinic = Clinic()
    for step in taken:
        take(clinic, step)
    for _ in range(100):
        if isinstance(clinic.give(TendWaitlist, HUB), Refused):
            break
    else:
        raise AssertionError("the waitlist is never done")
    assert [event.seq for _, event in clinic.events] == list(range(1, len(clinic.events) + 1))
    for about in {each for each, _ in clinic.events}:
        aggregate = clinic.state.aggregate(about)
        if aggregate is not None and not about.startswith("timetable:"):
            again = None
            for event in aggregate.history:
                again = apply(again, event)
            assert again == aggregate
