"""Normalisations against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


def normal(x: Array, axes: tuple[int, ...], eps: float = 1e-5) -> Array:
    x = x.astype("f8")
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)  # type: ignore[no-any-return]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(4, 6), (3, 6, 5), (2, 6, 3, 4)])
def test_statistics_of_the_input(dtype: str, shape: tuple[int, ...]) -> None:
    x, w, b = numbers(*shape, dtype=dtype) * 3 + 1, numbers(6, dtype=dtype), numbers(6, dtype=dtype)
    per_channel = (1, 6, *[1] * (len(shape) - 2))
    scale, shift = w.reshape(per_channel), b.reshape(per_channel)
    close = {"rtol": 1e-4, "atol": 1e-5}
    batch_axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(
        tw.batch_norm(x, w, b, None, None, True, 0.1, 1e-5, False).numpy(),
        normal(x, batch_axes) * scale + shift,
        **close,
    )
    last = shape[-1]
    y, z = numbers(last, dtype=dtype), numbers(last, dtype=dtype)
    np.testing.assert_allclose(tw.layer_norm(x, [last], y, z).numpy(), normal(x, (-1,)) * y + z, **close)
    np.testing.assert_allclose(
        tw.rms_norm(x, [last], y, 1e-5).numpy(),
        x / np.sqrt((x.astype("f8") ** 2).mean(-1, keepdims=True) + 1e-5) * y,
        **close,
    )
    grouped = normal(x.reshape(shape[0], 2, -1), (2,)).reshape(shape)
    np.testing.assert_allclose(tw.group_norm(x, 2, w, b).numpy(), grouped * scale + shift, **close)
    if len(shape) > 2:
        single = tw.instance_norm(x, w, b, None, None, True, 0.1, 1e-5, False).numpy()
        np.testing.assert_allclose(single, normal(x, tuple(range(2, len(shape)))) * scale + shift, **close)


def test_running_statistics_are_used_or_updated_in_place() -> None:
    x, mean, var = numbers(4, 3, 5), numbers(3), np.abs(numbers(3)) + 0.5
    fixed = tw.batch_norm(x, None, None, mean, var, False, 0.1, 1e-5, False).numpy()
    np.testing.assert_allclose(fixed, (x - mean[:, None]) / np.sqrt(var[:, None] + 1e-5), rtol=1e-4, atol=1e-5)
    before = mean.copy(), var.copy()
    tw.batch_norm(x, None, None, mean, var, True, 0.3, 1e-5, False)
    np.testing.assert_allclose(mean, 0.7 * before[0] + 0.3 * x.mean((0, 2)), rtol=1e-4)
    np.testing.assert_allclose(var, 0.7 * before[1] + 0.3 * x.var((0, 2), ddof=1), rtol=1e-4)


def test_a_large_mean_does_not_cancel() -> None:
    x = (numbers(3, 1000, dtype="f8") + 1e4).astype("f4")
    np.testing.assert_allclose(tw.layer_norm(x, [1000]).numpy(), normal(x, (-1,)), atol=2e-3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tw.layer_norm(numbers(2, 3), [4]), "normalized_shape is [4]; expected the last sizes of input"),
        (lambda: tw.layer_norm(numbers(2, 3), [3], numbers(2)), "layer_norm: weight has sizes [2]; expected [3]"),
        (lambda: tw.group_norm(numbers(2, 3), 2), "num_groups is 2; expected a divisor of the channels"),
        (
            lambda: tw.batch_norm(numbers(2, 3), None, None, None, None, False, 0.1, 1e-5, False),
            "a running statistic is missing; give both",
        ),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert text in str(error.value)


def test_statistics_have_the_inputs_dtype_unless_parameters_are_wider() -> None:
    x, ones = tw.ones(4, 3, dtype=tw.float16), tw.ones(3, dtype=tw.float16)
    wide = tw.ones(3)
    for weight, expected in ((ones, tw.float16), (wide, tw.float32)):
        _, mean, scale = tw.native_batch_norm(x, weight, None, None, None, True, 0.1, 1e-5)
        assert {mean.dtype, scale.dtype} == {expected}
