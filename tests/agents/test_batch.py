"""The order in which the commands of a batch are decided."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from agents.actor.batch import Batch, in_runs
from agents.answers import refusal
from hub.scheduling.commands import BookAppointment, Command
from hub.scheduling.decision import RefusalCode, Refused
from tests.agents.actor_fixtures import book, cancel

DOCTORS = "abc"
given_commands = st.lists(st.tuples(st.sampled_from(DOCTORS), st.booleans()), max_size=20)


def commands_of(kinds: list[tuple[str, bool]]) -> list[Command]:
    made = []
    for number, (doctor, books) in enumerate(kinds):
        command: Command = book(f"p{number}") if books else cancel(book())
        made.append(command.model_copy(update={"id": f"c{number}", "doctor_id": doctor}))
    return made


def kinds_of(commands: list[Command]) -> list[type]:
    return [kind for kind, _ in groupby(isinstance(command, BookAppointment) for command in commands)]


@given(given_commands)
def test_each_doctors_commands_keep_their_order_and_kinds_alternate_no_more_than_for_one_doctor(
    kinds: list[tuple[str, bool]],
) -> None:
    commands = commands_of(kinds)
    ordered = [commands[number] for number in in_runs(commands)]
    for doctor in DOCTORS:
        of_doctor = [command for command in commands if command.doctor_id == doctor]
        assert [command for command in ordered if command.doctor_id == doctor] == of_doctor
    most = max((len(kinds_of([one for one in commands if one.doctor_id == doctor])) for doctor in DOCTORS), default=0)
    assert len(kinds_of(ordered)) <= most + 1


@given(given_commands)
def test_the_answers_are_in_the_order_of_the_commands(kinds: list[tuple[str, bool]]) -> None:
    batch = Batch(commands_of(kinds))
    for position in reversed(batch.waiting()):
        batch.answer(position, refusal(batch.commands[position], Refused(RefusalCode.SLOT_TAKEN, "")))
    assert [answer.reply.command_id for answer in batch.in_order()] == [f"c{number}" for number in range(len(kinds))]
