"""Interpolation and grid sampling against small hand-made cases and numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


def test_nearest_repeats() -> None:
    x = numbers(2, 3, 4, 5)
    np.testing.assert_array_equal(tw.upsample_nearest2d(x, [8, 15]).numpy(), x.repeat(2, 2).repeat(3, 3))
    np.testing.assert_array_equal(tw.upsample_nearest1d(x[0], None, [2.0]).numpy(), x[0].repeat(2, 2))
    assert tw.upsample_nearest1d(np.arange(3, dtype="u1").reshape(1, 1, 3), [5]).numpy().tolist() == [[[0, 0, 1, 1, 2]]]


@pytest.mark.parametrize("align", [True, False])
def test_linear_is_interpolation_between_centres(align: bool) -> None:
    x, size = numbers(1, 1, 6, dtype="f8"), 11
    at = np.arange(size) * 5 / 10 if align else np.clip((np.arange(size) + 0.5) * 6 / size - 0.5, 0, None)
    expected = np.interp(at, np.arange(6), x[0, 0])
    np.testing.assert_allclose(tw.upsample_linear1d(x, [size], align).numpy()[0, 0], expected, rtol=1e-9)


def test_smooth_modes_keep_constants_and_sizes() -> None:
    x = np.full((1, 2, 5, 4), 3.0)
    for name in ("upsample_bilinear2d", "upsample_bicubic2d", "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"):
        for size in ([3, 9], [10, 2]):
            result = tw._core.ops[name](x, size, False).numpy()
            assert result.shape == (1, 2, *size)
            np.testing.assert_allclose(result, 3.0)
    assert tw.upsample_trilinear3d(np.ones((1, 1, 2, 3, 4)), None, False, [2.0, 1.5, 0.5]).shape == (1, 1, 4, 4, 2)


def test_the_identity_grid_gives_the_image() -> None:
    x = numbers(1, 2, 4, 5)
    ys, xs = np.meshgrid(np.linspace(-1, 1, 4), np.linspace(-1, 1, 5), indexing="ij")
    grid = np.stack([xs, ys], -1)[None].astype("f4")
    for mode in (0, 1, 2):
        np.testing.assert_allclose(tw.grid_sampler(x, grid, mode, 0, True).numpy(), x, rtol=1e-4, atol=1e-5)
    outside = tw.grid_sampler(x, grid + 10, 0, 0, True).numpy()
    assert (outside == 0).all()
    np.testing.assert_allclose(tw.grid_sampler(x, grid + 10, 0, 1, True).numpy()[..., 0, 0], x[..., -1, -1])


@pytest.mark.parametrize("number", (np.nan, np.inf, -np.inf))
def test_positions_that_are_no_numbers(number: float) -> None:
    x, grid = numbers(1, 2, 3, 3), np.full((1, 1, 1, 2), number, "f4")

    def sampled(mode: int, padding: int) -> list[float]:
        return tw.grid_sampler(x, grid, mode, padding, False).flatten().tolist()

    first, edge = x[0, :, 0, 0].tolist(), x[0, :, 2, 2].tolist()
    for mode, padding in ((0, 0), (2, 0), (2, 1), (2, 2)):  # linear without padding, and cubic
        assert np.isnan(sampled(mode, padding)).all()
    for mode in (0, 1):
        assert sampled(mode, 1) == (edge if number > 0 else first)
        assert sampled(mode, 2) == first
    assert sampled(1, 0) == [0, 0]


def test_positions_far_outside() -> None:
    x, far = numbers(1, 1, 3, 3), np.full((1, 1, 1, 2), 1e30, "f4")
    assert tw.grid_sampler(x, far, 2, 1, True).flatten().tolist() == [x[0, 0, 2, 2]]
    assert tw.grid_sampler(x, far, 2, 0, True).flatten().tolist() == [0]


def test_errors() -> None:
    with pytest.raises(ValueError, match="expected 4 dimensions, and spatial sizes of 1 or more"):
        tw.upsample_nearest2d(numbers(1, 1, 3, 3), [2, 0])
    with pytest.raises(ValueError, match="exactly one of output_size and scale_factors must be given"):
        tw.upsample_nearest2d(numbers(1, 1, 3, 3), None, None)
    with pytest.raises(NotImplementedError, match="unsupported dtype int64"):
        tw.upsample_bilinear2d(np.ones((1, 1, 3, 3), "i8"), [2, 2], False)


def test_images_of_bytes_are_rounded_after_each_axis() -> None:
    ramp = np.array([[[[0, 100, 200], [10, 110, 255]]]], "u1")
    wide = tw.upsample_bilinear2d(ramp, [2, 6], False)
    assert (wide.dtype, wide.tolist()[0][0][0]) == (tw.uint8, [0, 25, 75, 125, 175, 200])
    both = tw.upsample_bilinear2d(ramp, [3, 2], False).numpy()[0, 0]
    rows = np.array([[25, 175], [35, 219]])  # 218.75, rounded before the columns are combined
    assert both.tolist() == [rows[0].tolist(), [30, 197], rows[1].tolist()]
    checks = np.indices((1, 1, 8, 8)).sum(0).astype("u1") % 2 * 255
    averaged = tw._upsample_bilinear2d_aa(checks, [2, 2], False).numpy()
    assert np.abs(averaged.astype(int) - 127.5).max() < 4
    overshoot = tw.upsample_bicubic2d(np.array([[[[0, 0, 255, 255]]]], "u1"), [1, 16], False).numpy()
    assert (overshoot.min(), overshoot.max()) == (0, 255)
    kept = tw.upsample_bilinear2d(ramp, [2, 3], False)
    assert kept.tolist() == ramp.tolist()
    assert not np.shares_memory(kept.numpy(), ramp)
