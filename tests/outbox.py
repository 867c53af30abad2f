"""The outbox, as tests look at it."""

from hub.records.ports import Records
from hub.texting.text import Text, ids_of_texts


async def texts_about(records: Records, appointment_id: str) -> list[Text]:
    """Return the texts about an appointment, in the order in which they were planned."""
    found = await records.appointments.by_ids([appointment_id])
    return await records.texts.by_ids(ids_of_texts(found[appointment_id]))
