"""Experimental: uv installs the wheel that an index of wheel variants prefers, everybody else the default one.

All indexes are of the same wheels.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ALONE, LABELS, Handler, NegotiatingHandler, Site, builder, files, install, run, said, serve

PREVIEW = ("--preview-features", "wheel-variants")


@pytest.fixture(scope="module")
def variants_folder(released: dict[str, Path], requirements: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("variants")
    builder("index", *released.values(), requirements, "-o", folder, "--wheel-variants")
    return folder


@pytest.fixture(params=[Handler, NegotiatingHandler], ids=["html", "json"])
def site(request: pytest.FixtureRequest, variants_folder: Path) -> Iterator[Site]:
    yield from serve(variants_folder, request.param)


def uv(venv: Path, *arguments: str) -> None:
    run("uv", "pip", *arguments[:1], "--no-cache", "--python", venv, *arguments[1:], **ALONE)


def index(site: Site, label: str) -> str:
    return f"{site.address}/{label}/variants/"


@pytest.mark.parametrize("label", LABELS)
def test_uv_installs_the_variant_that_the_index_prefers(site: Site, venv: Path, label: str) -> None:
    uv(venv, "install", *PREVIEW, "--index-url", index(site, label), "threadwheel==0.1.0")
    assert said(venv) == [label, 3.0]
    assert (venv / "lib" / "libtbb.so.12").exists() == (label == "tbb")
    taken = [path for path in site.asked if path.endswith(".whl") and "/threadwheel-" in path]
    assert {path.rpartition("-")[2] for path in taken} == {f"{label}.whl"}


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_installers_that_know_no_variants_take_the_default_wheel(site: Site, venv: Path, tool: str) -> None:
    install(venv, tool, index(site, "tbb"))
    assert said(venv) == ["omp", 3.0]


def test_uv_reads_the_same_order_from_a_folder(variants_folder: Path, venv: Path, tmp_path: Path) -> None:
    """`--find-links` instead of an index: the wheels and a document in one place."""
    for path in (*variants_folder.rglob("*.whl"), *(variants_folder / "tbb").rglob("*-variants.json")):
        (tmp_path / path.name).symlink_to(path)
    uv(venv, "install", *PREVIEW, "--no-index", "--find-links", str(tmp_path), "threadwheel==0.1.0")
    assert said(venv) == ["tbb", 3.0]


def test_what_was_installed_as_a_variant_is_replaced_and_removed_wholly(site: Site, venv: Path) -> None:
    uv(venv, "install", *PREVIEW, "--index-url", index(site, "tbb"), "threadwheel")
    uv(venv, "uninstall", "threadwheel")
    empty = files(venv)
    assert not [name for name in empty if "threadwheel" in name]
    uv(venv, "install", *PREVIEW, "--index-url", index(site, "native"), "threadwheel")
    uv(venv, "install", *PREVIEW, "--reinstall", "--index-url", index(site, "omp"), "threadwheel")
    assert said(venv)[0] == "omp"
    run(venv / "bin" / "python", "-m", "pip", "uninstall", "--yes", "threadwheel")
    assert files(venv) == empty


@pytest.mark.parametrize("label", LABELS)
def test_the_copy_of_a_release_passes_the_audit(variants_folder: Path, label: str) -> None:
    (wheel,) = (variants_folder / label / "wheels").glob(f"*-{label}.whl")
    report = json.loads(builder("audit", wheel, "--expect", label, "--json").stdout)["reports"][0]
    assert (report["problems"], report["claims"]["label"]) == ([], label)
    with zipfile.ZipFile(wheel) as archive:
        (bill,) = (archive.read(name) for name in archive.namelist() if name.endswith(".cdx.json"))
    # Of the build: the copies of three builds have one version, and would have one purl.
    build = "0.1.0" if label == "omp" else f"0.1.0+{label}"
    assert json.loads(bill)["metadata"]["component"]["version"] == build
