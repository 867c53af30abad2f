"""An agents process that stops before a write, and then overwrites whatever is in the record."""

from motor.motor_asyncio import AsyncIOMotorClient

from hub.records import appointments
from hub.records.documents import Document, to_document
from hub.records.ordered_writes import OrderedWrite
from hub.scheduling.appointment import Appointment
from tests.faults import agents_pausing


def _write_over(appointment: Appointment) -> OrderedWrite:
    return OrderedWrite(to_document(appointment), base={"_id": appointment.id})


async def drop_fences(mongodb_url: str) -> None:
    """Drop every index of the appointments."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongodb_url)
    await client.get_default_database()["appointments"].drop_indexes()
    client.close()


if __name__ == "__main__":
    appointments._write = _write_over
    agents_pausing.main()
