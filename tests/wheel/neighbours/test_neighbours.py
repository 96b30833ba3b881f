"""Real packages with threading runtimes of their own, beside each release wheel, each in a process of its own.

Both sides work in turn and give right results, whoever is imported first; `info` judges what came together, and the
cure that it prints, where it is an environment variable, cures.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import Neighbours, Verdict

THREADWHEEL = """
import numpy as np
import threadwheel as tw

def check_threadwheel():
    a, b = np.ones((300, 200), "f4"), np.full((200, 100), 2, "f4")
    assert (tw.mm(a, b).numpy() == 400).all()
    assert tw.sum(np.ones(1_000_000, "f4")).item() == 1_000_000
"""
PACKAGES = {
    "scipy": """
import numpy as np, scipy.linalg

def check_package():
    a = np.eye(300) * 2 + np.ones((300, 300))
    assert np.allclose(a @ scipy.linalg.solve(a, np.ones(300)), 1)
""",
    "sklearn": """
import numpy as np
from sklearn.cluster import KMeans

def check_package():
    points = np.repeat([[0.0, 0.0], [9.0, 9.0]], 5000, axis=0)
    assert sorted(KMeans(2, n_init=1, random_state=0).fit(points).cluster_centers_[:, 0].round(6)) == [0, 9]
""",
    "numba": """
import numba, numpy as np

@numba.njit(parallel=True)
def total(values):
    result = 0.0
    for i in numba.prange(values.size):
        result += values[i]
    return result

def check_package():
    assert total(np.ones(1_000_000)) == 1_000_000
""",
    "torch": """
import torch

def check_package():
    assert bool((torch.ones(300, 300) @ torch.ones(300, 300) == 300).all())
    assert torch.ones(1_000_000).sum().item() == 1_000_000
""",
}
WORK = """
for _ in range(2):
    check_package()
    check_threadwheel()
"""
# Package, the runtime that it uses, and what that is beside the wheel of each family.
CASES = {
    "scipy": ("scipy", {}, {"OMP": "ok", "TBB": "ok", "NATIVE": "ok"}),
    # A renamed copy of libgomp.
    "sklearn": ("sklearn", {}, {"OMP": "mixed", "TBB": "mixed", "NATIVE": "ok"}),
    # It looks for libtbb where the system does, which is not where pip puts it.
    "numba-tbb": (
        "numba",
        {"NUMBA_THREADING_LAYER": "tbb", "LD_LIBRARY_PATH": "{lib}"},
        {"OMP": "mixed", "TBB": "ok", "NATIVE": "ok"},
    ),
    # Its file needs libgomp.so.1.0.0, a name that no copy but the system's has.
    "numba-omp": ("numba", {"NUMBA_THREADING_LAYER": "omp"}, {"OMP": "mixed", "TBB": "mixed", "NATIVE": "ok"}),
    "torch": ("torch", {}, {"OMP": "ok", "TBB": "mixed", "NATIVE": "ok"}),
}


def check(verdict: Verdict, expected: str) -> None:
    assert verdict.info["verdict"] == expected, verdict.info["findings"]
    assert verdict.exit_code == (expected == "mixed")
    assert "RuntimeWarning" not in verdict.stderr  # nothing here is worse than a warning of info


@pytest.mark.parametrize("order", ("before", "after"))
@pytest.mark.parametrize("case", CASES)
def test_both_work_and_the_verdict_is_right(
    neighbours: Neighbours, case: str, order: str, request: pytest.FixtureRequest
) -> None:
    package, variables, expected = CASES[case]
    if package == "torch":
        request.getfixturevalue("torch")
    variables = {name: value.format(lib=neighbours.library("")) for name, value in variables.items()}
    imports = [PACKAGES[package], THREADWHEEL]
    code = "".join(imports if order == "before" else reversed(imports)) + WORK
    verdict = neighbours.run(code, **variables)
    check(verdict, expected[neighbours.family])
    for problem in verdict.problems:
        name, _, value = problem["cure"].partition("=")
        if name == "LD_PRELOAD":
            check(neighbours.run(code, **variables, LD_PRELOAD=value), "ok")
        else:
            assert name.startswith("pip install ")


# MKL as programs use it that open libmkl_rt by themselves; its default layer opens libiomp5.
MKL = """
import ctypes, numpy as np

mkl = ctypes.CDLL({path!r})

