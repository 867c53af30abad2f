"""Texts in the record: outbox, planning positions, inbound texts, opt-outs and line halts."""

import asyncio
from datetime import timedelta

import pytest

from hub.records.ports import Records
from hub.texting.inbound_text import InboundText
from hub.texting.ports import LineHalt
from hub.texting.text import NO_ACCOUNT, RANK, StatusUpdate, Text, TextStatus, text_id
from tests.contracts.histories import BEFORE, NINE
from tests.people import patient

MINUTE = timedelta(minutes=1)
PAT, CLINIC = "+12025550123", "+12025550100"


def _text(seq: int = 1, user: str = "pat", **more: object) -> Text:
    fields = {
        "id": text_id("dora", seq, user),
        "kind": "reminder",
        "line": "patient",
        "user_id": user,
        "phone": PAT,
        "appointment_id": "a1",
        "doctor_id": "dora",
        "seq": seq,
        "version": 1,
        "start": NINE,
        "body": "a text",
        "status": TextStatus.PLANNED,
        "not_before": BEFORE,
        "useless_after": NINE,
        "created_at": BEFORE,
        "updated_at": BEFORE,
    }
    return Text(**fields | more)


async def _sending(records: Records, text: Text) -> Text:
    await records.texts.add_all([text])
    claimed = await records.texts.claim(text, BEFORE + MINUTE)
    assert claimed
    return claimed


async def _stored(records: Records, text: Text) -> Text:
    stored = await records.texts.by_id(text.id)
    assert stored
    return stored


async def test_a_text_is_read_back_as_it_was(records: Records) -> None:
    bare = _text(1, phone=None, status=TextStatus.SKIPPED, reason="no_phone")
    full = _text(2, sid="SM1", error_code=30003, attempts=2, again_of=bare.id, status=TextStatus.UNDELIVERED)

    assert await records.texts.add_all([bare, full]) == 2

    assert await records.texts.by_id(bare.id) == bare
    assert await records.texts.by_sid("SM1") == full
    assert await records.texts.by_id("nothing") is None
    assert await records.texts.by_sid("SM2") is None


async def test_a_text_that_is_planned_again_exists_once_and_keeps_its_status(records: Records) -> None:
    sent = await _sending(records, _text(2))
    again = [_text(seq, body="worded anew") for seq in (1, 2, 3)]

    assert await records.texts.add_all(again) == 2
    assert await records.texts.add_all(again) == 0
    assert await records.texts.add_all([]) == 0

    assert await records.texts.of_appointment("a1") == [again[0], sent, again[2]]


async def test_due_texts_come_longest_waiting_first_and_only_while_they_are_planned(records: Records) -> None:
    waiting = [_text(seq, not_before=BEFORE + seq * MINUTE) for seq in (3, 1, 2, 4)]
    await records.texts.add_all([*waiting, _text(5, status=TextStatus.SKIPPED), _text(6, "dora", line="doctor")])
    await records.texts.claim(waiting[1], BEFORE + 3 * MINUTE)

    assert await records.texts.due("patient", BEFORE + 3 * MINUTE, 10) == [waiting[2], waiting[0]]
    assert await records.texts.due("patient", BEFORE + 3 * MINUTE, 1) == [waiting[2]]


async def test_a_claim_is_stored_before_it_returns(records: Records) -> None:
    text = _text()

    claimed = await _sending(records, text)

    sending = {"status": TextStatus.SENDING, "attempts": 1, "updated_at": BEFORE + MINUTE}
    assert claimed == text.model_copy(update=sending)
    assert await _stored(records, text) == claimed


async def test_one_of_many_concurrent_claims_succeeds(records: Records) -> None:
    texts = [_text(seq) for seq in range(1, 6)]
    await records.texts.add_all(texts)

    for text in texts:
        claims = await asyncio.gather(*(records.texts.claim(text, BEFORE + MINUTE) for _ in range(12)))

        assert len([claim for claim in claims if claim]) == 1
        assert (await _stored(records, text)).attempts == 1


