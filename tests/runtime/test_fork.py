"""fork(2): the child of a process that ran parallel regions and library calls runs them too."""

from __future__ import annotations

import signal
from typing import Any

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


def test_child_launches_tasks_and_loops_of_tasks(run_python: RunPython) -> None:
    code = """
t = tw._core._testing
def child():
    use()
    assert t.nested_tasks(3, 3) == 40
    assert t.loops_in_tasks(4) == 0
    fork(lambda: (use(), t.nested_tasks(2, 2), t.loops_in_tasks(2)))
for before in (lambda: None, use, lambda: t.nested_tasks(2, 2), lambda: t.loops_in_tasks(4)):
    before()
    fork(child)
    child()
"""
    for count in ("2", "4"):  # with 4, TBB runs tasks on its workers
        run(run_python, code, OMP_NUM_THREADS=count)


def test_fork_while_tasks_and_their_loops_are_busy(run_python: RunPython) -> None:
    code = """
t = tw._core._testing
stop = threading.Event()
def work():
    while not stop.is_set():
        assert t.loops_in_tasks(3) == 0
        use()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(10):
    fork(lambda: (use(), t.loops_in_tasks(3)))
stop.set()
for thread in threads:
    thread.join()
use()
"""
    for count in ("2", "4"):
        run(run_python, code, OMP_NUM_THREADS=count)


IN_PLACE = """
t = tw._core._testing
def tell(status):
    print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
use()
"""


def has_libraries_on_tbb(build: dict[str, Any]) -> bool:
    """Own kernels make no library calls."""
    return build["family"] == "TBB" and not {"mkl", "onednn"}.isdisjoint(build["libraries"])


@pytest.mark.parametrize("place", ("chunk", "helper", "task", "intraop task"))
def test_child_forked_in_the_middle_of_work_never_hangs(
    run_python: RunPython, build: dict[str, Any], place: str
) -> None:
    code = f"{IN_PLACE}for _ in range(20): tell(t.fork_in({place!r}, x, False)); use()"
    for count in ("2", "4"):
        done = run_python(PRELUDE + FORK + code, OMP_NUM_THREADS=count)
        # 0: all of it works in the child. 3: its loops and tasks do, library calls are refused, as TBB may be locked.
        refused = has_libraries_on_tbb(build) and place != "task"
        assert done.stdout.split() == ["3" if refused else "0"] * 20
        assert done.stderr == ""


SERIAL = (
    "threadwheel: fork: this process was forked while a parallel region ran, and runs its own regions serially; "
    "fork when no region runs\n"
)


def test_a_child_that_leaves_the_region_it_was_forked_in_ends_with_a_message(run_python: RunPython) -> None:
    code = f"{IN_PLACE}for place in ('chunk', 'helper'): tell(t.fork_in(place, x, True)); use()"
    done = run_python(PRELUDE + FORK + code, OMP_NUM_THREADS="2")
    assert done.stdout.split() == [str(-signal.SIGABRT)] * 2
    assert done.stderr == 2 * (
        "threadwheel: fork: a child left the region that it was forked in, whose other threads it does not have; "
        "exec or _exit inside of the region, or fork outside\n"
    )


def test_fork_beside_a_region_that_does_not_end_leaves_a_serial_child(
    run_python: RunPython, build: dict[str, Any]
) -> None:
    code = """
t = tw._core._testing
promise = t.IntPromise()
holder = threading.Thread(target=t.hold_region, args=(promise.future(),))
holder.start()
while len(os.listdir("/proc/self/task")) < 3: pass
def child():
    assert t.count_slot_errors(1000) == 0 and {c[3] for c in t.record_chunks(0, 1000, 1)} == {os.getpid()}
    assert t.nested_tasks(2, 2) == 7
    try:
        assert (tw.linear(x, x).numpy() == 256).all()
    except RuntimeError as error:
        print(error)
fork(child)
promise.set_value(0)
holder.join()
use()
"""
    done = run_python(PRELUDE + FORK + code, OMP_NUM_THREADS="2")
    assert done.stderr == SERIAL
    assert done.stdout == (
        "library call: this process was forked while a parallel region ran, and its threading runtime cannot be used "
        "any more; fork when no region runs\n"
        if has_libraries_on_tbb(build)
        else ""
    )


def test_child_of_another_thread_has_real_threads(run_python: RunPython, build: dict[str, Any]) -> None:
    # oneTBB ends its workers, so that a child can have some, only when no other live thread has used it.
    expected = 1 if build["family"] == "TBB" else 2
    code = f"""
t = tw._core._testing
use()
def child():
    assert t.rendezvous(2, 20.0 if {expected} == 2 else 0.2) == {expected}
thread = threading.Thread(target=lambda: (use(), fork(child)))
thread.start()
thread.join()
"""
    run(run_python, code, OMP_NUM_THREADS="2")


def test_second_fork_beside_a_thread_that_keeps_the_workers(run_python: RunPython) -> None:
    code = """
t = tw._core._testing
threads = tw.get_num_threads()
used, stop = threading.Event(), threading.Event()
thread = threading.Thread(target=lambda: (t.rendezvous(threads, 30.0), used.set(), stop.wait()), daemon=True)
thread.start()
used.wait()
for _ in range(3):
    fork(lambda: t.rendezvous_in_task(1, 1.0))
stop.set()
thread.join()
"""
    for count in ("2", "4"):
        run(run_python, code, OMP_NUM_THREADS=count)


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


def test_fork_while_another_thread_makes_plans_of_transforms(run_python: RunPython) -> None:
    code = """
stop = threading.Event()
def transform():
    for length in range(1000, 1080):
        tw.fft_fft(np.ones(length, "f4"))
def work():
    while not stop.is_set():
        transform()
thread = threading.Thread(target=work, daemon=True)
thread.start()
for _ in range(8):
    fork(transform)
stop.set()
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
