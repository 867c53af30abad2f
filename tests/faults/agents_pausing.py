"""An agents process that stops (SIGSTOP) between deciding and writing.

It does so once, at a batch with several decisions, as soon as there is a file of the name below in its folder.
"""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import structlog

from agents import __main__ as agents
from hub.records.appointments import MongoAppointments
from hub.records.ports import SaveOutcome
from hub.scheduling.aggregate import Aggregate

TRIGGER = "pause-before-writing"

log = structlog.get_logger(__name__)
_save = MongoAppointments.save


async def _save_after_a_pause(self: MongoAppointments, aggregates: Sequence[Aggregate]) -> SaveOutcome:
    paused = len(aggregates) > 1 and _pause_if_asked()
    outcome = await _save(self, aggregates)
    if paused:
        log.info("went_on", decisions=len(aggregates), outcome=type(outcome).__name__)
    return outcome


def _pause_if_asked() -> bool:
    trigger = Path(TRIGGER)
    if not trigger.exists():
        return False
    trigger.unlink()
    os.kill(os.getpid(), signal.SIGSTOP)
    return True


def main() -> None:
    MongoAppointments.save = _save_after_a_pause
    agents.main()


if __name__ == "__main__":
    main()
