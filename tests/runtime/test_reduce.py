"""parallel_reduce: the same bits for every number of threads, inside and outside regions, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threadwheel as tw

testing = tw._core._testing
MAX_CHUNKS = 256


def expected(values: np.ndarray, grain: int) -> np.float32:
    """The documented order: chunks from (n, grain) only, left to right within one, a pairwise tree over them."""
    size = max(grain, -(-len(values) // MAX_CHUNKS), 1)
    # cumsum adds one after the other, where sum would not
    partials = [np.cumsum(values[i : i + size], dtype=np.float32)[-1] for i in range(0, len(values), size)]
    if not partials:
        return np.float32(0)
    step = 1
    while step < len(partials):
        for i in range(0, len(partials) - step, 2 * step):
            partials[i] = np.float32(partials[i] + partials[i + step])
        step *= 2
    return partials[0]


@given(length=st.integers(0, 5000), grain=st.integers(0, 700), seed=st.integers(0, 2**32 - 1))
def test_bits_do_not_depend_on_threads_or_nesting(length: int, grain: int, seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal(length).astype(np.float32)
    reference = expected(values, grain).tobytes()
    for num_threads in (1, 2, 3, 7):
        tw.set_num_threads(num_threads)
        for nested in (False, True):
            assert np.float32(testing.reduce(values, grain, nested)).tobytes() == reference


def test_negative_grain_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^parallel_reduce: grain_size is -3; it must be 0 or more$"):
        testing.reduce(np.ones(4, np.float32), -3, False)