async def test_a_text_that_was_read_before_it_was_postponed_cannot_be_claimed(records: Records) -> None:
    text = _text()
    claimed = await _sending(records, text)
    postponed = await records.texts.postpone(claimed, BEFORE, BEFORE + MINUTE)
    assert postponed

    assert await records.texts.claim(text, BEFORE + MINUTE) is None
    assert await records.texts.claim(postponed, BEFORE + MINUTE)


async def test_a_text_that_does_not_exist_is_neither_claimed_nor_settled_nor_postponed(records: Records) -> None:
    assert await records.texts.claim(_text(), BEFORE) is None
    assert await records.texts.postpone(_text(), BEFORE, BEFORE) is None
    assert not await records.texts.settle(_text().id, StatusUpdate(TextStatus.SENT, sid="SM1"), BEFORE)
    assert await records.texts.by_id(_text().id) is None


@pytest.mark.parametrize("news", TextStatus)
async def test_a_status_only_moves_forward(records: Records, news: TextStatus) -> None:
    at = {status: _text(seq, status=status) for seq, status in enumerate(TextStatus, start=1)}
    await records.texts.add_all(list(at.values()))

    for status, text in at.items():
        moved = await records.texts.settle(text.id, StatusUpdate(news), BEFORE + MINUTE)

        assert moved == (RANK[news] > RANK[status]), f"{status} to {news}"
        assert (await _stored(records, text)).status is (news if moved else status)


async def test_reports_out_of_order_and_repeated_lead_to_the_same_status(records: Records) -> None:
    text = await _sending(records, _text())

    for status in (TextStatus.SENT, TextStatus.DELIVERED, TextStatus.SENT, TextStatus.UNDELIVERED, TextStatus.UNKNOWN):
        await records.texts.settle(text.id, StatusUpdate(status, sid="SM1"), BEFORE + MINUTE)

    assert (await _stored(records, text)).status is TextStatus.DELIVERED


async def test_an_update_leaves_the_fields_that_it_does_not_set(records: Records) -> None:
    text = await _sending(records, _text())

    await records.texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid="SM1"), BEFORE + MINUTE)
    await records.texts.settle(text.id, StatusUpdate(TextStatus.UNDELIVERED, error_code=30005), BEFORE + 2 * MINUTE)

    told = {"status": TextStatus.UNDELIVERED, "sid": "SM1", "error_code": 30005, "updated_at": BEFORE + 2 * MINUTE}
    assert await _stored(records, text) == text.model_copy(update=told)


async def test_a_sid_is_added_to_a_later_status_and_never_replaced(records: Records) -> None:
    text = await _sending(records, _text())
    await records.texts.settle(text.id, StatusUpdate(TextStatus.DELIVERED), BEFORE + MINUTE)

    assert not await records.texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid="SM1"), BEFORE + 2 * MINUTE)
    assert not await records.texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid="SM2"), BEFORE + 2 * MINUTE)

    stored = await _stored(records, text)
    assert (stored.status, stored.sid, stored.updated_at) == (TextStatus.DELIVERED, "SM1", BEFORE + MINUTE)


async def test_a_text_whose_attempt_sent_nothing_is_planned_again(records: Records) -> None:
    text = await _sending(records, _text())

    postponed = await records.texts.postpone(text, BEFORE + 5 * MINUTE, BEFORE + 2 * MINUTE, error_code=20429)

    assert postponed
    assert postponed == await _stored(records, text)
    assert (postponed.status, postponed.attempts, postponed.error_code) == (TextStatus.PLANNED, 1, 20429)
    assert await records.texts.due("patient", BEFORE + 4 * MINUTE, 10) == []
    assert await records.texts.due("patient", BEFORE + 5 * MINUTE, 10) == [postponed]


