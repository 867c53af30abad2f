"""All that a run leaves behind for its judge, and how it is kept in a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import History, Told
from hub.ops.judge.phones import Arrival
from hub.ops.judge.record import Record
from hub.texting.text import Text
from tests.tools.nemesis.courier import Letter
from tests.tools.nemesis.faults import Injury


@dataclass(frozen=True)
class Evidence:
    """Who asked and was told what, what the record says, what reached the phones, and what was done to the hub.

    `rate` is how many of the hub's seconds passed in one of the machine's; all instants are by the hub's clock.
    `deaths` tells of the processes that ended by themselves, and were started again.
    `unrest` is what had not come to rest when patience ended, empty if all had. `stopped` is when the agents were
    stopped, after which nothing more could happen.
    """

    rate: float
    history: History
    dashboards: Sequence[Dashboard]
    watches: int
    record: Record
    texts: Mapping[str, Text]
    arrived: Sequence[Arrival]
    letters: Sequence[Letter]
    injuries: Sequence[Injury]
    deaths: Sequence[str]
    stopped: datetime
    unrest: str

    def hub(self, seconds: float) -> timedelta:
        """Return how much time of the hub's clock so many real seconds are."""
        return timedelta(seconds=seconds) * self.rate


def outcome_of(told: Told) -> str:
    """Return what a command came to, in the words of Jepsen: ok, refused, or unknown."""
    if told.answer is None or not told.answer.decided:
        return "unknown"
    return "ok" if told.answer.ok else "refused"


def keep(evidence: Evidence, folder: Path) -> None:
    """Write everything into a folder: one JSON object a line, in files that say what they are."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "history.jsonl", [_command(told) for told in evidence.history.tellings()])
    _write(folder / "record.jsonl", [each.model_dump(mode="json") for each in evidence.record.appointments.values()])
    _write(folder / "texts.jsonl", [each.model_dump(mode="json", exclude={"body"}) for each in evidence.texts.values()])
    _write(folder / "phones.jsonl", [asdict(each) for each in evidence.arrived])
    _write(folder / "letters.jsonl", [asdict(each) for each in evidence.letters])
    _write(folder / "faults.jsonl", [asdict(each) for each in evidence.injuries])
    _write(folder / "dashboards.jsonl", [_dashboard(each) for each in evidence.dashboards])


def _command(told: Told) -> dict[str, object]:
    ask, answer = told.ask, told.answer
    return {
        "command": ask.command_id,
        "by": ask.who.id,
        "via": ask.via,
        "invoked": ask.at,
        "wish": asdict(ask.wish),
        "outcome": outcome_of(told),
        "code": answer.code if answer else None,
        "completed": answer.at if answer else None,
        "seconds": round(answer.seconds, 3) if answer else None,
        "attempts": answer.attempts if answer else None,
        "appointment": answer.appointment.model_dump(mode="json") if answer and answer.appointment else None,
    }


def _dashboard(dashboard: Dashboard) -> dict[str, object]:
    return {
        "owner": dashboard.owner.id,
        "spans": [
            {
                "since": span.since,
                "until": span.until,
                "position": span.position,
                "seen": [
                    {
                        "at": seen.at,
                        "type": seen.event.type,
                        "doctor": seen.event.appointment.doctor_id,
                        "seq": seen.event.seq,
                        "prev": seen.event.prev,
                        "appointment": seen.event.appointment.id,
                        "version": seen.event.appointment.version,
                    }
                    for seen in span.seen
                ],
            }
            for span in dashboard.spans
        ],
        "slots": [[doctor, start, available] for (doctor, start), available in dashboard.slots.items()],
    }


def _write(file: Path, lines: Sequence[Mapping[str, object]]) -> None:
    file.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
