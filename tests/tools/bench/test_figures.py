import pytest

from tests.tools.bench.figures import Spread, quantile, spread
from tests.tools.bench.report import comparison, tables


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
