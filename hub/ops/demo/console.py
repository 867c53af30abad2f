"""The output of the demo: with colours and a progress bar on a terminal, else as plain lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from hub.client.wire import AppointmentEvent, DoctorCard
from hub.scheduling.schedule import zone

_STYLES = {
    "booked": "green",
    "confirmed": "cyan",
    "cancelled": "red",
    "completed": "blue",
    "rescheduled": "yellow",
    "no_show": "magenta",
    "reminded": "magenta",
    "checked_in": "green",
    "called_in": "cyan",
    "visit_undone": "yellow",
}
_QUARTERS = 4


class Screen:
    """Writes to a console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, line: str, style: str = "") -> None:
        """Print a line."""
        self.console.print(Text(line, style=style), soft_wrap=True)

    def event(self, received_at: datetime, doctor: DoctorCard, event: AppointmentEvent, patient: str) -> None:
        """Print an event as its doctor's dashboard received it, with the slot in the doctor's time zone."""
        start = event.appointment.start.astimezone(zone(doctor.zone))
        line = Text.assemble(
            (f"{received_at:%H:%M:%S}.{received_at.microsecond // 1000:03d}  ", "dim"),
            f"{doctor.name:<22} ",
            (f"{event.type:<12}", _STYLES.get(event.type, "")),
            f"{start:%a %d %b %H:%M}  {patient:<22} ",
            (f"seq {event.seq}", "dim"),
        )
        self.console.print(line, soft_wrap=True)

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        """Show the progress of `total` steps; call the function that this gives after each step."""
        if not self.console.is_terminal:
            yield self._plain_progress(title, total)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda: bar.advance(task)

    def _plain_progress(self, title: str, total: int) -> Callable[[], None]:
        """Return a function that prints a line after each quarter of the steps."""
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            if done * _QUARTERS // total > (done - 1) * _QUARTERS // total:
                self.say(f"{title}: {done} of {total}")

        return step
