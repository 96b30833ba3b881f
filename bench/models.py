"""Latency of whole models, frozen, beside PyTorch's torch.jit.freeze: the same archives, in one run.

`python3 bench/models.py PYTHON` takes an interpreter that has torch, numpy and threadwheel. Everything is measured in
rounds: a round runs every contender once, each in a process of its own, and a ratio is the median of the ratios of its
rounds, so that a change of the machine's speed meets both sides. A full run writes bench/results/models.md; --quick and
--only print alone. Nothing here fails a build.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from figures import ROOT, machine

RESULTS = ROOT / "bench" / "results" / "models.md"
CONTENDERS = ("threadwheel", "torch")
# At least so much faster than torch.
GOALS = {"resnet50": 1.3, "mobilenetv2": 1.3, "minilm_1x16": 1.3, "minilm_1x128": 1.3}


# --- in processes of their own ----------------------------------------------------------------------------


def make(folder: Path, only: list[str]) -> None:
    """Write an archive and its inputs for every model."""
    import numpy as np
    import torch
    from peer_models import MODELS, shake

    torch.set_grad_enabled(False)
    for name, (model, inputs) in MODELS.items():
        if only and name not in only:
            continue
        torch.manual_seed(0)
        module, example = shake(model()), inputs()
        torch.jit.save(torch.jit.trace(module, example, check_trace=False), str(folder / f"{name}.pt"))
        np.savez(folder / f"{name}.npz", *(each.numpy() for each in example))


def call_of(contender: str, folder: Path, name: str, threads: int) -> Any:
    """The frozen model with its inputs bound, as a function of nothing that returns an array."""
    import numpy as np

    with np.load(folder / f"{name}.npz") as file:
        arrays = list(file.values())
    if contender == "torch":
        import torch

        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        frozen = torch.jit.freeze(torch.jit.load(str(folder / f"{name}.pt")).eval())
        inputs = [torch.from_numpy(array) for array in arrays]
        return lambda: frozen(*inputs).numpy()
    import threadwheel as tw
    from threadwheel import jit

    tw.set_num_threads(threads)
    frozen = jit.freeze(jit.load(folder / f"{name}.pt"))
    tensors = [tw.from_numpy(array) for array in arrays]
    return lambda: np.asarray(frozen.forward(*tensors))


def measure(contender: str, folder: Path, name: str, threads: int, seconds: float) -> dict[str, float]:
    """Milliseconds of the first two calls, and the median of later ones; the result, summed, to compare."""
    call = call_of(contender, folder, name, threads)

    def timed() -> float:
        started = time.perf_counter()
        call()
        return (time.perf_counter() - started) * 1e3

    first, second = timed(), timed()
    warm = time.perf_counter() + seconds / 4
    while time.perf_counter() < warm:
        call()
    times, end = [timed()], time.perf_counter() + seconds
    while time.perf_counter() < end:
        times.append(timed())
    result = call()
    return {"first": first, "second": second, "steady": statistics.median(times), "sum": float(abs(result).sum())}


# --- the run ----------------------------------------------------------------------------------------------------


class Lab:
    """Where the archives are, who measures, and how long and how often."""

    def __init__(self, python: str, quick: bool) -> None:
        self.python, self.num_rounds, self.seconds = python, 3 if quick else 7, 0.5 if quick else 2.0

    def run(self, *arguments: object) -> str:
        command = [self.python, __file__, *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def rounds(self, folder: Path, name: str, threads: int) -> dict[str, list[dict[str, float]]]:
        series: dict[str, list[dict[str, float]]] = {contender: [] for contender in CONTENDERS}
        for _ in range(self.num_rounds):
            for contender in CONTENDERS:
                text = self.run("--measure", contender, folder, name, threads, self.seconds)
                series[contender].append(json.loads(text))
        ours, theirs = (series[contender][0]["sum"] for contender in CONTENDERS)
        if abs(ours - theirs) > 1e-3 * abs(theirs):
            raise SystemExit(f"models.py: {name}: results sum to {ours} and {theirs}; they must be the same")
        return series


def row(name: str, threads: int, series: dict[str, list[dict[str, float]]]) -> str:
    ours, theirs = (series[contender] for contender in CONTENDERS)
    ratios = sorted(b["steady"] / a["steady"] for a, b in zip(ours, theirs, strict=True))
    goal = GOALS.get(name, 1.0)

    def middle(results: list[dict[str, float]], what: str) -> str:
        return f"{statistics.median(result[what] for result in results):.3g}"

    cells = [
        name,
        str(threads),
        *(middle(ours, what) for what in ("first", "second", "steady")),
        middle(theirs, "steady"),
    ]
    median = statistics.median(ratios)
    verdict = "" if median >= goal else " **missed**"
    cells += [f"{median:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", f">= {goal:g}{verdict}"]
    return f"| {' | '.join(cells)} |"


def heading(lab: Lab, load_before: float) -> str:
    code = "import torch, threadwheel as tw; print(torch.__version__, 'and threadwheel', tw.__version__)"
    versions = subprocess.run([lab.python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    return (
        "# Whole models beside PyTorch\n\n"
        f"Made by `python3 bench/models.py` on {time.strftime('%Y-%m-%d')}, on\n{machine()}, torch {versions};\n"
        f"load average {load_before:.2f} before and {os.getloadavg()[0]:.2f} after. Milliseconds, medians of "
        f"{lab.num_rounds} rounds;\nthe ratio is that of torch.jit.freeze to ours, in brackets the smallest and the largest of the rounds.\n\n"
        "| model | threads | call 1 | call 2 | steady | torch, steady | ratio | wanted |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )


def main() -> None:
    if sys.argv[1:2] == ["--make"]:
        return make(Path(sys.argv[2]), sys.argv[3:])
    if sys.argv[1:2] == ["--measure"]:
        contender, folder, name, threads, seconds = sys.argv[2:]
        return print(json.dumps(measure(contender, Path(folder), name, int(threads), float(seconds))))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("python", help="an interpreter with torch, numpy and threadwheel")
    parser.add_argument("--quick", action="store_true", help="few and short rounds; not for keeping")
    parser.add_argument("--only", action="append", default=[], help="one model; may be repeated")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    lab = Lab(arguments.python, arguments.quick)
    with tempfile.TemporaryDirectory() as folder:
        lab.run("--make", folder, *arguments.only)
        names = [path.stem for path in sorted(Path(folder).glob("*.pt"))]
        rows = [row(name, n, lab.rounds(Path(folder), name, n)) for name in names for n in (1, 2)]
    text = heading(lab, load_before) + "\n".join(rows) + "\n"
    print(text)
    if not arguments.quick and not arguments.only:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