async def test_a_text_with_a_report_is_not_postponed(records: Records) -> None:
    text = await _sending(records, _text())
    await records.texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid="SM1"), BEFORE + MINUTE)

    assert await records.texts.postpone(text, BEFORE, BEFORE + 2 * MINUTE) is None

    assert (await _stored(records, text)).status is TextStatus.SENT


async def test_a_claim_that_was_lost_cannot_postpone_the_next_one(records: Records) -> None:
    first = await _sending(records, _text())
    postponed = await records.texts.postpone(first, BEFORE, BEFORE + MINUTE)
    assert postponed
    second = await records.texts.claim(postponed, BEFORE + MINUTE)

    assert await records.texts.postpone(first, BEFORE, BEFORE + MINUTE) is None

    assert await _stored(records, first) == second


async def test_a_repair_is_counted_and_due_at_once(records: Records) -> None:
    text = await _sending(records, _text())
    await records.texts.settle(text.id, StatusUpdate(TextStatus.UNKNOWN), BEFORE + MINUTE)

    repaired = await records.texts.repair(text, BEFORE + 2 * MINUTE)

    assert repaired
    assert repaired == await _stored(records, text)
    assert (repaired.status, repaired.attempts, repaired.repairs) == (TextStatus.PLANNED, 1, 1)
    assert await records.texts.due("patient", BEFORE + 2 * MINUTE, 10) == [repaired]
    assert await records.texts.repair(text, BEFORE + 3 * MINUTE) is None
    second = await records.texts.claim(repaired, BEFORE + 3 * MINUTE)
    assert await records.texts.repair(text, BEFORE + 3 * MINUTE) is None
    assert second
    again = await records.texts.repair(second, BEFORE + 4 * MINUTE)
    assert again
    assert (again.attempts, again.repairs) == (2, 2)


async def test_a_text_with_a_report_is_not_repaired(records: Records) -> None:
    text = await _sending(records, _text())
    await records.texts.settle(text.id, StatusUpdate(TextStatus.SENT, sid="SM1"), BEFORE + MINUTE)

    assert await records.texts.repair(text, BEFORE + 2 * MINUTE) is None

    assert (await _stored(records, text)).status is TextStatus.SENT


async def test_unsettled_texts_are_those_of_unknown_outcome(records: Records) -> None:
    old, asked, young = (_text(seq) for seq in (1, 2, 3))
    for text in (old, asked):
        await _sending(records, text)
    await records.texts.settle(asked.id, StatusUpdate(TextStatus.UNKNOWN), BEFORE + 2 * MINUTE)
    others = set(TextStatus) - {TextStatus.SENDING, TextStatus.UNKNOWN}
    await records.texts.add_all([young, *(_text(seq, status=status) for seq, status in enumerate(others, start=4))])
    await records.texts.claim(young, BEFORE + 3 * MINUTE)

    assert {text.seq for text in await records.texts.unsettled(BEFORE + 2 * MINUTE)} == {1, 2}
    assert {text.seq for text in await records.texts.unsettled(BEFORE + MINUTE)} == {1}


async def test_texts_to_a_person_come_latest_first(records: Records) -> None:
    later = NINE + timedelta(days=1)
    past, first, second = (
        _text(1, start=NINE - timedelta(days=1)),
        _text(2, created_at=BEFORE + MINUTE),
        _text(3, start=later, created_at=BEFORE + 2 * MINUTE),
    )
    booked = _text(5, kind="booked", created_at=BEFORE)
    await records.texts.add_all([past, second, booked, first, _text(4, "paul")])

    assert await records.texts.to_person("pat", NINE) == [second, first, booked]
    assert await records.texts.to_person("nobody", NINE) == []


async def test_only_the_old_codes_of_sign_ups_are_deleted_with_them(records: Records) -> None:
    old, new, of_pat = _text(1, NO_ACCOUNT, start=NINE), _text(2, NO_ACCOUNT, start=NINE + MINUTE), _text(3, start=NINE)
    await records.texts.add_all([old, new, of_pat])

    assert await records.texts.delete_of_sign_ups(NINE + MINUTE) == 1

    assert await records.texts.to_person(NO_ACCOUNT, BEFORE) == [new]
    assert await records.texts.to_person("pat", BEFORE) == [of_pat]


