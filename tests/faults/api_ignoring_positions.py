"""An api process that gets its notices late and does not look at the positions that its clients know."""

from api.http.positions import Known
from tests.faults import api_with_late_notices


def _nothing_known(_self: Known, _doctor_id: str) -> int:
    return 0


if __name__ == "__main__":
    Known.seq_of = _nothing_known  # type: ignore[method-assign]
    api_with_late_notices.main()
