"""An appointment as a client gets it from the hub."""

from hub.scheduling.values import Id, Instant, Value
from hub.scheduling.views import AppointmentView


class PersonName(Value):
    """A person. `name` is None if the hub does not know it: the account is gone, or cannot be read now."""

    id: Id
    name: str | None


class NamedAppointment(AppointmentView):
    """An appointment with the person on the other side: `patient` for staff, `doctor` for patients.

    The names are those of the moment at which the hub sent it. An older hub sends none, and makes no offers.
    """

    offered_until: Instant | None = None
    patient: PersonName | None = None
    doctor: PersonName | None = None


def unnamed(appointment: AppointmentView) -> AppointmentView:
    """Return the appointment alone, as the record has it."""
    return AppointmentView(**{name: value for name, value in appointment if name in AppointmentView.model_fields})
