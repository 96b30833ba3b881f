"""`repair`: what it puts into a wheel, that equal contents make equal bytes, and what it refuses.

auditwheel is stood in for by a module that does one thing to the wheel; with the real one the tests of
tests/wheel/shipping/ run.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from commands import builder, environment, tree, write_tool
from elves import TBB_USER, Elves, Families, claims_of, needs_compiler, plan_source, rewrite_wheel

from threadwheel_build.audit import audit_wheel
from threadwheel_build.sbom import document

pytestmark = needs_compiler

# `change(members)` may do anything to the files of the wheel that goes to OUT under `platform`.
AUDITWHEEL = """
import json, pathlib, sys
sys.path.insert(0, {tests!r})
from elves import write_wheel
import zipfile
arguments = sys.argv[1:]
pathlib.Path({log!r}).write_text(json.dumps(arguments))
source, out = pathlib.Path(arguments[-1]), pathlib.Path(arguments[arguments.index("-w") + 1])
platform = "manylinux_2_28_x86_64"
def change(members): pass
{change}
out.mkdir(parents=True)
with zipfile.ZipFile(source) as archive:
    members = {{i.filename: archive.read(i) for i in archive.infolist()}}
change(members)
info = next(n.partition("/")[0] for n in members if n.endswith("/RECORD"))
members[f"{{info}}/WHEEL"] = members[f"{{info}}/WHEEL"].replace(b"linux_x86_64", platform.encode())
members.pop(f"{{info}}/RECORD")
import base64, hashlib
def row(name, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{{name}},sha256={{digest}},{{len(data)}}"
rows = [row(n, d) for n, d in members.items()] + [f"{{info}}/RECORD,,"]
members[f"{{info}}/RECORD"] = "\\n".join(rows).encode()
with zipfile.ZipFile(out / source.name.replace("linux_x86_64", platform), "w") as archive:
    for name, data in members.items():
        archive.writestr(name, data)
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    return auditwheel(tmp_path)


def auditwheel(folder: Path, change: str = "") -> Path:
    main = AUDITWHEEL.format(tests=str(Path(__file__).parent), log=str(folder / "auditwheel.json"), change=change)
    return write_tool(folder / "tools", "auditwheel", main)


def repaired(wheel: Path, out: Path, tools: Path) -> Path:
    done = builder("repair", wheel, "-o", out, tools=tools)
    assert done.returncode == 0, done.stderr
    (path,) = out.iterdir()
    assert done.stdout == f"{path}\n"
    return path


@pytest.mark.parametrize("label", ["omp", "tbb", "native"])
def test_a_repaired_wheel_is_sound_and_has_a_bill_of_materials(
    families: Families, tmp_path: Path, tools: Path, label: str
) -> None:
    path = repaired(families.wheel(tmp_path, label), tmp_path / "out", tools)
    assert path.name.endswith("-cp311-cp311-manylinux_2_28_x86_64.whl")
    assert audit_wheel(path, label).problems == ()
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/sboms/threadwheel.cdx.json"))
        bill = json.loads(archive.read(name))
    assert {row["name"]: row.get("version") for row in bill["components"]} == {"oneMKL": "2024.2", "NumPy": None}
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"


def test_json_names_the_wheel(families: Families, tmp_path: Path, tools: Path) -> None:
    done = builder("repair", families.wheel(tmp_path, "tbb"), "-o", tmp_path / "out", "--json", tools=tools)
    assert [Path(json.loads(done.stdout)["wheel"])] == list((tmp_path / "out").iterdir())


def test_shared_runtimes_are_not_grafted(families: Families, tmp_path: Path, tools: Path) -> None:
    for label, library in (("omp", ["libgomp.so.1"]), ("tbb", ["libtbb.so.12"]), ("native", [])):
        repaired(families.wheel(tmp_path, label), tmp_path / label, tools)
        arguments = json.loads((tmp_path / "auditwheel.json").read_text())
        assert [b for a, b in itertools.pairwise(arguments) if a == "--exclude"] == library


def test_what_a_requirement_shares_is_not_grafted(families: Families, tmp_path: Path, tools: Path) -> None:
    claims = claims_of("native")
    claims["libraries"]["numpy"]["shared_as"] = ["libnumpy.so"]
    files = {
        "threadwheel/lib/libthreadwheel.so": families.embedding("sharing", claims),
        "threadwheel/build_info.json": json.dumps(claims).encode(),
    }
    repaired(families.wheel(tmp_path, "native", files), tmp_path / "out", tools)
    arguments = json.loads((tmp_path / "auditwheel.json").read_text())
    assert [b for a, b in itertools.pairwise(arguments) if a == "--exclude"] == ["libnumpy.so"]


def test_equal_contents_make_equal_bytes(families: Families, tmp_path: Path, tools: Path) -> None:
    """Another order, other times and another compression in the built wheel leave no trace."""
    first = families.wheel(tmp_path / "a", "tbb")
    second = families.wheel(tmp_path / "b", "tbb")
    with zipfile.ZipFile(second) as archive:
        members = {name: archive.read(name) for name in reversed(archive.namelist())}
    with zipfile.ZipFile(second, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6)), data)
    assert first.read_bytes() != second.read_bytes()
    digests = {
        hashlib.sha256(repaired(path, path.parent / "out", tools).read_bytes()).hexdigest() for path in (first, second)
    }
    assert len(digests) == 1