async def test_a_doctor_sees_the_texts_that_reached_nobody(records: Records) -> None:
    statuses = {status: _text(seq, status=status) for seq, status in enumerate(TextStatus, start=1)}
    no_phone, moved = (
        _text(seq, status=TextStatus.SKIPPED, reason=why) for seq, why in ((20, "no_phone"), (21, "moved"))
    )
    before = _text(22, status=TextStatus.FAILED, created_at=BEFORE - MINUTE)
    other = _text(23, status=TextStatus.FAILED, doctor_id="dick")
    await records.texts.add_all([*statuses.values(), no_phone, moved, before, other])

    seen = await records.texts.not_delivered("dora", BEFORE)

    wanted = [TextStatus.FAILED, TextStatus.UNDELIVERED, TextStatus.OPTED_OUT]
    assert seen == [no_phone, *sorted((statuses[one] for one in wanted), key=lambda text: text.seq, reverse=True)]


async def test_a_position_only_moves_forward(records: Records) -> None:
    positions = records.text_positions
    assert await positions.read(["dora", "dick"]) == {"dora": 0, "dick": 0}

    await positions.advance({"dora": 7})
    await positions.advance({"dora": 5, "dick": 2})

    assert await positions.read(["dora", "dick"]) == {"dora": 7, "dick": 2}
    assert await positions.read([]) == {}


async def test_positions_may_be_advanced_concurrently(records: Records) -> None:
    await asyncio.gather(*(records.text_positions.advance({"dora": seq, "dick": 21 - seq}) for seq in range(1, 21)))

    assert await records.text_positions.read(["dora", "dick"]) == {"dora": 20, "dick": 20}


def _message(body: str = "1", answer: str | None = None) -> InboundText:
    return InboundText(id="SMin", phone=PAT, our_number=CLINIC, body=body, received_at=BEFORE, answer=answer)


async def test_a_repeated_message_is_stored_once_and_gets_the_same_reply(records: Records) -> None:
    inbound = records.inbound_texts
    assert await inbound.receive(_message()) == _message()
    assert await inbound.receive(_message("something else")) == _message()

    await inbound.answered("SMin", "You are expected.", decided=True)
    await inbound.answered("SMin", "Too late.", decided=False)

    assert await inbound.receive(_message()) == _message(answer="You are expected.").model_copy(
        update={"decided": True}
    )


async def test_a_message_stays_about_the_first_appointment_that_is_bound(records: Records) -> None:
    inbound = records.inbound_texts
    await inbound.receive(_message())

    bound = await asyncio.gather(*(inbound.bind("SMin", f"appointment-{number}") for number in range(8)))

    assert len(set(bound)) == 1
    assert (await inbound.receive(_message())).about == bound[0]
    assert await inbound.bind("SMin", "another") == bound[0]


async def test_messages_about_appointments_come_latest_first(records: Records) -> None:
    inbound = records.inbound_texts
    early, first, second, other, plain = (
        _message().model_copy(update={"id": f"SM{number}", "received_at": BEFORE + number * MINUTE, "phone": phone})
        for number, phone in enumerate((PAT, PAT, PAT, CLINIC, PAT))
    )
    for message in (second, early, plain, other, first):
        await inbound.receive(message)
    for message in (early, first, second, other):
        await inbound.bind(message.id, "appointment")
    await inbound.answered(first.id, "Done.", decided=True)

    found = await inbound.about_appointments(PAT, first.received_at)

    assert [(each.id, each.about, each.decided) for each in found] == [
        (second.id, "appointment", False),
        (first.id, "appointment", True),
    ]
    assert await inbound.about_appointments(PAT, plain.received_at) == []


