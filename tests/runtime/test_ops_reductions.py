"""Reductions, scans and softmax: layouts, dtypes, NaN, ties, empty tensors, independence of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import random_array

import threadwheel as tw

THREADS = (1, 2, 3)


def same(result: tw.Tensor, expected: Any) -> None:
    expected = np.asarray(expected)
    assert result.shape == expected.shape
    assert result.dtype.name == expected.dtype.name
    np.testing.assert_array_equal(result.numpy(), expected)


def close(result: tw.Tensor, expected: Any, rtol: float = 1e-6) -> None:
    expected = np.asarray(expected)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result.numpy(), expected, rtol=rtol, atol=1e-7)


def layouts() -> list[np.ndarray]:
    x = np.random.default_rng(4).standard_normal((6, 5, 7)).astype("f4")
    return [x, x.transpose(2, 0, 1), x[::-2, :, 1:], np.broadcast_to(x[:1], (3, 5, 7)), x[:, :2]]


@pytest.mark.parametrize("axis", [(0,), (1,), (-1,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdim", (False, True))
def test_reductions_over_any_dimensions(axis: tuple[int, ...], keepdim: bool) -> None:
    for x in layouts():
        where = {"axis": axis, "keepdims": keepdim}
        wide = x.astype("f8")
        close(tw.mean(x, axis, keepdim), wide.mean(**where))
        same(tw.amax(x, axis, keepdim), x.max(**where))
        same(tw.amin(x, axis, keepdim), x.min(**where))
        close(tw.var(x, axis, True, keepdim), wide.var(ddof=1, **where), 1e-5)
        close(tw.std(x, axis, correction=0, keepdim=keepdim), wide.std(**where), 1e-5)
        close(tw.logsumexp(x, axis, keepdim), np.log(np.exp(wide).sum(**where)), 1e-5)
        close(tw.linalg_vector_norm(x, 2, axis, keepdim), np.sqrt((wide**2).sum(**where)))
        close(tw.norm(x, 3, axis, keepdim), (np.abs(wide) ** 3).sum(**where) ** (1 / 3))
        same(tw.any(x > 1, axis, keepdim), (x > 1).any(**where))
        same(tw.all(x > -3, axis, keepdim), (x > -3).all(**where))
        if len(axis) == 1:
            close(tw.prod(x, axis[0], keepdim), wide.prod(**where), 1e-5)
            same(tw.argmax(x, axis[0], keepdim), x.argmax(axis=axis[0], keepdims=keepdim))
            values, indices = tw.min(x, axis[0], keepdim)
            same(values, x.min(**where))
            same(indices, x.argmin(axis=axis[0], keepdims=keepdim))


@pytest.mark.parametrize("dtype", ("uint8", "int8", "int32", "int64", "float16", "float32", "float64"))
def test_dtypes_of_results(dtype: str) -> None:
    x = random_array((4, 5), dtype)
    integer = np.dtype(dtype).kind in "iu"
    assert tw.sum(x).dtype.name == ("int64" if integer else dtype)
    assert tw.prod(x).dtype.name == ("int64" if integer else dtype)
    assert tw.cumsum(x, 0).dtype.name == ("int64" if integer else dtype)
    assert tw.amax(x).dtype.name == dtype
    assert tw.any(x).dtype.name == ("uint8" if dtype == "uint8" else "bool")
    assert tw.mean(x, dtype="float64").dtype.name == "float64"
    same(tw.max(x), x.max())
    same(tw.count_nonzero(x, 0), np.count_nonzero(x, axis=0))


def test_nan_wins_and_the_first_of_equals_is_named() -> None:
    x = np.array([1, np.nan, 3, np.nan, 3], "f4")
    assert tw.argmax(x).item() == 1
    assert tw.argmin(x).item() == 1
    assert np.isnan(tw.max(x).item())
    assert tw.argmax(x[[0, 2, 4]]).item() == 1
    same(tw.argmax(np.broadcast_to(x[[0, 2, 4]][:, None], (3, 600)), 0), np.full(600, 1))
    assert tw.nansum(x).item() == 7
    assert tw.nanmean(x).item() == pytest.approx(7 / 3)
    long = np.zeros(100_000, "i4")
    long[[70_000, 70_001, 99_999]] = 5
    assert tw.argmax(long).item() == 70_000


def test_reductions_of_nothing() -> None:
    x = np.zeros((2, 0, 3), "f4")
    same(tw.prod(x, 1), np.ones((2, 3), "f4"))
    same(tw.mean(x, 1), np.full((2, 3), np.nan, "f4"))
    same(tw.any(x, 1), np.zeros((2, 3), "?"))
    same(tw.all(x, 1), np.ones((2, 3), "?"))
    same(tw.logsumexp(x, 1), np.full((2, 3), -np.inf, "f4"))
    same(tw.softmax(x, 1), x)
    same(tw.cumsum(x, 1), x)


def test_variance_far_from_zero() -> None:
    x = np.random.default_rng(2).standard_normal(100_000) + 1e8
    close(tw.var(x), x.var(ddof=1), 1e-9)
    spread, mean = tw.std_mean(x, 0)
    close(spread, x.std(ddof=1), 1e-9)
    close(mean, x.mean(), 1e-12)
    assert np.isnan(tw.var(x[:1]).item())


@pytest.mark.parametrize("order", (0, 0.5, 1, 2, 3, np.inf, -np.inf))
def test_orders_of_norms(order: float) -> None:
    x = np.array([3, -4, 0, 1], "f8")
    close(tw.linalg_vector_norm(x, order), np.linalg.norm(x, order))
    complex_x = np.array([3 + 4j, 0, 1j], "c16")
    close(tw.norm(complex_x, order), np.linalg.norm(np.abs(complex_x), order))


@pytest.mark.parametrize("dim", (0, 1, -1))
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 1, 3), (200, 33, 2)])
def test_softmax(shape: tuple[int, ...], dim: int) -> None:
    x = np.random.default_rng(5).standard_normal(shape).astype("f4") * 10
    e = np.exp(x.astype("f8") - x.max(axis=dim, keepdims=True))
    expected = e / e.sum(axis=dim, keepdims=True)
    close(tw.softmax(x, dim), expected, 1e-5)
    close(tw.log_softmax(x, dim), np.log(expected), 1e-5)
    close(
        tw.softmax(x.transpose(2, 0, 1), dim),
        (lambda y: y / y.sum(axis=dim, keepdims=True))(np.exp(x.astype("f8").transpose(2, 0, 1))),
        1e-4,
    )


def test_softmax_of_special_values() -> None:
    same(tw.softmax(np.array([-np.inf, 0], "f4"), 0), np.array([0, 1], "f4"))
    assert np.isnan(tw.softmax(np.array([-np.inf, -np.inf], "f4"), 0).numpy()).all()
    assert np.isnan(tw.softmax(np.array([np.nan, 0], "f4"), 0).numpy()).all()
    same(tw.softmax(np.array(3.0), 0), np.array(1.0))
    assert tw.softmax(np.ones(3, "f2"), 0).dtype == tw.float16
    assert tw.softmax(np.ones(3, "i4"), 0, "float32").dtype == tw.float32


def test_scans() -> None:
    for x in layouts():
        for dim in range(3):
            close(tw.cumsum(x, dim), np.cumsum(x.astype("f8"), axis=dim), 1e-5)
            close(tw.cumprod(x, dim), np.cumprod(x.astype("f8"), axis=dim), 1e-5)
    y = np.arange(6, dtype="i4").reshape(2, 3)
    tw.cumsum_(y.T, 0)
    np.testing.assert_array_equal(y, [[0, 1, 3], [3, 7, 12]])


@pytest.mark.parametrize("name", ("prod", "std", "argmax", "logsumexp", "amax", "softmax", "norm"))
@pytest.mark.parametrize("shape", [(300_001,), (70_000, 3), (3, 70_001)])
def test_bits_do_not_depend_on_threads(name: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).standard_normal(shape).astype("f4")
    arguments = {"logsumexp": (0,), "softmax": (0,), "norm": (2, -1)}.get(name, ())
    results = set()
    for num_threads in THREADS:
        tw.set_num_threads(num_threads)
        results.add(tw._core.ops[name](x, *arguments).numpy().tobytes())
    assert len(results) == 1


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: tw.mean(np.ones(3, "i4")),
            NotImplementedError,
            "mean: unsupported dtype int32; supported are floats, complex",
        ),
        (
            lambda: tw.amax(np.ones((0, 3)), 0),
            ValueError,
            "amax: the tensor has sizes [0, 3]; there must be elements to choose from",
        ),
        (
            lambda: tw.argmax(np.ones(3, "?")),
            NotImplementedError,
            "argmax: unsupported dtype bool; supported are integers, floats",
        ),
        (
            lambda: tw.softmax(np.ones(3, "f4"), 1),
            IndexError,
            "softmax: dim is 1 for a tensor of 1 dimensions; expected -1 to 0",
        ),
        (
            lambda: tw.amin(np.ones((2, 2)), (1, -1)),
            ValueError,
            "amin: dim -1 is given twice; name each dimension once",
        ),
    ],
)
def test_refusals(call: Any, error: type, text: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == text


def test_the_variance_of_nothing_is_unknown() -> None:
    for correction in (-1, 0, 1):
        assert np.isnan(tw.var(np.zeros((0, 2), "f4"), correction=correction).item())


def test_rows_that_are_masked_altogether() -> None:
    x = np.array([[-np.inf, -np.inf], [0.0, -np.inf]])
    assert tw._safe_softmax(x, 1).tolist() == [[0, 0], [1, 0]]
    assert np.isnan(tw.softmax(x, 1).numpy()[0]).all()
