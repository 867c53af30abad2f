"""An agents process whose actors do not look whether the patient has arrived before they mark a no-show."""

from hub.scheduling import decide
from hub.scheduling.appointment import Appointment
from tests.tools.nemesis import agents


def _require_nothing(_: Appointment) -> None:
    return None


if __name__ == "__main__":
    vars(decide)["require_no_visit"] = _require_nothing  # the name that `decide` imported
    agents.main()
