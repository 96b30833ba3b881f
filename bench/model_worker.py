"""What bench/models.py runs in processes of their own: one measure of one contender, printed as JSON.

`python model_worker.py make FOLDER [NAME...]` writes an archive and its inputs for every model, or the named ones, with
PyTorch; the other measures are the functions below, each with CONTENDER ("torch" or any other name for threadwheel) and
its own arguments.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Result = dict[str, float]
Call = Callable[[], Any]


def make(folder: str, *names: str) -> None:
    import torch
    from peer_models import MODELS, shake

    torch.set_grad_enabled(False)
    for name in names or MODELS:
        model, inputs = MODELS[name]
        torch.manual_seed(0)
        module, example = shake(model()), inputs()
        torch.jit.save(torch.jit.trace(module, example, check_trace=False), f"{folder}/{name}.pt")
        np.savez(f"{folder}/{name}.npz", *(each.numpy() for each in example))


def prepare(contender: str, threads: int) -> None:
    """Import the contender; 0 threads: its default."""
    if contender == "torch":
        import torch

        torch.set_grad_enabled(False)
        if threads:
            torch.set_num_threads(threads)
        return
    import threadwheel

    if threads:
        threadwheel.set_num_threads(threads)


def load(contender: str, path: Path) -> Any:
    if contender == "torch":
        import torch

        return torch.jit.load(str(path)).eval()
    from threadwheel import jit

    return jit.load(path)


def bind(contender: str, model: Any, path: Path) -> Call:
    """The frozen model with its inputs, as a function of nothing that returns an array."""
    with np.load(path.with_suffix(".npz")) as file:
        arrays = list(file.values())
    if contender == "torch":
        import torch

        frozen, tensors = torch.jit.freeze(model), [torch.from_numpy(array) for array in arrays]
        return lambda: frozen(*tensors).numpy()
    import threadwheel
    from threadwheel import jit

    program, inputs = jit.freeze(model), [threadwheel.from_numpy(array) for array in arrays]
    return lambda: np.asarray(program.forward(*inputs))


def timed(call: Call) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1e3


def resident_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def latency(contender: str, path: Path, threads: int, seconds: float) -> Result:
    """Milliseconds of loading, of the first two calls, and the median of later ones; memory after the first."""
    prepare(contender, threads)
    held: list[Any] = []
    load_ms = timed(lambda: held.append(load(contender, path)))
    call = bind(contender, held.pop(), path)
    first, resident = timed(call), resident_mb()
    second = timed(call)
    warm = time.perf_counter() + seconds / 4
    while time.perf_counter() < warm:
        call()
    times, end = [timed(call)], time.perf_counter() + seconds
    while time.perf_counter() < end:
        times.append(timed(call))
    steady = statistics.median(times)
    result = {"load_ms": load_ms, "first_ms": first, "second_ms": second, "steady_ms": steady}
    return {**result, "second_over_steady": second / steady, "resident_mb": resident, "sum": float(abs(call()).sum())}


def loading(contender: str, folder: Path, _threads: int, _seconds: float) -> Result:
    """Milliseconds to load each archive of the folder, the least of five times."""
    prepare(contender, 0)
    paths = sorted(folder.glob("*.pt"))
    load(contender, paths[0])

    def least(path: Path) -> float:
        return min(timed(lambda: load(contender, path)) for _ in range(5))

    return {path.stem: least(path) for path in paths}


def serve(contender: str, path: Path, callers: int, seconds: float) -> Result:
    """Requests per second of so many threads that call one model, with the contender's default number of threads."""
    prepare(contender, 0)
    call = bind(contender, load(contender, path), path)
    for _ in range(3):
        call()
    counts, ends = [0] * callers, time.perf_counter() + seconds

    def work(index: int) -> None:
        while time.perf_counter() < ends:
            call()
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(callers)]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 2)
    num_threads = len(list(Path("/proc/self/task").iterdir())) - 1  # this one calls nothing
    for thread in threads:
        thread.join()
    return {"requests_per_s": sum(counts) / seconds, "threads": num_threads}


if __name__ == "__main__":
    measure, *words = sys.argv[1:]
    if measure == "make":
        make(*words)
    else:
        name, file, number, duration = words
        measures: dict[str, Callable[[str, Path, int, float], Result]] = {
            "latency": latency,
            "loading": loading,
            "serve": serve,
        }
        print(json.dumps(measures[measure](name, Path(file), int(number), float(duration))))
