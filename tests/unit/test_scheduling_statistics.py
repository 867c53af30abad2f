"""The figures of a doctor's appointments."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hub.scheduling import statistics as module
from hub.scheduling.offer_figures import OfferOutcome, Result, offer_figures
from hub.scheduling.outcomes import Outcome, OutcomeCounts, wait
from hub.scheduling.schedule import Schedule
from hub.scheduling.statistics import LEAD_BOUNDS, Statistics, Tally
from hub.scheduling.values import OFFERS, Status

BERLIN = Schedule(id="berlin", zone="Europe/Berlin")
START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def outcome(
    status: Status = Status.COMPLETED,
    start: datetime = START,
    lead: timedelta = timedelta(days=2),
    waited: timedelta | None = None,
) -> Outcome:
    return Outcome(start, start - lead, status, waited)


def statistics(schedule: Schedule, outcomes: list[Outcome]) -> Statistics:
    """Return the statistics, counted in three parts that are joined."""
    parts = [OutcomeCounts.of(schedule.zone, outcomes[number::3]) for number in range(3)]
    return module.statistics(schedule, parts, ())


def test_waiting_times_are_whole_minutes_by_the_hour_of_the_start_by_the_doctors_clock() -> None:
    at_two = [outcome(waited=timedelta(minutes=minutes, seconds=59)) for minutes in range(1, 11)]
    at_three = outcome(start=START + timedelta(hours=1), waited=timedelta(minutes=40))
    times = statistics(BERLIN, [*at_two, at_three, outcome()]).waiting_times
    assert (times.all.count, times.all.median_minutes, times.all.p90_minutes) == (11, 6, 10)
    of_hours = {each.hour: each.waits for each in times.by_hour}
    assert sorted(of_hours) == list(range(24))
    assert (of_hours[14].count, of_hours[14].median_minutes, of_hours[14].p90_minutes) == (10, 5, 9)
    assert (of_hours[15].count, of_hours[15].median_minutes) == (1, 40)
    assert (of_hours[9].count, of_hours[9].median_minutes, of_hours[9].p90_minutes) == (0, None, None)


def test_without_arrivals_there_are_no_waiting_times() -> None:
    times = statistics(BERLIN, [outcome()]).waiting_times
    assert (times.all.count, times.all.median_minutes, times.all.p90_minutes) == (0, None, None)


def test_a_patient_waits_from_the_arrival_to_the_call() -> None:
    assert wait(START, START + timedelta(minutes=7)) == timedelta(minutes=7)
    assert wait(START, None) is None
    assert wait(None, None) is None


def test_the_no_show_rate_is_of_those_who_were_expected_and_the_cancellation_rate_of_all() -> None:
    counted = {Status.COMPLETED: 6, Status.NO_SHOW: 2, Status.CANCELLED: 1, Status.SCHEDULED: 3}
    tally = Tally.of(counted)
    assert tally.total == 12
    assert tally.no_show_rate == 0.25
    assert tally.cancellation_rate == round(1 / 12, 4)


def test_there_are_no_rates_of_nothing() -> None:
    figures = statistics(BERLIN, [])
    assert (figures.all.total, figures.all.no_show_rate, figures.all.cancellation_rate) == (0, None, None)
    assert figures.by_week == ()
    assert len(figures.by_weekday) == 7
    assert len(figures.by_hour) == 24
    assert figures.lead_times.median_minutes is None


def test_days_hours_and_weeks_are_those_of_the_doctors_clock() -> None:
    # Sunday 22:30 in UTC is Monday 00:30 in Berlin in summer and 23:30 on the Sunday in winter.
    summer, winter = datetime(2026, 6, 7, 22, 30, tzinfo=UTC), datetime(2026, 11, 29, 22, 30, tzinfo=UTC)
    of_summer, of_winter = (statistics(BERLIN, [outcome(start=start)]) for start in (summer, winter))
    assert [one.weekday for one in of_summer.by_weekday if one.tally.total] == [0]
    assert [one.hour for one in of_summer.by_hour if one.tally.total] == [0]
    assert [one.monday for one in of_summer.by_week] == [date(2026, 6, 8)]
    assert [one.weekday for one in of_winter.by_weekday if one.tally.total] == [6]
    assert [one.hour for one in of_winter.by_hour if one.tally.total] == [23]
    assert [one.monday for one in of_winter.by_week] == [date(2026, 11, 23)]


def test_both_of_the_repeated_hours_count_as_that_hour() -> None:
    change = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 in Berlin, for the first time; at 01:00 for the second
    figures = statistics(BERLIN, [outcome(start=change), outcome(start=change + timedelta(hours=1))])
    assert [(one.hour, one.tally.total) for one in figures.by_hour if one.tally.total] == [(2, 2)]


def test_weeks_without_appointments_are_listed_between_those_with_some() -> None:
    figures = statistics(BERLIN, [outcome(), outcome(start=START + timedelta(weeks=3))])
    assert [one.tally.total for one in figures.by_week] == [1, 0, 0, 1]


def test_a_lead_time_belongs_to_the_group_whose_bound_it_does_not_reach() -> None:
    leads = [LEAD_BOUNDS[0] - timedelta(minutes=1), LEAD_BOUNDS[0], LEAD_BOUNDS[-1]]
    figures = statistics(BERLIN, [outcome(lead=lead) for lead in leads])
    assert [group.count for group in figures.lead_times.groups] == [1, 1, 0, 0, 0, 1]


def test_median_and_ninetieth_percentile_are_times_that_occurred() -> None:
    figures = statistics(BERLIN, [outcome(lead=timedelta(minutes=minutes)) for minutes in range(10, 110, 10)])
    assert (figures.lead_times.median_minutes, figures.lead_times.p90_minutes) == (50, 90)


def offer(result: Result, at: int, ended: int | None = None, start: datetime = START) -> OfferOutcome:
    """Return an offer that was made and ended these minutes after midnight."""
    midnight = START - timedelta(hours=12)
    return OfferOutcome(start, midnight + timedelta(minutes=at), result, ended and midnight + timedelta(minutes=ended))


def test_offers_are_counted_by_what_became_of_them() -> None:
    results = ("lapsed", "declined", "lapsed", "taken")
    offers = [offer(result, 10 * number, 10 * number + 5) for number, result in enumerate(results)]
    figures = offer_figures([*offers, offer("open", 60)])
    assert (figures.total, figures.open, figures.taken, figures.declined, figures.lapsed) == (5, 1, 1, 1, 2)
    assert offer_figures(()).fill_times.median_minutes is None


def test_a_slot_is_filled_from_its_first_offer_since_it_was_last_taken() -> None:
    later = START + timedelta(minutes=30)
    offers = [
        *(offer("lapsed", 0, 30), offer("taken", 30, 41)),  # 41 minutes
        *(offer("lapsed", 15, 45, later), offer("declined", 45, 46, later)),  # nobody has taken it
        offer("taken", 100, 103),  # three: it was taken before
        offer("open", 200),
    ]
    times = offer_figures(reversed(offers)).fill_times
    assert (times.count, times.median_minutes, times.p90_minutes) == (2, 3, 41)


@given(
    st.lists(
        st.builds(
            Outcome,
            start=st.integers(0, 3 * 365 * 48).map(lambda half_hours: START + half_hours * timedelta(minutes=30)),
            created_at=st.just(datetime(2023, 1, 1, tzinfo=UTC)),
            status=st.sampled_from(Status),
        ),
        max_size=50,
    ),
    st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]),
)
def test_every_appointment_counts_once_in_each_way_of_looking_at_it(outcomes: list[Outcome], zone: str) -> None:
    figures = statistics(Schedule(id="some-one", zone=zone), outcomes)
    outcomes = [one for one in outcomes if one.status not in OFFERS]  # an offer is no appointment yet
    for tallies in (
        [figures.all],
        [one.tally for one in figures.by_weekday],
        [one.tally for one in figures.by_hour],
        [one.tally for one in figures.by_week],
    ):
        for status in set(Status) - OFFERS:
            counted = sum(one.status is status for one in outcomes)
            assert sum(getattr(tally, status.value) for tally in tallies) == counted
        assert sum(tally.total for tally in tallies) == len(outcomes)
    assert sum(group.count for group in figures.lead_times.groups) == len(outcomes)
    mondays = [one.monday for one in figures.by_week]
    assert all(later - earlier == timedelta(weeks=1) for earlier, later in pairwise(mondays))
    for one in figures.by_hour:
        there = [each.start.astimezone(ZoneInfo(zone)).hour for each in outcomes]
        assert one.tally.total == there.count(one.hour)
