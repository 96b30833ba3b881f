"""Decompositions by what they promise, and the quantized tensors' numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (3, 4, 4), (0, 2, 2)])
def test_square_matrices(dtype: str, shape: tuple[int, ...]) -> None:
    a = numbers(*shape, dtype=dtype) + 3 * np.eye(shape[-1], dtype=dtype)
    b = numbers(*shape[:-1], 2, dtype=dtype)
    close = {"rtol": 1e-3, "atol": 1e-4}
    np.testing.assert_allclose(tw.linalg_inv(a).numpy(), np.linalg.inv(a), **close)
    np.testing.assert_allclose(tw.linalg_solve(a, b).numpy(), np.linalg.solve(a, b), **close)
    np.testing.assert_allclose(tw.linalg_det(a).numpy(), np.linalg.det(a), **close)
    sign, log = tw.linalg_slogdet(a)
    np.testing.assert_allclose(sign.numpy() * np.exp(log.numpy()), np.linalg.det(a), **close)
    positive = a @ a.swapaxes(-1, -2)
    np.testing.assert_allclose(tw.linalg_cholesky(positive).numpy(), np.linalg.cholesky(positive), **close)
    x = tw.linalg_solve_triangular(np.triu(a), b, upper=True).numpy()
    np.testing.assert_allclose(np.triu(a) @ x, b, **close)


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3)])
def test_qr(shape: tuple[int, ...]) -> None:
    a = numbers(*shape, dtype="f8")
    for mode in ("reduced", "complete"):
        q, r = (t.numpy() for t in tw.linalg_qr(a, mode))
        expected = np.linalg.qr(a, mode)  # type: ignore[call-overload]
        np.testing.assert_allclose(q, expected[0], atol=1e-9)
        np.testing.assert_allclose(r, expected[1], atol=1e-9)


def test_distances_and_cross_products() -> None:
    x, y = numbers(2, 3, 4, dtype="f8"), numbers(5, 4, dtype="f8")
    for p, order in ((2.0, 2), (1.0, 1), (np.inf, np.inf)):
        expected = np.linalg.norm(x[:, :, None] - y, order, axis=-1)
        np.testing.assert_allclose(tw.cdist(x, y, p).numpy(), expected, rtol=1e-9)
    a, b = numbers(4, 3), numbers(4, 3)
    np.testing.assert_allclose(tw.linalg_cross(a, b).numpy(), np.cross(a, b), rtol=1e-5, atol=1e-6)
    assert tw.trace(np.arange(6).reshape(2, 3)).item() == 4


def test_singular_matrices_are_errors() -> None:
    with pytest.raises(RuntimeError, match="linalg_inv: the input is not invertible; pivot 1 is zero"):
        tw.linalg_inv(np.zeros((2, 2)))
    with pytest.raises(RuntimeError, match="not positive-definite; its leading minor of order 2 is not positive"):
        tw.linalg_cholesky(np.diag([1.0, -1.0]))
    assert tw.linalg_inv_ex(np.zeros((2, 2)))[1].item() == 1
    with pytest.raises(
        NotImplementedError, match="linalg_inv: unsupported dtype int64; supported are float32, float64"
    ):
        tw.linalg_inv(np.eye(2, dtype="i8"))


def test_quantized_tensors_round_to_even_and_clip() -> None:
    x = np.array([0.25, 0.75, -100, 100, 0.3], "f4")
    q = tw.quantize_per_tensor(x, 0.5, 3, "quint8")
    assert tw.int_repr(q).tolist() == [4, 4, 0, 203, 4]  # 3.5 and 4.5: the sum with the zero point is rounded
    assert (tw.q_scale(q), tw.q_zero_point(q)) == (0.5, 3)
    np.testing.assert_allclose(tw.dequantize(q).numpy(), [0.5, 0.5, -1.5, 100, 0.5])
    rows = np.array([[1.0, -1.0], [1.0, 300.0]], "f4")
    per_channel = tw.quantize_per_channel(rows, np.array([0.5, 0.25]), np.array([0, 1]), 0, "qint8")
    assert tw.int_repr(per_channel).tolist() == [[2, -2], [5, 127]]
    np.testing.assert_allclose(tw.dequantize(per_channel).numpy(), [[1, -1], [1, 31.5]])
    with pytest.raises(ValueError, match="expected a positive number, and one that quint8 holds"):
        tw.quantize_per_tensor(x, 0.5, 300, "quint8")
    with pytest.raises(ValueError, match="the tensor is quantized per channel; expected per tensor"):
        tw.q_scale(per_channel)


def test_tensors_are_inverted_as_matrices() -> None:
    a = np.random.default_rng(0).standard_normal((2, 3, 6))
    np.testing.assert_allclose(tw.linalg_tensorinv(a).numpy(), np.linalg.tensorinv(a), rtol=1e-8)
    b = np.random.default_rng(1).standard_normal((2, 3))
    np.testing.assert_allclose(tw.linalg_tensorsolve(a, b).numpy(), np.linalg.tensorsolve(a, b), rtol=1e-8)
    turned = a.transpose(2, 0, 1)
    np.testing.assert_allclose(
        tw.linalg_tensorsolve(turned, b, [0]).numpy(), np.linalg.tensorsolve(turned, b, (0,)), rtol=1e-8
    )
    with pytest.raises(ValueError, match="the product of the first 1 sizes must be that of the others"):
        tw.linalg_tensorinv(a, 1)
    with pytest.raises(ValueError, match="self must hold as many equations and unknowns as other has elements"):
        tw.linalg_tensorsolve(a, b[:1])


def test_powers_in_columns() -> None:
    x = np.array([[1, 2, 3], [4, 5, 6]])
    for n in (2, 3, 5):
        expected = np.stack([np.vander(row, n, increasing=True) for row in x])
        assert tw.linalg_vander(x, N=n).tolist() == expected.tolist()
    assert tw.linalg_vander(x).shape == (2, 3, 3)
    assert tw.linalg_vander(np.array(2.0), N=3).tolist() == [[1, 2, 4]]
    with pytest.raises(ValueError, match="N is 1; expected 2 or more"):
        tw.linalg_vander(x, N=1)
    q, r = tw.qr(x.astype(float), False)
    assert q.shape == (2, 2)
    np.testing.assert_allclose((q @ r).numpy(), x)
