"""Tensors of PyTorch and ours over one memory, by DLPack, both ways; and text and indices as PyTorch has them."""

from __future__ import annotations

import subprocess

import pytest
from conftest import Neighbours, environment

CODE = """
import numpy as np, threadwheel as tw, torch

assert tw.ones(1).item() == 1
for name in ("bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128").split():
    theirs = torch.arange(12).reshape(3, 4).to(getattr(torch, name))[:, ::2].T
    ours = tw.from_dlpack(theirs)
    assert ours.data_ptr() == theirs.data_ptr() and ours.stride() == theirs.stride(), name
    assert ours.dtype == getattr(tw, name) and ours.tolist() == theirs.tolist(), name
    back = torch.from_dlpack(ours)
    assert back.data_ptr() == theirs.data_ptr() and back.dtype == theirs.dtype and torch.equal(back, theirs), name
    mine = tw.tensor([[0, 1], [1, 1]], dtype=name)
    other = torch.from_dlpack(mine)
    other.fill_(0)
    assert mine.tolist() == other.tolist(), name
    assert repr(ours) == repr(theirs).replace("torch.", "threadwheel."), (repr(ours), repr(theirs))
capsule = torch.utils.dlpack.to_dlpack(torch.ones(3))
assert tw.from_dlpack(capsule).sum() == 3

x, y = torch.arange(24.0).reshape(2, 3, 4), tw.arange(24.0).view(2, 3, 4)
mask = [[True, False, True], [False, True, False]]
for index in (
    0, -1, (0, 1), (..., 1), (None, 1), (slice(None), slice(0, 2)), (slice(None, None, 2), ..., slice(1, None, 2)),
    [0, 1], ([0, 1], [1, 2]), ([0, 1], slice(None), [1, 2]), True, False, (None, slice(None), [2, 0]), (),
):
    a, b = x[index], y[index]
    assert tuple(a.shape) == b.shape and a.tolist() == b.tolist(), index
assert x[torch.tensor(mask), 1:].tolist() == y[tw.tensor(mask), 1:].tolist()
print("same")
"""


@pytest.mark.usefixtures("torch")
def test_memory_is_shared_with_pytorch_both_ways(neighbours: Neighbours) -> None:
    command = [neighbours.folder / "bin" / "python", "-W", "ignore", "-c", CODE]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.stdout == "same\n", done.stderr
