"""The users of the seeded clinic. They are the same every day, except that time off is relative to today."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pydantic import TypeAdapter

from hub.ids import derived_id
from hub.scheduling.schedule import Schedule, Shift, TimeOff, WeeklyHours
from hub.scheduling.values import AccountRole

_AREA_CODES = (202, 206, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 919)
_OFFICE = ((9, 12), (13, 17))
_WEEKDAYS = range(5)
_WEEKLY_HOURS: TypeAdapter[tuple[Shift, ...]] = TypeAdapter(WeeklyHours)


@dataclass(frozen=True)
class Person:
    """A user of the seeded clinic, with the password in clear text. `schedule` is a doctor's schedule."""

    id: str
    role: AccountRole
    name: str
    email: str
    password: str
    phone: str | None
    created_at: datetime
    specialty: str | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True)
class RegisteredPatient:
    """A patient whom the front desk has registered, and who cannot log in. A family shares a phone."""

    id: str
    name: str
    phone: str | None
    created_at: datetime


@dataclass(frozen=True)
class _Practice:
    """The practice of a doctor. `hours` are (opens, closes) in the doctor's time zone; `away` is in days from today."""

    name: str
    specialty: str
    zone: str
    days: range = _WEEKDAYS
    hours: tuple[tuple[float, float], ...] = _OFFICE
    away: tuple[range, ...] = ()


_PRACTICES = (
    _Practice("Dr. Amara Okafor", "General practice", "Europe/London", hours=((8, 12), (13, 16.5))),
    _Practice("Dr. Lukas Brandt", "Cardiology", "Europe/Berlin", away=(range(-20, -13),)),
    _Practice("Dr. Priya Raman", "Paediatrics", "Asia/Kolkata", days=range(6), hours=((9.5, 13), (15, 18.5))),
    _Practice("Dr. Sunita Gurung", "Dermatology", "Asia/Kathmandu", hours=((10, 13), (14, 17))),
    _Practice("Dr. Daniel Reyes", "Orthopaedics", "America/New_York", away=(range(10, 15),)),
    _Practice("Dr. Grace Lindqvist", "Neurology", "America/Los_Angeles", hours=((8.5, 12), (12.5, 15))),
    _Practice("Dr. Kenji Morita", "Ophthalmology", "Asia/Tokyo", hours=((9, 12), (14, 18))),
    _Practice("Dr. Beatriz Carvalho", "Gynaecology", "America/Sao_Paulo", days=range(1, 5), hours=((8, 12), (14, 19))),
    _Practice(
        "Dr. Oliver Hughes", "Psychiatry", "Australia/Sydney", days=range(4), away=(range(-40, -38), range(5, 6))
    ),
    _Practice("Dr. Wanjiru Kamau", "Ear, nose and throat", "Africa/Nairobi", days=range(6), hours=((8, 13),)),
)

_RECEPTIONISTS = ("Robin Vega", "Sasha Lindgren")

_REGISTERED = {
    "Mia Clarke": "Amelia Clarke",
    "Tom Clarke": "Amelia Clarke",
    "Łucja Zielińska": "Joanna Zielińska",
    "Søren Holm": "Magnus Holm",
    "Jürgen Groß": None,
    "Rose Thompson": None,
}
"""Patients without a log-in, and whose phone they have; None: no phone."""

