"""Fourier transforms against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 12, 31, 37, 60, 97, 128, 400])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
def test_one_dimension(length: int, norm: Any) -> None:
    x = numbers(3, length, dtype="c16") + 1j * numbers(3, length)
    for name in ("fft", "ifft", "irfft", "hfft"):
        n = max(1, 2 * (length - 1))
        extra = [n] if name in ("irfft", "hfft") else [None]
        result = getattr(tw, f"fft_{name}")(x, *extra, norm=norm).numpy()
        np.testing.assert_allclose(result, getattr(np.fft, name)(x, *extra, norm=norm), rtol=1e-9, atol=1e-10)
    for name in ("rfft", "ihfft"):
        result = getattr(tw, f"fft_{name}")(x.real.copy(), norm=norm).numpy()
        np.testing.assert_allclose(result, getattr(np.fft, name)(x.real, norm=norm), rtol=1e-9, atol=1e-10)


def test_many_dimensions_cut_and_padded() -> None:
    x = numbers(3, 10, 4, dtype="f8")
    np.testing.assert_allclose(tw.fft_fftn(x).numpy(), np.fft.fftn(x), atol=1e-10)
    np.testing.assert_allclose(tw.fft_rfft2(x, [6, 5]).numpy(), np.fft.rfft2(x, [6, 5]), atol=1e-10)
    np.testing.assert_allclose(tw.fft_irfftn(x, [6, 5], [1, 0]).numpy(), np.fft.irfftn(x, [6, 5], [1, 0]), atol=1e-10)
    np.testing.assert_allclose(tw.fft_fft(x, 7, 1).numpy(), np.fft.fft(x, 7, 1), atol=1e-10)


def test_dtypes() -> None:
    assert tw.fft_fft(numbers(4)).numpy().dtype == "c8"
    assert tw.fft_fft(np.arange(4)).numpy().dtype == "c8"
    assert tw.fft_irfft(numbers(4, dtype="c16")).numpy().dtype == "f8"


def test_shift() -> None:
    for n in (4, 5):
        x = np.arange(2 * n).reshape(2, n)
        np.testing.assert_array_equal(tw.fft_fftshift(x, [1]).numpy(), np.fft.fftshift(x, 1))
        np.testing.assert_array_equal(tw.fft_ifftshift(x).numpy(), np.fft.ifftshift(x))


@pytest.mark.parametrize("n_fft", [16, 20, 400])
def test_stft_is_the_transform_of_frames_and_istft_its_inverse(n_fft: int) -> None:
    x, window, hop = numbers(2, 1200, dtype="f8"), np.hanning(n_fft) + 0.1, n_fft // 4
    spectrum = tw.stft(x, n_fft, hop, n_fft, window, True, "reflect", False, True, True)
    padded = np.pad(x, ((0, 0), (n_fft // 2, n_fft // 2)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, 1)[:, ::hop]
    np.testing.assert_allclose(spectrum.numpy(), np.fft.rfft(frames * window).swapaxes(1, 2), atol=1e-9)
    again = tw.istft(spectrum, n_fft, hop, n_fft, window, length=1200).numpy()
    np.testing.assert_allclose(again, x, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tw.fft_fft(numbers(3), 0), "fft_fft: the transform would have length 0; expected 1 or more"),
        (lambda: tw.fft_fft(numbers(3), norm="x"), "norm is 'x'; expected 'backward', 'forward' or 'ortho'"),
        (lambda: tw.fft_rfft(numbers(3, dtype="c8")), "fft_rfft: the input is complex64; expected a real dtype"),
        (lambda: tw.stft(numbers(5), 16, center=True), "the padding is 8; the padding must be smaller"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert text in str(error.value)
