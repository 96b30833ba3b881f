"""Measure `add(a, b, out=c)` of 64 MB operands beside plain loops over the same memory, in turns.

Run by bench/parallel.py with the Python of a threadwheel or torch environment:
`python bench/add.py MODULE PLAIN_LIBRARY NUM_THREADS SECONDS`. Prints medians of milliseconds as JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

BYTES, LINE = 64 << 20, 64


def aligned(value: float) -> np.ndarray:
    """An array that begins at a cache line, as the plain loop's stores want."""
    memory = np.full(BYTES + LINE, 0, "u1")
    array = memory[-memory.ctypes.data % LINE :][:BYTES].view("f4")
    array[:] = value
    return array


def contenders(module: str, plain: ctypes.CDLL, num_threads: int) -> dict[str, Callable[[], object]]:
    runtime = importlib.import_module(module)
    runtime.set_num_threads(num_threads)
    a, b, c = arrays = (aligned(1.0), aligned(2.0), aligned(0.0))
    x, y, out = (runtime.from_numpy(array) for array in arrays)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]

    def loop(streaming: bool) -> Callable[[], object]:
        return lambda: plain.plain_add(*pointers, ctypes.c_long(a.size), num_threads, int(streaming))

    calls = {
        "add_ms": lambda: runtime.add(x, y, out=out),
        "ordinary_ms": loop(streaming=False),
        "streaming_ms": loop(streaming=True),
    }
    for call in calls.values():
        c[:] = 0
        call()
        assert (c == a + b).all()
    return calls


def main(module: str, library: str, num_threads: str, seconds: str) -> None:
    calls = contenders(module, ctypes.CDLL(library), int(num_threads))
    times: dict[str, list[float]] = {name: [] for name in calls}
    deadline = time.perf_counter() + float(seconds)
    while time.perf_counter() < deadline:
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - started) * 1e3)
    result = {name: statistics.median(values) for name, values in times.items()}
    for kind in ("ordinary", "streaming"):
        pairs = zip(times[f"{kind}_ms"], times["add_ms"], strict=True)
        result[f"of_{kind}"] = statistics.median(loop / add for loop, add in pairs)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