_PATIENTS = """
Abena Mensah, Adrian Kowalski, Agnes Lindholm, Ahmed Farouk, Aisha Bello, Akira Tanaka, Alejandro Vargas,
Alice Moreau, Amelia Clarke, Amir Haddad, Ana Petrović, Andre Silva, Angela Rossi, Anika Sharma, Anton Novák,
Arjun Mehta, Astrid Nilsen, Ayumi Sato, Benjamin Carter, Bianca Marino, Bogdan Ionescu, Brigid O'Connor,
Camila Torres, Carl Eriksson, Carmen Delgado, Charlotte Dubois, Chidi Eze, Chloe Bennett, Christos Pappas,
Clara Weiss, Daniela Costa, David Cohen, Deepa Nair, Diego Ramírez, Dmitri Volkov, Edith Fischer, Eduardo Lima,
Elena Popescu, Elif Demir, Emeka Obi, Emily Watson, Emma Jansen, Eric Thompson, Esther Kimani, Eva Horváth,
Fatima Zahra, Felix Wagner, Fiona MacLeod, Francisco Ortega, Freya Hansen, Gabriel Santos, George Papadakis,
Gita Thapa, Giulia Conti, Greta Larsson, Habib Rahman, Hana Kim, Hannah Schmidt, Haruto Suzuki, Helen Park,
Henrik Dahl, Hiroko Yamada, Hugo Martin, Ibrahim Diallo, Ines Ferreira, Ingrid Berg, Isaac Levy, Isabel Navarro,
Ivan Marković, Jack Murphy, Jacob Miller, Jada Brown, James Wilson, Jan Dvořák, Jasmine Ali, Javier Morales, Jin Park,
Joanna Zielińska, John Walker, Jonas Meyer, Joseph Mwangi, Julia Romano, Kamala Shrestha, Karin Olsen, Katarina Babić,
Kofi Asante, Kwame Boateng, Lara Schneider, Laura Jiménez, Layla Hassan, Leila Karimi, Leon Becker, Lina Virtanen,
Lucas Pereira, Lucia Greco, Magnus Holm, Maria Gonzalez, Mariam Sow, Mark Davies, Marta Nowak, Mateo Castro,
Maya Patel, Mei Chen, Mia Andersson, Michael Green, Miguel Rojas, Milan Kovač, Mina Choi, Mohammed Saleh,
Nadia Petrova, Naomi Adler, Nathan Scott, Ngozi Adeyemi, Nicole Laurent, Nina Keller, Noah Taylor, Olga Sokolova,
Omar Khalil, Oscar Lund, Patricia Mendes, Pavel Svoboda, Pedro Alves, Rachel Stein, Ravi Kumar
"""


def doctors(today: date) -> list[Person]:
    """Return the ten doctors with their schedules; time off is relative to `today`."""
    return [
        Person(
            id=_id("doctor", number),
            role="doctor",
            name=practice.name,
            email=f"doctor{number}@clinic.test",
            password=f"Doctor#{number}",
            phone=_phone(number - 1),
            created_at=_morning(today - timedelta(days=400 + number)),
            specialty=practice.specialty,
            schedule=_schedule(_id("doctor", number), practice, today),
        )
        for number, practice in enumerate(_PRACTICES, start=1)
    ]


def patients(today: date) -> list[Person]:
    """Return the patients. They signed up one per day, long before their first appointments."""
    names = [name.strip() for name in _PATIENTS.split(",")]
    return [
        Person(
            id=_id("patient", number),
            role="patient",
            name=name,
            email=f"patient{number}@clinic.test",
            password=f"Patient#{number}",
            phone=_phone(len(_PRACTICES) + number - 1),
            created_at=_morning(today - timedelta(days=100 + len(names) - number)),
        )
        for number, name in enumerate(names, start=1)
    ]


def registered_patients(today: date) -> list[RegisteredPatient]:
    """Return the patients without a log-in. Some have the phone of a patient who can log in, some none."""
    phones = {person.name: person.phone for person in patients(today)}
    return [
        RegisteredPatient(
            id=_id("registered", number),
            name=name,
            phone=phones[phone_of] if phone_of else None,
            created_at=_morning(today - timedelta(days=90 + number)),
        )
        for number, (name, phone_of) in enumerate(_REGISTERED.items(), start=1)
    ]


def receptionists(today: date) -> list[Person]:
    """Return the two receptionists."""
    return [
        Person(
            id=_id("receptionist", number),
            role="receptionist",
            name=name,
            email=f"desk{number}@clinic.test",
            password=f"Desk#{number}",
            phone=None,
            created_at=_morning(today - timedelta(days=400)),
        )
        for number, name in enumerate(_RECEPTIONISTS, start=1)
    ]


def _schedule(doctor_id: str, practice: _Practice, today: date) -> Schedule:
    hours = _WEEKLY_HOURS.validate_python(
        tuple(
            Shift(weekday=day, opens=int(opens * 60), closes=int(closes * 60))
            for day in practice.days
            for opens, closes in practice.hours
        )
    )
    always = Schedule(id=doctor_id, zone=practice.zone, shifts=hours)
    away = tuple(
        TimeOff(
            start=always.day_bounds(today + timedelta(days=days.start))[0],
            end=always.day_bounds(today + timedelta(days=days.stop))[0],
        )
        for days in practice.away
    )
    return always.model_copy(update={"time_off": away})


def _phone(number: int) -> str:
    """Return the nth fictional number: in each area code, 555-0100 to 555-0199 are reserved for fiction."""
    line, area = divmod(number, len(_AREA_CODES))
    return f"+1{_AREA_CODES[area]}55501{line:02d}"


def _id(role: str, number: int) -> str:
    return derived_id("seed", role, str(number))


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(9), UTC)
