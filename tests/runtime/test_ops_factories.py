"""Factories, triangles, grids, one-hot; conversions that give back what they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw


def same(result: tw.Tensor, expected: Any) -> None:
    expected = np.asarray(expected)
    assert result.shape == expected.shape
    assert result.dtype.name == expected.dtype.name
    np.testing.assert_array_equal(result.numpy(), expected)


X = np.arange(12, dtype="i4").reshape(3, 4)


def test_constants() -> None:
    same(tw.zeros((2, 0)), np.zeros((2, 0), "f4"))
    same(tw.ones((), dtype="int8"), np.ones((), "i1"))
    same(tw.full((2,), 3), np.full(2, 3))
    same(tw.full((2,), True), np.full(2, True))
    same(tw.full((2,), 2.5), np.full(2, 2.5, "f4"))
    same(tw.full_like(X.T, 7), np.full((4, 3), 7, "i4"))
    same(tw.zeros_like(X, dtype="float64"), np.zeros((3, 4)))
    same(tw.new_ones(X, (2,)), np.ones(2, "i4"))
    same(tw.new_full(X, (1,), 9, dtype="float32"), np.full(1, 9, "f4"))
    assert tw.empty((2, 3)).dtype == tw.float32
    assert tw.empty_strided((2, 3), (1, 2)).stride() == (1, 2)


def test_ranges() -> None:
    same(tw.arange(5), np.arange(5))
    same(tw.arange(1, 9, 3), np.arange(1, 9, 3))
    same(tw.arange(5, 0, -2), np.arange(5, 0, -2))
    same(tw.arange(2.5), np.arange(3, dtype="f4"))
    same(tw.arange(2**53, 2**53 + 3), np.arange(2**53, 2**53 + 3))
    same(tw.linspace(0, 1, 5), np.linspace(0, 1, 5, dtype="f4"))
    same(tw.linspace(0.5, 2.5, 3, dtype="int32"), np.array([0, 1, 2], "i4"))
    np.testing.assert_allclose(tw.logspace(0, 2, 3).numpy(), [1, 10, 100], rtol=1e-6)


@pytest.mark.parametrize("diagonal", (-9, -1, 0, 2, 9))
def test_triangles(diagonal: int) -> None:
    same(tw.tril(X, diagonal), np.tril(X, diagonal))
    same(tw.triu(X.T, diagonal), np.triu(X.T, diagonal))
    same(tw.tril_indices(3, 4, diagonal), np.array(np.tril_indices(3, diagonal, 4)))
    same(tw.triu_indices(4, 3, diagonal), np.array(np.triu_indices(4, diagonal, 3)))
    batch = np.ones((2, 3, 3), "f4")
    tw.triu_(batch, diagonal)
    np.testing.assert_array_equal(batch, np.triu(np.ones((2, 3, 3)), diagonal))


def test_eye_and_one_hot_and_grids() -> None:
    same(tw.eye(2, 3), np.eye(2, 3, dtype="f4"))
    same(tw.one_hot(np.array([[0], [2]])), [[[1, 0, 0]], [[0, 0, 1]]])
    a, b = tw.meshgrid((np.arange(2), np.arange(3)))
    np.testing.assert_array_equal(a.numpy(), [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(b.numpy(), [[0, 1, 2]] * 2)
    a, b = tw.meshgrid((np.arange(2), np.arange(3)), indexing="xy")
    np.testing.assert_array_equal(a.numpy(), np.meshgrid(np.arange(2), np.arange(3))[0])
    np.testing.assert_array_equal(b.numpy(), np.meshgrid(np.arange(2), np.arange(3))[1])


def test_copies_and_views() -> None:
    x = np.ones(3, "f4")
    tw.fill_(tw.detach(x), 4)
    np.testing.assert_array_equal(x, [4, 4, 4])
    copy = tw.clone(x)
    tw.zero_(x)
    same(copy, np.full(3, 4, "f4"))
    same(tw.type_as(x, X), np.zeros(3, "i4"))
    same(tw.copy_(np.zeros((2, 2)), np.array([1, 2])), np.array([[1.0, 2], [1, 2]]))
    same(tw.dropout(copy, 0.5, False), copy.numpy())


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: tw.arange(0, 5, 0),
            ValueError,
            "arange: start is 0.000000, end 5.000000, step 0.000000; they must be finite, step not 0 and towards end",
        ),
        (
            lambda: tw.full((2,), 300, dtype="uint8"),
            ValueError,
            "full: the value is 300.000000, which uint8 does not hold; use a wider dtype",
        ),
        (
            lambda: tw.one_hot(np.array([3]), 2),
            ValueError,
            "one_hot: a class is 3 and num_classes 2; classes must be 0 or more and less than that",
        ),
        (lambda: tw.tril(np.ones(3)), ValueError, "tril: the tensor has sizes [3]; expected two dimensions or more"),
        (lambda: tw.zeros((-1,)), ValueError, "tensor: sizes are [-1]; a size must be 0 or more"),
        (
            lambda: tw.copy_(np.ones(2), np.ones(3)),
            ValueError,
            "copy_: sizes [2] and [3] do not broadcast; each pair of sizes, from the last on, must be equal or 1",
        ),
        (
            lambda: tw.meshgrid((X,)),
            ValueError,
            "meshgrid: a tensor has sizes [3, 4]; each must have one dimension or none",
        ),
        (
            lambda: tw.empty_strided((2,), (-1,)),
            ValueError,
            "empty_strided: stride is [-1] for sizes [2]; strides must be 0 or more and fit in memory",
        ),
    ],
)
def test_refusals(call: Any, error: type, text: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == text


def test_limits_may_be_tensors() -> None:
    start, end = tw.tensor(1.0), tw.tensor(3)
    assert tw.linspace(start, 3, 3).tolist() == tw.linspace(1, end, 3).tolist() == [1, 2, 3]
    assert tw.logspace(start, end, 3).tolist() == [10, 100, 1000]
    with pytest.raises(ValueError, match=r"linspace: a limit has sizes \[1\]; expected a tensor without dimensions"):
        tw.linspace(tw.ones(1), 3, 3)
