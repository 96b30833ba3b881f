"""torch's values as threadwheel's and the other way around, where two results differ, and processes to compare in."""

from __future__ import annotations

import faulthandler
import os
import pickle
from typing import Any

import numpy as np
import torch

import threadwheel as tw

# Relative and absolute. Of the 16-bit floats: four units in the last place, and as much of 1 where terms cancel. Of the
# others: what different orders of summation were seen to make of a few dozen terms, ten times.
TOLERANCES = {"float16": (4e-3, 4e-3), "bfloat16": (3e-2, 3e-2), "float32": (2e-4, 1e-5), "complex64": (3e-4, 1e-5)}
EXACT = (1e-7, 1e-9)


def to_ours(value: Any) -> Any:
    """The same elements, in torch's memory, with its strides."""
    if isinstance(value, torch.Tensor):
        if value.dtype == torch.bfloat16:
            return tw.view(tw.from_numpy(value.view(torch.int16).numpy()), tw.bfloat16)
        return tw.from_numpy(value.resolve_conj().resolve_neg().numpy())
    if isinstance(value, (list, tuple)):
        return type(value)(to_ours(each) for each in value)
    return getattr(tw, str(value)[6:]) if isinstance(value, torch.dtype) else value


def array_of(value: Any) -> np.ndarray:
    """The elements of either's tensor; of bfloat16, which numpy lacks, in float32."""
    if isinstance(value, tw.Tensor):
        return (tw.to(value, tw.float32) if value.dtype.name == "bfloat16" else value).numpy()
    plain = value.detach().resolve_conj().resolve_neg()
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()


def difference(ours: Any, theirs: Any, coarsest: str | None = None, where: str = "result") -> str | None:
    """None where they agree; `coarsest` names a dtype among the operands whose tolerance holds for all results."""
    if isinstance(theirs, torch.Tensor):
        return tensor_difference(ours, theirs, coarsest, where)
    if isinstance(theirs, (list, tuple)):
        if not isinstance(ours, (list, tuple)) or len(ours) != len(theirs):
            return f"{where}: {ours!r} for {theirs!r}"
        pairs = enumerate(zip(ours, theirs, strict=True))
        return next((found for i, pair in pairs if (found := difference(*pair, coarsest, f"{where}[{i}]"))), None)
    if isinstance(theirs, float) and isinstance(ours, float):
        close = np.isclose(ours, theirs, rtol=1e-9, atol=1e-12, equal_nan=True)
        return None if close else f"{where}: {ours} for {theirs}"
    return None if type(ours) is type(theirs) and ours == theirs else f"{where}: {ours!r} for {theirs!r}"


def tensor_difference(ours: Any, theirs: torch.Tensor, coarsest: str | None, where: str) -> str | None:
    dtype = str(theirs.dtype)[6:]
    if not isinstance(ours, tw.Tensor):
        return f"{where}: {ours!r} is no tensor"
    if (ours.dtype.name, tuple(ours.shape)) != (dtype, tuple(theirs.shape)):
        return f"{where}: {ours.dtype.name} {tuple(ours.shape)} for {dtype} {tuple(theirs.shape)}"
    got, expected = array_of(ours), array_of(theirs)
    if theirs.dtype.is_floating_point or theirs.dtype.is_complex:
        rtol, atol = max(TOLERANCES.get(dtype, EXACT), TOLERANCES.get(coarsest or "", EXACT))
        with np.errstate(all="ignore"):
            same = np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
            if theirs.dtype.is_complex:  # infinite in which part is a matter of how products are written
                same |= ~np.isfinite(got) & ~np.isfinite(expected)
    else:
        same = np.equal(got, expected)
    if same.all():
        return None
    at = np.unravel_index(int(np.argmin(same)), same.shape)
    return f"{where}: {got[at]} for {expected[at]} at {tuple(map(int, at))} of {got.shape}"


def in_child(work: Any) -> Any:
    """work()'s result, from a process of its own: torch has been seen to die of odd arguments."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        os.write(write, pickle.dumps(work()))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(data) if status == 0 else None
