"""fork and wait: inside programs and from Python, nested, in loops, failing, and from many threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import FORK, RunPython

import threadwheel as torch
from threadwheel import Tensor


def fibonacci_of(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def fail_with(n: int) -> int:
    if n >= 0:
        raise KeyError(f"leaf {n}")
    return n


def through(n: int) -> int:
    future = torch.jit.fork(fail_with, n)
    return torch.jit.wait(future)


def branch(n: int) -> int:
    futures = [torch.jit.fork(fibonacci_of, n) for _ in range(4)]
    total = 0
    for future in futures:
        total += torch.jit.wait(future)
    return total


def tree(n: int) -> int:
    futures = [torch.jit.fork(branch, n) for _ in range(4)]
    total = 0
    for future in futures:
        total += torch.jit.wait(future)
    return total


class Forks(torch.nn.Module):
    def __init__(self, w_y: Any, w_z: Any) -> None:
        super().__init__()
        self.w_y = w_y
        self.w_z = w_z

    def compute_z(self, x: Tensor) -> Tensor:
        return torch.mm(x, self.w_z)

    def forward(self, x: Tensor) -> Tensor:
        fut = torch.jit._fork(self.compute_z, x)
        y = torch.mm(x, self.w_y)
        z = torch.jit._wait(fut)
        return y + z


def forks() -> Any:
    return torch.jit.script(Forks(np.ones((4, 3), np.float32), np.full((4, 3), 2, np.float32)))


def test_a_module_forks_its_own_method() -> None:
    np.testing.assert_array_equal(forks()(np.ones((2, 4), np.float32)), np.full((2, 3), 12))


def test_forks_in_a_loop_and_lists_of_futures() -> None:
    @torch.jit.script
    def gather(n: int) -> list[int]:
        futures = [torch.jit.fork(fibonacci_of, i) for i in range(n)]
        return [torch.jit.wait(future) for future in futures]

    assert gather(20) == [fibonacci_of(i) for i in range(20)]
    assert gather(0) == []


def test_forks_inside_forks() -> None:
    @torch.jit.script
    def top(n: int) -> int:
        first = torch.jit.fork(tree, n)
        second = torch.jit.fork(tree, n=n + 1)
        return torch.jit.wait(first) + torch.jit.wait(second)

    assert top(10) == 16 * (55 + 89)


def test_errors_keep_their_type_through_all_levels() -> None:
    @torch.jit.script
    def top(n: int) -> int:
        future = torch.jit.fork(through, n)
        return torch.jit.wait(future)

    assert top(-3) == -3
    with pytest.raises(KeyError, match="leaf 4") as caught:
        top(4)
    for place in ("fail_with", "through", "top"):
        assert place in str(caught.value)


def test_fork_from_python_runs_programs_on_the_pool() -> None:
    program = torch.jit.script(fibonacci_of)
    future = torch.jit.fork(program, 10)
    assert torch.jit.wait(future) == 55
    assert future.done() and future.value() == 55
    model = forks()
    x = np.ones((2, 4), np.float32)
    for called in (model, model.forward, model.compute_z):
        np.testing.assert_array_equal(torch.jit.fork(called, x).wait(), called(x))


def test_fork_from_python_runs_python_at_once() -> None:
    seen: list[int] = []

    def plain(n: int, *, extra: int = 0) -> int:
        seen.append(threading.get_ident())
        return n + extra

    assert torch.jit.fork(plain, 1, extra=2).wait() == 3
    assert seen == [threading.get_ident()]
    with pytest.raises(ZeroDivisionError):
        torch.jit.fork(lambda: 1 // 0)


def test_then_gives_the_future_of_what_it_calls() -> None:
    program = torch.jit.script(fibonacci_of)
    doubled = torch.jit.fork(program, 10).then(lambda done: done.value() * 2)
    assert doubled.wait() == 110
    assert torch.jit.fork(lambda: "x").then(lambda done: done.wait() + "y").wait() == "xy"

    def fail(done: torch.jit.Future) -> None:
        raise LookupError(f"after {done.value()}")

    with pytest.raises(LookupError, match="after 55"):
        torch.jit.fork(program, 10).then(fail).wait()


def test_a_failed_fork_raises_when_waited_for() -> None:
    future = torch.jit.fork(torch.jit.script(fail_with), 2)
    for _ in range(2):
        with pytest.raises(KeyError, match="leaf 2"):
            future.wait()


def test_programs_return_futures() -> None:
    @torch.jit.script
    def start(n: int) -> tuple[torch.jit.Future[int], int]:
        return torch.jit.fork(fibonacci_of, n), n

    future, n = start(10)
    assert n == 10 and isinstance(future, torch.jit.Future)
    assert future.wait() == 55


PRELUDE = "import sys\nsys.path.insert(0, {folder!r})\nimport numpy as np\nimport threadwheel as torch\nimport test_jit_fork as t\n"


@pytest.fixture
def run_with_programs(run_python: RunPython, request: pytest.FixtureRequest) -> Callable[[str], Any]:
    return lambda code: run_python(PRELUDE.format(folder=str(request.path.parent)) + code)


def test_one_pool_thread_is_enough(run_with_programs: Callable[[str], Any]) -> None:
    code = """
torch.set_num_interop_threads(1)
top = torch.jit.script(t.tree)
assert torch.jit.fork(top, 10).wait() == 16 * 55
assert top(10) == 16 * 55
print("done")
"""
    assert run_with_programs(code).stdout == "done\n"


def test_failures_that_nobody_waits_for_are_reported_once(run_with_programs: Callable[[str], Any]) -> None:
    code = """
import time
program = torch.jit.script(t.fail_with)
future = torch.jit.fork(program, 7)
while not future.done():
    time.sleep(0.001)
del future
"""
    result = run_with_programs(code)
    assert result.stderr.count("leaf 7") == 1, result.stderr


def test_a_forked_process_forks_too(run_with_programs: Callable[[str], Any]) -> None:
    code = (
        FORK
        + """
model, x = t.forks(), np.ones((2, 4), np.float32)
expected = np.asarray(model(x))

def child():
    np.testing.assert_array_equal(model(x), expected)
    np.testing.assert_array_equal(torch.jit.fork(model, x).wait(), expected)

fork(child)
np.testing.assert_array_equal(model(x), expected)
print("done")
"""
    )
    assert run_with_programs(code).stdout == "done\n"


def test_a_thousand_threads_call_one_model(run_with_programs: Callable[[str], Any]) -> None:
    code = """
import os, threading
model, x = t.forks(), np.ones((2, 4), np.float32)
expected = np.asarray(model(x))
before = len(os.listdir("/proc/self/task"))
threading.stack_size(256 * 1024)
wrong = []

def work():
    for _ in range(3):
        if not np.array_equal(model(x), expected):
            wrong.append(1)

threads = [threading.Thread(target=work) for _ in range(1000)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
after = len(os.listdir("/proc/self/task"))
print(wrong, after - before <= torch.get_num_interop_threads() + torch.get_num_threads(), sep=",")
"""
    assert run_with_programs(code).stdout == "[],True\n"
