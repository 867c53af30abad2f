"""`clinic-hub demo`: finds the hub, lets the morning happen, and has it judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from hub.client.answers import NoResponse
from hub.client.clinic import Clinic, clinic_at
from hub.client.line import CannotConnect
from hub.client.member import CannotRead, Member
from hub.client.wire import AppointmentEvent
from hub.clock import Clock, system_clock
from hub.ops.demo.arrival import arrived
from hub.ops.demo.figures import figures_of
from hub.ops.demo.openings import Opening, find_openings
from hub.ops.demo.people import CannotBegin, Entrance, newcomers
from hub.ops.demo.scenario import Morning
from hub.ops.demo.screen import Screen
from hub.ops.demo.verdicts import show_figures, show_promises
from hub.ops.judge.history import History
from hub.ops.judge.reading import Unsettled, read_record
from hub.ops.judge.verdict import judge
from hub.ops.seeding import people as seeded
from hub.records.errors import StoreUnavailable
from hub.records.mongo import connect
from hub.records.ports import Records

KEPT, BROKEN, NO_MORNING = 0, 1, 2
"""Exit codes: every promise was kept, one was broken, or there was nothing to judge."""


@dataclass(frozen=True)
class Size:
    """How much happens."""

    patients: int = 200
    doctors: int = 3
    slots_each: int = 12


_SIZE = Size()
_NO_DATABASE = (
    "clinic-hub demo: the database of the hub is not known, so nothing could be checked.\n"
    "Set MONGODB_URL to the one that the hub uses, or DATA_DIR to that of a `make run` on this machine."
)


async def run(
    base_url: str,
    mongodb_url: str | None,
    *,
    console: Console | None = None,
    open_records: Callable[[str], Records] = connect,
    size: Size = _SIZE,
) -> int:
    """Play a morning on the hub at `base_url` (http://host:port) and check the promises against its database.

    Returns the exit code. `console` is where it is shown, `open_records` how the database is opened for the judge.
    """
    screen = Screen(console or Console())
    if mongodb_url is None:
        screen.say(_NO_DATABASE, "bold red")
        return NO_MORNING
    try:
        records = open_records(mongodb_url)
        try:
            return await _play(base_url, records, screen, size)
        finally:
            await records.close()
    except (CannotBegin, CannotConnect, CannotRead, StoreUnavailable, Unsettled) as error:
        screen.say(f"clinic-hub demo: {error}", "bold red")
        return NO_MORNING


async def _play(base_url: str, records: Records, screen: Screen, size: Size) -> int:
    clock, history = system_clock, History()
    async with clinic_at(base_url, clock, history) as clinic:
        await _require_hub(clinic, base_url)
        await records.ping()  # before the morning, not when it is over and cannot be judged
        with screen.progress("Signing in", size.patients + size.doctors) as arrived_one:
            entrance = Entrance(clinic, screen.say, arrived_one)
            patients = await _patients(entrance, size)
            everybody = seeded.doctors(clock().date())
            openings = await find_openings(patients[0], everybody, size.doctors, size.slots_each, clock())
            taking_part = {opening.doctor.id for opening in openings}
            doctors = await entrance.log_in_all([each for each in everybody if each.id in taking_part])
        _say_who_is_here(screen, doctors, patients, openings)
        show = _events_on(screen, patients, openings, clock)
        async with arrived(doctors, patients, openings, show, clock) as (seats, guests):
            morning = Morning(seats, guests, openings, history)
            with screen.progress("Patients served", len(patients)) as finished:
                await morning.race(finished)
            # Judged twice: what is cancelled to tidy up would hide a patient who was in two places at once.
            violations = judge(history, morning.dashboards, await read_record(records, clock))
            left = await morning.tidy_up()
            screen.say(f"The morning is over; {left} appointments were cancelled to leave the slots as they were.")
            record = await read_record(records, clock)
            violations = list(dict.fromkeys([*violations, *judge(history, morning.dashboards, record)]))
            show_figures(screen, figures_of(history, morning.dashboards, record))
    show_promises(screen, violations, record)
    return BROKEN if violations else KEPT


async def _require_hub(clinic: Clinic, base_url: str) -> None:
    trouble = await clinic.ready()
    if isinstance(trouble, NoResponse):
        raise CannotBegin(
            f"no hub answers at {base_url} ({trouble.cause}).\n"
            "Start it with `make run` in another shell; PORT and DATA_DIR have to be the same here and there.",
        )
    if trouble:
        raise CannotBegin(f"the hub at {base_url} is not ready: {trouble.detail}")


async def _patients(entrance: Entrance, size: Size) -> list[Member]:
    """Sign in as many patients as take part: those of the seed, and newcomers for the rest."""
    first, *others = seeded.patients(system_clock().date())[: size.patients]
    here = [await entrance.log_in(first)]  # alone: if the clinic is not seeded, one try tells
    here += await entrance.log_in_all(others)
    return here + await entrance.welcome_all(newcomers(size.patients - len(here)))


def _say_who_is_here(
    screen: Screen, doctors: Sequence[Member], patients: Sequence[Member], openings: Sequence[Opening]
) -> None:
    names = ", ".join(doctor.user.name for doctor in doctors)
    screen.say(f"{len(patients)} patients race for {len(openings)} free slots of {names}.", "bold")
    screen.say("What the doctors' dashboards show (slots by the doctor's own clock):")


def _events_on(
    screen: Screen, patients: Sequence[Member], openings: Sequence[Opening], clock: Clock
) -> Callable[[AppointmentEvent], None]:
    """Return what shows an event on the screen."""
    names = {member.user.id: member.user.name for member in patients}
    cards = {opening.doctor.id: opening.doctor for opening in openings}

    def show(event: AppointmentEvent) -> None:
        shown = event.appointment
        screen.happened(clock(), cards[shown.doctor_id], event, names.get(shown.patient_id, "another patient"))

    return show
