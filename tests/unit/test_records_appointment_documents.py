"""Documents that a version of the hub without visits has written are read as if it had known them."""

import pytest

from hub.records.appointment_documents import appointment_of
from hub.records.documents import Document, to_document
from hub.records.errors import BrokenRecord
from hub.scheduling.appointment import Appointment
from tests.unit.clinic_examples import only, standing

OF_A_VISIT = {"visit", "arrivedAt", "inRoomAt", "completedAt"}


def without_visits(appointment: Appointment) -> Document:
    return {name: value for name, value in to_document(appointment).items() if name not in OF_A_VISIT}


@pytest.mark.parametrize("status", ["scheduled", "confirmed", "cancelled", "completed", "no_show"])
def test_a_document_of_the_version_without_visits_is_the_appointment_that_its_history_makes(status: str) -> None:
    appointment = only(standing(status))
    assert appointment_of(without_visits(appointment)) == appointment


@pytest.mark.parametrize("history", [{}, {"history": [{}]}], ids=["without", "empty event"])
def test_a_completed_document_with_a_broken_history_is_broken(history: Document) -> None:
    document = {name: v for name, v in without_visits(only(standing("completed"))).items() if name != "history"}
    with pytest.raises(BrokenRecord):
        appointment_of(document | history)
