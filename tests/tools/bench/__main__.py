"""`make bench`, with options by ARGS: `make bench ARGS="--quick"`."""

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import uvloop

from hub.clock import system_clock
from hub.ops.local.broker import Kind
from hub.ops.local.process import StartFailed
from tests.tools.bench import machine, report, scenarios
from tests.tools.bench.figures import Figures
from tests.tools.bench.scenarios import Scenario
from tests.tools.bench.subject import WrongAnswers, under_measurement

RESULTS = Path("bench-results")
_WARM_UP: dict[Kind, float] = {"embedded": 2.0, "kafka": 10.0}
"""Seconds. Java compiles Apache Kafka while it runs: at first it needs five times as much CPU time."""


def main() -> None:
    """Measure, then print and write the figures. Exits with 1 when an answer was wrong."""
    options = _options()
    earlier = json.loads(options.against.read_text()) if options.against else None
    chosen = [
        scenario
        for scenario in scenarios.ALL
        if options.only in scenario.name and (options.only or not scenario.on_request)
    ]
    usable = machine.cores()
    runs: dict[str, list[Figures]] = {}
    wrong = uvloop.run(_measure(chosen, options, usable, runs))
    about = machine.describe(options.broker, options.mongodb)
    result = {"taken_at": system_clock().isoformat(), "machine": about, "seconds": options.seconds, "runs": runs}
    _say(*(f"{what}: {value}" for what, value in about.items()))
    _say("", report.tables(runs))
    if (others := _others(runs)) > machine.BUSY and not options.mongodb:
        _say("", f"Other programs took up to {others:.1f} cores meanwhile: the CPU time says more than the speed.")
    if earlier:
        _say(
            "", f"Against {options.against} ({earlier['machine']['commit']}):", report.comparison(runs, earlier["runs"])
        )
    _say("", f"Written to {_write(result)}")
    if wrong:
        sys.exit(f"The rest was not measured: {wrong}")


async def _measure(
    chosen: Sequence[Scenario], options: argparse.Namespace, usable: Sequence[int], runs: dict[str, list[Figures]]
) -> Exception | None:
    """Run every scenario once in each round. Each round has new hubs, so that no run is affected by an earlier one.

    Fills `runs`; returns why it ended early, if it did.
    """
    try:
        for number in range(1, options.rounds + 1):
            for hub, of_hub in groupby(chosen, key=lambda scenario: scenario.hub):
                async with under_measurement(usable, options.broker, options.mongodb, hub) as subject:
                    await scenarios.warm_up(subject, _WARM_UP[options.broker])
                    for scenario in of_hub:
                        await subject.at_rest()
                        await machine.until_idle(options.wait_idle)
                        gc.collect()  # now, not while the clock runs
                        runs.setdefault(scenario.name, []).append(await scenario.run(subject, options.seconds))
                        _say(f"round {number} of {options.rounds}: {scenario.name}")
    except (WrongAnswers, StartFailed) as error:
        return error
    return None


def _others(runs: report.Runs) -> float:
    """Return the largest number of cores that other programs used during a run."""
    return max((run.get(machine.OTHERS, 0.0) for of_scenario in runs.values() for run in of_scenario), default=0.0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.bench", description="Measure what the hub carries, and what that costs."
    )
    parser.add_argument("--quick", action="store_true", help="one short round; says little about the spread")
    parser.add_argument(
        "--broker", choices=get_args(Kind), default="embedded", help="what to measure on (embedded); kafka needs Java"
    )
    parser.add_argument(
        "--mongodb", metavar="URL", help="use databases of our own on this server, dropped afterwards (embedded)"
    )
    parser.add_argument("--rounds", type=int, help="rounds, each on a fresh hub (3)")
    parser.add_argument("--seconds", type=float, help="seconds that each scenario is measured in a round (3)")
    parser.add_argument(
        "--wait-idle", type=float, default=0.0, metavar="SECONDS", help="wait so long for an idle machine (0)"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="only scenarios whose name holds this text")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with these earlier figures")
    options = parser.parse_args()
    if not any(options.only in scenario.name for scenario in scenarios.ALL):
        parser.error(f"no scenario is called so; there are: {', '.join(scenario.name for scenario in scenarios.ALL)}")
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (1.5 if options.quick else 3.0)
    return options


def _write(result: dict[str, Any]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{result['taken_at'][:19].replace(':', '')}.json"
    file.write_text(json.dumps(result, indent=1))
    return file


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
