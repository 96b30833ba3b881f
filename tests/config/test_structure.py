"""The house rules that a scan of the sources can hold: include direction, no #if on a backend, one owner."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT

from threadwheel_build.options import OptionTable

NATIVE = ROOT / "native"
# From the outermost to the innermost: a file includes only from its own folder and those after it.
# archive stands beside ir and sees tensor, and others' code, only. A backend sees the seam and nothing else.
ORDER = [
    "bindings",
    "api",
    "tools",
    "interpreter",
    "passes",
    "script",
    "ir",
    "ops",
    "providers",
    "tensor",
    "interop",
    "parallel",
]
# Others' code is taken as it is.
SOURCES = sorted(p for p in NATIVE.rglob("*") if p.suffix in (".cpp", ".h", ".c") and "third_party" not in p.parts)


def stage(path: Path) -> str:
    return path.relative_to(NATIVE).parts[0]


def included(path: Path) -> list[str]:
    found = re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.MULTILINE)
    return [name for name in found if (NATIVE / name).exists()]


def test_there_are_sources_to_scan() -> None:
    assert len(SOURCES) > 20


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(NATIVE)))
def test_includes_point_inwards(path: Path) -> None:
    own = stage(path)
    for name in included(path):
        other = name.split("/")[0]
        if own in ORDER and other in ORDER:
            assert ORDER.index(other) >= ORDER.index(own), f"{path.name} includes {name}"
        if "backends" in path.parts:
            assert other == "parallel", f"a backend includes {name}"
        if own == "archive":
            assert other in ("archive", "tensor", "third_party"), f"{path.name} includes {name}"
        if other == "archive":
            assert own in ("archive", "interpreter", "passes", "script", "api", "bindings"), (
                f"{path.name} includes {name}"
            )


def test_public_headers_include_public_and_standard_headers_only() -> None:
    for path in (NATIVE / "include").rglob("*.h"):
        for name in re.findall(r"^\s*#\s*include\s+(\S+)", path.read_text(), re.MULTILINE):
            assert re.fullmatch(r"<(threadwheel/\w+\.h|\w+)>", name), f"{path.name} includes {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(NATIVE)))
def test_no_file_asks_which_backend_or_library_it_is_built_for(path: Path) -> None:
    if "backends" in path.parts:
        return
    text = path.read_text()
    assert not re.search(
        r"^\s*#\s*(if|ifdef|ifndef|elif).*(OPENMP|_OMP|TBB|NATIVE|MKL|DNNL|ONEDNN)", text, re.MULTILINE
    )
    assert "#pragma omp" not in text


def test_every_family_has_its_backend_file_and_nothing_else(table: OptionTable) -> None:
    files = {p.stem for p in (NATIVE / "parallel" / "backends").glob("*.cpp")}
    assert files == {family.backend for family in table.families.values()}


def test_public_headers_name_no_backend() -> None:
    for path in (NATIVE / "include").rglob("*.h"):
        assert not re.search(
            r"\b(openmp|omp|tbb|mkl|dnnl|onednn)\b", re.sub(r"//.*", "", path.read_text()), re.IGNORECASE
        ), path


def test_no_python_module_of_the_builder_names_an_option(table: OptionTable) -> None:
    """Options are data: the builder serves other projects with other names."""
    for path in (ROOT / "python" / "threadwheel_build").glob("*.py"):
        text = path.read_text()
        assert not [name for name in table.spellings if re.search(rf"\b{name}\b", text)], path


def test_no_path_of_one_machine_is_named() -> None:
    for folder in ("cmake", "configs", "native", "python", "ci", "tests"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in (".py", ".cpp", ".h", ".cmake", ".toml", ".sh", ".md", ".txt"):
                assert not re.search(r"(?<![\w.])/(root|home|work)/\w", path.read_text()), path
