"""The guide's pictures: throughput and OS threads over the number of callers, of the release wheels and PyTorch.

Run through `python3 noxfile.py -s guide-figures`, four minutes on a quiet machine: it writes docs/pictures/*.csv, and
draws what is in these. `--draw` draws alone.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import environments
from environments import TORCH, output, say
from figures import ROOT, machine
from parallel import CORES, Lab

PICTURES = ROOT / "docs" / "pictures"
CALLERS = (1, 2, 4, 8, 16)
MODEL, NUM_ROUNDS = "mobilenetv2", 3
WORKER = ROOT / "bench" / "model_worker.py"
# Middle tones, for pages that are light and pages that are dark; markers of different sizes, for lines that coincide.
STYLES = {
    "omp": {"color": "#3b82f6", "marker": "o", "markersize": 4},
    "tbb": {"color": "#e07b20", "marker": "s", "markersize": 8, "fillstyle": "none"},
    "native": {"color": "#22a06b", "marker": "x", "markersize": 6},
    "torch": {"color": "#9a6dd7", "marker": "v", "markersize": 5, "linestyle": "--"},
}
INK = "#808890"
COUNTED = {"loops": "loops", "model": "requests"}


@dataclass(frozen=True)
class Row:
    """A median of the rounds; `threads` is the most that the process had, without its main thread."""

    contender: str
    callers: int
    per_s: float
    threads: int


@dataclass(frozen=True)
class Chart:
    """A picture, and how one contender is measured with so many callers."""

    name: str
    measure: Callable[[str, int], tuple[float, float]]

    def rows(self) -> Iterator[Row]:
        """Every contender once a round, so that a change of the machine's speed meets all."""
        found: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for number in range(NUM_ROUNDS):
            say(f"{self.name}: round {number + 1} of {NUM_ROUNDS}")
            for callers in CALLERS:
                for contender in STYLES:
                    found.setdefault((contender, callers), []).append(self.measure(contender, callers))
        for (contender, callers), results in sorted(found.items()):
            per_s, threads = zip(*results, strict=True)
            yield Row(contender, callers, round(statistics.median(per_s), 1), int(max(threads)))


def loops(lab: Lab) -> Callable[[str, int], tuple[float, float]]:
    programs = {"torch": lab.torch()} | {name: lab.wheel(name) for name in lab.wheels}

    def measure(contender: str, callers: int) -> tuple[float, float]:
        result = programs[contender].run("server", threads=CORES, callers=callers, seconds=0.3)
        return result["regions_per_s"], result["peak_threads"]

    return measure


def model(folder: Path) -> Callable[[str, int], tuple[float, float]]:
    output([environments.python("torch"), WORKER, "make", folder, MODEL])

    def measure(contender: str, callers: int) -> tuple[float, float]:
        command = [environments.python(contender), WORKER, "serve", contender, folder / f"{MODEL}.pt", str(callers)]
        result = json.loads(output([*command, "0.6"]))
        return result["requests_per_s"], result["threads"]

    return measure


def write(chart: Chart) -> None:
    versions = f"{TORCH}, threadwheel at commit {output(['git', '-C', ROOT, 'rev-parse', '--short', 'HEAD']).strip()}"
    before = os.getloadavg()[0]
    rows = list(chart.rows())
    load = f"load average {before:.2f} before and {os.getloadavg()[0]:.2f} after"
    with (PICTURES / f"{chart.name}.csv").open("w", newline="") as file:
        file.write(f"# {time.strftime('%Y-%m-%d')}, {machine()}; {versions}; {load}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Row))
        writer.writerows(map(astuple, rows))


def read(name: str) -> list[Row]:
    with (PICTURES / f"{name}.csv").open(newline="") as file:
        lines = csv.reader(line for line in file if not line.startswith("#"))
        next(lines)
        return [
            Row(contender, int(callers), float(per_s), int(threads)) for contender, callers, per_s, threads in lines
        ]


def draw(name: str, counted: str) -> None:
    import matplotlib

    matplotlib.use("svg")
    # Text stays text, and the same numbers make the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"})
    for role in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"):
        matplotlib.rcParams[role] = INK
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    rows = read(name)
    for axis, title, field in zip(axes, (f"{counted} a second", "threads"), ("per_s", "threads"), strict=True):
        for contender, style in STYLES.items():
            points = [(row.callers, getattr(row, field)) for row in rows if row.contender == contender]
            axis.plot(*zip(*sorted(points), strict=True), label=contender, **style)
        axis.set_xscale("log", base=2)
        axis.set_xticks(CALLERS, map(str, CALLERS))
        axis.set(title=title, xlabel="callers", ylim=(0, None), facecolor="none")
        axis.grid(color=INK, alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    figure.savefig(PICTURES / f"{name}.svg", transparent=True, metadata={"Date": None})


def measure_all() -> None:
    lab = Lab(environments.release_wheels(), quick=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, measure in (("loops", loops(lab)), ("model", model(Path(folder)))):
            write(Chart(name, measure))


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    if "--draw" not in sys.argv[1:]:
        measure_all()
    for name, what in COUNTED.items():
        draw(name, what)


if __name__ == "__main__":
    main()
