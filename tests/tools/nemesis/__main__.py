"""`python -m tests.tools.nemesis`: run the scenario of a seed and judge it. Exits with 1 when a promise was broken."""

import argparse
import asyncio
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson

from hub.ops.local.broker import session_timeout
from tests.stack import BROKER
from tests.tools.nemesis.coverage import required_coverage
from tests.tools.nemesis.evidence import Evidence, write_evidence
from tests.tools.nemesis.report import lines, summary
from tests.tools.nemesis.run import Plan, play
from tests.tools.nemesis.scenario import scenario
from tests.tools.nemesis.verdict import Patience, Ruling, rule

_LONG = 300.0
"""Runs of at least this many seconds use a slower clock, and wait until the result of every text is known."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code."""
    asked = _parsed(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs an error for every killed broker
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="clinic-faults-")) if asked.folder is None else asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    seconds = asked.minutes * 60
    faults = scenario(asked.seed, seconds, asked.broker, session_timeout(asked.broker))
    long = seconds >= _LONG
    plan = Plan(
        asked.seed,
        seconds,
        faults,
        asked.broker,
        secured=asked.secured,
        rate=30.0 if long else 120.0,
        settled_within=160.0 if long else 0.0,
    )
    kind = f"{'secured ' * asked.secured}{asked.broker}"
    _say(f"seed {asked.seed}, {len(faults)} faults in {asked.minutes:g} minutes, {kind} broker, folder {folder}")
    evidence = asyncio.run(play(folder, plan, _say))
    ruling = rule(evidence, Patience(), required_coverage(seconds))
    for line in lines(evidence, ruling):
        _say(line)
    _keep(asked, folder, evidence, ruling)
    return 0 if ruling.kept else 1


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    # Chosen here and printed, so that a run without --seed can be repeated.
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=1.25)
    parser.add_argument("--broker", choices=("embedded", "kafka"), default=BROKER)
    parser.add_argument("--secured", action="store_true", help="Apache Kafka with TLS, log-in and rights")
    parser.add_argument("--folder", type=Path, help="where histories, report and logs are kept; else only on failure")
    asked = parser.parse_args(arguments)
    if asked.secured and asked.broker != "kafka":
        parser.error("--secured needs --broker kafka")
    return asked


def _keep(asked: argparse.Namespace, folder: Path, evidence: Evidence, ruling: Ruling) -> None:
    if ruling.kept and asked.folder is None:
        shutil.rmtree(folder)
        _say(f"All promises kept. Play it again with --seed {asked.seed}.")
        return
    write_evidence(evidence, folder / "histories")
    report = {"seed": asked.seed, "minutes": asked.minutes, "broker": asked.broker, **summary(evidence, ruling)}
    (folder / "report.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    said = "All promises kept" if ruling.kept else "NOT KEPT"
    _say(f"{said}. Seed {asked.seed}; histories, report and logs are in {folder}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # for the person who runs it


if __name__ == "__main__":
    sys.exit(main())
