"""How a process logs: one event a line, JSON for machines, readable on a terminal, and nothing private.

Our code says `log = structlog.get_logger()` and `log.info("appointment_booked", doctor_id=…)`: an event's name and the
ids that belong to it. Libraries write through the standard library; from WARNING on it goes the same way.
"""

import logging
import re
import sys
from functools import lru_cache
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_PRIVATE_WORDS = frozenset(
    {"password", "token", "secret", "authorization", "cookie", "email", "phone", "body", "text", "reason"}
)
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_PRIVATE_TEXT = re.compile(r"[^\s\"'<>@/]+@[^\s\"'<>@/]+|\+\d{7,15}")
"""E-mail addresses, phone numbers, and the log-in of a URL: what an error message of a library can quote."""

REPEAT_INTERVAL = 10.0
"""Seconds for which a library need not say the same again."""
_REMEMBERED = 500


def configure(process: str, level: str, stream: TextIO = sys.stdout) -> None:
    """Set up logging for this process, once, before anything is logged.

    `process` is the name that each line carries; `level` one of DEBUG, INFO, WARNING, ERROR, for our own events.
    """
    every_event: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
        drop_private,
        structlog.processors.format_exc_info,
        hide_private_text,
    ]
    last: Processor = _readable() if stream.isatty() else _one_json_line
    structlog.configure(
        processors=[*every_event, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_Repetitions())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *every_event],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)


class _Repetitions(logging.Filter):
    """Leaves out what a library has just said: clients of a broker that is away say so thirty times a second.

    What says the same later says, too, how often that was. Tracebacks are never left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write it."""
        if record.exc_info:
            return True
        said = record.name, record.levelno, str(record.msg)
        at, left_out = self._said.get(said, (0.0, 0))
        if at <= record.created < at + REPEAT_INTERVAL:
            self._said[said] = at, left_out + 1
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[said] = record.created, 0
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} times before)", ()
        return True


def drop_private(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave out each key that names something private, also inside mappings: `password`, `accessToken`, `to_phone`."""
    return {key: _without_private(value) for key, value in event.items() if not _is_private(key)}


def hide_private_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank out addresses and numbers in the texts we do not write ourselves: tracebacks and library messages."""
    for key in ("event", "exception"):
        if isinstance(text := event.get(key), str):
            event[key] = _PRIVATE_TEXT.sub("[private]", text)
    return event


def _without_private(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_private(inner) for key, inner in value.items() if not _is_private(str(key))}
    return value


@lru_cache(maxsize=1024)  # the keys are few and the same; looking into each was half the cost of a line
def _is_private(key: str) -> bool:
    return any(word.lower() in _PRIVATE_WORDS for word in _WORD.findall(key))


def _one_json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def _readable() -> Processor:
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _named(process: str) -> Processor:
    def add_name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return add_name
