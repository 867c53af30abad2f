"""An agents process that overwrites documents without a check of their version."""

from pymongo import ReplaceOne

from hub.records import appointments
from hub.records.appointment_documents import patient_times
from hub.records.documents import Document, to_document
from hub.scheduling.appointment import Appointment
from tests.tools.nemesis import agents


def _write_over(appointment: Appointment) -> ReplaceOne[Document]:
    document = to_document(appointment)
    if appointment.active:
        document["patientTimes"] = patient_times(appointment.patient_id, appointment.start)
    return ReplaceOne({"_id": appointment.id}, document, upsert=True)


if __name__ == "__main__":
    appointments._write = _write_over
    agents.main()
