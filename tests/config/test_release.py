"""`release`: from variants to published wheels, with stand-ins for the build front end, auditwheel and twine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import builder, environment, tree, write_tool
from conftest import ROOT
from elves import Families, needs_compiler
from test_repair import auditwheel

from threadwheel_build.audit import audit_wheel

pytestmark = needs_compiler

BUILD = """
import pathlib, shutil, sys
out = sys.argv[sys.argv.index("--outdir") + 1]
variant = next(a for a in sys.argv if a.startswith("threadwheel.variant=")).partition("=")[2]
print("the front end's own lines")
for wheel in pathlib.Path({wheels!r}, variant).glob("*.whl"):
    shutil.copy(wheel, out)
"""
TWINE = "import sys; print('Checking', sys.argv[-1]); sys.exit({code})"


@pytest.fixture
def project(families: Families, tmp_path: Path) -> Path:
    """A project whose front end delivers ready wheels."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "configs", folder / "configs")
    (folder / "pyproject.toml").write_text('[tool.threadwheel]\nversion = "0.1.0"\ninputs = ["configs"]\n')
    for label in ("omp", "tbb", "native"):
        families.wheel(tmp_path / "wheels" / label, label)
    write_tool(tmp_path / "tools", "build", BUILD.format(wheels=str(tmp_path / "wheels")))
    write_tool(tmp_path / "tools", "twine", TWINE.format(code=0))
    auditwheel(tmp_path)
    return folder


def test_every_release_variant_is_delivered_sound(project: Path, tmp_path: Path) -> None:
    done = builder("release", "--json", project=project, tools=tmp_path / "tools")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["variant"] for row in rows] == ["omp", "tbb", "native"]
    for row in rows:
        path = Path(row["wheel"])
        assert path.parent == project / "dist" / "release" / row["variant"]
        assert (path.stat().st_size, row["platform"]) == (row["size_bytes"], "manylinux_2_28_x86_64")
        assert audit_wheel(path, row["label"]).problems == ()
    steps = [line for line in done.stderr.splitlines() if line.startswith("release: tbb: ")]
    assert [step.split()[2] for step in steps] == ["building", "repairing", "checking", "delivered"]


def test_the_table_for_people_has_the_hashes(project: Path, tmp_path: Path) -> None:
    done = builder("release", "native", "-o", tmp_path / "out", project=project, tools=tmp_path / "tools")
    assert done.stdout.splitlines()[0].split() == ["variant", "wheel", "size", "sha256"]
    assert [path.parent.name for path in (tmp_path / "out").rglob("*.whl")] == ["native"]


def refused(project: Path, tmp_path: Path, code: int, words: str, **env: str) -> None:
    out = tmp_path / "out"
    done = builder("release", "native", "-o", out, project=project, tools=tmp_path / "tools", env=env)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert not out.exists() or tree(out) == {}


def test_a_wheel_that_is_too_large_is_refused(project: Path, tmp_path: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write("max-release-bytes = 1000\n")
    words = "bytes; [tool.threadwheel] max-release-bytes allows 1000, nothing was delivered"
    refused(project, tmp_path, 1, words)


def test_a_limit_that_is_no_number_is_refused(project: Path, tmp_path: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('max-release-bytes = "30 MB"\n')
    refused(project, tmp_path, 2, "pyproject.toml: max-release-bytes is '30 MB'; it is a whole number of bytes")


def test_what_twine_refuses_is_not_delivered(project: Path, tmp_path: Path) -> None:
    write_tool(tmp_path / "tools", "twine", TWINE.format(code=1))
    refused(project, tmp_path, 2, "twine: failed (exit code 1); nothing was delivered:\n  Checking ")


def test_a_tampered_build_is_refused(project: Path, families: Families, tmp_path: Path) -> None:
    library = {"threadwheel/lib/libthreadwheel.so": families.library("tbb")}
    families.wheel(tmp_path / "wheels" / "native", "native", library)
    refused(project, tmp_path, 1, "contradicts its plan and is not delivered")


def test_a_wheel_that_was_tampered_with_after_its_build_is_built_again(
    project: Path, families: Families, tmp_path: Path
) -> None:
    assert builder("wheel", "native", project=project, tools=tmp_path / "tools").returncode == 0
    library = {"threadwheel/lib/libthreadwheel.so": families.library("tbb")}
    families.wheel(project / "dist" / "native", "native", library)
    done = builder("release", "native", "--json", project=project, tools=tmp_path / "tools")
    assert done.returncode == 0
    assert "building native" in done.stderr
    assert audit_wheel(Path(json.loads(done.stdout)[0]["wheel"]), "native").problems == ()


def test_an_unknown_variant_is_one_line(project: Path, tmp_path: Path) -> None:
    done = builder("release", "nativ", project=project, tools=tmp_path / "tools")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nativ: no such variant (did you mean native?)" in done.stderr


def git(project: Path, *arguments: str) -> None:
    identity = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "GIT_COMMITTER_DATE": "1600000000 +0000", "HOME": str(project), **identity}
    subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True, env=env)


def release_without_a_time(project: Path, tmp_path: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "threadwheel_build", "--project", project, "release", "native", "--json"]
    env = environment(tmp_path / "tools", HOME=str(tmp_path), GIT_CEILING_DIRECTORIES=str(tmp_path), **extra)
    del env["SOURCE_DATE_EPOCH"]
    return subprocess.run(command, env=env, capture_output=True, text=True)


def test_the_time_is_the_commits(project: Path, tmp_path: Path) -> None:
    git(project, "init")
    git(project, "add", "configs", "pyproject.toml")
    git(project, "commit", "-m", "x")
    (project / "notes.txt").touch()  # no input of a wheel
    done = release_without_a_time(project, tmp_path)
    assert json.loads(done.stdout)[0]["source_date_epoch"] == 1600000000
    options = project / "configs" / "options.toml"
    options.write_text(options.read_text() + "\n")
    done = release_without_a_time(project, tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"{project}: configs/options.toml is not as it was committed; commit, or set SOURCE_DATE_EPOCH "
        "to the seconds since 1970 that the release shall carry\n"
    )


def test_without_a_commit_the_time_must_be_said(project: Path, tmp_path: Path) -> None:
    done = release_without_a_time(project, tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{project}: has no commit to take the time from: fatal: not a git repository")
    assert done.stderr.count("\n") == 1


def test_without_git_the_time_must_be_said(project: Path, tmp_path: Path) -> None:
    done = release_without_a_time(project, tmp_path, PATH=str(tmp_path))
    words = "git: is not installed; commit, or set SOURCE_DATE_EPOCH to the seconds since 1970 that the release shall carry\n"
    assert (done.returncode, done.stderr) == (2, words)


@pytest.mark.parametrize("moment", ["building", "repairing and auditing", "checking", "delivered"])
def test_killed_at_any_moment_only_whole_wheels_are_there(project: Path, tmp_path: Path, moment: str) -> None:
    command = [sys.executable, "-m", "threadwheel_build", "--project", project, "release", "native", "tbb"]
    process = subprocess.Popen(
        command, env=environment(tmp_path / "tools"), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert any(f"release: tbb: {moment}" in line for line in process.stderr)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    found = sorted((project / "dist" / "release").rglob("*"))
    wheels = [path for path in found if path.is_file()]
    assert wheels[0].name.startswith("threadwheel-0.1.0+native-")
    for path in wheels:
        assert audit_wheel(path, path.parent.name).problems == ()
