"""The figures of the parallel layer: every release wheel beside raw OpenMP, raw oneTBB and PyTorch.

Run through `python3 noxfile.py -s parallel-figures`. Everything is measured in one run and in rounds: a round runs
every contender once, each in a process of its own, and a ratio is the median of the ratios of its rounds, so that a
change of the machine's speed meets both sides. Peers run at their defaults and at other settings; a goal that names a
peer means its best. A full run writes bench/results/parallel.md; --quick and --only print alone. Nothing here fails
a build.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import environments
from environments import HOME, TORCH, output, say
from figures import ROOT, machine
from tables import Contender, Figure, Goal, Result, Series, best

RESULTS = ROOT / "bench" / "results" / "parallel.md"
CORES = os.cpu_count() or 1
CALLERS = TEAM = 8
ACTIVE, PASSIVE = {"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "passive"}
NO_SPIN = {"GOMP_SPINCOUNT": "0"}


@dataclass(frozen=True)
class Program(Contender):
    """A program with the environment and the arguments of one setting."""

    path: Path
    environment: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...] = ()

    def run(self, measure: str, **arguments: float) -> Result:
        words = [f"{name}={value}" for name, value in arguments.items()]
        count = str(int(arguments.get("threads", 2)))
        variables = {"OMP_NUM_THREADS": count} | dict(self.environment)
        result: Result = json.loads(output([self.path, measure, *self.arguments, *words], **variables))
        return result


# --- the environments and programs -----------------------------------------------------------------


class Lab:
    """Fresh environments of the wheels and of torch, the built programs, and how long and how often they run."""

    def __init__(self, wheels: Mapping[str, Path], quick: bool) -> None:
        self.wheels = wheels
        self.num_rounds, self.seconds = (3, 0.1) if quick else (7, 0.5)
        for name, wheel in wheels.items():
            environments.make(name, wheel, "numpy")
        environments.make("torch", TORCH, "numpy")
        self._build()

    def _build(self) -> None:
        say("building the programs")
        folder, source = HOME / "programs", ROOT / "bench" / "native"
        prefix: list[str | Path] = [
            environments.python("native"),
            "-c",
            "import threadwheel.utils as u; print(u.cmake_prefix_path)",
        ]
        prefixes, torch = f"{output(prefix).strip()};{sys.prefix}", environments.package("torch", "torch")
        options = [
            "-G",
            "Ninja",
            "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_PREFIX_PATH={prefixes}",
            f"-DTORCH_PREFIX={torch}",
        ]
        output(["cmake", "--fresh", "-S", str(source), "-B", str(folder), *options])
        output(["cmake", "--build", folder])

    def _program(self, name: str, program: str, library: Path | None, variables: Mapping[str, str], **arguments: str) -> Program:  # fmt: skip
        settings = {**variables, **arguments}
        setting = " ".join(f"{k}={v}" for k, v in settings.items()) or "default"
        path = {"LD_LIBRARY_PATH": str(library)} if library else {}
        words = tuple(f"{k}={v}" for k, v in arguments.items())
        return Program(name, setting, HOME / "programs" / program, tuple({**path, **variables}.items()), words)

    def wheel(self, name: str, variables: Mapping[str, str] | None = None) -> Program:
        library = environments.package(name, "threadwheel") / "lib"
        return self._program(f"threadwheel {name}", "threadwheel_bench", library, variables or {})

    def all_wheels(self) -> list[Program]:
        return [self.wheel(name) for name in self.wheels]

    def openmp(self, variables: Mapping[str, str] | None = None) -> Program:
        return self._program("libgomp", "raw_omp", None, variables or {})

    def tbb(self, **arguments: str) -> Program:
        """The library is the one that the TBB wheel runs with."""
        return self._program("oneTBB", "raw_tbb", HOME / "tbb" / "lib", {}, **arguments)

    def torch(self, variables: Mapping[str, str] | None = None) -> Program:
        library = environments.package("torch", "torch") / "lib"
        return self._program("torch", "torch", library, variables or {})

    def rounds(self, contenders: Sequence[Program], *measures: str, **arguments: float) -> Series:
        """Every contender once in each round; every other round backwards, so that none always follows the same."""
        series: Series = {contender: [] for contender in contenders}
        for number in range(self.num_rounds):
            say(f"{' + '.join(measures)}{' ' + str(arguments) if arguments else ''}: round {number + 1} of {self.num_rounds}")  # fmt: skip
            for contender in contenders[:: -1 if number % 2 else 1]:
                result: Result = {}
                for measure in measures:
                    result |= contender.run(measure, seconds=self.seconds, **arguments)
                series[contender].append(result)
        return series

    def scripts(self, commands: Mapping[str, Sequence[str | Path]]) -> Series:
        """As rounds, of Python programs that print one result as JSON."""
        named = {Contender(name, "default"): command for name, command in commands.items()}
        series: Series = {contender: [] for contender in named}
        for number in range(self.num_rounds):
            say(f"{Path(next(iter(commands.values()))[1]).name}: round {number + 1} of {self.num_rounds}")
            for contender, command in named.items():
                series[contender].append(json.loads(output(command)))
        return series


# --- the measures ----------------------------------------------------------------------------------


def forkjoin(lab: Lab) -> list[Figure]:
    """Regions of two chunks that two threads must share, back to back, and after pauses."""
    figures = []
    omp, omp_active, tbb, native = lab.wheel("omp"), lab.wheel("omp", ACTIVE), lab.wheel("tbb"), lab.wheel("native")
    gomp, gomp_active = lab.openmp(), lab.openmp(ACTIVE)
    peers = [gomp, gomp_active, lab.openmp(PASSIVE), *(lab.tbb(partitioner=p) for p in ("auto", "simple", "static"))]
    contenders = [omp, omp_active, tbb, native, *peers, lab.torch(), lab.torch(ACTIVE)]
    for title, pause_ms in (("back to back", 0), ("from parked, after 5 ms", 5)):
        series = lab.rounds(contenders, "forkjoin", threads=2, pause_ms=pause_ms)
        goals = [
            Goal(omp, "us", 1.15, gomp),
            Goal(omp_active, "us", 1.15, gomp_active),
            Goal(tbb, "us", 1.15, best(series, "oneTBB", "us")),
            Goal(native, "us", 10) if pause_ms else Goal(native, "us", 1, best(series, "libgomp", "us")),
        ]
        figures.append(Figure(f"An empty region that two threads take part in, {title}", series, goals))
    return figures


def server(lab: Lab) -> list[Figure]:
    """Many application threads that run loops at once."""
    figures = []
    for team, more in ((TEAM, 2.0), (CORES, 1.1)):
        wheels = lab.all_wheels()
        peers = [*map(lab.openmp, ({}, ACTIVE, PASSIVE, NO_SPIN)), *map(lab.torch, ({}, PASSIVE, NO_SPIN))]
        tbbs = [lab.tbb(), lab.tbb(partitioner="static", arena="shared")]
        series = lab.rounds([*wheels, *peers, *tbbs], "server", threads=team, callers=CALLERS)
        goals = []
        for wheel in wheels:
            for name in ("libgomp", "torch"):
                peer = best(series, name, "regions_per_s", largest=True)
                goals.append(Goal(wheel, "regions_per_s", more, peer, at_least=True))
                if team == TEAM:
                    goals.append(Goal(wheel, "cpu_us_per_region", 0.5, peer))
            extra = 2 * team if wheel.name.endswith("omp") else 2
            goals.append(Goal(wheel, "peak_threads", CORES + CALLERS + extra))
        title = f"{CALLERS} application threads with loops of 60k elements, teams of {team}"
        figures.append(Figure(title, series, goals))
    return figures


def idle(lab: Lab) -> list[Figure]:
    """What threads without work cost."""
    wheels = [*lab.all_wheels(), lab.wheel("omp", PASSIVE)]
    peers = [*map(lab.openmp, ({}, ACTIVE, PASSIVE)), lab.tbb(), *map(lab.torch, ({}, PASSIVE))]
    series = lab.rounds([*wheels, *peers], "idle", "pauses", threads=CORES)
    goals = [Goal(wheel, "idle_percent", 1) for wheel in wheels]
    goals += [Goal(wheel, "cpu_ratio", 2) for wheel in wheels if not wheel.name.endswith("omp")]
    return [Figure("CPU use 100 ms after the last region, and of loops with 2 ms pauses over serial ones", series, goals)]  # fmt: skip


def grain(lab: Lab) -> list[Figure]:
    wheels = lab.all_wheels()
    series = lab.rounds([*wheels, lab.torch()], "grain", threads=CORES)
    return [Figure("A parallel_for below its grain, over a plain loop", series, [Goal(w, "ns", 3) for w in wheels])]


def launch(lab: Lab) -> list[Figure]:
    """Inter-op tasks; the peers' by whoever runs them."""
    commands: dict[str, list[str | Path]] = {f"threadwheel {name}": [environments.python(name), ROOT / "bench" / "interop.py", "--json"] for name in lab.wheels}  # fmt: skip
    series = lab.scripts(commands)
    goals = [Goal(c, f"{by}_us", us) for c in list(series) for by, us in (("waiter", 1), ("spinning", 3), ("parked", 10))]  # fmt: skip
    for peer, what in (
        (lab.openmp(), "std::async"),
        (lab.tbb(), "oneTBB task_group"),
        (lab.torch(), "torch at::launch"),
    ):
        runs = [lab.rounds([peer], "launch", threads=CORES, pause_ms=pause)[peer] for pause in (0, 1)]
        named = Contender(what, "default")
        series[named] = [{"spinning_us": a["us"], "parked_us": b["us"]} for a, b in zip(*runs, strict=True)]
    return [Figure("launch + wait of an empty task", series, goals)]


