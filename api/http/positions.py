"""Positions: the last event of a doctor that a client knows, so that no later answer is from before it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from hub.scheduling.values import Value

POSITION = "Position"
"""The header of answers. For several doctors, the positions are separated by commas."""


class Known(Value):
    """The positions that the client knows, as `Position` headers of earlier answers said them: `doctorId=seq, …`.

    The answer is never from before any of them.
    """

    if_position: (
        Annotated[
            str,
            Field(max_length=8000, pattern=r"^[A-Za-z0-9_-]{1,64}=\d{1,15}( *, *[A-Za-z0-9_-]{1,64}=\d{1,15})*$"),
        ]
        | None
    ) = Field(default=None, alias="If-Position")

    def seq_of(self, doctor_id: str) -> int:
        """Return the last event of the doctor that the client knows, 0 for none."""
        return self.positions.get(doctor_id, 0)

    @property
    def positions(self) -> Mapping[str, int]:
        """The last event of each doctor that the client knows."""
        pairs = (each.strip().partition("=") for each in (self.if_position or "").split(",") if each)
        return {doctor_id: int(seq) for doctor_id, _, seq in pairs}


def position_header(positions: Mapping[str, int]) -> dict[str, str]:
    """Return the header with these positions; none for no doctor."""
    return {POSITION: ", ".join(f"{id_}={seq}" for id_, seq in positions.items())} if positions else {}
