"""The release wheels themselves: platform, size, contents, bill of materials; and RPATHs that auditwheel drops."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from conftest import LABELS, ROOT, builder, built
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from elves import Elves, claims_of, plan_source, write_wheel


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def bill_of(path: Path) -> dict[str, Any]:
    (text,) = (data for name, data in members(path).items() if name.endswith(".dist-info/sboms/threadwheel.cdx.json"))
    bill: dict[str, Any] = json.loads(text)
    return bill


@pytest.mark.parametrize("label", LABELS)
def test_it_is_small_sound_and_for_manylinux(released: dict[str, Path], label: str) -> None:
    path = released[label]
    assert re.search(r"-manylinux_2_\d+_x86_64\.whl$", path.name)
    assert path.stat().st_size <= 30e6
    report = json.loads(builder("audit", path, "--expect", label, "--json").stdout)["reports"][0]
    assert report["problems"] == []


@pytest.mark.parametrize("label", LABELS)
def test_repair_changes_no_file_of_the_package(released: dict[str, Path], label: str) -> None:
    before, after = members(built(label)), members(released[label])
    added = set(after) - set(before)
    changed = {name for name in before if before[name] != after.get(name)}
    assert {name.partition(".dist-info/")[2] for name in added} == {"sboms/threadwheel.cdx.json"}
    assert {name.partition(".dist-info/")[2] for name in changed} == {"WHEEL", "RECORD"}


@pytest.mark.parametrize("label", LABELS)
def test_repaired_again_it_has_the_same_bytes(released: dict[str, Path], label: str, tmp_path: Path) -> None:
    builder("repair", built(label), "-o", tmp_path)
    assert (tmp_path / released[label].name).read_bytes() == released[label].read_bytes()


INSIDE = {
    "omp": {"oneMKL": "mkl-static", "oneDNN": "onednn-cpu-gomp", "GNU OpenMP runtime": "libgomp"},
    "tbb": {"oneMKL": "mkl-static", "oneDNN": "onednn-cpu-tbb"},
    "native": {"oneMKL": "mkl-static"},
}


@pytest.mark.parametrize("label", LABELS)
def test_the_bill_of_materials_is_valid_and_names_what_is_inside(released: dict[str, Path], label: str) -> None:
    bill = bill_of(released[label])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    found = {row["name"]: row for row in bill["components"]}
    inside = {name for name, row in found.items() if {"name": "threadwheel_build:in-wheel", "value": "yes"} in row["properties"]}  # fmt: skip
    assert inside == {*INSIDE[label], "libdeflate", "pybind11"}
    assert set(found) - inside == ({"NumPy", "oneTBB"} if label == "tbb" else {"NumPy"})
    for name, package in INSIDE[label].items():
        assert re.fullmatch(rf"pkg:(pypi|generic)/{package}@\d[\d.]*", found[name]["purl"])
    assert all(re.search(r"\d", row["version"]) for name, row in found.items() if name != "NumPy")


@pytest.mark.parametrize("label", LABELS)
def test_the_licences_of_what_is_inside_are_there(released: dict[str, Path], label: str) -> None:
    files = members(released[label])
    (info,) = {name.partition("/")[0] for name in files if ".dist-info/" in name}
    named = BytesParser().parsebytes(files[f"{info}/METADATA"]).get_all("License-File", [])
    texts = {name: files[f"{info}/licenses/{name}"].decode() for name in named}
    assert set(texts) == {"LICENSE", "THIRD_PARTY_NOTICES.md"}
    for title in ("oneMKL", "oneDNN", "pybind11", "libdeflate", "libgomp"):
        assert f"\n## {title}\n" in texts["THIRD_PARTY_NOTICES.md"]
    for words in ("GNU GENERAL PUBLIC LICENSE", "GCC RUNTIME LIBRARY EXCEPTION", "Intel Simplified Software License"):
        assert words in texts["THIRD_PARTY_NOTICES.md"]


def test_an_rpath_that_auditwheel_drops_is_put_back(tmp_path: Path) -> None:
    """A library of the machine is grafted, so auditwheel edits who needs it, and forgets where libtbb is found."""
    elves = Elves(tmp_path / "built")
    extra = elves.shared("extra/libextra.so.1", "int extra(void) { return 1; }", soname="libextra.so.1")
    tbb = elves.tbb_library("link/libtbb.so.12")
    source = 'extern "C" int extra(); int call() { return extra(); } namespace {}' + plan_source(claims_of("tbb"))
    rpath = f"$ORIGIN:$ORIGIN/../../../..:{extra.parent}"
    library = elves.shared("user.so", source, links=[extra, tbb], rpath=rpath)
    files = {
        "threadwheel/lib/libthreadwheel.so": library.read_bytes(),
        "threadwheel/build_info.json": json.dumps(claims_of("tbb")).encode(),
        "threadwheel-0.1.0+tbb.dist-info/licenses/LICENSE": b"",
    }
    wheel = tmp_path / "threadwheel-0.1.0+tbb-cp311-cp311-linux_x86_64.whl"
    builder("repair", write_wheel(wheel, files), "-o", tmp_path / "out")
    (repaired,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(repaired) as archive:
        archive.extractall(tmp_path / "unpacked")
    (grafted,) = (tmp_path / "unpacked" / "threadwheel.libs").iterdir()
    shown = subprocess.run(
        ["readelf", "-d", tmp_path / "unpacked" / "threadwheel" / "lib" / "libthreadwheel.so"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = re.search(r"\(RU?N?PATH\)\s+Library \w+: \[(.*)\]", shown)
    assert found is not None
    assert {"$ORIGIN/../../../..", "$ORIGIN/../../threadwheel.libs"} <= set(found[1].split(":"))
    assert f"[{grafted.name}]" in shown
    assert "[libtbb.so.12]" in shown


@pytest.mark.parametrize("label", LABELS)
def test_cibuildwheel_reads_the_variants_configuration(label: str) -> None:
    from conftest import run

    config = ROOT / "ci" / "cibuildwheel" / f"{label}.toml"
    command = ["cibuildwheel", "--platform", "linux", "--config-file", config, "--print-build-identifiers", ROOT]
    assert run(*command).stdout.split() == ["cp311-manylinux_x86_64", "cp312-manylinux_x86_64", "cp313-manylinux_x86_64", "cp314-manylinux_x86_64"]  # fmt: skip
