import math

import pytest

from tests.tools.bench.figures import Spread, quantile, ratio, spread
from tests.tools.bench.report import comparison, ratios, tables


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 5.0), (0.51, 6.0), (0.9, 9.0), (0.99, 10.0), (1.0, 10.0)]
)
def test_a_quantile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert quantile([10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], share) == value


def test_runs_that_lie_among_each_other_may_differ_by_chance() -> None:
    before = spread([90.0, 100.0, 110.0])

    assert before == Spread(90.0, 100.0, 110.0)
    assert before.overlaps(spread([109.0, 120.0, 130.0]))
    assert not before.overlaps(spread([111.0, 120.0, 130.0]))
    assert not before.overlaps(spread([70.0, 80.0, 89.0]))


def test_a_table_shows_the_median_and_how_far_the_runs_went() -> None:
    assert tables({"few": [{"p50 ms": 3.0}, {"p50 ms": 1.0}, {"p50 ms": 2.345}], "many": [{"p50 ms": 250.2}]}) == (
        "|      |              p50 ms |\n| ---- | ------------------: |\n"
        "| few  | 2.35 (1.00 to 3.00) |\n| many |                 250 |"
    )


def test_scenarios_of_another_kind_have_another_table() -> None:
    assert tables({"bookings": [{"a": 1.0}], "screens": [{"b": 1.0}]}).count("\n\n") == 1


def test_a_comparison_says_what_changed_and_what_may_be_chance() -> None:
    earlier = {"slower": [{"ms": 100.0}], "same": [{"ms": 90.0}, {"ms": 110.0}]}
    now = {"slower": [{"ms": 150.0}], "same": [{"ms": 105.0}], "added": [{"ms": 1.0}]}

    rows = [row.split("|")[2].strip() for row in comparison(now, earlier).splitlines()[2:]]

    assert rows == ["100 → 150 (+50%)", "100 → 105 (+5% ≈)", "new"]


@pytest.mark.parametrize(
    ("figure", "ours", "rival", "times_as_good"),
    [
        ("bookings/s", 300.0, 200.0, 1.5),
        ("p50 ms", 300.0, 200.0, 2 / 3),
        ("database, CPU ms", 1.0, 4.0, 4.0),
        ("p50 ms", 0.0, 1.0, math.inf),
    ],
)
def test_a_ratio_above_one_is_better_whatever_the_figure(
    figure: str, ours: float, rival: float, times_as_good: float
) -> None:
    assert ratio(figure, ours, rival) == pytest.approx(times_as_good)


def test_ratios_compare_the_rounds_in_pairs_because_the_machine_varies() -> None:
    # Rounds of 2.0, 1.0 and 0.5 times the rival, on a machine whose speed varies.
    ours = {"few": [{"answers/s": 300.0}, {"answers/s": 60.0}, {"answers/s": 10.0}]}
    rival = {"few": [{"answers/s": 150.0}, {"answers/s": 60.0}, {"answers/s": 20.0}]}

    (row,) = ratios(ours, rival).splitlines()[2:]

    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("few", "answers/s", "1.00 (0.50 to 2.00)"),
        *("60.0 (10.0 to 300)", "60.0 (20.0 to 150)"),
    ]


def test_ratios_have_what_both_measured_and_the_cpu_time_of_all_processes() -> None:
    ours = {
        "both": [
            {"p50 ms": 1.0, "api, CPU ms": 1.0, "database, CPU ms": 2.0, "load, CPU ms": 9.0, "others, cores": 0.1}
        ],
        "ours alone": [{"p50 ms": 1.0}],
    }
    rival = {"both": [{"p50 ms": 2.0, "app, CPU ms": 4.0, "database, CPU ms": 2.0, "load, CPU ms": 1.0}]}

    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in ratios(ours, rival).splitlines()[2:]]

    assert rows == [
        ["both", "p50 ms", "2.00", "1.00", "2.00"],
        ["both", "database, CPU ms", "1.00", "2.00", "2.00"],
        ["both", "all processes, CPU ms", "2.00", "3.00", "6.00"],
    ]


def test_a_round_that_only_one_of_them_finished_is_left_out() -> None:
    ours, rival = {"few": [{"p50 ms": 1.0}, {"p50 ms": 100.0}]}, {"few": [{"p50 ms": 1.0}]}

    assert ratios(ours, rival).endswith("|  1.00 | 1.00 |  1.00 |")
