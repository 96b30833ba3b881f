"""The arrays that commands read and write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from threadwheel import _core
from threadwheel._mistakes import CommandError, blamed_on

# numpy has no bfloat16, and no numbers that are quantized.
ARRAY_DTYPES = [name for name in _core.dtypes if not name.startswith(("bfloat", "q"))]


def numpy() -> Any:
    """Import numpy, which only those commands need that read and write arrays."""
    try:
        import numpy
    except ImportError as error:
        raise CommandError("numpy is needed to read and write arrays; pip install numpy") from error
    return numpy


def read_input(text: str) -> Any:
    """An input: a .npy file, a number, or random values of a shape such as 1x3x224x224 or 4x16:int64."""
    if text.endswith(".npy"):
        with blamed_on(f"--input {text}", "give a .npy file"):
            return read_array(Path(text))
    shape, _, dtype = text.partition(":")
    with blamed_on(f"--input {text}", "give a .npy file, a shape such as 1x3x224x224 or 4x16:int64, or a number"):
        if "x" in shape or dtype:
            return random_values([int(size) for size in shape.split("x")] if shape else [], dtype or "float32")
        return json.loads(text)


def read_array(path: Path) -> _core.Tensor:
    with path.open("rb") as file:
        array = numpy().lib.format.read_array(file, allow_pickle=False)
    check_dtype(array.dtype.name, ARRAY_DTYPES)
    return _core.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))


def random_values(sizes: list[int], dtype: str) -> _core.Tensor:
    """Normal numbers, or for integers 0 and 1: indices that are in most tables."""
    check_dtype(dtype, [*ARRAY_DTYPES, "bfloat16"])
    random = numpy().random.default_rng(0)
    if dtype.startswith(("float", "bfloat", "complex")):
        values = random.standard_normal(sizes, "float32")
    else:
        values = random.integers(0, 2, sizes, "uint8")
    return _core.from_numpy(values).to(_core.dtypes[dtype])


def check_dtype(name: str, supported: list[str]) -> None:
    if name not in supported:
        raise ValueError(f"the dtype {name} is not supported, only {', '.join(supported)}")


@contextmanager
def new_file(path: str) -> Iterator[IO[bytes]]:
    """A file that becomes `path` when all of it is there; one that cannot be is an error before the work for it."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise ValueError("it exists and is not a regular file")
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    with partial.open("xb") as file:
        try:
            yield file
            file.close()  # so that what is left to write comes before the name
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def save(file: IO[bytes], values: dict[str, Any]) -> None:
    numpy().savez(file, **{name: numpy().asarray(widened(value)) for name, value in values.items()})


def is_widened(value: Any) -> bool:
    """Whether numpy has this value in a wider type only."""
    return isinstance(value, _core.Tensor) and value.dtype == _core.dtypes["bfloat16"]


def widened(value: Any) -> Any:
    return value.to(_core.dtypes["float32"]) if is_widened(value) else value
