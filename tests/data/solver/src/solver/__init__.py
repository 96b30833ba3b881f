"""A package over a shared library, without an extension module."""

import ctypes
import json
from pathlib import Path
from typing import Any

_library = ctypes.CDLL(str(Path(__file__).with_name("libsolver.so")))
_library.solver_dot.restype = ctypes.c_double
_library.solver_build_info.restype = ctypes.c_char_p


def dot(a: list[float], b: list[float]) -> float:
    array = ctypes.c_double * len(a)
    return float(_library.solver_dot(array(*a), array(*b), ctypes.c_long(len(a))))


def build_info() -> Any:
    return json.loads(_library.solver_build_info())
