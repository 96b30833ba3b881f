"""Measure launch + wait of an empty inter-op task on the installed wheel, by who runs it.

Run with the Python of an environment that has a wheel: `python bench/interop.py`. Medians, microseconds. With --json,
as bench/parallel.py runs it, one round and nothing but its result.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys

import threadwheel as tw

GOALS_US = {"waiter": 1.0, "spinning": 3.0, "parked": 10.0}
ROUNDS, REPETITIONS = 5, 2000


def launch_us(by: str) -> float:
    return float(tw._core._testing.launch_ns(by, REPETITIONS) / 1e3)


def main() -> None:
    tw.set_num_interop_threads(1)
    if "--json" in sys.argv[1:]:
        print(json.dumps({f"{by}_us": launch_us(by) for by in GOALS_US}))
        return
    build = tw.__config__.build_info()
    print(f"threadwheel {build['version']}, {build['label']}, {platform.machine()}, median of {ROUNDS} rounds")
    for by, goal in GOALS_US.items():
        rounds = [launch_us(by) for _ in range(ROUNDS)]
        print(
            f"run by {by:<9} {statistics.median(rounds):7.2f} us   (goal {goal:g}, rounds {min(rounds):.2f} to {max(rounds):.2f})"
        )


if __name__ == "__main__":
    main()
