"""finfo and iinfo against numpy's, and the names of arguments that numpy has."""

from __future__ import annotations

import numpy as np
import pytest

import threadwheel as tw


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "complex64"])
def test_limits_of_floats(name: str) -> None:
    ours, theirs = tw.finfo(getattr(tw, name)), np.finfo(name)
    for field in ("bits", "eps", "max", "min", "tiny", "resolution"):
        assert getattr(ours, field) == pytest.approx(float(getattr(theirs, field)), rel=1e-3), field


def test_limits_of_bfloat16_and_of_the_default() -> None:
    info = tw.finfo(tw.bfloat16)
    assert (info.bits, info.eps, info.max, info.tiny) == (16, 2.0**-7, 3.3895313892515355e38, 2.0**-126)
    assert tw.finfo().dtype == "float32"
    with pytest.raises(TypeError, match="finfo: int64 is no floating dtype; use iinfo"):
        tw.finfo(tw.int64)


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_limits_of_integers(name: str) -> None:
    ours, theirs = tw.iinfo(getattr(tw, name)), np.iinfo(name)
    assert (ours.min, ours.max, ours.bits) == (theirs.min, theirs.max, theirs.bits)
    assert repr(ours) == f"iinfo(min={theirs.min}, max={theirs.max}, dtype={name})"
    with pytest.raises(TypeError, match="iinfo: float32 is no integer dtype; use finfo"):
        tw.iinfo(tw.float32)


def test_axis_and_keepdims_are_dim_and_keepdim() -> None:
    x = tw.arange(6, dtype=tw.float32).view(2, 3)
    assert x.sum(axis=1, keepdims=True).tolist() == x.sum(1, True).tolist() == [[3], [12]]
    assert tw.cat([x, x], axis=0).shape == (4, 3)
    assert tw.softmax(x, axis=-1).tolist() == tw.softmax(x, -1).tolist()
    with pytest.raises(TypeError, match="there is no argument 'axes'"):
        x.sum(axes=1)
    with pytest.raises(TypeError):
        x.sum(1, axis=1)
