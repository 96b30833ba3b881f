"""Measure launch + wait of an empty inter-op task on the installed wheel, by who runs it.

Run with the Python of an environment that has a wheel: `python bench/interop.py`. Medians, microseconds.
"""

from __future__ import annotations

import platform
import statistics

import threadwheel as tw

GOALS_US = {"waiter": 1.0, "spinning": 3.0, "parked": 10.0}
ROUNDS, REPETITIONS = 5, 2000


def main() -> None:
    tw.set_num_interop_threads(1)
    build = tw.__config__.build_info()
    print(f"threadwheel {build['version']}, {build['label']}, {platform.machine()}, median of {ROUNDS} rounds")
    for by, goal in GOALS_US.items():
        rounds = [tw._core._testing.launch_ns(by, REPETITIONS) / 1e3 for _ in range(ROUNDS)]
        print(
            f"run by {by:<9} {statistics.median(rounds):7.2f} us   (goal {goal:g}, rounds {min(rounds):.2f} to {max(rounds):.2f})"
        )


if __name__ == "__main__":
    main()
