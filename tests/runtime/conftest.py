"""What the runtime tests share. They run against the installed wheel, whatever its variant; none is named here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import threadwheel as tw

# No deadlines: other jobs may share the machine. No example database: the tests leave no files behind.
settings.register_profile("runtime", deadline=None, database=None, max_examples=60)
settings.load_profile("runtime")

COUNT_VARIABLES = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "MKL_DYNAMIC", "OMP_DYNAMIC", "OMP_PROC_BIND")

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]

# What numpy has too.
NUMPY_DTYPES = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)


@pytest.fixture(scope="session")
def build() -> dict[str, Any]:
    return tw.__config__.build_info()


@pytest.fixture(scope="session")
def variant(build: dict[str, Any]) -> str:
    """How messages name what is tested."""
    return build["label"]


# For code that runs in a process of its own. A child that hangs is killed by its alarm, and the parent says so.
FORK = """
import os, signal, sys

def fork(then):
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        try:
            then()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 0, f"the child ended with {status}"
"""


@pytest.fixture(autouse=True)
def restored_thread_count() -> Iterator[None]:
    before = tw.get_num_threads()
    yield
    tw.set_num_threads(before)


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Run Python in a fresh process with no thread counts set but those given; from a folder with nothing in it."""

    def run(code: str, *arguments: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name not in COUNT_VARIABLES}
        # numpy's own pool would hide ours where threads are counted.
        environment |= {"OPENBLAS_NUM_THREADS": "1", **variables}
        command = [sys.executable, "-W", "error", *(("-c", code) if code else ()), *arguments]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=check
        )

    return run


def random_array(shape: tuple[int, ...], dtype: str = "float32", seed: int = 0) -> np.ndarray:
    """Values that are exact in every dtype that the ops take, of both signs where there are two."""
    values = np.random.default_rng(seed).integers(0 if dtype in ("bool", "uint8") else -9, 10, shape)
    return (values % 2 if dtype == "bool" else values).astype(dtype)
