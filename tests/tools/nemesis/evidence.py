"""The evidence of a run for the judge, and its files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from hub.client.wire import AppointmentEvent, DoctorEvent, WaitingEvent
from hub.ops.judge.dashboard import Dashboard
from hub.ops.judge.history import Exchange, History
from hub.ops.judge.record import Record
from hub.ops.judge.text_deliveries import AcceptedText
from hub.scheduling.line import OfferPolicy
from hub.texting.text import Text
from tests.tools.nemesis.faults import InjectedFault
from tests.tools.nemesis.one_shot_commands import OneShotCommand


@dataclass(frozen=True)
class Evidence:
    """The requests and updates of all clients, the record, the texts that were sent, and the faults.

    `rate`: seconds of the hub's clock per second of the machine's clock. All times are by the hub's clock.
    `deaths`: reports of processes that ended without a fault and were restarted.
    `unfinished`: what was still unfinished when the wait ended; empty if nothing was. `stopped`: when the agents were
    stopped; nothing can happen after that. `offers`: how the hub made offers.
    `finished_erasures`: when they were, by patient. `words_left`: words of erased patients that are in the database, by
    collection.
    """

    rate: float
    history: History
    dashboards: Sequence[Dashboard]
    watches: int
    record: Record
    texts: Mapping[str, Text]
    arrived: Sequence[AcceptedText]
    one_shot_commands: Sequence[OneShotCommand]
    injected_faults: Sequence[InjectedFault]
    deaths: Sequence[str]
    stopped: datetime
    unfinished: str
    offers: OfferPolicy
    finished_erasures: Mapping[str, datetime]
    words_left: Mapping[str, Sequence[str]]

    def hub(self, seconds: float) -> timedelta:
        """Return the time on the hub's clock that corresponds to real seconds."""
        return timedelta(seconds=seconds) * self.rate


def outcome_of(exchange: Exchange) -> str:
    """Return the outcome of a command: ok, refused or unknown, as in Jepsen."""
    if exchange.answer is None or not exchange.answer.decided:
        return "unknown"
    return "ok" if exchange.answer.ok else "refused"


def write_evidence(evidence: Evidence, folder: Path) -> None:
    """Write the evidence into a folder, as files with one JSON object per line."""
    folder.mkdir(parents=True, exist_ok=True)
    finished = evidence.finished_erasures
    _write(folder / "history.jsonl", [_command(exchange) for exchange in evidence.history.exchanges()])
    _write(folder / "day_changes.jsonl", [asdict(each) for each in evidence.history.day_changes])
    erased = [
        {"patient": id_, "asked": at, "answered": evidence.history.erased.get(id_), "finished": finished.get(id_)}
        for id_, at in evidence.history.erasures.items()
    ]
    _write(folder / "erasures.jsonl", erased)
    _write(folder / "line_requests.jsonl", [asdict(each) for each in evidence.history.line_requests.values()])
    _write(folder / "entries.jsonl", [each.model_dump(mode="json") for each in evidence.record.entries.values()])
    _write(folder / "record.jsonl", [each.model_dump(mode="json") for each in evidence.record.appointments.values()])
    _write(folder / "texts.jsonl", [each.model_dump(mode="json", exclude={"body"}) for each in evidence.texts.values()])
    _write(folder / "phones.jsonl", [asdict(each) for each in evidence.arrived])
    _write(folder / "one_shot_commands.jsonl", [asdict(each) for each in evidence.one_shot_commands])
    _write(folder / "faults.jsonl", [asdict(each) for each in evidence.injected_faults])
    _write(folder / "dashboards.jsonl", [_dashboard(each) for each in evidence.dashboards])


def _command(exchange: Exchange) -> dict[str, object]:
    request, answer = exchange.request, exchange.answer
    return {
        "command": request.command_id,
        "by": request.user.id,
        "via": request.via,
        "invoked": request.at,
        "request": asdict(request.command),
        "outcome": outcome_of(exchange),
        "code": answer.code if answer else None,
        "completed": answer.at if answer else None,
        "seconds": round(answer.seconds, 3) if answer else None,
        "attempts": answer.attempts if answer else None,
        "appointment": answer.appointment.model_dump(mode="json") if answer and answer.appointment else None,
    }


def _dashboard(dashboard: Dashboard) -> dict[str, object]:
    return {
        "owner": dashboard.owner.id,
        "connections": [
            {
                "since": period.since,
                "until": period.until,
                "position": period.position,
                "received": [
                    {
                        "at": received.at,
                        "type": received.event.type,
                        "doctor": received.event.doctor_id,
                        "seq": received.event.seq,
                        "prev": received.event.prev,
                        **_subject(received.event),
                    }
                    for received in period.received
                ],
            }
            for period in dashboard.periods
        ],
        "slots": [[doctor, start, available] for (doctor, start), available in dashboard.slots.items()],
    }


def _subject(event: DoctorEvent) -> dict[str, object]:
    """Return what a dashboard was told about."""
    match event:
        case AppointmentEvent(appointment=appointment):
            return {"appointment": appointment.id, "version": appointment.version}
        case WaitingEvent(entry=entry):
            return {"entry": entry.id}
        case _:
            return {}


def _write(file: Path, lines: Sequence[Mapping[str, object]]) -> None:
    file.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
