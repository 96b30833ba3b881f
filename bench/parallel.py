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
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from figures import BUILDER, ROOT, machine

TORCH = "torch==2.13.0"
HOME = ROOT / "build" / "bench"
RESULTS = ROOT / "bench" / "results" / "parallel.md"
CORES = os.cpu_count() or 1
CALLERS = TEAM = 8
ACTIVE, PASSIVE = {"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "passive"}
NO_SPIN = {"GOMP_SPINCOUNT": "0"}

Result = dict[str, float]
Series = dict["Contender", list[Result]]


def say(text: str) -> None:
    print(f"parallel.py: {text}", file=sys.stderr, flush=True)


def output(command: Sequence[str | Path], **variables: str) -> str:
    """What the command prints; its environment says nothing about threads but what is given."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" and not k.startswith(("OMP_", "MKL_", "GOMP_"))}
    done = subprocess.run([str(c) for c in command], env=clean | variables, capture_output=True, text=True, timeout=600)
    if done.returncode:
        sys.exit(
            f"parallel.py: {' '.join(map(str, command))}: ended with {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


@dataclass(frozen=True)
class Contender:
    """A program with the environment and the arguments of one setting."""

    name: str
    setting: str
    program: Path
    environment: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...] = ()

    def run(self, measure: str, **arguments: float) -> Result:
        words = [f"{name}={value}" for name, value in arguments.items()]
        count = str(int(arguments.get("threads", 2)))
        variables = {"OMP_NUM_THREADS": count} | dict(self.environment)
        result: Result = json.loads(output([self.program, measure, *self.arguments, *words], **variables))
        return result

    def __str__(self) -> str:
        return f"{self.name}, {self.setting}"


# --- the environments and programs -----------------------------------------------------------------


class Lab:
    """Fresh environments of the wheels and of torch, the built programs, and how long and how often they run."""

    def __init__(self, wheels: Mapping[str, Path], quick: bool) -> None:
        self.wheels = wheels
        self.num_rounds, self.seconds = (3, 0.1) if quick else (11, 0.5)
        for name, wheel in wheels.items():
            self._environment(name, wheel, "numpy")
        self._environment("torch", TORCH, "numpy")
        self._build()

    def _environment(self, name: str, *packages: str | Path) -> None:
        """Make an environment, unless the one of the last run holds the same files."""
        wanted = "\n".join(f"{p} {p.stat().st_mtime_ns if isinstance(p, Path) else ''}" for p in packages)
        stamp = HOME / name / "packages.txt"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        say(f"environment of {name}")
        output([sys.executable, "-m", "venv", "--clear", HOME / name])
        pip: list[str | Path] = [self.python(name), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        output([*pip, "install", *packages])
        stamp.write_text(wanted)

    def _build(self) -> None:
        say("building the programs")
        folder, source = HOME / "programs", ROOT / "bench" / "native"
        prefix: list[str | Path] = [
            self.python("native"),
            "-c",
            "import threadwheel.utils as u; print(u.cmake_prefix_path)",
        ]
        prefixes, torch = f"{output(prefix).strip()};{sys.prefix}", self.package("torch", "torch")
        options = [
            "-G",
            "Ninja",
            "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_PREFIX_PATH={prefixes}",
            f"-DTORCH_PREFIX={torch}",
        ]
        output(["cmake", "--fresh", "-S", str(source), "-B", str(folder), *options])
        output(["cmake", "--build", folder])

    def python(self, environment: str) -> Path:
        return HOME / environment / "bin" / "python"

    def package(self, environment: str, name: str) -> Path:
        """Where a package is installed; without importing it, which takes seconds for torch."""
        code = f"import importlib.util as u; print(u.find_spec('{name}').submodule_search_locations[0])"
        return Path(output([self.python(environment), "-c", code]).strip())

    def version(self, environment: str, distribution: str) -> str:
        code = f"import importlib.metadata as m; print(m.version('{distribution}'))"
        return output([self.python(environment), "-c", code]).strip()

    def _contender(self, name: str, program: str, library: Path | None, variables: Mapping[str, str], **arguments: str) -> Contender:  # fmt: skip
        settings = {**variables, **arguments}
        setting = " ".join(f"{k}={v}" for k, v in settings.items()) or "default"
        path = {"LD_LIBRARY_PATH": str(library)} if library else {}
        words = tuple(f"{k}={v}" for k, v in arguments.items())
        return Contender(name, setting, HOME / "programs" / program, tuple({**path, **variables}.items()), words)

    def wheel(self, name: str, variables: Mapping[str, str] | None = None) -> Contender:
        library = self.package(name, "threadwheel") / "lib"
        return self._contender(f"threadwheel {name}", "threadwheel_bench", library, variables or {})

    def all_wheels(self) -> list[Contender]:
        return [self.wheel(name) for name in self.wheels]

    def openmp(self, variables: Mapping[str, str] | None = None) -> Contender:
        return self._contender("libgomp", "raw_omp", None, variables or {})

    def tbb(self, **arguments: str) -> Contender:
        """The library is the one that the TBB wheel runs with."""
        return self._contender("oneTBB", "raw_tbb", HOME / "tbb" / "lib", {}, **arguments)

    def torch(self, variables: Mapping[str, str] | None = None) -> Contender:
        library = self.package("torch", "torch") / "lib"
        return self._contender("torch", "torch", library, variables or {})

    def rounds(self, contenders: Sequence[Contender], *measures: str, **arguments: float) -> Series:
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
        named = {Contender(name, "default", Path(), ()): command for name, command in commands.items()}
        series: Series = {contender: [] for contender in named}
        for number in range(self.num_rounds):
            say(f"{Path(next(iter(commands.values()))[1]).name}: round {number + 1} of {self.num_rounds}")
            for contender, command in named.items():
                series[contender].append(json.loads(output(command)))
        return series


# --- goals and tables ------------------------------------------------------------------------------


def middle(series: Series, contender: Contender, field: str) -> float:
    return statistics.median(result[field] for result in series[contender])


def best(series: Series, name: str, field: str, largest: bool = False) -> Contender:
    """The setting at which a peer does best."""
    settings = [contender for contender in series if contender.name == name]
    return (max if largest else min)(settings, key=lambda contender: middle(series, contender, field))


@dataclass(frozen=True)
class Goal:
    """A bound on a field of one contender, or on its ratio to a peer's in the same round."""

    contender: Contender
    field: str
    bound: float
    peer: Contender | None = None
    at_least: bool = False

    def text(self) -> str:
        bound = f"{self.field} {'>=' if self.at_least else '<='} {self.bound:g}"
        return f"{bound} x {self.peer}" if self.peer else bound

    def measured(self, series: Series) -> list[float]:
        own = [result[self.field] for result in series[self.contender]]
        if self.peer is None:
            return own
        return [a / b[self.field] for a, b in zip(own, series[self.peer], strict=True)]

    def row(self, series: Series) -> list[str]:
        values = self.measured(series)
        value = statistics.median(values)
        holds = value >= self.bound if self.at_least else value <= self.bound
        return [self.text(), f"{value:.3g} ({min(values):.3g} to {max(values):.3g})", "yes" if holds else "**no**"]


@dataclass(frozen=True)
class Figure:
    title: str
    series: Series
    goals: list[Goal]

    def fields(self) -> list[str]:
        return list(dict.fromkeys(field for results in self.series.values() for field in results[0]))

    def markdown(self) -> str:
        fields = self.fields()
        header = ["contender", "setting", *fields, "goal", "measured", "holds"]
        lines = [f"## {self.title}", "", f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
        for contender, results in self.series.items():
            cells = [f"{middle(self.series, contender, f):.4g}" if f in results[0] else "" for f in fields]
            row = [contender.name, contender.setting, *cells]
            goals = [goal.row(self.series) for goal in self.goals if goal.contender == contender]
            for goal in goals or [["", "", ""]]:
                lines.append(f"| {' | '.join([*row, *goal])} |")
                row = [""] * len(row)
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        series = {str(contender): results for contender, results in self.series.items()}
        return {"title": self.title, "series": series, "goals": [[str(g.contender), *g.row(self.series)] for g in self.goals]}  # fmt: skip


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
    commands: dict[str, list[str | Path]] = {f"threadwheel {name}": [lab.python(name), ROOT / "bench" / "interop.py", "--json"] for name in lab.wheels}  # fmt: skip
    series = lab.scripts(commands)
    goals = [Goal(c, f"{by}_us", us) for c in list(series) for by, us in (("waiter", 1), ("spinning", 3), ("parked", 10))]  # fmt: skip
    for peer, what in (
        (lab.openmp(), "std::async"),
        (lab.tbb(), "oneTBB task_group"),
        (lab.torch(), "torch at::launch"),
    ):
        runs = [lab.rounds([peer], "launch", threads=CORES, pause_ms=pause)[peer] for pause in (0, 1)]
        named = Contender(what, "default", Path(), ())
        series[named] = [{"spinning_us": a["us"], "parked_us": b["us"]} for a, b in zip(*runs, strict=True)]
    return [Figure("launch + wait of an empty task", series, goals)]


def add(lab: Lab) -> list[Figure]:
    script, library = ROOT / "bench" / "add.py", HOME / "programs" / "libplain_add.so"
    environments = {**{f"threadwheel {name}": name for name in lab.wheels}, "torch": "torch"}
    seconds = str(2 * lab.seconds)
    commands: dict[str, list[str | Path]] = {
        name: [lab.python(where), script, name.split()[0], library, str(CORES), seconds]
        for name, where in environments.items()
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


def release_wheels() -> dict[str, Path]:
    command = [sys.executable, "-m", "threadwheel_build", "wheel", "--show", "--json", "omp", "tbb", "native"]
    shown = subprocess.run(command, cwd=ROOT, env=BUILDER, check=True, capture_output=True, text=True).stdout
    return {stamp["variant"]: Path(stamp["wheel"]) for stamp in json.loads(shown)}


def heading(lab: Lab, load_before: float) -> str:
    revision = output(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"]).strip()
    changed = " with changes" if output(["git", "-C", ROOT, "status", "--porcelain", "--", ":!bench/results"]) else ""
    versions = f"torch {lab.version('torch', 'torch')}, oneTBB {lab.version('tbb', 'tbb')}"
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
    lab = Lab(release_wheels(), arguments.quick)
    figures = [figure for name in arguments.only or MEASURES for figure in MEASURES[name](lab)]
    text = "\n\n".join([heading(lab, load_before), *(figure.markdown() for figure in figures)]) + "\n"
    print(text)
    if not arguments.quick and not arguments.only:
        RESULTS.write_text(text)
    if arguments.json:
        arguments.json.write_text(json.dumps([figure.to_json() for figure in figures], indent=1))


if __name__ == "__main__":
    main()
