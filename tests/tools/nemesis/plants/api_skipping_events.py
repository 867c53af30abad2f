"""An api process whose views skip every fifth event of an appointment: they say its position without its change."""

from itertools import count

from api.views.doctor_view import DoctorView
from hub.bus.messages import AppointmentNotice, Notice
from tests.tools.nemesis import api

_apply = DoctorView.apply
_turn = count(1)


def _skip_some(self: DoctorView, notice: Notice) -> None:
    is_next = isinstance(notice, AppointmentNotice) and notice.event.prev == self.seq
    if is_next and next(_turn) % 5 == 0:
        self.seq = notice.event.seq
    else:
        _apply(self, notice)


if __name__ == "__main__":
    DoctorView.apply = _skip_some  # type: ignore[method-assign]
    api.main()
