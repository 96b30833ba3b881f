"""The builder serves a project that shares no option, family or library name with ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from threadwheel_build.decision import plan_for_hook
from threadwheel_build.matrix import jobs, verdict
from threadwheel_build.options import OptionTable, load_table
from threadwheel_build.plan import RefusedError, cross_product, resolve

OPTIONS = """
[families.CILK]
label = "cilk"
title = "Cilk"
runtimes = ["llvm-openmp"]
[families.NONE]
label = "plain"
title = "single-threaded"

[options.ENGINE]
kind = "threading"
families = { CILK = "CILK", NONE = "NONE" }
default = "NONE"
[options.SOLVER_ENGINE]
kind = "threading"
aliases = ["SOLVER_POOL"]
families = { CILK = "CILK", SERIAL = "any" }
default = { CILK = "CILK", NONE = "SERIAL" }
applies = { WITH_SOLVER = "ON" }
[options.ALLOW_CILK]
kind = "permit"
family = "CILK"
default = "OFF"
[options.WITH_SOLVER]
kind = "feature"
values = ["ON", "OFF"]
default = "OFF"
[options.LEVEL]
kind = "feature"
values = ["low", "High"]
default = "low"

[passthrough]
prefixes = ["CMAKE_"]
[[label]]
text = "solver"
when = { WITH_SOLVER = "ON" }
"""
LIBRARIES = """
[cilk]
when = { ALLOW_CILK = "ON" }
option = "ALLOW_CILK"
build-requires = ["cilk-devel==1"]
requires = ["cilk>=1"]
"""
VARIANT = 'release = true\n[options]\nENGINE = "CILK"\nALLOW_CILK = "ON"\nWITH_SOLVER = "ON"\n'


@pytest.fixture
def other(tmp_path: Path) -> OptionTable:
    (tmp_path / "configs" / "variants").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.threadwheel]\nversion = "3.0"\n')
    (tmp_path / "configs" / "options.toml").write_text(OPTIONS)
    (tmp_path / "configs" / "libraries.toml").write_text(LIBRARIES)
    (tmp_path / "configs" / "variants" / "cilk-solver.toml").write_text(VARIANT)
    (tmp_path / "configs" / "variants" / "plain.toml").write_text("")
    return load_table(tmp_path)


def test_it_gets_plans_labels_and_requirements(other: OptionTable) -> None:
    plan = plan_for_hook(other, {"cmake.define.ENGINE": "cilk", "cmake.define.ALLOW_CILK": "yes"}, {})
    assert (plan.label, plan.full_version, plan.family) == ("cilk", "3.0+cilk", "CILK")
    assert (plan.build_requires, plan.requires) == (["cilk-devel==1"], ["cilk>=1"])
    default = plan_for_hook(other, None, {})
    assert (default.label, default.full_version, default.requires) == ("plain", "3.0", [])


def test_it_gets_refusals_with_its_own_words(other: OptionTable) -> None:
    with pytest.raises(RefusedError) as caught:
        plan_for_hook(other, {"cmake.define.WITH_SOLVER": "ON", "cmake.define.SOLVER_POOL": "CILK"}, {})
    assert str(caught.value).splitlines() == [
        "threadwheel_build: these options make no build: 2 problems",
        "  R2: SOLVER_ENGINE=CILK (-C cmake.define.SOLVER_POOL) needs ALLOW_CILK=ON; ALLOW_CILK is OFF by default",
        "  R4: mixed single-threaded/Cilk build: single-threaded: ENGINE=NONE (default); Cilk: SOLVER_ENGINE=CILK "
        "(-C cmake.define.SOLVER_POOL); all enabled libraries must share one family",
        "  use: -C cmake.define.ENGINE=CILK -C cmake.define.SOLVER_ENGINE=CILK -C cmake.define.ALLOW_CILK=ON "
        "-C cmake.define.WITH_SOLVER=ON",
    ]


def test_its_variants_are_jobs_and_its_corrections_are_accepted(other: OptionTable) -> None:
    assert [(job.variant, job.label, job.release) for job in jobs(other)] == [
        ("cilk-solver", "cilk.solver", True),
        ("plain", "plain", False),
    ]
    for said in cross_product(other):
        found = verdict(other, said)
        assert found["ok"] or not resolve(other, found["corrected"]).problems


def test_its_values_need_not_be_upper_case(other: OptionTable) -> None:
    assert plan_for_hook(other, {"cmake.define.LEVEL": "HIGH"}, {}).resolved["LEVEL"] == "High"
    with pytest.raises(RefusedError, match=r"LEVEL=hi is no value of it .*; it is one of low, High"):
        plan_for_hook(other, {"cmake.define.LEVEL": "hi"}, {})
