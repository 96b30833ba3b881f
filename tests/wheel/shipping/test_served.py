"""Real pip and uv install from a served index: the right wheel, its hash checked, replaced and removed wholly."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import LABELS, Handler, Site, run, serve

ASK = """
import json, numpy, threadwheel as tw
product = tw.mm(numpy.ones((2, 3), "f4"), numpy.ones((3, 2), "f4"))
print(json.dumps([tw.__config__.build_info()["label"], float(numpy.asarray(product)[0, 0])]))
"""
# A machine's own indexes would answer where the test's has nothing.
ALONE = {"PIP_CONFIG_FILE": "/dev/null", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "UV_NO_CONFIG": "1"}
ALONE |= {
    "UV_EXTRA_INDEX_URL": "",
    "UV_INDEX": "",
    "UV_FIND_LINKS": "",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    run("uv", "venv", "--quiet", "--seed", "--python", sys.executable, tmp_path / "venv")
    return tmp_path / "venv"


def install(venv: Path, tool: str, url: str, what: str = "threadwheel") -> None:
    if tool == "pip":
        command = [venv / "bin" / "python", "-m", "pip", "install", "--no-cache-dir"]
    else:
        command = ["uv", "pip", "install", "--no-cache", "--python", venv]
    run(*command, "--index-url", url, what, **ALONE)


def said(venv: Path) -> list[object]:
    found: list[object] = json.loads(run(venv / "bin" / "python", "-c", ASK).stdout)
    return found


@pytest.mark.parametrize("tool", ["pip", "uv"])
@pytest.mark.parametrize("label", LABELS)
def test_each_index_installs_its_backend(site: Site, venv: Path, label: str, tool: str) -> None:
    install(venv, tool, site.index(label))
    assert said(venv) == [label, 3.0]
    names = {path.partition("?")[0].rpartition("/")[2] for path in site.asked}
    assert [name for name in names if name.startswith("threadwheel-") and name.endswith(".whl.metadata")]
    assert (venv / "lib" / "libtbb.so.12").exists() == (label == "tbb")


@pytest.fixture
def copied_site(site_folder: Path, tmp_path: Path) -> Iterator[Site]:
    shutil.copytree(site_folder, tmp_path / "copy")
    yield from serve(tmp_path / "copy", Handler)


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_wheel_that_is_not_the_audited_one_does_not_install(copied_site: Site, venv: Path, tool: str) -> None:
    (wheel,) = (copied_site.folder / "native" / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("threadwheel/extra.py", "")
    with pytest.raises(AssertionError, match=r"(?i)hash"):
        install(venv, tool, copied_site.index("native"))


def files(venv: Path) -> set[str]:
    return {
        str(path.relative_to(venv)) for path in venv.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__"
    }


def test_one_backend_replaces_another_wholly_and_uninstalls_wholly(copied_site: Site, venv: Path) -> None:
    install(venv, "uv", copied_site.index("tbb"))
    run("uv", "pip", "uninstall", "--python", venv, "threadwheel")
    empty = files(venv)  # what it requires stays
    assert not [name for name in empty if "threadwheel" in name or name.endswith("parallel_info")]
    alone = {}
    for label in LABELS:
        install(venv, "pip", copied_site.index(label))
        alone[label] = files(venv)
        run(venv / "bin" / "python", "-m", "pip", "uninstall", "--yes", "threadwheel")
        assert files(venv) == empty
    for tool in ("pip", "uv"):
        for label in ("omp", "tbb", "native", "omp"):
            # As the page says it: 0.1.0+tbb satisfies ==0.1.0, and would stay.
            install(venv, tool, copied_site.index(label), f"threadwheel===0.1.0{'' if label == 'omp' else '+' + label}")
            assert said(venv)[0] == label
            assert files(venv) == alone[label]
