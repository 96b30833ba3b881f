"""Thread counts: precedence, detection, scopes, wrong arguments. The same text on every backend."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import RunPython

import threadwheel as tw

ARRAY = "__import__('array').array('f', [1] * 100000)"
PRINT_COUNT = "import threadwheel as tw; print(tw.get_num_threads())"
DETECTED = tw._core.describe_counts()["detected"]


def our_lines(stderr: str) -> list[str]:
    """Without what an OpenMP runtime has to say of the same variable."""
    return [line for line in stderr.splitlines() if line.startswith("threadwheel:")]


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({}, DETECTED),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"MKL_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": " 4 "}, 4),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OMP_NUM_THREADS": "", "MKL_NUM_THREADS": ""}, DETECTED),
    ],
)
def test_environment_precedence(run_python: RunPython, variables: dict[str, str], count: int) -> None:
    done = run_python(PRINT_COUNT, **variables)
    assert (done.stdout, our_lines(done.stderr)) == (f"{count}\n", [])


def test_a_set_count_beats_the_environment(run_python: RunPython) -> None:
    code = "import threadwheel as tw; tw.set_num_threads(2); print(tw.get_num_threads())"
    assert run_python(code, MKL_NUM_THREADS="5", OMP_NUM_THREADS="3").stdout == "2\n"


@pytest.mark.parametrize("value", ("abc", "0", "-2", "99999", "4,2", "3.5", "2x", str(2**65)))
def test_a_bad_value_is_warned_of_once_with_what_is_used(run_python: RunPython, value: str) -> None:
    code = PRINT_COUNT + f"; tw.get_num_threads(); tw.set_num_threads(2); tw.add({ARRAY}, 1)"
    done = run_python(code, MKL_NUM_THREADS=value, OMP_NUM_THREADS="3")
    assert done.stdout == "3\n"
    assert our_lines(done.stderr) == [
        f"threadwheel: MKL_NUM_THREADS: '{value}' is not a number of threads from 1 to 1024; using 3 (OMP_NUM_THREADS)"
    ]


def test_two_bad_values_are_both_named(run_python: RunPython) -> None:
    done = run_python(PRINT_COUNT, MKL_NUM_THREADS="x", OMP_NUM_THREADS="99999")
    assert done.stdout == f"{DETECTED}\n"
    ours = our_lines(done.stderr)
    tail = f"is not a number of threads from 1 to 1024; using {DETECTED} (detected)"
    assert ours == [f"threadwheel: MKL_NUM_THREADS: 'x' {tail}", f"threadwheel: OMP_NUM_THREADS: '99999' {tail}"]


def test_affinity_limits_the_detected_count(run_python: RunPython) -> None:
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n" + PRINT_COUNT
    assert run_python(code).stdout == "1\n"


CPUS = " ".join(map(str, sorted(os.sched_getaffinity(0))))
BINDINGS = (("OMP_PROC_BIND", "true"), ("OMP_PROC_BIND", "close"), ("OMP_PLACES", "cores"), ("GOMP_CPU_AFFINITY", CPUS))


@pytest.mark.parametrize(("name", "value"), BINDINGS)
def test_cpus_of_threads_that_openmp_binds_are_counted(run_python: RunPython, name: str, value: str) -> None:
    """libgomp binds the first thread to one CPU when it is loaded, which is not all that the process may use."""
    done = run_python(f"{PRINT_COUNT}; print(tw.get_num_interop_threads())", **{name: value})
    assert done.stdout == f"{DETECTED}\n{DETECTED}\n"


def test_openmp_places_limit_the_detected_count(run_python: RunPython, build: dict[str, Any]) -> None:
    if build["family"] != "OMP":
        pytest.skip("only OpenMP reads OMP_PLACES")
    place = f"{{{min(os.sched_getaffinity(0))}}}"
    assert run_python(PRINT_COUNT, OMP_PLACES=place).stdout == "1\n"


@pytest.mark.parametrize("size", (2, 9))
def test_threads_that_were_spread_over_the_cpus_may_leave_them(run_python: RunPython, size: int) -> None:
    code = f"""
import os
import threadwheel as tw
tw.set_num_threads({size})
tw._core._testing.record_chunks(0, 100, 1)
for thread in os.listdir("/proc/self/task"):
    print(os.sched_getaffinity(int(thread)) == os.sched_getaffinity(0))
"""
    lines = run_python(code).stdout.splitlines()
    assert len(lines) >= 2
    assert set(lines) == {"True"}


def test_interop_threads_are_not_bound_to_the_cpu_of_their_maker(run_python: RunPython, build: dict[str, Any]) -> None:
    if build["family"] != "OMP":
        pytest.skip("only OpenMP binds threads")
    code = """
import os, time
cpus = os.sched_getaffinity(0)
import threadwheel as tw
assert os.sched_getaffinity(0) < cpus or len(cpus) == 1
tw._core._testing.launch_value(0).value()  # this thread may run the task before the pool's thread comes
end = time.monotonic() + 30
while time.monotonic() < end:
    for thread in os.listdir("/proc/self/task"):
        name = open(f"/proc/self/task/{thread}/comm").read().strip()
        if name == "threadwheel-op" and os.sched_getaffinity(int(thread)) == cpus:
            raise SystemExit
