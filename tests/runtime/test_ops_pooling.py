"""Pooling against its definition, and the shuffles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


def windows(x: Array, kernel: int, stride: int, padding: int, fill: float) -> Array:
    """[..., out, out, kernel, kernel] of the last two dimensions."""
    padded = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(padding, padding)] * 2, constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (-2, -1))
    return view[..., ::stride, ::stride, :, :]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 1), (5, 3, 2)])
def test_pooling(dtype: str, kernel: int, stride: int, padding: int) -> None:
    x = numbers(2, 3, 9, 11, dtype=dtype)
    expected = windows(x, kernel, stride, padding, -np.inf).max((-2, -1))
    np.testing.assert_array_equal(tw.max_pool2d(x, kernel, stride, padding).numpy(), expected)
    values, indices = tw.max_pool2d_with_indices(x, kernel, stride, padding)
    np.testing.assert_array_equal(values.numpy(), expected)
    np.testing.assert_array_equal(
        np.take_along_axis(x.reshape(2, 3, -1), indices.numpy().reshape(2, 3, -1), 2).reshape(expected.shape), expected
    )
    total = windows(x, kernel, stride, padding, 0).sum((-2, -1))
    np.testing.assert_allclose(
        tw.avg_pool2d(x, kernel, stride, padding).numpy(), total / kernel**2, rtol=1e-5, atol=1e-6
    )
    inside = windows(np.ones_like(x), kernel, stride, padding, 0).sum((-2, -1))
    excluded = tw.avg_pool2d(x, kernel, stride, padding, False, False)
    np.testing.assert_allclose(excluded.numpy(), total / inside, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        tw.avg_pool2d(x, kernel, stride, padding, divisor_override=7).numpy(), total / 7, rtol=1e-5, atol=1e-6
    )


def test_ceil_mode_ends_with_a_window_that_starts_inside() -> None:
    x = np.arange(5, dtype="f4").reshape(1, 1, 5)
    assert tw.max_pool1d(x, 2, 2).numpy().tolist() == [[[1, 3]]]
    assert tw.max_pool1d(x, 2, 2, ceil_mode=True).numpy().tolist() == [[[1, 3, 4]]]
    assert tw.avg_pool1d(x, 2, 2, 0, True).numpy().tolist() == [[[0.5, 2.5, 4]]]


def test_nan_wins_and_a_window_of_infinities_has_an_index() -> None:
    assert np.isnan(tw.max_pool1d(np.array([[1, np.nan, 0, 2]], "f4"), 2).numpy()).tolist() == [[True, False]]
    values, indices = tw.max_pool1d_with_indices(np.full((1, 4), -np.inf, "f4"), 2)
    assert indices.numpy().tolist() == [[0, 2]]
    assert np.isneginf(values.numpy()).all()


def test_adaptive_pooling_of_any_size() -> None:
    x = numbers(2, 3, 7)
    spans = [(i * 7 // 3, -(-(i + 1) * 7 // 3)) for i in range(3)]
    np.testing.assert_allclose(
        tw.adaptive_avg_pool1d(x, 3).numpy(), np.stack([x[..., a:b].mean(-1) for a, b in spans], -1), rtol=1e-5
    )
    values, _ = tw.adaptive_max_pool1d(x, 3)
    np.testing.assert_array_equal(values.numpy(), np.stack([x[..., a:b].max(-1) for a, b in spans], -1))
    y = numbers(2, 3, 4, 5, 6)
    np.testing.assert_allclose(
        tw.adaptive_avg_pool3d(y, 1).numpy()[..., 0, 0, 0], y.mean((2, 3, 4)), rtol=1e-4, atol=1e-6
    )


def test_shuffles_are_inverse_and_keep_the_order_of_torch() -> None:
    x = np.arange(16, dtype="f4").reshape(1, 4, 2, 2)
    up = tw.pixel_shuffle(x, 2)
    assert up.numpy()[0, 0].tolist() == [[0, 4, 1, 5], [8, 12, 9, 13], [2, 6, 3, 7], [10, 14, 11, 15]]
    np.testing.assert_array_equal(tw.pixel_unshuffle(up, 2).numpy(), x)
    assert tw.channel_shuffle(x, 2).numpy()[0, :, 0, 0].tolist() == [0, 8, 4, 12]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tw.max_pool2d(numbers(1, 1, 4, 4), 2, 2, 2), "padding must be at most half of the kernel"),
        (lambda: tw.max_pool2d(numbers(1, 1, 2, 2), 3), "the kernel covers 3 and the padded input has 2; "),
        (lambda: tw.max_pool2d(numbers(4, 4), 2), "expected 3 or 4 dimensions, the last 2 not empty"),
        (
            lambda: tw.avg_pool2d(numbers(1, 4, 4), 2, divisor_override=0),
            "divisor_override is 0; expected another number",
        ),
        (lambda: tw.pixel_shuffle(numbers(3, 2, 2), 2), "the channels must be a multiple of its square"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert text in str(error.value)