def add(lab: Lab) -> list[Figure]:
    script, library = ROOT / "bench" / "add.py", HOME / "programs" / "libplain_add.so"
    where = {**{f"threadwheel {name}": name for name in lab.wheels}, "torch": "torch"}
    seconds = str(2 * lab.seconds)
    commands: dict[str, list[str | Path]] = {
        name: [environments.python(place), script, name.split()[0], library, str(CORES), seconds]
        for name, place in where.items()
    }
    series = lab.scripts(commands)
    # threadwheel's stores are ordinary ones, so its measure is the loop that has those too.
    goals = [Goal(c, "of_ordinary", 0.9, at_least=True) for c in series if c.name != "torch"]
    return [Figure("add(a, b, out=c) of 64 MB operands, as a fraction of the speed of plain loops", series, goals)]


def reduce(lab: Lab) -> list[Figure]:
    wheels = lab.all_wheels()
    series = lab.rounds(wheels, "reduce", threads=2)
    goals = [Goal(wheel, "speedup", 1.5, at_least=True) for wheel in wheels]
    return [Figure("Deterministic parallel_reduce over 16M floats, 2 threads beside 1", series, goals)]


MEASURES: dict[str, Callable[[Lab], list[Figure]]] = {
    measure.__name__: measure for measure in (forkjoin, server, idle, grain, launch, add, reduce)
}