raise SystemExit("no such thread")
"""
    run_python(code, OMP_PROC_BIND="true")


def fake_tree(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


V2_MOUNT = "30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
V1_MOUNT = "31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
V1 = "sys/fs/cgroup/cpu,cpuacct/"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, 0),
        (
            {"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": V2_MOUNT, "sys/fs/cgroup/a/cpu.max": "max 100000\n"},
            0,
        ),
        (
            {
                "proc/self/cgroup": "0::/a\n",
                "proc/self/mountinfo": V2_MOUNT,
                "sys/fs/cgroup/a/cpu.max": "150000 100000",
            },
            2,
        ),
        (
            {"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": V2_MOUNT, "sys/fs/cgroup/a/cpu.max": "50000 100000"},
            1,
        ),
        (
            {
                "proc/self/cgroup": "0::/a\n",
                "proc/self/mountinfo": V2_MOUNT,
                "sys/fs/cgroup/a/cpu.max": "200000 100000",
            },
            2,
        ),
        (  # the parent's quota holds for its children
            {
                "proc/self/cgroup": "0::/pod/box\n",
                "proc/self/mountinfo": V2_MOUNT,
                "sys/fs/cgroup/pod/box/cpu.max": "800000 100000",
                "sys/fs/cgroup/pod/cpu.max": "300000 100000",
            },
            3,
        ),
        (  # a container with a cgroup namespace sees itself as the root
            {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": V2_MOUNT, "sys/fs/cgroup/cpu.max": "400000 100000"},
            4,
        ),
        (  # a process outside of the namespace's root
            {
                "proc/self/cgroup": "0::/../x\n",
                "proc/self/mountinfo": V2_MOUNT,
                "sys/fs/cgroup/cpu.max": "400000 100000",
            },
            4,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/a/b\n",
                "proc/self/mountinfo": V1_MOUNT,
                V1 + "a/b/cpu.cfs_quota_us": "-1\n",
                V1 + "a/b/cpu.cfs_period_us": "100000\n",
                V1 + "a/cpu.cfs_quota_us": "250000\n",
                V1 + "a/cpu.cfs_period_us": "100000\n",
            },
            3,
        ),
        (  # a container without a namespace: the mount starts at its own group
            {
                "proc/self/cgroup": "4:cpuacct,cpu:/docker/abc\n",
                "proc/self/mountinfo": V1_MOUNT.replace("0:27 / ", "0:27 /docker/abc "),
                V1 + "cpu.cfs_quota_us": "600000\n",
                V1 + "cpu.cfs_period_us": "100000\n",
            },
            6,
        ),
        (  # both hierarchies: the smaller quota; the cpuset controller is not cpu
            {
                "proc/self/cgroup": "5:cpuset:/x\n4:cpu,cpuacct:/a\n0::/b\n",
                "proc/self/mountinfo": V1_MOUNT + V2_MOUNT.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified "),
                V1 + "a/cpu.cfs_quota_us": "700000\n",
                V1 + "a/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/unified/b/cpu.max": "500000 100000",
            },
            5,
        ),
        ({"proc/self/cgroup": "garbage\n0:\n", "proc/self/mountinfo": "x - y\n - \n"}, 0),
        ({"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": V2_MOUNT, "sys/fs/cgroup/a/cpu.max": "bad"}, 0),
        ({"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": V2_MOUNT, "sys/fs/cgroup/a/cpu.max": "100 0"}, 0),
    ],
)
def test_cgroup_quota(tmp_path: Path, files: dict[str, str], quota: int) -> None:
    found = tw._core._testing.detect(fake_tree(tmp_path, files))
    assert found["quota"] == quota
    assert found["usable"] == (min(found["affinity"], quota) if quota else found["affinity"])


def test_hyperthreads_of_one_core_count_once(tmp_path: Path) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    for name in ("core_cpus_list", "thread_siblings_list"):
        files = {f"sys/devices/system/cpu/cpu{cpu}/topology/{name}": "0-1\n" for cpu in cpus}
        found = tw._core._testing.detect(fake_tree(tmp_path / name, files))
        assert (found["physical_cores"], found["usable"]) == (1, 1)


def test_set_reaches_threads_that_exist_already() -> None:
    seen: list[int] = []
    ready, go = threading.Event(), threading.Event()

    def work() -> None:
        seen.append(tw.get_num_threads())
        ready.set()
        go.wait(30)
        seen.append(tw.get_num_threads())
        tw.set_num_threads(3)

    tw.set_num_threads(5)
    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(30)
    tw.set_num_threads(4)
    go.set()
    thread.join()
    assert seen == [5, 4]
    assert tw.get_num_threads() == 3


def test_scopes_nest_and_are_the_thread_s_own() -> None:
    tw.set_num_threads(4)
    others: list[int] = []
    with tw.num_threads(2):
        assert tw.get_num_threads() == 2
        thread = threading.Thread(target=lambda: others.append(tw.get_num_threads()))
        thread.start()
        thread.join()
        with tw.num_threads(1):
            assert tw.get_num_threads() == 1
            assert len(tw._core._testing.record_chunks(0, 100, 1)) == 1
        assert tw.get_num_threads() == 2
        tw.set_num_threads(3)  # the process's number; this thread's own stays
        assert tw.get_num_threads() == 2
    assert others == [4]
    assert tw.get_num_threads() == 3


def test_a_scope_object_can_be_shared_between_threads() -> None:
    tw.set_num_threads(4)
    scope, inside, leave = tw.num_threads(2), threading.Barrier(2), threading.Barrier(2)
    seen: list[int] = []

    def work() -> None:
        tw.set_num_threads(5)
        with scope:
            inside.wait(30)
            seen.append(tw.get_num_threads())
            leave.wait(30)
        seen.append(tw.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    with scope:
        inside.wait(30)
        leave.wait(30)
    thread.join()
    assert seen == [2, 5]
    assert tw.get_num_threads() == 5
    with pytest.raises(RuntimeError, match=r"^num_threads: this thread is in no such block$"):
        scope.__exit__(None, None, None)


def test_a_scope_object_can_be_used_again_and_within_itself() -> None:
    tw.set_num_threads(4)
    scope = tw.num_threads(2)
    with scope, scope:
        assert tw.get_num_threads() == 2
    assert tw.get_num_threads() == 4
    with scope, pytest.raises(ZeroDivisionError):
        raise ZeroDivisionError
    assert tw.get_num_threads() == 4


@pytest.mark.parametrize("limit", (2, 3))
def test_a_scope_limits_a_larger_pool_and_widens_a_smaller_one(limit: int) -> None:
    for size in (1, 5):
        tw.set_num_threads(size)
        with tw.num_threads(limit):
            chunks = tw._core._testing.record_chunks(0, 10000, 1)
            assert {thread_num for _, _, thread_num, _, _ in chunks} <= set(range(limit))
            assert len({os_thread for _, _, _, os_thread, _ in chunks}) <= limit
            assert tw._core._testing.rendezvous(limit, 30.0) == limit
        assert tw.get_num_threads() == size


WRONG = [
    (0, ValueError, "{where}: the number of threads is 0; expected positive number of threads, from 1 to 1024"),
    (-1, ValueError, "{where}: the number of threads is -1; expected positive number of threads, from 1 to 1024"),
    (1025, ValueError, "{where}: the number of threads is 1025; expected positive number of threads, from 1 to 1024"),
    (
        2**31,
        ValueError,
        "{where}: the number of threads is 2147483648; expected positive number of threads, from 1 to 1024",
    ),
    (
        2**65,
        ValueError,
        f"{{where}}: the number of threads is {2**65}; expected positive number of threads, from 1 to 1024",
    ),
    (
        -(2**65),
        ValueError,
        f"{{where}}: the number of threads is -{2**65}; expected positive number of threads, from 1 to 1024",
    ),
    (2.0, TypeError, "{where}: the number of threads is 2.0, a float; expected an int"),
    (True, TypeError, "{where}: the number of threads is True, a bool; expected an int"),
    ("2", TypeError, "{where}: the number of threads is '2', a str; expected an int"),
    (None, TypeError, "{where}: the number of threads is None, a NoneType; expected an int"),
]


@pytest.mark.parametrize(("value", "exception", "text"), WRONG)
@pytest.mark.parametrize("where", ("set_num_threads", "set_num_interop_threads", "num_threads"))
def test_wrong_arguments(where: str, value: Any, exception: type[Exception], text: str) -> None:
    before = tw.get_num_threads(), tw.get_num_interop_threads()
    with pytest.raises(exception) as error:
        getattr(tw, where)(value)
    assert str(error.value) == text.format(where=where)
    if exception is ValueError:  # code written for PyTorch catches RuntimeError
        assert isinstance(error.value, RuntimeError)
    assert (tw.get_num_threads(), tw.get_num_interop_threads()) == before


def test_numpy_integers_are_ints() -> None:
    tw.set_num_threads(np.int64(3))
    assert tw.get_num_threads() == 3


def test_interop_count_is_set_once(run_python: RunPython) -> None:
    code = f"""
import threadwheel as tw
assert tw.get_num_interop_threads() == tw._core.describe_counts()["detected"]
tw.add({ARRAY}, 1)  # running ops is not a start of the pool
tw.set_num_interop_threads(5)
tw.set_num_interop_threads(5)
try:
    tw.set_num_interop_threads(4)
except RuntimeError as error:
    print(error)
print(tw.get_num_interop_threads())
"""
    assert run_python(code).stdout.splitlines() == [
        "Error: cannot set number of interop threads after parallel work has started or set_num_interop_threads "
        "called: it is 5, 4 was asked; set it once, before the first task",
        "5",
    ]


def test_reading_counts_starts_no_thread(run_python: RunPython) -> None:
    code = """
import os, threadwheel as tw
tw.set_num_threads(4); tw.get_num_threads(); tw.get_num_interop_threads()
print(len(os.listdir("/proc/self/task")))
"""
    assert run_python(code).stdout == "1\n"
