"""Counts numbers on the threads of threadwheel, or in the SERIAL build on the caller's alone."""

import json
from importlib import import_module
from pathlib import Path

_INFO = json.loads(Path(__file__).with_name("build_info.json").read_text(encoding="utf-8"))

if "threadwheel" in _INFO["libraries"]:
    import_module("threadwheel")  # loads the library that _core links to, of whichever wheel is installed

from ._core import count, num_threads  # noqa: E402

__all__ = ["build_info", "count", "num_threads"]


def build_info() -> dict[str, object]:
    return dict(_INFO)
