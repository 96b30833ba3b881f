"""Images as patches and back, pooling undone, grids, windows of signals."""

from __future__ import annotations

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)


def patches(x: np.ndarray, kernel: int, stride: int, padding: int, dilation: int) -> np.ndarray:
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    reach = dilation * (kernel - 1) + 1
    view = np.lib.stride_tricks.sliding_window_view(padded, (reach, reach), (2, 3))
    chosen = view[:, :, ::stride, ::stride, ::dilation, ::dilation]
    n, c, down, across, *_ = chosen.shape
    return chosen.transpose(0, 1, 4, 5, 2, 3).reshape(n, c * kernel * kernel, down * across)


@pytest.mark.parametrize("dtype", ["f4", "f2", "c8", "?"])
@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), [(2, 2, 0, 1), (3, 1, 1, 1), (2, 3, 2, 3)])
def test_patches(dtype: str, kernel: int, stride: int, padding: int, dilation: int) -> None:
    x = RNG.integers(-4, 5, (2, 3, 6, 7)).astype(dtype)
    settings = [[value] * 2 for value in (kernel, dilation, padding, stride)]
    columns = tw.im2col(x, *settings)
    np.testing.assert_array_equal(columns.numpy(), patches(x, kernel, stride, padding, dilation))
    np.testing.assert_array_equal(tw.im2col(x[0], *settings).numpy(), columns.numpy()[0])
    if dtype == "?":
        return
    times = tw.col2im(tw.im2col(np.ones_like(x), *settings), [6, 7], *settings)  # each pixel in so many patches
    np.testing.assert_array_equal(tw.col2im(columns, [6, 7], *settings).numpy(), x * times.numpy())


def test_patches_must_exist_and_fit() -> None:
    with pytest.raises(ValueError, match="an image of 2 x 2 has no patch of kernel_size"):
        tw.im2col(np.zeros((1, 1, 2, 2)), [3, 3], [1, 1], [0, 0], [1, 1])
    with pytest.raises(ValueError, match="expected 4 columns of a multiple of 4 numbers"):
        tw.col2im(np.zeros((1, 4, 5)), [4, 4], [2, 2], [1, 1], [0, 0], [2, 2])
    with pytest.raises(ValueError, match=r"stride is \[0, 1\]; expected two numbers of 1 or more"):
        tw.im2col(np.zeros((1, 1, 2, 2)), [1, 1], [1, 1], [0, 0], [0, 1])


def test_pooling_undone() -> None:
    x = RNG.standard_normal((2, 3, 4, 6)).astype("f4")
    pooled, places = tw.max_pool2d_with_indices(x, [2, 2])
    back = tw.max_unpool2d(pooled, places, [4, 6]).numpy()
    np.testing.assert_array_equal(back, np.where(back != 0, x, 0))
    np.testing.assert_array_equal(back.max((2, 3)), pooled.numpy().max((2, 3)))
    assert (back != 0).sum() == pooled.numel()
    deep, where = tw.max_pool3d_with_indices(x, [1, 2, 2])
    assert tw.max_unpool3d(deep, where, [3, 4, 6], [1, 2, 2], [0, 0, 0]).tolist() == back.tolist()
    with pytest.raises(IndexError, match="max_unpool2d: an index is 21; a plane of the output has 20 elements"):
        tw.max_unpool2d(np.ones((1, 1, 1)), np.array([[[21]]]), [4, 5])


@pytest.mark.parametrize("align", [True, False])
def test_the_identity_samples_every_pixel(align: bool) -> None:
    x = RNG.standard_normal((2, 3, 4, 5)).astype("f4")
    grid = tw.affine_grid_generator(np.tile(np.eye(2, 3, dtype="f4"), (2, 1, 1)), [2, 3, 4, 5], align)
    np.testing.assert_allclose(tw.grid_sampler_2d(x, grid, 0, 0, align).numpy(), x, atol=1e-5)
    cube = RNG.standard_normal((1, 2, 3, 4, 5)).astype("f4")
    deep = tw.affine_grid_generator(np.eye(3, 4, dtype="f4")[None], [1, 2, 3, 4, 5], align)
    np.testing.assert_allclose(tw.grid_sampler_3d(cube, deep, 0, 0, align).numpy(), cube, atol=1e-5)
    with pytest.raises(ValueError, match="affine_grid_generator: theta has sizes"):
        tw.affine_grid_generator(np.eye(2, 3), [2, 3, 4, 5], align)


def test_weights_by_length_and_direction() -> None:
    v, g = RNG.standard_normal((3, 4, 2)), RNG.standard_normal((3, 1, 1))
    np.testing.assert_allclose(tw._weight_norm(v, g).numpy(), v * g / np.sqrt((v**2).sum((1, 2), keepdims=True)))
    whole = tw._weight_norm(v, np.array(2.0), -1)
    np.testing.assert_allclose(whole.numpy(), v * 2 / np.linalg.norm(v))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8])
def test_windows(n: int) -> None:
    for ours, theirs in (
        (tw.hann_window, np.hanning),
        (tw.blackman_window, np.blackman),
        (tw.hamming_window, np.hamming),
        (tw.bartlett_window, np.bartlett),
    ):
        np.testing.assert_allclose(ours(n, False, dtype=tw.float64).numpy(), theirs(n), atol=1e-12)
        if n > 1:
            np.testing.assert_allclose(ours(n).numpy(), theirs(n + 1)[:-1], atol=1e-6)
    with pytest.raises(NotImplementedError, match="hann_window: unsupported dtype int64; supported are floats"):
        tw.hann_window(n, dtype=tw.int64)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_kaiser_windows(n: int) -> None:
    np.testing.assert_allclose(tw.kaiser_window(n, False, 8.5, dtype=tw.float64).numpy(), np.kaiser(n, 8.5), rtol=1e-9)
    np.testing.assert_allclose(tw.kaiser_window(n).numpy(), np.kaiser(n + 1, 12)[:-1] if n > 1 else [1], atol=1e-6)


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies(n: int) -> None:
    np.testing.assert_allclose(tw.fft_fftfreq(n, 0.5).numpy(), np.fft.fftfreq(n, 0.5), rtol=1e-6)
    np.testing.assert_allclose(tw.fft_rfftfreq(n).numpy(), np.fft.rfftfreq(n), rtol=1e-6)
