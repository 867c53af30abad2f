"""The board over a socket: a day of several doctors, and every later change of their slots."""

from api.http.problems import Problem
from api.resources.board import board_doctors
from api.sockets.inbound import Board as BoardRequest
from api.sockets.inbound import LeaveBoard
from api.sockets.session import DoctorDay, Session, SessionRegistry
from api.views.board import Board, Boards


class SocketBoards:
    """Shows boards. A client has one at a time."""

    def __init__(self, boards: Boards, sessions: SessionRegistry) -> None:
        self._boards = boards
        self._sessions = sessions

    async def show(self, session: Session, request: BoardRequest) -> Board:
        """Return the board; it replaces the client's last one.

        From now on the client is sent the changes of the slots of these doctors on this day. The events of the
        appointments it is sent anyway: those above the board's position come after the ack, in order and complete.
        Raises `Problem` and `StoreUnavailable`.
        """
        doctor_ids = board_doctors(session.identity, request.doctor_id)
        known = dict(request.since or {})
        while True:
            board = await self._boards.read(request.date, doctor_ids, known)
            if board is None:
                raise Problem("not_found", "There is no such doctor.")
            new = [day.doctor_id for day in board.days if (day.doctor_id, None) not in session.subscriptions]
            if not new:
                break
            # A doctor who has just joined the clinic: all notices after this `seq` are delivered, so read once more.
            for doctor_id in new:
                known[doctor_id] = max(await self._sessions.subscribe(session, doctor_id), known.get(doctor_id, 0))
        # Nothing suspends from here to the ack, so no change comes between the ack and the first event after it.
        days = [(DoctorDay(day.doctor_id, board.date, day.begin, day.end), day.seq) for day in board.days]
        self._sessions.show_board(session, days)
        return board

    def leave(self, session: Session, request: LeaveBoard) -> None:
        """End the client's board of a day; it is no error if there is none."""
        if any(watch.day.date == request.date for watch in session.board):
            self._sessions.leave_board(session)
