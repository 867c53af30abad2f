"""An agents process whose offers hold no slot, that makes several to one patient, and whose indexes allow it."""

from collections.abc import Collection

from hub.records.waitlist import MongoWaitlist
from hub.scheduling.appointment import Appointment
from tests.tools.nemesis import agents
from tests.tools.nemesis.plants import without_offer_fences


async def _nobody(_: MongoWaitlist, __: Collection[str]) -> set[str]:
    return set()


if __name__ == "__main__":
    without_offer_fences.apply()
    MongoWaitlist.asked = _nobody  # type: ignore[method-assign]
    Appointment.holds_slot = Appointment.active  # type: ignore[method-assign,assignment]
    agents.main()
