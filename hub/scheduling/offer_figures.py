"""The figures of a doctor's offers from the waitlist: what became of them, and how soon slots were taken."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from hub.scheduling.appointment import Appointment
from hub.scheduling.events import Event, OfferAccepted, OfferDeclined, OfferLapsed, SlotOffered
from hub.scheduling.quantiles import quantile
from hub.scheduling.values import Value

_MINUTE = timedelta(minutes=1)

Result = Literal["open", "taken", "declined", "lapsed"]


@dataclass(frozen=True, slots=True)
class OfferOutcome:
    """An offer of the slot at `start`, made at `offered_at`. `ended_at` is None while it is open.

    A move or a cancellation of the appointment that it became changes nothing here.
    """

    start: datetime
    offered_at: datetime
    result: Result = "open"
    ended_at: datetime | None = None


def after(before: OfferOutcome | None, event: Event) -> OfferOutcome | None:
    """Return the offer after an event of its appointment; None if the appointment was booked."""
    match event:
        case SlotOffered(start=start, at=at):
            return OfferOutcome(start, at)
        case OfferAccepted(at=at) if before:
            return replace(before, result="taken", ended_at=at)
        case OfferDeclined(at=at) if before:
            return replace(before, result="declined", ended_at=at)
        case OfferLapsed(at=at) if before:
            return replace(before, result="lapsed", ended_at=at)
        case _:
            return before


def outcome_of(appointment: Appointment) -> OfferOutcome | None:
    """Return what became of an offer; None for an appointment that was booked."""
    offer: OfferOutcome | None = None
    for event in appointment.history:
        offer = after(offer, event)
    return offer


class FillTimes(Value):
    """How long it took until offered slots were taken, in whole minutes; None without any. `count` is their number.

    The time runs from the first offer of a slot since it was last taken from the waitlist.
    """

    count: int
    median_minutes: int | None
    p90_minutes: int | None


class OfferFigures(Value):
    """The number of offers, by what became of them, and how soon slots were taken."""

    total: int
    open: int
    taken: int
    declined: int
    lapsed: int
    fill_times: FillTimes


def offer_figures(offers: Iterable[OfferOutcome]) -> OfferFigures:
    """Return the figures of these offers of one doctor."""
    ordered = sorted(offers, key=lambda each: each.offered_at)
    counted = Counter(each.result for each in ordered)
    minutes = sorted(_fill_times(ordered))
    return OfferFigures(
        total=len(ordered),
        open=counted["open"],
        taken=counted["taken"],
        declined=counted["declined"],
        lapsed=counted["lapsed"],
        fill_times=FillTimes(
            count=len(minutes), median_minutes=quantile(minutes, 50), p90_minutes=quantile(minutes, 90)
        ),
    )


def _fill_times(ordered: Iterable[OfferOutcome]) -> Iterable[int]:
    first: dict[datetime, datetime] = {}
    for offer in ordered:
        began = first.setdefault(offer.start, offer.offered_at)
        if offer.result == "taken" and offer.ended_at is not None:
            yield (offer.ended_at - began) // _MINUTE
            del first[offer.start]
