"""Texts are deleted when their time is over, and kept for ever if the clinic wants it."""

from datetime import timedelta

import pytest

from hub.settings import BadSettings, load
from hub.texting.inbound_text import InboundText
from tests.api.rest_clinic import MONDAY_MORNING, make_services
from tests.api.test_personal_data import text

DAY = timedelta(days=1)


@pytest.mark.parametrize(("days", "left"), [(30, {"new"}), (0, {"new", "old"})])
async def test_texts_are_kept_for_the_days_of_the_settings(days: int, left: set[str]) -> None:
    services = await make_services(text_days=days, inbound_text_days=days)
    old, new = MONDAY_MORNING - 30 * DAY - timedelta(minutes=1), MONDAY_MORNING - 29 * DAY
    for id_, at in (("old", old), ("new", new)):
        sent = text(id_, "patient-carl", "a", "words")
        await services.records.texts.add_all([sent.model_copy(update={"created_at": at, "not_before": at})])
        message = InboundText(id=id_, phone="+1", our_number="2", body="words", received_at=at, answer="", about="a")
        await services.records.inbound_texts.receive(message)

    await services.retention.delete()

    assert {each.id for each in await services.records.texts.to_person("patient-carl", old)} == left
    assert {each.id for each in await services.records.inbound_texts.about_appointments("+1", old)} == left


@pytest.mark.parametrize("name", ["text_days", "inbound_text_days"])
def test_texts_that_may_be_under_way_are_not_deleted(name: str) -> None:
    for refused in (1, 6, -1):
        with pytest.raises(BadSettings, match=name.upper()):
            load(**{name: refused})
    for good in (0, 7, 365):
        assert getattr(load(**{name: good}), name) == good
