"""Real pip and uv install from a served index: the right wheel, its hash checked, replaced and removed wholly."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import LABELS, Handler, Site, files, install, run, said, serve


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