def check_package():
    n = 300
    a, c = np.ones((n, n)), np.zeros((n, n))
    pa, pc, one = a.ctypes.data_as(ctypes.c_void_p), c.ctypes.data_as(ctypes.c_void_p), ctypes.c_double(1)
    mkl.cblas_dgemm(101, 111, 111, n, n, n, one, pa, n, pa, n, ctypes.c_double(0), pc, n)
    assert (c == n).all()
"""


def test_mkl_with_the_layer_of_another_runtime(neighbours: Neighbours) -> None:
    # MKL first: at its first call it takes GNU's layer by itself where libgomp is mapped already.
    (path,) = neighbours.folder.glob("lib/libmkl_rt.so.*")
    mkl = MKL.format(path=str(path)) + "check_package()\n"
    verdict = neighbours.run(mkl + THREADWHEEL + WORK)
    assert "libiomp5.so" in verdict.files("openmp")
    layers = [row for row in verdict.info["runtimes"] if row["name"] == "mkl" and row["num_threads"] is not None]
    assert [Path(row["file"]).name.split(".")[0] for row in layers] == ["libmkl_intel_thread"]
    expected = {
        "OMP": [("error", "import threadwheel first, with MKL_THREADING_LAYER=GNU")],
        "TBB": [("warning", "import threadwheel first, with MKL_THREADING_LAYER=TBB")],
        "NATIVE": [],
    }[neighbours.family]
    assert [(problem["severity"], problem["cure"]) for problem in verdict.problems] == expected
    assert verdict.exit_code == bool(expected)
    for _, cure in expected:
        check(neighbours.run(THREADWHEEL + mkl + WORK, MKL_THREADING_LAYER=cure.partition("=")[2]), "ok")


OPEN = "import ctypes\nctypes.CDLL({path!r})\n"
ONLY_THREADWHEEL = THREADWHEEL + "check_threadwheel()\n"


def test_intel_openmp_in_the_process(neighbours: Neighbours) -> None:
    path = str(neighbours.library("libiomp5.so"))
    verdict = neighbours.run(OPEN.format(path=path) + ONLY_THREADWHEEL)
    intel = next(row for row in verdict.info["runtimes"] if row["title"] == "Intel OpenMP")
    assert (intel["file"], intel["loaded_by"], intel["is_called"]) == (path, "dlopen", False)
    assert intel["num_threads"] >= 1
    if neighbours.family != "OMP":
        return check(verdict, "mixed" if neighbours.family == "TBB" else "ok")
    assert verdict.exit_code == 1 and "RuntimeWarning: threadwheel: two different OpenMP runtimes: " in verdict.stderr
    assert [(problem["severity"], problem["cure"]) for problem in verdict.problems] == [("error", f"LD_PRELOAD={path}")]


def test_a_preloaded_intel_openmp_gets_all_calls(neighbours: Neighbours) -> None:
    path = str(neighbours.library("libiomp5.so"))
    code = PACKAGES["sklearn"] + THREADWHEEL + WORK
    verdict = neighbours.run(code, LD_PRELOAD=path)
    check(verdict, "mixed" if neighbours.family == "TBB" else "ok")
    rows = [row for row in verdict.info["runtimes"] if row["kind"] == "openmp"]
    for row in rows:
        is_intel = row["file"] == path
        assert row["bypassed_by"] == (None if is_intel else path)
        assert row["is_called"] == (is_intel and neighbours.family == "OMP")
    assert len(rows) == (3 if neighbours.family == "OMP" else 2)


def test_two_copies_of_intels_runtime_are_not_woken(neighbours: Neighbours, tmp_path: Path) -> None:
    """Whoever asked both for a count would end the process: OMP Error #15."""
    copy = Path(shutil.copy(neighbours.library("libiomp5.so"), tmp_path / "libprivate.so"))
    code = OPEN.format(path=str(neighbours.library("libiomp5.so"))) + OPEN.format(path=str(copy))
    verdict = neighbours.run(code + ONLY_THREADWHEEL, THREADWHEEL_MIXED_RUNTIMES="ignore")
    assert verdict.exit_code == 1
    rows = [row for row in verdict.info["runtimes"] if row["title"] == "Intel OpenMP"]
    assert [(row["num_threads"], row["loaded_by"]) for row in rows] == [(None, "dlopen")] * 2
    assert any(problem["message"].startswith("2 copies of Intel OpenMP") for problem in verdict.problems)
