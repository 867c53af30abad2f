"""`clinic-hub demo`: connects to the hub, runs the scenario, and has the judge check the promises."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from rich.console import Console

from hub.client.answers import NoResponse
from hub.client.clinic import Clinic, clinic_at
from hub.client.member import CannotRead, Member
from hub.client.reconnecting import CannotConnect
from hub.client.wire import AppointmentEvent
from hub.clock import Clock, system_clock
from hub.ops.demo.connecting import SignedIn, connected
from hub.ops.demo.console import Screen
from hub.ops.demo.figures import figures_of
from hub.ops.demo.free_slots import FreeSlot, find_free_slots
from hub.ops.demo.results import show_figures, show_promises
from hub.ops.demo.scenario import Scenario
from hub.ops.demo.sign_in import CannotStart, SignIn, demo_guests
from hub.ops.judge.history import History
from hub.ops.judge.reading import Unsettled, read_record
from hub.ops.judge.tolerance import Tolerance
from hub.ops.judge.verdict import judge
from hub.ops.seeding import people as seeded
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records
from hub.scheduling.line import OfferPolicy

KEPT, BROKEN, NOTHING_TO_JUDGE = 0, 1, 2
"""Exit codes: every promise was kept, one was broken, or there was nothing to judge."""


@dataclass(frozen=True)
class Size:
    """The numbers of patients, doctors and free slots."""

    patients: int = 200
    doctors: int = 3
    slots_each: int = 12


_SIZE = Size()
_OFFERS = OfferPolicy()
_NO_DATABASE = (
    "clinic-hub demo: the hub's database is not known, so the promises cannot be checked.\n"
    "Set MONGODB_URL to the database of the hub, or DATA_DIR to the folder of a `make run` on this machine."
)


async def run(  # noqa: PLR0913  # what a test sets has a default
    base_url: str,
    mongodb_url: str | None,
    *,
    console: Console | None = None,
    open_records: Callable[[str], Records] = connect,
    size: Size = _SIZE,
    clock: Clock = system_clock,
    offers: OfferPolicy = _OFFERS,
) -> int:
    """Run the scenario on the hub at `base_url` (http://host:port) and check the promises against its database.

    Returns the exit code. `console` gets the output; `open_records` opens the database for the judge. `clock` is the
    hub's, and `offers` how it makes offers from the waitlist.
    """
    screen = Screen(console or Console())
    if mongodb_url is None:
        screen.say(_NO_DATABASE, "bold red")
        return NOTHING_TO_JUDGE
    try:
        records = open_records(mongodb_url)
        try:
            return await _run_and_judge(base_url, records, screen, size, clock, Tolerance(offers=offers))
        finally:
            await records.close()
    except (CannotStart, CannotConnect, CannotRead, StoreUnavailable, Unsettled) as error:
        screen.say(f"clinic-hub demo: {error}", "bold red")
        return NOTHING_TO_JUDGE


async def _run_and_judge(  # noqa: PLR0913, PLR0917  # made of what `run` is given
    base_url: str, records: Records, screen: Screen, size: Size, clock: Clock, tolerance: Tolerance
) -> int:
    history = History()
    async with clinic_at(base_url, clock, history) as clinic:
        await _require_hub(clinic, base_url)
        await records.ping()  # fail now rather than after the scenario, when it could not be judged
        with screen.progress("Signing in", size.patients + size.doctors + 1) as signed_in:
            sign_in = SignIn(clinic, screen.say, signed_in)
            today = clock().date()
            patients = await _patients(sign_in, size, today)
            seeded_doctors = seeded.doctors(today)
            free_slots = await find_free_slots(patients[0], seeded_doctors, size.doctors, size.slots_each, clock())
            chosen = {slot.doctor.id for slot in free_slots}
            doctors = await sign_in.log_in_all([each for each in seeded_doctors if each.id in chosen])
            desk = await sign_in.log_in(seeded.receptionists(today)[0])
            users = SignedIn(doctors, patients, desk)
        _show_start(screen, users, free_slots)
        show = _event_printer(screen, patients, free_slots, clock)
        async with connected(users, free_slots, show, clock) as everybody:
            scenario = Scenario(everybody, free_slots, history)
            with screen.progress("Patients served", len(patients)) as finished:
                await scenario.run(finished)
            # Judged before and after the slots are freed: the cancellations would hide overlapping appointments.
            violations = judge(history, scenario.dashboards, await read_record(records, clock), tolerance)
            cancelled = await scenario.free_the_slots()
            screen.say(f"The demo has ended; {cancelled} appointments were cancelled to free their slots again.")
            record = await read_record(records, clock)
            violations = list(dict.fromkeys([*violations, *judge(history, scenario.dashboards, record, tolerance)]))
            show_figures(screen, figures_of(history, scenario.dashboards, record))
    show_promises(screen, violations, record)
    return BROKEN if violations else KEPT


async def _require_hub(clinic: Clinic, base_url: str) -> None:
    problem = await clinic.ready()
    if isinstance(problem, NoResponse):
        raise CannotStart(
            f"no hub answers at {base_url} ({problem.cause}).\n"
            "Start it with `make run` in another shell, with the same PORT and DATA_DIR.",
        )
    if problem:
        raise CannotStart(f"the hub at {base_url} is not ready: {problem.detail}")


async def _patients(sign_in: SignIn, size: Size, today: date) -> list[Member]:
    """Sign in the seeded patients, and as many guests as are still missing."""
    first, *others = seeded.patients(today)[: size.patients]
    patients = [await sign_in.log_in(first)]  # alone, so that a clinic without the seed costs one attempt
    patients += await sign_in.log_in_all(others)
    return patients + await sign_in.sign_in_all(demo_guests(size.patients - len(patients)))


def _show_start(screen: Screen, users: SignedIn, free_slots: Sequence[FreeSlot]) -> None:
    names = ", ".join(doctor.user.name for doctor in users.doctors)
    screen.say(f"{len(users.patients)} patients race for {len(free_slots)} free slots of {names}.", "bold")
    screen.say(f"{users.receptionist.user.name} at the front desk checks in those who are expected now.")
    screen.say("Updates on the doctors' dashboards (slots in the doctor's time zone):")


def _event_printer(
    screen: Screen, patients: Sequence[Member], free_slots: Sequence[FreeSlot], clock: Clock
) -> Callable[[AppointmentEvent], None]:
    """Return a function that prints an event."""
    names = {member.user.id: member.user.name for member in patients}
    cards = {slot.doctor.id: slot.doctor for slot in free_slots}

    def show(event: AppointmentEvent) -> None:
        appointment = event.appointment
        patient = names.get(appointment.patient_id, "another patient")
        screen.event(clock(), cards[appointment.doctor_id], event, patient)

    return show
