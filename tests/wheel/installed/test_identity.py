"""The installed wheel: file name, METADATA, build_info, __config__ and the linked libraries say the same.

Runs in an environment that has only the wheel and its requirements; the variant comes from the session.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import threadwheel

ROOT = Path(__file__).resolve().parents[3]
WHEEL = Path(os.environ["THREADWHEEL_TEST_WHEEL"])
VARIANT = os.environ["THREADWHEEL_TEST_VARIANT"]
PACKAGE = Path(threadwheel.__file__).parent
INFO = json.loads((PACKAGE / "build_info.json").read_text())
BUILDER = {**os.environ, "PYTHONPATH": str(ROOT / "python")}


def builder(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "threadwheel_build", *arguments]
    return subprocess.run(command, cwd=ROOT, env=BUILDER, capture_output=True, text=True)


PLAN = json.loads(builder("plan", "--json", "-C", f"threadwheel.variant={VARIANT}").stdout)


def test_it_is_the_installed_package_and_not_the_sources() -> None:
    assert ROOT / "python" not in PACKAGE.parents


def test_every_claim_is_the_plans() -> None:
    assert INFO["label"] == PLAN["label"] == VARIANT.replace("-", ".")
    assert INFO["family"] == PLAN["family"]
    assert INFO["options"]["resolved"] == {name: row["resolved"] for name, row in PLAN["options"].items()}
    assert INFO["requires"] == PLAN["requires"]


def test_metadata_and_file_name_carry_the_label() -> None:
    distribution = importlib.metadata.distribution("threadwheel")
    assert distribution.version == PLAN["version"]
    assert sorted(distribution.requires or []) == sorted(PLAN["requires"])
    assert WHEEL.name.split("-")[:2] == ["threadwheel", PLAN["version"]]


def test_version_and_label_are_separate_fields() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["threadwheel"]["version"]
    assert INFO["version"] == threadwheel.__version__ == version
    assert PLAN["version"] == (version if INFO["default"] else f"{version}+{INFO['label']}")


def test_show_names_the_label_and_every_option() -> None:
    shown = threadwheel.__config__.show()
    assert INFO["label"] in shown
    assert all(name in shown for name in INFO["options"]["resolved"])


def test_the_audit_of_the_wheel_is_clean() -> None:
    done = builder("audit", str(WHEEL), "--expect", INFO["label"], "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = json.loads(done.stdout)["reports"]
    assert report["problems"] == []


def test_the_installed_files_are_clean_too() -> None:
    assert builder("audit", str(PACKAGE)).returncode == 0


def test_only_the_openmp_wheel_bundles_a_runtime_and_under_its_own_name() -> None:
    found = sorted(p.name for p in (PACKAGE / "lib").iterdir() if p.is_file())
    expected = ["libthreadwheel.so"]
    expected += ["libgomp.so.1"] if INFO["family"] == "OMP" else []
    expected += ["libthreadwheel_dnnl.so"] if INFO["options"]["resolved"]["USE_MKLDNN"] == "ON" else []
    expected += ["libthreadwheel_intlc.so"] if INFO["options"]["resolved"]["MKLDNN_THREADING"] == "TBB" else []
    assert found == sorted(expected)


def test_the_wheel_holds_no_build_litter() -> None:
    allowed = re.compile(r"threadwheel/(lib/[^/]*\.so(\.\d+)?|lib/cmake/threadwheel/threadwheel-(config|config-version|targets|targets-release)\.cmake|include/threadwheel/[^/]*\.h|bin/parallel_info|_core\..*\.so|.*\.py|.*\.pyi|py\.typed|(build_info|runtimes)\.json)|threadwheel-[^/]*\.dist-info/.*")  # fmt: skip
    import zipfile

    with zipfile.ZipFile(WHEEL) as archive:
        assert [name for name in archive.namelist() if not allowed.fullmatch(name)] == []
        licences = [name for name in archive.namelist() if "/licenses/" in name]
    assert {Path(name).name for name in licences} == {"LICENSE", "THIRD_PARTY_NOTICES.md"}


@pytest.mark.parametrize("command", [["threadwheel", "info"], ["parallel_info"], [sys.executable, "-m", "threadwheel"]])
def test_the_commands_name_the_backend_from_any_directory(command: list[str], tmp_path: Path) -> None:
    line = {"OMP": "OpenMP", "TBB": "native thread pool and TBB", "NATIVE": "native thread pool"}[INFO["family"]]
    env = {k: v for k, v in os.environ.items() if k not in ("LD_LIBRARY_PATH", "PYTHONPATH")}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert f"ATen parallel backend: {line}" in done.stdout.splitlines()


def test_build_info_names_every_library_with_its_version() -> None:
    for name, library in INFO["libraries"].items():
        if name != "numpy":
            assert re.fullmatch(r"\d+(\.\d+)+", library["version"]), (name, library)
