"""`make bench`, with options by ARGS: `make bench ARGS="--quick"`."""

import argparse
import gc
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, get_args

import uvloop

from hub.clock import system_clock
from hub.ops.local.broker import Kind
from hub.ops.local.process import StartFailed
from tests.tools.bench import machine, report, scenarios
from tests.tools.bench.figures import OTHERS, Figures
from tests.tools.bench.rival_subject import rival_under_measurement
from tests.tools.bench.scenarios import Scenario
from tests.tools.bench.service import Service, WrongAnswers
from tests.tools.bench.subject import Hub, under_measurement

Side = Literal["hub", "rival"]

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
        if _is_named(options.only, scenario.name) and (options.only or not scenario.on_request)
        if scenario.rival or not options.rival
    ]
    usable = machine.cores()
    runs: dict[Side, dict[str, list[Figures]]] = {"hub": {}, "rival": {}}
    wrong = uvloop.run(_measure(chosen, options, usable, runs))
    ours, rival = runs["hub"], runs["rival"]
    about = machine.describe(options.broker, options.mongodb)
    result = {"taken_at": system_clock().isoformat(), "machine": about, "seconds": options.seconds, "runs": ours}
    if options.rival:
        result |= {"rival": rival, "rival_writes": options.rival}
    _say(f"taken at: {result['taken_at']}", *(f"{what}: {value}" for what, value in about.items()))
    if rival:
        _say("", "Beside the rival (a ratio above 1: the hub is better):", "", report.ratios(ours, rival))
    _say("", report.tables(ours))
    if rival:
        _say("", "The rival:", "", report.tables(rival))
    if (others := max(map(_others, runs.values()))) > machine.BUSY and not options.mongodb:
        _say("", f"Other programs took up to {others:.1f} cores meanwhile: the CPU time says more than the speed.")
    if earlier:
        _say(
            "", f"Against {options.against} ({earlier['machine']['commit']}):", report.comparison(ours, earlier["runs"])
        )
    _say("", f"Written to {_write(result)}")
    if wrong:
        sys.exit(f"The rest was not measured: {wrong}")


async def _measure(
    chosen: Sequence[Scenario],
    options: argparse.Namespace,
    usable: Sequence[int],
    runs: Mapping[Side, dict[str, list[Figures]]],
) -> Exception | None:
    """Run every scenario once in each round. Each round has new hubs, so that no run is affected by an earlier one.

    With the rival, both are measured in turn, and another one begins in each round: the speed of the machine varies.
    Fills `runs`; returns why it ended early, if it did.
    """
    sides: tuple[Side, ...] = ("hub", "rival") if options.rival else ("hub",)
    try:
        for number in range(1, options.rounds + 1):
            for hub, of_hub in groupby(chosen, key=lambda scenario: scenario.hub):
                scenarios_of_hub = list(of_hub)
                for side in sides if number % 2 else reversed(sides):
                    async with _started(side, options, usable, hub) as service:
                        await scenarios.warm_up(service, _WARM_UP[options.broker])
                        for scenario in scenarios_of_hub:
                            await service.at_rest()
                            await machine.until_idle(options.wait_idle)
                            gc.collect()  # now, not while the clock runs
                            runs[side].setdefault(scenario.name, []).append(
                                await scenario.run(service, options.seconds)
                            )
                            _say(f"round {number} of {options.rounds}: {side}: {scenario.name}")
    except (WrongAnswers, StartFailed) as error:
        return error
    return None


def _started(
    side: Side, options: argparse.Namespace, usable: Sequence[int], hub: Hub
) -> AbstractAsyncContextManager[Service]:
    if side == "rival":
        return rival_under_measurement(usable, options.mongodb, hub, journal=options.rival == "journaled")
    return under_measurement(usable, options.broker, options.mongodb, hub)


def _is_named(only: str, name: str) -> bool:
    return any(text in name for text in only.split("|"))


def _others(runs: report.Runs) -> float:
    """Return the largest number of cores that other programs used during a run."""
    return max((run.get(OTHERS, 0.0) for of_scenario in runs.values() for run in of_scenario), default=0.0)


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
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only scenarios whose name holds this text, or one of several: A|B"
    )
    parser.add_argument(
        "--rival",
        nargs="?",
        choices=("default", "journaled"),
        const="default",
        help="measure in turn with a plain FastAPI service; journaled: its writes wait for the journal as the hub's do",
    )
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with these earlier figures")
    options = parser.parse_args()
    names = [scenario.name for scenario in scenarios.ALL if scenario.rival or not options.rival]
    if not any(_is_named(options.only, name) for name in names):
        parser.error(f"no scenario is called so; there are: {', '.join(names)}")
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
