"""A fault-injection run of 75 seconds. `make faults` runs any scenario for any time."""

from collections import Counter
from pathlib import Path

import pytest

from hub.ops.local.broker import session_timeout
from tests.stack import BROKER
from tests.tools.nemesis.coverage import required_coverage
from tests.tools.nemesis.evidence import write_evidence
from tests.tools.nemesis.report import lines
from tests.tools.nemesis.run import Plan, play
from tests.tools.nemesis.scenario import scenario
from tests.tools.nemesis.verdict import Patience, rule

pytestmark = pytest.mark.stack

SEED, SECONDS = 2, 75.0


async def test_every_promise_is_kept_under_random_combinations_of_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = scenario(SEED, SECONDS, BROKER, session_timeout(BROKER))
    said: list[str] = []
    evidence = await play(tmp_path, Plan(SEED, SECONDS, faults), said.append)
    ruling = rule(evidence, Patience(), required_coverage(SECONDS))
    if not ruling.kept:
        write_evidence(evidence, tmp_path / "histories")
    report = "\n".join([*said, *lines(evidence, ruling)])
    with capsys.disabled():
        print(f"\nseed {SEED}\n{report}")  # noqa: T201  # the one who runs the tests wants to know
    assert ruling.violations == []
    assert ruling.not_happened == []
    assert ruling.lacking == []
    assert len(evidence.injected_faults) == len(faults)
    assert len(Counter(fault.kind for fault in faults)) >= 12
