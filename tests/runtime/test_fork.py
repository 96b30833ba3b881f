"""fork(2): the child of a process that ran parallel regions and library calls runs them too."""

from __future__ import annotations

import pytest
from conftest import FORK, RunPython

PRELUDE = """
import os, signal, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of a fork beside threads
import numpy as np, threadwheel as tw

x = np.ones((256, 256), "f4")
image, kernel = np.ones((1, 8, 20, 20), "f4"), np.ones((8, 8, 3, 3), "f4")

def use():
    assert tw._core._testing.count_slot_errors(1000) == 0
    assert (tw.mm(x, x).numpy() == 256).all()
    assert (tw.linear(x, x).numpy() == 256).all()
    assert (tw.conv2d(image, kernel).numpy() == 72).all()
    assert tw.sum(x).item() == 65536
"""


def run(run_python: RunPython, code: str, **variables: str) -> None:
    done = run_python(PRELUDE + FORK + code, check=False, **variables)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("count", ("2", "3"))
def test_child_and_grandchild_and_parent_run_regions(run_python: RunPython, count: str) -> None:
    code = """
use()
for _ in range(3):
    fork(lambda: (use(), fork(use), use()))
    use()
"""
    run(run_python, code, OMP_NUM_THREADS=count)


def test_fork_before_anything_ran(run_python: RunPython) -> None:
    run(run_python, "fork(use)\nuse()\n", OMP_NUM_THREADS="2")


def test_child_may_set_counts(run_python: RunPython) -> None:
    code = """
def child():
    use()
    for n in (1, 3, 2):
        tw.set_num_threads(n)
        assert tw.get_num_threads() == n
        use()
use()
fork(child)
"""
    run(run_python, code, OMP_NUM_THREADS="2")


def test_child_of_a_quiet_process_has_real_threads(run_python: RunPython) -> None:
    code = """
tw._core._testing.rendezvous(2, 30.0)
fork(lambda: exit() if tw._core._testing.rendezvous(2, 20.0) != 2 else None)
"""
    run(run_python, code, OMP_NUM_THREADS="2")


def test_fork_from_another_thread(run_python: RunPython) -> None:
    code = """
use()
failures = []
def work():
    try:
        use()
        fork(use)
    except BaseException as error:
        failures.append(error)
thread = threading.Thread(target=work)
thread.start()
thread.join()
assert not failures, failures
use()
"""
    run(run_python, code, OMP_NUM_THREADS="2")


def test_fork_while_other_threads_are_busy(run_python: RunPython) -> None:
    code = """
stop = threading.Event()
def work():
    while not stop.is_set():
        use()
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(10):
    fork(use)
    use()
stop.set()
for thread in threads:
    thread.join()
"""
    run(run_python, code, OMP_NUM_THREADS="2")


def test_multiprocessing_by_fork(run_python: RunPython) -> None:
    code = """
import multiprocessing
use()
with multiprocessing.get_context("fork").Pool(2) as pool:
    totals = [pool.apply_async(np.asarray, (tw.sum(x).numpy(),)) for _ in range(4)]
    assert [int(t.get(30)) for t in totals] == [65536] * 4
use()
"""
    run(run_python, code, OMP_NUM_THREADS="2")
