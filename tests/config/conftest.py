"""The project's own table, and one way to ask a verdict of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from elves import WHEEL_NAME, Elves, Families, plan_source, tbb_claims, write_wheel

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

from threadwheel_build.options import OptionTable, load_table  # noqa: E402


@pytest.fixture(scope="session")
def table() -> OptionTable:
    return load_table(ROOT)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, table: OptionTable) -> None:
    """No option of the caller's environment reaches a test."""
    for name in ("CMAKE_ARGS", "SKBUILD_CMAKE_ARGS", "SKBUILD_CMAKE_DEFINE", *table.spellings):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def elves(tmp_path: Path) -> Elves:
    return Elves(tmp_path / "built")


@pytest.fixture
def folder_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels mean what audit.py says by itself unless a test has a project."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Path]:
    """Pack a wheel that makes no claims: `pack(member=path of a built file, ...)`."""

    def pack_wheel(members: Mapping[str, Path], name: str = "foreign-1.0-py3-none-any.whl") -> Path:
        return write_wheel(
            tmp_path / name,
            {member: path.read_bytes() for member, path in members.items()},
            name="foreign",
            version="1.0",
            requires=(),
        )

    return pack_wheel


@pytest.fixture(scope="session")
def our_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The ELF files of a TBB wheel: the library embeds the claims."""
    built = Elves(tmp_path_factory.mktemp("ours"))
    core = built.tbb_user("libthreadwheel.so", rpath="$ORIGIN:$ORIGIN/../../../..", source=plan_source(tbb_claims()))
    return {
        "threadwheel/lib/libthreadwheel.so": built.strip(core).read_bytes(),
        "threadwheel/_core.so": built.shared("_core.so").read_bytes(),
    }


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory) -> Families:
    return Families(tmp_path_factory.mktemp("families"))


@pytest.fixture
def ours(our_files: dict[str, bytes], tmp_path: Path) -> Callable[..., Path]:
    """Write a TBB wheel that is right but for what is passed; `files` with None are left out."""

    def write(files: Mapping[str, bytes | None] | None = None, file_name: str = WHEEL_NAME, **metadata: Any) -> Path:
        members = (
            our_files | {"threadwheel/build_info.json": json.dumps(tbb_claims(), indent=1).encode()} | dict(files or {})
        )
        return write_wheel(
            tmp_path / file_name, {name: data for name, data in members.items() if data is not None}, **metadata
        )

    return write
