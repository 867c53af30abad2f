"""What Twilio's answers and codes mean."""

from datetime import timedelta

import pytest

from hub.texting.outcomes import Fate, again_after, fate_of_failure, fate_of_refusal

CLASSES = {
    Fate.OPTED_OUT: [21610, 30004],
    Fate.PERMANENT: [21211, 21612, 21614, 21635, 21268, 21408, 30005, 30006],
    Fate.HALT: [20003, 21212, 21606, 21608, 21609, 90007, 30002, 30007, 30034],
    Fate.LATER: [20429, 63038, 21611, 30001, 14107, 30022, 30003, 30008, 30410, 30500, 30450, 30036],
}
EACH = [(code, fate) for fate, codes in CLASSES.items() for code in codes]


@pytest.mark.parametrize(("code", "fate"), EACH)
def test_each_code_means_the_same_as_an_answer_and_in_a_callback(code: int, fate: Fate) -> None:
    assert fate_of_refusal(400, code) is fate
    assert fate_of_failure(code) is fate


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (429, 0, Fate.LATER),
        (429, 20429, Fate.LATER),
        (401, 20003, Fate.HALT),
        (401, 0, Fate.HALT),
        (403, 0, Fate.HALT),
        (404, 20404, Fate.HALT),
        (403, 21408, Fate.PERMANENT),
        (403, 21999, Fate.PERMANENT),
        (400, 0, Fate.PERMANENT),
        (400, 21998, Fate.PERMANENT),
        (408, 0, Fate.UNKNOWN),
        (500, 0, Fate.UNKNOWN),
        (502, 20500, Fate.UNKNOWN),
        (503, 21610, Fate.UNKNOWN),
        (307, 0, Fate.UNKNOWN),
        (0, 0, Fate.UNKNOWN),
    ],
)
def test_where_the_code_is_not_known_the_http_status_decides(status: int, code: int, fate: Fate) -> None:
    assert fate_of_refusal(status, code) is fate


def test_a_callback_without_a_code_or_with_a_new_one_tells_nothing() -> None:
    assert fate_of_failure(0) is Fate.UNKNOWN
    assert fate_of_failure(39999) is Fate.UNKNOWN


@pytest.mark.parametrize(("code", "fate"), EACH)
def test_one_more_try_is_made_only_where_it_may_help(code: int, fate: Fate) -> None:
    assert (again_after(code) is not None) == (fate is Fate.LATER)


def test_a_handset_that_was_off_is_given_longer_than_a_queue_that_was_full() -> None:
    assert again_after(30001) == timedelta(minutes=5)
    assert again_after(30003) == timedelta(minutes=45)
    assert again_after(0) is None
