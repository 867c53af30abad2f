"""The names in acks, events and syncs: staff are sent the patient's, a patient the doctor's."""

from typing import Any

from hub.records.errors import StoreUnavailable
from tests.api.rest_clinic import opening
from tests.api.sockets.clinic import SocketClinic
from tests.people import patient

CARL, ADA = {"id": "patient-carl", "name": "Carl"}, {"id": "doctor-ada", "name": "Dr. Ada"}


def names(appointments: list[Any]) -> list[Any]:
    return [(each.get("patient"), each.get("doctor")) for each in appointments]


async def test_each_is_sent_the_name_of_the_other(clinic: SocketClinic) -> None:
    carl, ada, robin = [await clinic.person(name) for name in ("carl", "ada", "robin")]
    before = [await person.ask("sync") for person in (ada, robin)]
    ack = await carl.ask("book", {"doctorId": "doctor-ada", "start": opening(1).isoformat(), "commandId": "c1"})
    assert names([ack["appointment"]]) == [(None, ADA)]
    for person, name in ((ada, (CARL, None)), (robin, (CARL, None)), (carl, (None, ADA))):
        await person.settled()
        assert names([event["appointment"] for event in person.of("appointment")]) == [name]
        snapshot = await person.ask("sync")
        assert names(snapshot["appointments"]) == [name]
    for person, synced in zip((ada, robin), before, strict=True):
        missed = await person.ask("sync", {"since": synced["position"]})
        assert names([event["appointment"] for event in missed["events"]]) == [(CARL, None)]
    cancelled = await ada.ask("cancel", {"appointmentId": ack["appointment"]["id"], "commandId": "c2"})
    assert names([cancelled["appointment"]]) == [(CARL, None)]


async def test_an_event_waits_for_the_name_of_a_patient_who_is_new_and_keeps_its_order(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")
    emma = patient("patient-emma", name="Emma", phone="+12025550155")
    clinic.rest.people["emma"] = emma
    await clinic.records.users.add([emma])
    booked = [await clinic.rest.book(who, "ada", opening(1, number)) for number, who in enumerate(("emma", "carl"))]
    await robin.settled()
    assert [event["appointment"]["id"] for event in robin.of("appointment")] == booked
    assert [event["appointment"]["patient"]["name"] for event in robin.of("appointment")] == ["Emma", "Carl"]


async def test_an_event_is_sent_without_a_name_if_the_accounts_do_not_answer(clinic: SocketClinic) -> None:
    robin = await clinic.person("robin")

    real = clinic.records.users.by_ids

    async def away(ids: Any) -> Any:
        if "patient-carl" in ids:
            raise StoreUnavailable("away")
        return await real(ids)

    clinic.records.users.by_ids = away
    await clinic.rest.book("carl", "ada", opening(1))
    await robin.settled()
    assert names([event["appointment"] for event in robin.of("appointment")]) == [
        ({"id": "patient-carl", "name": None}, None)
    ]
