"""Whole models, frozen, with the release wheels and beside PyTorch's torch.jit.freeze: the same archives, in one run.

Run through `python3 noxfile.py -s model-figures`. Everything is measured in rounds: a round runs every contender once,
each in a process of its own, and a ratio is the median of the ratios of its rounds, so that a change of the machine's
speed meets both sides. A full run writes bench/results/models.md; --quick and --only print alone. Nothing here fails a
build.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import environments
from environments import TORCH, output, say
from figures import ROOT, machine
from tables import Contender, Figure, Goal, Series

RESULTS = ROOT / "bench" / "results" / "models.md"
ZOO = ROOT / "tests" / "data" / "torchscript" / "zoo"
CORES, CALLERS = os.cpu_count() or 1, 8
WHEELS = ("omp", "tbb")
CONTENDERS = (*WHEELS, "torch")
# How much faster than torch; others are to be as fast, which is a ratio of 0.95 at least.
FASTER = {"resnet50": 1.3, "mobilenetv2": 1.3, "minilm_1x16": 1.3, "minilm_1x128": 1.3}
SERVED = ("resnet50", "mobilenetv2", "mlp_1")


class Lab:
    """Where the archives are, and how long and how often they run."""

    def __init__(self, folder: Path, quick: bool, only: list[str]) -> None:
        self.folder = folder
        self.num_rounds, self.seconds = (1, 0.5) if quick else (3, 1.0)
        for name in WHEELS:
            environments.make(name, environments.release_wheels()[name], "numpy")
        environments.make("torch", TORCH, "numpy")
        output([environments.python("torch"), ROOT / "bench" / "model_worker.py", "make", folder])
        self.names = [path.stem for path in sorted(folder.glob("*.pt")) if not only or path.stem in only]

    def rounds(self, measure: str, path: Path, number: int, setting: str) -> Series:
        say(f"{measure}: {path.name} {number}")
        series: Series = {Contender(name, setting): [] for name in CONTENDERS}
        for _ in range(self.num_rounds):
            for contender, results in series.items():
                worker = [environments.python(contender.name), ROOT / "bench" / "model_worker.py"]
                results.append(
                    json.loads(output([*worker, measure, contender.name, path, str(number), str(self.seconds)]))
                )
        return series

    def weights_mb(self, name: str) -> float:
        return (self.folder / f"{name}.pt").stat().st_size / 2**20


def check_sums(series: Series) -> None:
    """All contenders must have computed the same."""
    sums = {str(contender): results[0].pop("sum") for contender, results in series.items()}
    if max(sums.values()) - min(sums.values()) > 1e-3 * max(sums.values()):
        raise SystemExit(f"models.py: results differ, their sums are {sums}")
    for results in series.values():
        for result in results[1:]:
            result.pop("sum")


def latencies(lab: Lab) -> list[Figure]:
    figures = []
    for threads in (1, 2):
        everything: Series = {}
        goals = []
        for name in lab.names:
            series = lab.rounds("latency", lab.folder / f"{name}.pt", threads, name)
            check_sums(series)
            everything |= series
            peer = Contender("torch", name)
            for ours in series:
                if ours == peer:
                    continue
                goals.append(Goal(ours, "steady_ms", 1 / FASTER.get(name, 0.95), peer))
                goals.append(Goal(ours, "second_over_steady", 1.2))
                goals.append(Goal(ours, "resident_mb", 1.25 * lab.weights_mb(name) + 60))
                if name == "mobilenetv2":
                    goals.append(Goal(ours, "first_ms", 100))
        figures.append(Figure(f"Calls of one frozen model, {threads} thread{'s' * (threads > 1)}", everything, goals))
    return figures


def loading(lab: Lab) -> list[Figure]:
    """Loading of the archives of the tests, each beside torch's; the table has the slowest of them beside torch."""
    series = lab.rounds("loading", ZOO, 0, f"{len(list(ZOO.glob('*.pt')))} archives")
    torch = next(contender for contender in series if contender.name == "torch")
    summed: Series = {}
    for contender, results in series.items():
        summed[contender] = [
            {
                "all_ms": sum(result.values()),
                "most_over_torch": max(ms / peer[name] for name, ms in result.items()),
                "mlp_script_ms": result["mlp_script"],
            }
            for result, peer in zip(results, series[torch], strict=True)
        ]
    goals = [Goal(c, "most_over_torch", 1) for c in summed if c != torch]
    goals += [Goal(c, "mlp_script_ms", 5) for c in summed if c != torch]
    return [Figure("Loading archives", summed, goals)]


def serving(lab: Lab) -> list[Figure]:
    everything: Series = {}
    goals = []
    for name in (name for name in SERVED if name in lab.names):
        series = lab.rounds("serve", lab.folder / f"{name}.pt", CALLERS, name)
        everything |= series
        for ours in series:
            if ours.name == "torch":
                continue
            goals.append(Goal(ours, "requests_per_s", 1.5, Contender("torch", name), at_least=True))
            if ours.name != "omp":
                goals.append(Goal(ours, "threads", CORES + CALLERS + 2))
    return [Figure(f"{CALLERS} threads that call one model, default numbers of threads", everything, goals)]


def heading(lab: Lab, load_before: float) -> str:
    return (
        "# Whole models beside PyTorch\n\n"
        f"Made by `python3 noxfile.py -s model-figures` on {time.strftime('%Y-%m-%d')}, on\n{machine()},\n"
        f"torch {environments.version('torch', 'torch')}; load average {load_before:.2f} before and "
        f"{os.getloadavg()[0]:.2f} after. Medians of {lab.num_rounds} rounds of {lab.seconds:g} s; ratios are medians of\n"
        "the ratios of the rounds, in brackets the smallest and the largest. resident_mb is the whole process, with\n"
        "Python and numpy, after the first call; its bound is the archive's size and a quarter, and 60 MB. numpy has no\n"
        "threads of its own here: they spin for 50 ms after its import."
    )


MEASURES = {measure.__name__: measure for measure in (latencies, loading, serving)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few and short rounds; not for keeping")
    parser.add_argument("--only", choices=MEASURES, action="append", help="one measure; may be repeated")
    parser.add_argument("--model", action="append", default=[], help="one model; may be repeated")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder), arguments.quick, arguments.model)
        figures = [figure for name in arguments.only or MEASURES for figure in MEASURES[name](lab)]
    text = "\n\n".join([heading(lab, load_before), *(figure.markdown() for figure in figures)]) + "\n"
    print(text)
    if not (arguments.quick or arguments.only or arguments.model):
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