def heading(lab: Lab, load_before: float) -> str:
    revision = output(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"]).strip()
    changed = " with changes" if output(["git", "-C", ROOT, "status", "--porcelain", "--", ":!bench/results"]) else ""
    versions = f"torch {environments.version('torch', 'torch')}, oneTBB {environments.version('tbb', 'tbb')}"
    compiler = output(["c++", "--version"]).partition("\n")[0]
    return (
        f"# The parallel layer beside raw runtimes and PyTorch\n\n"
        f"Made by `python3 noxfile.py -s parallel-figures` on {time.strftime('%Y-%m-%d')} at commit {revision}{changed}, on\n"
        f"{machine()},\n{compiler}, libgomp of that compiler, {versions};\n"
        f"load average {load_before:.2f} before and {os.getloadavg()[0]:.2f} after. Medians of\n"
        f"{lab.num_rounds} rounds of {lab.seconds:g} s; ratios are medians of the ratios of the rounds, in brackets the smallest and the largest."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few and short rounds; not for keeping")
    parser.add_argument("--only", choices=MEASURES, action="append", help="one measure; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every round's results")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    lab = Lab(environments.release_wheels(), arguments.quick)
    figures = [figure for name in arguments.only or MEASURES for figure in MEASURES[name](lab)]
    text = "\n\n".join([heading(lab, load_before), *(figure.markdown() for figure in figures)]) + "\n"
    print(text)
    if not arguments.quick and not arguments.only:
        RESULTS.write_text(text)
    if arguments.json:
        arguments.json.write_text(json.dumps([figure.to_json() for figure in figures], indent=1))


if __name__ == "__main__":
    main()
