"""Each public header compiles on its own, twice included, in C++20 and without a warning."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

INCLUDE = Path(__file__).resolve().parents[2] / "native" / "include"
HEADERS = sorted(str(p.relative_to(INCLUDE)) for p in INCLUDE.rglob("*.h"))


@pytest.mark.parametrize("header", HEADERS)
def test_a_public_header_is_self_contained(header: str) -> None:
    flags = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{INCLUDE}", "-xc++", "-"]
    command = [*shlex.split(os.environ.get("CXX", "c++")), *flags]
    source = f"#include <{header}>\n#include <{header}>\nint main() {{}}\n"
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