async def test_of_concurrent_copies_of_a_message_one_is_stored(records: Records) -> None:
    received = await asyncio.gather(*(records.inbound_texts.receive(_message(str(one))) for one in range(8)))

    assert len({message.body for message in received}) == 1


async def test_an_opt_out_is_between_one_phone_and_one_of_our_numbers(records: Records) -> None:
    opt_outs = records.opt_outs
    await opt_outs.add(PAT, CLINIC, NINE)
    await opt_outs.add(PAT, CLINIC, NINE + MINUTE)

    assert await opt_outs.has(PAT, CLINIC)
    assert not await opt_outs.has(PAT, "+12025550199")
    assert not await opt_outs.has("+12025550199", CLINIC)

    await opt_outs.remove(PAT, CLINIC)
    await opt_outs.remove(PAT, CLINIC)

    assert not await opt_outs.has(PAT, CLINIC)


async def test_an_account_is_found_by_phone_number(records: Records) -> None:
    pat = patient("pat", phone=PAT)
    await records.users.add([pat, pat.model_copy(update={"id": "paul", "email": "paul@clinic.test", "phone": None})])

    assert await records.users.by_phone(PAT) == pat
    assert await records.users.by_phone("+12025550199") is None


async def test_the_last_halt_of_a_line_is_kept_by_its_number(records: Records) -> None:
    halts = records.line_halts
    assert await halts.latest(CLINIC) is None

    await halts.put(CLINIC, 30034, NINE)
    await halts.put(CLINIC, 30007, NINE + MINUTE)

    assert await halts.latest(CLINIC) == LineHalt(30007, NINE + MINUTE)
    assert await halts.latest("+12025550199") is None


async def test_sent_texts_without_a_report_are_found_by_their_time(records: Records) -> None:
    sent = [_text(seq, status=TextStatus.SENT, not_before=BEFORE + seq * MINUTE) for seq in (1, 2, 3, 4)]
    others = [
        _text(5, status=TextStatus.DELIVERED, not_before=BEFORE + 2 * MINUTE),
        _text(6, "dora", line="doctor", status=TextStatus.SENT, not_before=BEFORE + 2 * MINUTE),
    ]
    await records.texts.add_all([*sent, *others])

    assert await records.texts.sent_between("patient", BEFORE + MINUTE, BEFORE + 3 * MINUTE) == sent[1:3]
    assert await records.texts.sent_between("patient", BEFORE + 4 * MINUTE, NINE) == []


async def test_urgent_texts_are_found_whatever_waits_and_a_text_needs_no_appointment(records: Records) -> None:
    others = [_text(seq, kind="booked", not_before=BEFORE - seq * MINUTE) for seq in range(1, 6)]
    reminders = [_text(seq, not_before=BEFORE + seq * MINUTE) for seq in (12, 11, 19)]
    code = _text(21, kind="code", appointment_id=None, doctor_id=None)
    await records.texts.add_all([*others, *reminders, code])
    soon, later = BEFORE + 15 * MINUTE, BEFORE + 19 * MINUTE
    assert await records.texts.due("patient", soon, 5, "reminder") == [reminders[1], reminders[0]]
    assert await records.texts.due("patient", later, 2, "reminder") == [reminders[1], reminders[0]]
    assert await records.texts.due("patient", later - MINUTE / 60, 5, "reminder") == [reminders[1], reminders[0]]
    assert await records.texts.due("patient", later, 5, "reminder") == [reminders[1], reminders[0], reminders[2]]
    assert await records.texts.due("patient", soon, 5, "code") == [code]
    assert await records.texts.due("doctor", soon, 5, "reminder") == []
    assert await records.texts.due("patient", BEFORE, 2) == [others[4], others[3]]


