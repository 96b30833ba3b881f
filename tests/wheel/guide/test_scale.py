"""Models in worker processes of multiprocessing, joblib and Dask: results, numbers of threads, and an end.

Each program runs under a watchdog: a deadlock is a failure that says so. The processes have teams of two threads, and
four threads that call at once, more than the machine needs to have cores.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import VARIANTS, Environment, guide

WATCHDOG_S = 120
TEAM, CALLERS, WORKERS = 2, 4, 2
# A leader and its team, and one more that OpenMP's wheel has for callers in line; tests/runtime has the exact bounds.
MOST_NEW_THREADS = CALLERS + 2 * TEAM

COMMON = f"""
import os
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import threadwheel as tw

BATCHES = [np.full((1, 3, 64, 64), i, "f4") for i in range(8)]

def num_os_threads():
    return len(os.listdir("/proc/self/task"))

def serve(model):
    '''Calls by several threads: whether the results are those of one thread, and the threads that came.'''
    tw.set_num_threads(1)
    expected = [np.asarray(model(batch)) for batch in BATCHES]
    before = num_os_threads()
    tw.set_num_threads({TEAM})
    with ThreadPoolExecutor({CALLERS}) as callers:
        results = list(callers.map(lambda i: np.asarray(model(BATCHES[i % 8])), range(64)))
        tw.sum(np.ones(1_000_000, "f4"))
        peak = num_os_threads()
    same = all(np.allclose(result, expected[i % 8], atol=1e-5) for i, result in enumerate(results))
    return {{"pid": os.getpid(), "same": same, "sum": float(sum(map(np.sum, expected))), "threads": peak - before}}
"""
MAIN = """
import json, sys
import threadwheel as tw
from common import serve

def started(sent):
    global model
    model = sent

def work(_):
    return serve(model)

if __name__ == "__main__":
    loaded = tw.jit.freeze(tw.jit.load(sys.argv[1]))
    here = serve(loaded)  # before any fork: the parent has run regions
    print(json.dumps([here, *{engine}(loaded)]))
"""
ENGINES = {
    "multiprocessing": """
def run(method):
    def engine(loaded):
        import multiprocessing
        with multiprocessing.get_context(method).Pool({workers}, started, (loaded,)) as pool:
            return pool.map(work, range(4), chunksize=1)
    return engine
""",
    "joblib": """
def joblib(loaded):
    from joblib import Parallel, delayed
    return Parallel(n_jobs={workers}, backend="loky")(delayed(serve)(loaded) for _ in range(4))
""",
    "dask": """
def dask(loaded):
    from distributed import Client, LocalCluster
    options = dict(n_workers={workers}, threads_per_worker=1, processes=True, dashboard_address=None)
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        return client.gather([client.submit(serve, loaded, pure=False) for _ in range(4)])
""",
}
RUNS = {"fork": ("multiprocessing", "run('fork')"), "spawn": ("multiprocessing", "run('spawn')"), "joblib": ("joblib", "joblib"), "dask": ("dask", "dask")}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", RUNS)
def test_workers_compute_the_same_with_bounded_threads(
    name: str, variant: str, environment_of: Callable[[str], Environment], tmp_path: Path
) -> None:
    source, engine = RUNS[name]
    (tmp_path / "common.py").write_text(COMMON)
    body = ENGINES[source].replace("{workers}", str(WORKERS))
    (tmp_path / "main.py").write_text(body + MAIN.replace("{engine}", engine))
    programs = environment_of(variant).programs
    environment = guide.environment(programs, PYTHONPATH=str(tmp_path), OPENBLAS_NUM_THREADS="1")
    done = subprocess.run(
        [programs / "python", "main.py", guide.MODEL], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=WATCHDOG_S
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    here, *there = json.loads(done.stdout)
    assert here["pid"] not in {result["pid"] for result in there}
    for result in (here, *there):
        assert result["same"] and result["sum"] == pytest.approx(here["sum"], rel=1e-5)
        assert result["threads"] <= MOST_NEW_THREADS, (name, variant, result)
