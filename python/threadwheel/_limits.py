"""What numbers of a dtype can be: `finfo` and `iinfo`."""

from __future__ import annotations

import builtins

from ._core import DType

# Bits of the exponent and of the fraction that is stored.
_FLOATS = {"float16": (5, 10), "bfloat16": (8, 7), "float32": (8, 23), "float64": (11, 52)}
_PARTS = {"complex64": "float32", "complex128": "float64"}
_INTEGERS = {"uint8": (0, 8), "int8": (1, 8), "int16": (1, 16), "int32": (1, 32), "int64": (1, 64)}


class finfo:
    """Of a floating dtype, or of the parts of a complex one; float32 where none is given."""

    def __init__(self, type: DType | None = None) -> None:
        name = "float32" if type is None else type.name
        self.dtype = _PARTS.get(name, name)
        if self.dtype not in _FLOATS:
            raise TypeError(f"finfo: {name} is no floating dtype; use iinfo")
        exponent, fraction = _FLOATS[self.dtype]
        largest = 2 ** (exponent - 1) - 1
        self.bits = 1 + exponent + fraction
        self.eps = 2.0**-fraction
        self.max = (2.0 - self.eps) * 2.0**largest
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0 ** (1 - largest)
        self.resolution = 10.0 ** -builtins.int(fraction * 0.30103)  # decimal digits that survive

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={getattr(self, name):g}" for name in ("resolution", "min", "max", "eps", "tiny"))
        return f"finfo({numbers}, dtype={self.dtype})"


class iinfo:
    """Of an integer dtype."""

    def __init__(self, type: DType) -> None:
        if type.name not in _INTEGERS:
            raise TypeError(f"iinfo: {type.name} is no integer dtype; use finfo")
        signed, self.bits = _INTEGERS[type.name]
        self.dtype = type.name
        self.min = -(2 ** (self.bits - 1)) if signed else 0
        self.max = 2 ** (self.bits - signed) - 1

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"


__all__ = ["finfo", "iinfo"]
