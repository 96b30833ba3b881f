"""Inter-op tasks and futures: the same rules on every backend, in pools of one thread too.

Counts of threads are of the whole process and settled by the first task, so most tests run in processes of their own.
"""

from __future__ import annotations

from typing import Any

from conftest import FORK, RunPython

PRELUDE = """
import gc, os, signal, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of a fork beside threads
import threadwheel as tw
t = tw._core._testing
signal.alarm(90)  # a deadlock ends the process, and the test

def threads():
    return len(os.listdir("/proc/self/task"))
"""


def run(run_python: RunPython, code: str, num_threads: int = 1, **variables: str) -> str:
    """Run code where the pool has `num_threads` threads; nothing may be written to stderr. Returns its stdout."""
    done = run_python(f"{PRELUDE}\ntw.set_num_interop_threads({num_threads})\n{code}", check=False, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_values_continuations_and_collections(run_python: RunPython) -> None:
    code = """
futures = [t.launch_value(i) for i in range(100)]
assert [f.value() for f in futures] == list(range(100))
assert t.sum_of_all(futures).value() == 4950
assert t.sum_of_all([]).value() == 0
assert t.launch_value(1).then_add(2).then_add(3).value() == 6
promise = t.IntPromise()
late = promise.future().then_add(1)
total = t.sum_of_all([*futures, late])
assert not late.done() and not total.done()
promise.set_value(10)
assert late.done() and (late.value(), total.value()) == (11, 4961)
assert t.continuation_order(5) == [0, 1, 2, 3, 4]
"""
    for num_threads in (1, 2, 5):
        run(run_python, code, num_threads)


def test_a_future_is_waited_for_twice_and_from_many_threads(run_python: RunPython) -> None:
    code = """
promise = t.IntPromise()
future, seen = promise.future(), []
waiters = [threading.Thread(target=lambda: seen.append(future.value())) for _ in range(8)]
for w in waiters: w.start()
promise.set_value(7)
for w in waiters: w.join()
assert seen == [7] * 8 and future.value() == future.value() == 7
"""
    run(run_python, code)


def test_an_exception_keeps_its_type_through_tasks_and_continuations(run_python: RunPython) -> None:
    code = """
for kind, seen in {"value": "value: test: thrown in a task", "index": "index", "own": "own", "other": "int 42"}.items():
    failed = t.launch_raise(kind)
    assert failed.error() == failed.error() == seen
    assert failed.then_add(1).then_add(2).error() == seen
    assert t.launch_waiting(t.launch_waiting(failed)).error() == seen
    assert t.intraop_launch_raise(kind) == seen
try:
    t.launch_raise("index").value()
except IndexError as error:
    assert str(error) == "test: index"
else:
    raise AssertionError
assert t.launch_value(1).value() == 1
"""
    run(run_python, code)


def test_a_collection_fails_with_the_first_error_by_position_when_all_are_done(run_python: RunPython) -> None:
    code = """
first, second = t.IntPromise(), t.IntPromise()
futures = [t.launch_value(1), first.future(), second.future()]
total = t.sum_of_all(futures)
second.set_error("own")
assert not total.done()
first.set_error("index")
assert total.error() == "index"
assert [f.error() for f in futures] == ["", "index", "own"]
"""
    run(run_python, code)


def test_a_promise_is_kept_once(run_python: RunPython) -> None:
    code = """
promise = t.IntPromise()
promise.set_value(1)
for again in (lambda: promise.set_value(2), lambda: promise.set_error("own")):
    try:
        again()
    except RuntimeError as error:
        assert str(error) == "promise: the future is complete already; set a value or an error once"
    else:
        raise AssertionError
assert promise.future().value() == 1
dropped = t.IntPromise()
future = dropped.future()
del dropped
assert future.error() == "runtime: future: its promise was dropped; set a value or an error before"
"""
    run(run_python, code)


def test_failures_that_nobody_sees_are_reported_once(run_python: RunPython) -> None:
    code = """
t.start_recording()
t.launch_detached("own"), t.launch_detached("index"), t.launch_detached("other")
t.launch_value(0).value(), t.nested_tasks(2, 2)
seen = t.launch_raise("own")
assert seen.error() == "own"
unseen = t.launch_raise("value")
while not unseen.done(): pass
copy = unseen.then_add(1)
assert copy.error().startswith("value")
unseen = t.launch_raise("value")
unseen.wait()
del seen, unseen, copy
# The pool has one thread and a queue in order: when a later task is done, the earlier ones are over.
for _ in range(3):
    last = t.launch_value(1)
    while not last.done(): pass
found = t.stop_recording()
assert sorted(found) == ["future: value: test: thrown in a task", "launch: index", "launch: int 42", "launch: own"], found
"""
    run(run_python, code)


def test_the_default_report_is_one_line(run_python: RunPython) -> None:
    code = "\nt.launch_detached('index')\nlast = t.launch_value(1)\nwhile not last.done(): pass\n"
    done = run_python(f"{PRELUDE}\ntw.set_num_interop_threads(1)\n{code}")
    assert done.stderr == (
        "threadwheel: launch: a task failed and nobody asked for its result: std::out_of_range: test: index; "
        "ask a future for its value, or set an error hook\n"
    )


def test_a_pool_of_one_runs_deep_and_wide_trees(run_python: RunPython) -> None:
    code = """
assert t.nested_tasks(64, 1) == 65
assert t.nested_tasks(1, 10_000) == 10_001
assert t.nested_tasks(6, 4) == (4**7 - 1) // 3
"""
    for num_threads in (1, 2):
        run(run_python, code, num_threads)


def test_blocking_in_a_task_cannot_deadlock_a_pool_of_one(run_python: RunPython) -> None:
    code = """
for _ in range(20):
    t.block_on_condition()
promise = t.IntPromise()
chain = [promise.future()]
for _ in range(30):
    chain.append(t.launch_waiting(chain[-1]))  # each occupies a thread until the one before is done
last = t.launch_value(5)
while not last.done(): pass
promise.set_value(0)
assert chain[-1].value() == 30
"""
    run(run_python, code)


def test_too_many_blocked_threads_are_an_error_and_not_a_hang(run_python: RunPython) -> None:
    code = """
promise = t.IntPromise()
blocked = [t.launch_waiting(promise.future().then_add(0)) for _ in range(300)]
while not any(f.done() for f in blocked): pass
promise.set_value(1)
errors = [f.error() for f in blocked]
assert "" in errors
assert {e.split(";")[1] for e in errors if e} == {" let fewer tasks block at a time"}, set(errors)
assert t.launch_value(3).value() == 3
"""
    run(run_python, code)


def test_a_task_that_waits_for_itself_is_an_error(run_python: RunPython) -> None:
    code = """
assert t.wait_for_itself() == "runtime: future: a task waits for its own result; return before waiting for it"
"""
    run(run_python, code)


def test_two_tasks_that_wait_for_each_other_have_two_threads(run_python: RunPython) -> None:
    run(run_python, "for _ in range(50): t.exchange_flags()", 2)


def test_they_have_two_threads_beside_a_region_that_does_not_end(run_python: RunPython) -> None:
    for count in ("2", "4"):
        run(run_python, "t.exchange_flags_beside_region()", 2, OMP_NUM_THREADS=count)


def test_a_loop_in_a_task_has_helpers(run_python: RunPython) -> None:
    for count in (2, 3):
        run(run_python, f"assert t.rendezvous_in_task({count}, 30.0) == {count}", 2, OMP_NUM_THREADS=str(count))


def test_tasks_and_loops_share_threads(run_python: RunPython, build: dict[str, Any]) -> None:
    code = """
def threads_of_tasks():
    tasks = [t.launch_os_thread() for _ in range(8)]
    while not all(f.done() for f in tasks): pass
    return {f.value() for f in tasks}
def threads_of_loops():
    return {os_thread for *_, os_thread, _ in t.record_chunks(0, 100_000, 1)} - {threading.get_native_id()}
tasks, loops = set(), set()
for _ in range(300):
    tasks |= threads_of_tasks()
    loops |= threads_of_loops()
    t.rendezvous(tw.get_num_threads(), 0.1)
    if tasks & loops: break
print(len(tasks & loops))
"""
    # OpenMP lends no thread, and TBB none when it has but one worker, which it leaves for loops.
    shared = int(run(run_python, code, 2, OMP_NUM_THREADS="2"))
    assert (shared > 0) == (build["family"] == "NATIVE")


def test_os_threads_stay_bounded_under_callers_of_loops_and_tasks(run_python: RunPython, build: dict[str, Any]) -> None:
    code = """
callers, counts = 8, []
def work():
    for _ in range(60):
        assert t.count_slot_errors(200) == 0
        assert t.loops_in_tasks(4) == 0
        counts.append(threads())
workers = [threading.Thread(target=work) for _ in range(callers)]
for w in workers: w.start()
for w in workers: w.join()
print(max(counts))
"""
    callers, count = 8, 2
    most = int(run(run_python, code, count, OMP_NUM_THREADS=str(count)))
    # OpenMP's teams take no tasks, and the first caller can leave one behind.
    assert most <= count + callers + (2 * count if build["family"] == "OMP" else 2)


def test_the_pool_is_resized_while_tasks_run_loops(run_python: RunPython) -> None:
    code = """
stop = threading.Event()
def resize():
    while not stop.is_set():
        for n in (1, 4, 2, 3): tw.set_num_threads(n)
resizer = threading.Thread(target=resize)
resizer.start()
for _ in range(40):
    assert t.loops_in_tasks(8) == 0
stop.set()
resizer.join()
"""
    run(run_python, code, 2)


def test_surplus_threads_leave(run_python: RunPython) -> None:
    code = """
promise = t.IntPromise()
chain = [promise.future()]
for _ in range(30):
    chain.append(t.launch_waiting(chain[-1]))
last = t.launch_value(5)
while not last.done(): pass
most = threads()
promise.set_value(0)
chain[-1].wait()
deadline = time.monotonic() + 30
while threads() > 4 and time.monotonic() < deadline: time.sleep(0.01)
assert most > 30 and threads() <= 4, (most, threads())
"""
    run(run_python, code, 2, OMP_NUM_THREADS="2")


def test_no_more_tasks_run_at_once_than_the_count_says(run_python: RunPython) -> None:
    for num_threads in (1, 2, 3):
        run(run_python, f"assert t.concurrency(200) <= {num_threads}", num_threads)


def test_tasks_run_on_a_machine_with_one_cpu(run_python: RunPython) -> None:
    code = f"""
import os
os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
{PRELUDE}
assert tw.get_num_interop_threads() == 1
assert t.nested_tasks(3, 3) == 40
t.block_on_condition()
"""
    done = run_python(code)
    assert done.stderr == ""


def test_a_task_inherits_its_launchers_limit_and_an_intraop_task_is_a_region(run_python: RunPython) -> None:
    code = """
limit, in_region, calls = t.surroundings(False)
assert (limit, in_region) == (3, False) and calls > 1
assert t.surroundings(True) == (3, True, 1)
for n in (1, 2, 3):
    tw.set_num_threads(n)
    assert t.intraop_futures() == 4
"""
    run(run_python, code)


def test_the_count_is_settled_by_the_first_task(run_python: RunPython) -> None:
    code = """
before = threads()
assert tw.get_num_interop_threads() == 2 and threads() == before  # asking starts nothing
tw.set_num_interop_threads(2)
t.launch_value(1).value()
tw.set_num_interop_threads(2)
try:
    tw.set_num_interop_threads(3)
except RuntimeError as error:
    assert "cannot set number of interop threads after parallel work has started" in str(error)
    assert "it is 2, 3 was asked" in str(error)
else:
    raise AssertionError
assert tw.get_num_interop_threads() == 2
"""
    run(run_python, code, 2)


def test_an_unset_count_is_settled_by_the_first_task_too(run_python: RunPython) -> None:
    code = """
n = tw.get_num_interop_threads()
t.launch_value(1).value()
tw.set_num_interop_threads(n)
try:
    tw.set_num_interop_threads(n + 1)
except RuntimeError as error:
    assert f"it is {n}, {n + 1} was asked" in str(error)
else:
    raise AssertionError
"""
    done = run_python(f"{PRELUDE}\n{code}")
    assert done.stderr == ""


USE = """
def use():
    assert t.nested_tasks(3, 3) == 40
    t.block_on_condition()
    assert t.count_slot_errors(1000) == 0
"""


def test_a_forked_child_has_a_pool_of_its_own(run_python: RunPython) -> None:
    code = f"{FORK}{USE}\nfork(use)\nuse()\nfor _ in range(5): fork(lambda: (use(), fork(use), use()))\nuse()\n"
    for num_threads in (1, 2):
        run(run_python, code, num_threads, OMP_NUM_THREADS="2")


def test_pending_futures_of_the_parent_fail_in_the_child(run_python: RunPython) -> None:
    code = f"""{FORK}{USE}
promise = t.IntPromise()
running = t.launch_waiting(promise.future())
queued = [t.launch_waiting(promise.future()) for _ in range(3)]
derived = [f.then_add(1) for f in (running, *queued)]
done = t.launch_value(4)
while not done.done(): pass
def child():
    for future in (running, *queued, *derived):
        assert "the process forked while its task was pending" in future.error(), future.error()
    assert done.value() == 4
    own = t.launch_waiting(promise.future())
    promise.set_value(10)  # the child's copy of it
    assert own.value() == 11
fork(child)
promise.set_value(1)
assert [f.value() for f in (running, *queued)] == [2] * 4
assert [f.value() for f in derived] == [3] * 4
"""
    run(run_python, code)


def test_fork_while_tasks_come_and_go(run_python: RunPython) -> None:
    code = f"""{FORK}{USE}
stop = threading.Event()
def work():
    while not stop.is_set():
        t.nested_tasks(2, 3)
workers = [threading.Thread(target=work) for _ in range(3)]
for w in workers: w.start()
for _ in range(10):
    fork(use)
stop.set()
for w in workers: w.join()
use()
"""
    run(run_python, code, 2, OMP_NUM_THREADS="2")


def test_a_process_ends_with_tasks_pending(run_python: RunPython) -> None:
    code = """
import ctypes
promise = t.IntPromise()
ctypes.pythonapi.Py_IncRef(ctypes.py_object(promise))  # for ever: the tasks must be pending to the very end
pending = [t.launch_waiting(promise.future()) for _ in range(20)]
print("over")
"""
    for num_threads in (1, 4):
        assert run(run_python, code, num_threads) == "over\n"
