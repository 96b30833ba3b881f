"""Reads the goldens of tests/data/torchscript and compares results with them: what torch 2.13 gave for each archive."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import threadwheel as tw

DATA = Path(__file__).parents[1] / "data" / "torchscript"
sys.path.insert(0, str(DATA))
from tszoo_io import load_case  # noqa: E402

Node = dict[str, Any]

# What it draws depends on a seed that nobody set: test_ops_random.py looks at such numbers.
RANDOM = {"multinomial/float32_0"}


def to_input(value: Any, node: Node) -> Any:
    """A value of load_case as an argument. bfloat16 is stored as uint16."""
    if node["k"] == "tensor":
        if node["dtype"] == "bfloat16":
            return tw.view(tw.from_numpy(np.array(value).view(np.int16)), tw.bfloat16)
        return tw.from_numpy(np.array(value))
    if node["k"] in ("list", "tuple"):
        entries = [to_input(*pair) for pair in zip(value, node["e"], strict=True)]
        return tuple(entries) if node["k"] == "tuple" else entries
    if node["k"] == "dict":
        return {key: to_input(entry, pair[1]) for (key, entry), pair in zip(value.items(), node["e"], strict=True)}
    return value


def compare(got: Any, expected: Any, node: Node, rtol: float, atol: float, where: str = "output") -> None:
    """Raise AssertionError that says where `got` differs."""
    kind = node["k"]
    if kind == "tensor":
        compare_tensor(got, expected, node["dtype"], rtol, atol, where)
    elif kind in ("list", "tuple"):
        assert len(got) == len(expected), where
        for i, each in enumerate(zip(got, expected, node["e"], strict=True)):
            compare(*each, rtol, atol, f"{where}[{i}]")
    elif kind == "dict":
        assert list(got) == list(expected), where
        for (key, entry), pair in zip(expected.items(), node["e"], strict=True):
            compare(got[key], entry, pair[1], rtol, atol, f"{where}[{key!r}]")
    elif kind == "float":
        np.testing.assert_allclose(got, expected, rtol=1e-5, err_msg=where)
    else:
        assert got == expected and type(got) is type(expected), f"{where}: {got!r} for {expected!r}"


def compare_tensor(got: Any, expected: Any, dtype: str, rtol: float, atol: float, where: str) -> None:
    assert isinstance(got, tw.Tensor), f"{where}: {got!r} is no tensor"
    assert got.dtype.name == dtype, f"{where}: {got.dtype.name} for {dtype}"
    if dtype == "bfloat16":
        got, expected = tw.to(got, tw.float32), (expected.astype(np.uint32) << 16).view(np.float32)
    array = np.asarray(got)
    assert array.shape == expected.shape, f"{where}: sizes {array.shape} for {expected.shape}"
    np.testing.assert_allclose(array, expected, rtol=rtol, atol=atol, equal_nan=True, err_msg=where)


def check_case(module: Any, case: Any) -> None:
    """Call the module as the case says, the path of an .npz or its bytes, and compare."""
    case = io.BytesIO(case if isinstance(case, bytes) else Path(case).read_bytes())
    inputs, keywords, expected, spec = load_case(case)
    arguments = [to_input(*pair) for pair in zip(inputs, spec["inputs"], strict=True)]
    named = {name: to_input(value, spec["kwargs"][name]) for name, value in keywords.items()}
    method: Callable[..., Any] = getattr(module, spec["method"].replace("__call__", "forward"))
    result = method(*arguments, **named)
    compare(result, expected, spec["outputs"], spec.get("rtol", 1e-4), spec.get("atol", 1e-5))