def refused(wheel: Path, tmp_path: Path, tools: Path | None, code: int, *words: str, **env: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    done = builder("repair", wheel, "-o", out, tools=tools, env=env)
    assert (done.returncode, done.stdout, tree(out)) == (code, "", {})
    for text in words:
        assert text in done.stderr


def test_a_tampered_wheel_is_refused(families: Families, tmp_path: Path, tools: Path) -> None:
    wheel = families.wheel(tmp_path, "omp", {"threadwheel/lib/libthreadwheel.so": families.library("tbb")})
    refused(wheel, tmp_path, tools, 1, "contradicts its plan and is not delivered", "need or define tbb")


def test_a_wheel_that_is_not_ours_is_refused(families: Families, elves: Elves, tmp_path: Path, tools: Path) -> None:
    wheel = families.wheel(tmp_path, "native")
    changes = {
        "threadwheel/build_info.json": None,
        "threadwheel/lib/libthreadwheel.so": elves.shared("a.so").read_bytes(),
    }
    rewrite_wheel(wheel, changes)
    refused(wheel, tmp_path, tools, 1, "has no build_info.json and no compiled-in plan; the build must write both")


def test_another_label_than_expected_is_refused(families: Families, tmp_path: Path, tools: Path) -> None:
    done = builder("repair", families.wheel(tmp_path, "tbb"), "-o", tmp_path / "out", "--expect", "omp", tools=tools)
    assert done.returncode == 1
    assert "says the label tbb but omp is expected" in done.stderr


def test_what_auditwheel_breaks_is_refused(families: Families, tmp_path: Path) -> None:
    """A library of another family, put in after the first audit."""
    path = tmp_path / "other.so"
    path.write_bytes(families.library("native"))
    change = f"def change(m): m['threadwheel/lib/libthreadwheel.so'] = open({str(path)!r}, 'rb').read()"
    refused(families.wheel(tmp_path, "tbb"), tmp_path, auditwheel(tmp_path, change), 1, "contradicts its plan")


def test_a_grafted_runtime_is_refused(families: Families, elves: Elves, tmp_path: Path) -> None:
    """As auditwheel does with libgomp where nobody excludes it: a copy under another name, and who needs it edited."""
    copy = elves.tbb_library("libtbb-1a2b3c.so.12", soname="libtbb-1a2b3c.so.12")
    source = TBB_USER + plan_source(claims_of("tbb"))
    user = elves.shared("user.so", source, links=[copy], rpath="$ORIGIN:$ORIGIN/../../../..")
    change = f"""
def change(m):
    m["threadwheel.libs/{copy.name}"] = open({str(copy)!r}, "rb").read()
    m["threadwheel/lib/libthreadwheel.so"] = open({str(user)!r}, "rb").read()
"""
    words = (
        "auditwheel changed how it loads its libraries; nothing was delivered:",
        "  threadwheel/lib/libthreadwheel.so: needs the runtime libtbb-1a2b3c.so.12 instead of libtbb.so.12",
        "  threadwheel.libs/libtbb-1a2b3c.so.12: is a copy of tbb",
    )
    refused(families.wheel(tmp_path, "tbb"), tmp_path, auditwheel(tmp_path, change), 1, *words)


def test_a_lost_library_is_refused(families: Families, elves: Elves, tmp_path: Path) -> None:
    extra = {"threadwheel/lib/libextra.so": elves.shared("libextra.so").read_bytes()}
    tools = auditwheel(tmp_path, "def change(m): del m['threadwheel/lib/libextra.so']")
    words = ("auditwheel changed how it loads its libraries", "threadwheel/lib/libextra.so: is gone")
    refused(families.wheel(tmp_path, "native", extra), tmp_path, tools, 1, *words)


@pytest.mark.parametrize(
    ("patchelf", "code", "words"),
    [
        (None, 2, "patchelf: is not installed; "),
        ("exit 3", 2, "patchelf: failed (exit code 3) on threadwheel/lib/libthreadwheel.so; nothing was delivered"),
        ("exit 0", 1, "  threadwheel/lib/libthreadwheel.so: lost the RPATH $ORIGIN/../../../.."),
    ],
    ids=["missing", "failing", "without effect"],
)
def test_an_rpath_that_cannot_be_put_back_is_refused(
    families: Families, elves: Elves, tmp_path: Path, patchelf: str | None, code: int, words: str
) -> None:
    """With a Python that has no patchelf beside it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    if patchelf is not None:
        (programs / "patchelf").write_text(f"#!/bin/sh\n{patchelf}\n")
        (programs / "patchelf").chmod(0o755)
    user = elves.tbb_user("user.so", rpath="$ORIGIN", source=plan_source(claims_of("tbb")))
    change = f"def change(m): m['threadwheel/lib/libthreadwheel.so'] = open({str(user)!r}, 'rb').read()"
    wheel, tools = families.wheel(tmp_path, "tbb"), auditwheel(tmp_path, change)
    command = [programs / "python", "-m", "threadwheel_build", "repair", wheel, "-o", tmp_path / "out"]
    done = subprocess.run(command, env=environment(tools, PATH=""), capture_output=True, text=True)
    assert (done.returncode, (tmp_path / "out").exists()) == (code, False)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_portable_platform_there_is_no_release(families: Families, tmp_path: Path) -> None:
    words = "auditwheel made threadwheel-0.1.0+native-cp311-cp311-linux_x86_64.whl; a release has one wheel with a manylinux tag"
    tools = auditwheel(tmp_path, "platform = 'linux_x86_64'")
    refused(families.wheel(tmp_path, "native"), tmp_path, tools, 2, words)


def test_what_a_failing_tool_says_is_shown(families: Families, tmp_path: Path) -> None:
    tools = auditwheel(tmp_path, "sys.exit('cannot repair: too-recent versioned symbols')")
    words = (
        "auditwheel: failed (exit code 1); nothing was delivered:",
        "  cannot repair: too-recent versioned symbols",
    )
    refused(families.wheel(tmp_path, "native"), tmp_path, tools, 2, *words)


def test_a_missing_tool_names_the_cure(families: Families, tmp_path: Path) -> None:
    main = 'import sys; sys.exit("/usr/bin/python: No module named auditwheel")'
    tools = write_tool(tmp_path / "tools", "auditwheel", main)
    words = ("auditwheel: is not installed;", "-m pip install 'threadwheel-build[release]'")
    refused(families.wheel(tmp_path, "native"), tmp_path, tools, 2, *words)


def test_licences_must_be_named_and_there(families: Families, tmp_path: Path, tools: Path) -> None:
    wheel = families.wheel(tmp_path, "native", license_files=())
    refused(wheel, tmp_path, tools, 2, "METADATA names no License-File; write license-files into [project]")
    (tmp_path / "out").rmdir()
    wheel = families.wheel(tmp_path, "native", license_files=("LICENSE", "NOTICE"))
    refused(wheel, tmp_path, tools, 2, "METADATA names the licence NOTICE, which is not in the wheel; build again")


@pytest.mark.parametrize("value", ["", "now", "-1", "1.5"])
def test_the_time_must_be_whole_seconds(families: Families, tmp_path: Path, tools: Path, value: str) -> None:
    words = f"$SOURCE_DATE_EPOCH: is {value!r}; it takes whole seconds since 1970, or unset it\n"
    refused(families.wheel(tmp_path, "native"), tmp_path, tools, 2, words, SOURCE_DATE_EPOCH=value)


def test_the_bill_of_materials_says_what_is_inside_and_what_is_required() -> None:
    bill = document(claims_of("tbb"), "0.1.0+tbb", "BSD-3-Clause", 0)
    found = {row["name"]: (row["purl"], {p["name"].partition(":")[2]: p["value"] for p in row["properties"]}) for row in bill["components"]}  # fmt: skip
    assert found == {
        "oneMKL": ("pkg:pypi/mkl-static@2024.2.2", {"in-wheel": "yes"}),
        "NumPy": ("pkg:pypi/numpy", {"in-wheel": "no", "requirement": "numpy>=1.24"}),
    }
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/threadwheel@0.1.0%2Btbb"
    assert bill["dependencies"][0]["dependsOn"] == ["pkg:pypi/mkl-static@2024.2.2", "pkg:pypi/numpy"]
    assert document(claims_of("tbb"), "0.1.0+tbb", "BSD-3-Clause", 0) == bill
