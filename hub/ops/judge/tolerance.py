"""What the judge allows: differences in time that break no promise, and what it has to know of the clinic."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.scheduling.line import OfferPolicy

Stretch = tuple[datetime, datetime]
"""A time, from the first instant to the second."""


@dataclass(frozen=True)
class Tolerance:
    """Differences in time that break no promise.

    `clocks`: the difference between the clocks of client and hub. `writing`: the time from the decision of an event to
    its write. Until the write, the actor of another doctor still sees the old state. `most_active`: the appointments to
    come that the hub allows a patient, 0 if any number, or if that is not known.

    `offers`: how the clinic makes offers. `offering`: how long a free slot may be without an offer that somebody waits
    for, and `lapsing` how long an offer may be open after its end: the agents read lost deadlines again every half
    minute. `disturbed`: when processes were down or stopped, or were coming back; no slot has to be offered then.
    `stopped`: when the agents were stopped, after which nothing happens; None if they run.
    """

    clocks: timedelta = timedelta(milliseconds=50)
    writing: timedelta = timedelta(seconds=5)
    most_active: int = 0
    offers: OfferPolicy = field(default_factory=OfferPolicy)
    offering: timedelta = timedelta(seconds=10)
    lapsing: timedelta = timedelta(seconds=45)
    disturbed: Sequence[Stretch] = ()
    stopped: datetime | None = None