async def test_a_text_is_found_as_urgent_as_long_as_it_is_planned(records: Records) -> None:
    texts = records.texts
    claimed, skipped = _text(1, not_before=BEFORE - 2 * MINUTE), _text(2, not_before=BEFORE - MINUTE)
    erased = _text(3, user="paul")
    await texts.add_all([claimed, skipped, erased, _text(4, status=TextStatus.SENT)])
    assert await texts.due("patient", NINE, 5, "reminder") == [claimed, skipped, erased]
    sending = await texts.claim(claimed, NINE)
    await texts.settle(skipped.id, StatusUpdate(TextStatus.SKIPPED, reason="over"), NINE)
    await texts.erase("paul", NINE)
    assert sending
    assert await texts.due("patient", NINE, 5, "reminder") == []
    postponed = await texts.postpone(sending, NINE + MINUTE, NINE)
    assert await texts.due("patient", NINE, 5, "reminder") == []
    assert await texts.due("patient", NINE + MINUTE, 5, "reminder") == [postponed]


async def test_texts_of_an_erased_person_keep_their_status_and_nothing_else(records: Records) -> None:
    waits, sent = _text(1), _text(2, status=TextStatus.SENT, sid="SM2")
    others = _text(3, user="paul")
    await records.texts.add_all([waits, sent, others])

    await records.texts.erase("pat", NINE)
    await records.texts.erase("pat", NINE + MINUTE)

    gone = {"body": "", "phone": None}
    skipped = {"status": TextStatus.SKIPPED, "reason": "erased", "updated_at": NINE}
    assert await _stored(records, waits) == waits.model_copy(update=gone | skipped)
    assert await _stored(records, sent) == sent.model_copy(update=gone)
    assert await _stored(records, others) == others
    assert await records.texts.claim(waits, NINE) is None, "who has read it before cannot send it any more"


async def test_received_texts_and_opt_outs_of_a_phone_are_erased(records: Records) -> None:
    for id_, phone, about in (("m1", PAT, "a1"), ("m2", PAT, "a2"), ("m3", "+12025550199", "a1")):
        await records.inbound_texts.receive(_message().model_copy(update={"id": id_, "phone": phone}))
        await records.inbound_texts.bind(id_, about)
    await records.opt_outs.add(PAT, CLINIC, NINE)
    await records.opt_outs.add("+120255501230", CLINIC, NINE)

    await records.inbound_texts.erase(PAT, ["a1"])
    assert [each.id for each in await records.inbound_texts.about_appointments(PAT, BEFORE)] == ["m2"]
    again = await records.inbound_texts.receive(_message().model_copy(update={"id": "m1"}))
    assert (again.phone, again.body, again.answer) == ("", "", ""), "it is not handled again"
    await records.inbound_texts.erase(PAT, None)
    assert await records.inbound_texts.about_appointments(PAT, BEFORE) == []
    assert len(await records.inbound_texts.about_appointments("+12025550199", BEFORE)) == 1

    await records.opt_outs.forget(PAT)
    assert not await records.opt_outs.has(PAT, CLINIC)
    assert await records.opt_outs.has("+120255501230", CLINIC)


async def test_texts_of_before_an_instant_are_deleted_whatever_has_become_of_them(records: Records) -> None:
    old = [_text(seq, status=status, not_before=BEFORE) for seq, status in enumerate(TextStatus, start=1)]
    new = _text(99, not_before=BEFORE + MINUTE)
    to_doctor = _text(98, line="doctor", not_before=BEFORE)
    await records.texts.add_all([*old, to_doctor, new])
    assert await records.texts.delete_before(BEFORE + MINUTE) == len(old) + 1
    assert await records.texts.to_person("pat", BEFORE) == [new]
    for id_, at in (("old", BEFORE), ("new", BEFORE + MINUTE)):
        message = _message().model_copy(update={"id": id_, "received_at": at})
        await records.inbound_texts.receive(message)
        await records.inbound_texts.bind(id_, "a1")
    assert await records.inbound_texts.delete_before(BEFORE + MINUTE) == 1
    assert [each.id for each in await records.inbound_texts.about_appointments(PAT, BEFORE)] == ["new"]
