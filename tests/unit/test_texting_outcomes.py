"""The classification of Twilio's answers and error codes."""

from datetime import timedelta

import pytest

from hub.texting.outcomes import SendResult, classify_error_code, classify_http_error, retry_delay

CLASSES = {
    SendResult.OPTED_OUT: [21610, 30004],
    SendResult.PERMANENT: [21211, 21612, 21614, 21635, 21268, 21408, 30005, 30006],
    SendResult.HALT: [20003, 21212, 21606, 21608, 21609, 90007, 30002, 30007, 30034],
    SendResult.LATER: [20429, 63038, 21611, 30001, 14107, 30022, 30003, 30008, 30410, 30500, 30450, 30036],
}
EACH = [(code, fate) for fate, codes in CLASSES.items() for code in codes]


@pytest.mark.parametrize(("code", "fate"), EACH)
def test_each_code_means_the_same_as_an_answer_and_in_a_callback(code: int, fate: SendResult) -> None:
    assert classify_http_error(400, code) is fate
    assert classify_error_code(code) is fate


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (429, 0, SendResult.LATER),
        (429, 20429, SendResult.LATER),
        (401, 20003, SendResult.HALT),
        (401, 0, SendResult.HALT),
        (403, 0, SendResult.HALT),
        (404, 20404, SendResult.HALT),
        (403, 21408, SendResult.PERMANENT),
        (403, 21999, SendResult.PERMANENT),
        (400, 0, SendResult.PERMANENT),
        (400, 21998, SendResult.PERMANENT),
        (408, 0, SendResult.UNKNOWN),
        (500, 0, SendResult.UNKNOWN),
        (502, 20500, SendResult.UNKNOWN),
        (503, 21610, SendResult.UNKNOWN),
        (307, 0, SendResult.UNKNOWN),
        (0, 0, SendResult.UNKNOWN),
    ],
)
def test_where_the_code_is_not_known_the_http_status_decides(status: int, code: int, fate: SendResult) -> None:
    assert classify_http_error(status, code) is fate


def test_a_report_without_a_known_code_has_unknown_result() -> None:
    assert classify_error_code(0) is SendResult.UNKNOWN
    assert classify_error_code(39999) is SendResult.UNKNOWN


@pytest.mark.parametrize(("code", "fate"), EACH)
def test_only_transient_failures_are_retried(code: int, fate: SendResult) -> None:
    assert (retry_delay(code) is not None) == (fate is SendResult.LATER)


def test_a_handset_that_was_off_is_given_longer_than_a_queue_that_was_full() -> None:
    assert retry_delay(30001) == timedelta(minutes=5)
    assert retry_delay(30003) == timedelta(minutes=45)
    assert retry_delay(0) is None
