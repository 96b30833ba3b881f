"""The commands about programs: `run`, `inspect`, `bench` and `ops` of the `threadwheel` command line."""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from threadwheel import _arrays, _core, get_num_threads, jit, set_num_threads
from threadwheel._mistakes import CommandError, blamed_on


def load(path: str) -> jit.ScriptModule:
    with blamed_on():
        return jit.load(path)


def method_of(module: jit.ScriptModule, name: str, option: str = "--method") -> jit.ScriptMethod:
    method = getattr(module, name, None)
    if not isinstance(method, jit.ScriptMethod):
        raise CommandError(f"{option} {name}: there is no such method; choose from {', '.join(methods(module))}")
    return method


def call(method: jit.ScriptMethod, inputs: list[Any]) -> Any:
    with blamed_on():
        return method(*inputs)


def methods(module: jit.ScriptModule) -> list[str]:
    return [name for name in dir(module) if isinstance(getattr(module, name, None), jit.ScriptMethod)]


def submodules(module: jit.ScriptModule, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each attribute that is no submodule, with its name from the root on."""
    for name in dir(module):
        value = getattr(module, name, None)
        if isinstance(value, jit.ScriptModule):
            yield from submodules(value, f"{prefix}{name}.")
        elif not isinstance(value, jit.ScriptMethod):
            yield prefix + name, value


# --- arguments ------------------------------------------------------------------------------------------
def counts(text: str) -> list[int]:
    try:
        return [_core.check_num_threads(int(part)) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no list of counts: {error}; give something like 1,2,4"
        ) from error


def duration(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:  # nan is neither
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds; give something like 0.5")
    return seconds


def output_name(text: str) -> str:
    if not text or text.endswith(".npy"):
        raise argparse.ArgumentTypeError(f"'{text}' is no name for a .npz file; give something like y.npz")
    return text


# --- run --------------------------------------------------------------------------------------------------
def flatten(value: Any, name: str = "output") -> Iterator[tuple[str, Any]]:
    """The leaves of a result, named by where they are: output.0, output.scores."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from flatten(entry, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, entry in enumerate(value):
            yield from flatten(entry, f"{name}.{index}")
    else:
        yield name, value


def describe(value: Any) -> str:
    if isinstance(value, _core.Tensor):
        return f"{value.dtype.name}{list(value.shape)}"
    return repr(value)


def run(options: argparse.Namespace) -> int:
    module = load(options.model)
    method = method_of(module, options.method)
    inputs = [_arrays.read_input(text) for text in options.input]
    if options.output is None:
        milliseconds, leaves = timed_call(method, inputs)
    else:
        with (
            blamed_on(f"--output {options.output}", "name a .npz file that can be written"),
            _arrays.new_file(options.output) as file,
        ):
            milliseconds, leaves = timed_call(method, inputs)
            _arrays.save(file, leaves)
    if options.json:
        print(json.dumps({"ms": milliseconds, "outputs": {name: describe(value) for name, value in leaves.items()}}))
    else:
        for name, value in leaves.items():
            is_widened = options.output is not None and _arrays.is_widened(value)
            print(f"{name}: {describe(value)}{', written as float32' if is_widened else ''}")
        print(f"{method.name}: {milliseconds:.2f} ms", file=sys.stderr)
    return 0


def timed_call(method: jit.ScriptMethod, inputs: list[Any]) -> tuple[float, dict[str, Any]]:
    """The milliseconds that a call took, and the leaves of its result."""
    started = time.perf_counter()
    result = call(method, inputs)
    return (time.perf_counter() - started) * 1e3, dict(flatten(result))


# --- inspect ----------------------------------------------------------------------------------------------
def inspection(path: str) -> dict[str, Any]:
    module = load(path)
    archive = _core.read_archive(path)
    tensors = {name: value for name, value in submodules(module) if isinstance(value, _core.Tensor)}
    surveys = {name: getattr(module, name).survey() for name in methods(module)}
    return {
        "file": path,
        "version": archive["version"],
        "extra_files": archive["extra_files"],
        "methods": {
            name: {"ops": sorted(ops), "missing_ops": sorted(missing)} for name, (ops, missing) in surveys.items()
        },
        "tensors": {
            name: {"dtype": tensor.dtype.name, "sizes": list(tensor.shape), "bytes": size_bytes(tensor)}
            for name, tensor in tensors.items()
        },
    }


def size_bytes(tensor: Any) -> int:
    numel = 1
    for size in tensor.shape:
        numel *= size
    return numel * int(tensor.dtype.itemsize)


def inspect(options: argparse.Namespace) -> int:
    if options.graph:
        print(method_of(load(options.model), options.graph, "--graph").graph, end="")
        return 0
    found = inspection(options.model)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    total = sum(tensor["bytes"] for tensor in found["tensors"].values())
    print(f"{found['file']}: version {found['version']}, {len(found['tensors'])} tensors, {total / 1e6:.1f} MB")
    for name, tensor in found["tensors"].items():
        print(f"  {name} : {tensor['dtype']}{tensor['sizes']}")
    for name, method in found["methods"].items():
        print(f"{name}: {len(method['ops'])} ops")
        if method["ops"]:
            print("  " + " ".join(method["ops"]))
        if method["missing_ops"]:
            print("  not implemented, an error where they are executed: " + " ".join(method["missing_ops"]))
    return 0


# --- bench ------------------------------------------------------------------------------------------------
def measure(call: Callable[[], object], callers: int, seconds: float) -> dict[str, float]:
    """Throughput and latency of `callers` threads that call in turn for `seconds`."""
    stop = threading.Event()

    def work() -> list[float]:
        times: list[float] = []
        while not times or (time.perf_counter() < deadline and not stop.is_set()):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
        return times

    cpu, started = time.process_time(), time.perf_counter()
    deadline = started + seconds
    with ThreadPoolExecutor(callers) as pool:
        try:
            futures = [pool.submit(work) for _ in range(callers)]
            times = [each for future in futures for each in future.result()]
        finally:
            stop.set()  # Ctrl-C or an error of one caller: the others need not go on
    elapsed = time.perf_counter() - started
    return {
        "calls_per_second": len(times) / elapsed,
        "median_ms": statistics.median(times) * 1e3,
        "worst_ms": max(times) * 1e3,
        "cpu_ms_per_call": (time.process_time() - cpu) / len(times) * 1e3,
    }


def bench(options: argparse.Namespace) -> int:
    module = load(options.model)
    method = method_of(module, options.method)
    inputs = [_arrays.read_input(text) for text in options.input]
    figure = new_figure() if options.plot else None
    before, rows = get_num_threads(), []
    call(method, inputs)
    for threads in options.threads:
        set_num_threads(threads)
        for callers in options.callers:
            print(f"bench: {threads} threads, {callers} callers", file=sys.stderr, flush=True)
            figures = measure(lambda: call(method, inputs), callers, options.seconds)
            rows.append({"threads": threads, "callers": callers, **figures})
    set_num_threads(before)
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        print("threads  callers  calls/s   median ms  worst ms  CPU ms/call")
        for row in rows:
            print(
                f"{row['threads']:7}  {row['callers']:7}  {row['calls_per_second']:8.1f}  {row['median_ms']:9.3f}"
                f"  {row['worst_ms']:8.3f}  {row['cpu_ms_per_call']:11.3f}"
            )
    if figure is not None:
        plot(rows, figure, options.plot)
    return 0


def new_figure() -> Any:
    """An empty picture. Where there can be none, that is an error before the measurements."""
    try:
        import matplotlib.figure
    except ImportError as error:
        raise CommandError("--plot needs matplotlib; pip install matplotlib") from error
    return matplotlib.figure.Figure(figsize=(6, 4), layout="constrained")


def plot(rows: list[dict[str, Any]], figure: Any, path: str) -> None:
    """Draw throughput over callers, one line per number of threads."""
    axes = figure.add_subplot(xlabel="callers", ylabel="calls per second")
    for threads in dict.fromkeys(row["threads"] for row in rows):
        line = [(row["callers"], row["calls_per_second"]) for row in rows if row["threads"] == threads]
        axes.plot(*zip(*line, strict=True), marker="o", label=f"{threads} threads")
    axes.set_ylim(bottom=0)
    axes.legend()
    with blamed_on(f"--plot {path}", "give the name of a picture, such as bench.png"):
        figure.savefig(path)


# --- ops --------------------------------------------------------------------------------------------------
def ops(options: argparse.Namespace) -> int:
    schemas = _core.schemas()
    if options.json:
        print(json.dumps(schemas, indent=2))
        return 0
    print("\n".join(schemas))
    names = {schema.split("(")[0].split(".")[0] for schema in schemas}
    print(f"{len(schemas)} overloads of {len(names)} ops", file=sys.stderr)
    return 0


# --- the parsers ------------------------------------------------------------------------------------------
def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="an archive of torch.jit.save")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_call(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument("--method", default="forward", help="what to call (forward)")
    parser.add_argument(
        "--input",
        metavar="X",
        nargs="+",
        action="extend",
        default=[],
        help="arguments: .npy files, numbers, or shapes of random values: 1x3x224x224 of float32, 4x16:int64 of 0 and 1",
    )


def add_commands(commands: Any) -> None:
    """Add the commands about programs to the parser's subcommands."""
    parser = commands.add_parser(
        "run",
        help="run a method of a TorchScript archive",
        usage="%(prog)s MODEL [--input X ...] [--method METHOD] [--output FILE] [--json]",
    )
    add_call(parser)
    parser.add_argument(
        "--output", type=output_name, metavar="FILE", help="write the results to FILE, as .npz; bfloat16 as float32"
    )
    parser.set_defaults(work=run)
    parser = commands.add_parser("inspect", help="print what a TorchScript archive holds and which ops it needs")
    add_model(parser)
    parser.add_argument("--graph", metavar="METHOD", help="print the graph of a method instead")
    parser.set_defaults(work=inspect)
    parser = commands.add_parser(
        "bench",
        help="measure a method of a TorchScript archive",
        usage="%(prog)s MODEL [--input X ...] [--method METHOD] [--threads N,...] [--callers N,...] [--seconds S]\n"
        "       [--plot FILE] [--json]",
    )
    add_call(parser)
    parser.add_argument("--threads", type=counts, default=[1], help="numbers of intra-op threads: 1,2 (1)")
    parser.add_argument("--callers", type=counts, default=[1], help="numbers of threads that call at once: 1,2,4 (1)")
    parser.add_argument("--seconds", type=duration, default=2.0, help="time for each measurement (2)")
    parser.add_argument("--plot", metavar="FILE", help="draw throughput over callers into this picture")
    parser.set_defaults(work=bench)
    parser = commands.add_parser("ops", help="print the schemas of the ops that programs can use")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    parser.set_defaults(work=ops)
