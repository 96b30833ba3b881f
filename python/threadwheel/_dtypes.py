"""The names of dtypes that C has given them: `threadwheel.float` is `threadwheel.float32`."""

from __future__ import annotations

from ._core import dtype_aliases

byte = dtype_aliases["byte"]
char = dtype_aliases["char"]
short = dtype_aliases["short"]
int = dtype_aliases["int"]
long = dtype_aliases["long"]
half = dtype_aliases["half"]
float = dtype_aliases["float"]
double = dtype_aliases["double"]
cfloat = dtype_aliases["cfloat"]
cdouble = dtype_aliases["cdouble"]

__all__ = ["byte", "cdouble", "cfloat", "char", "double", "float", "half", "int", "long", "short"]
