"""An agents process that overwrites documents without a check of their version."""

from hub.records import appointments
from hub.records.appointment_documents import patient_times
from hub.records.documents import to_document
from hub.records.ordered_writes import OrderedWrite
from hub.scheduling.appointment import Appointment
from tests.tools.nemesis import agents


def _write_over(appointment: Appointment) -> OrderedWrite:
    document = to_document(appointment)
    if appointment.active:
        document["patientTimes"] = patient_times(appointment.patient_id, appointment.start)
    return OrderedWrite(document, base={"_id": appointment.id})


if __name__ == "__main__":
    appointments._write = _write_over
    agents.main()
