"""Views, joins, indexing and sorting against numpy; what numpy has not, as literals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import random_array

import threadwheel as tw

ops = tw._core.ops
X = np.arange(24, dtype="f4").reshape(2, 3, 4)
DTYPES = ("bool", "uint8", "int16", "int64", "float16", "float32", "float64", "complex64", "complex128")


def same(result: Any, expected: Any) -> None:
    expected = np.asarray(expected)
    assert result.shape == expected.shape
    assert result.dtype.name == expected.dtype.name
    np.testing.assert_array_equal(result.numpy(), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_moving_ops_take_every_dtype(dtype: str) -> None:
    x = random_array((3, 4), "int16", 1).astype(dtype).T
    same(ops["permute"](x, (1, 0)), x.T)
    same(ops["reshape"](x, (2, -1)), x.reshape(2, -1))
    same(ops["cat"]((x, x), 1), np.concatenate((x, x), 1))
    same(ops["flip"](x, (0, 1)), x[::-1, ::-1])
    same(ops["roll"](x, 1, 0), np.roll(x, 1, 0))
    same(ops["repeat"](x, (2, 1, 2)), np.tile(x, (2, 1, 2)))
    same(ops["index_select"](x, 1, np.array([2, 0])), x[:, [2, 0]])
    same(ops["index"](x, (np.array([0, -1]), None)), x[[0, -1]])
    same(ops["gather"](x, 0, np.array([[1, 0, 3]])), np.take_along_axis(x, np.array([[1, 0, 3]]), 0))


def test_views_share_memory() -> None:
    x = X.copy()
    views = [
        (ops["view"](x, (6, -1)), x.reshape(6, 4)),
        (ops["transpose"](x, 0, -1), x.swapaxes(0, -1)),
        (ops["select"](x, 1, -1), x[:, -1]),
        (ops["slice"](x, 2, 1, None, 2), x[:, :, 1::2]),
        (ops["expand"](x[:1], (5, -1, -1)), np.broadcast_to(x[:1], (5, 3, 4))),
        (ops["diagonal"](x, 1, 1, 2), x.diagonal(1, 1, 2)),
        (ops["unfold"](x, 2, 2, 1), np.lib.stride_tricks.sliding_window_view(x, 2, 2)),
        (ops["split"](x, 2, 1)[1], x[:, 2:]),
        (ops["unbind"](x, 2)[3], x[:, :, 3]),
        (ops["movedim"](x, 0, 2), np.moveaxis(x, 0, 2)),
        (ops["as_strided"](x, (2, 2), (12, 1), 3), np.array([[3, 4], [15, 16]], "f4")),
    ]
    for view, expected in views:
        same(view, expected)
    x[:] = -1
    for view, _ in views:
        assert (view.numpy() == -1).all()


def test_views_that_strides_do_not_allow() -> None:
    with pytest.raises(ValueError, match=r"view: sizes .* cannot be seen as .* without a copy; use reshape"):
        ops["view"](X.T, (24,))
    with pytest.raises(ValueError, match=r"as_strided: .* reach beyond the storage of 24 elements"):
        ops["as_strided"](X, (3, 9), (9, 1))
    with pytest.raises(IndexError, match="select: index 3 is out of bounds for a dimension of size 3"):
        ops["select"](X, 1, 3)
    with pytest.raises(IndexError, match="transpose: dim is 3 for a tensor of 3 dimensions; expected -3 to 2"):
        ops["transpose"](X, 0, 3)


def test_in_place_views_change_the_tensor_itself() -> None:
    x = ops["alias"](X)
    ops["unsqueeze_"](x, 0)
    assert x.shape == (1, 2, 3, 4)
    ops["squeeze_"](x, 0)
    ops["transpose_"](x, 0, 2)
    same(x, X.swapaxes(0, 2))


def test_cat_promotes_and_skips_nothing_tensors() -> None:
    same(ops["cat"]((np.array([1]), np.array([2.5], "f4"))), np.array([1, 2.5], "f4"))
    same(ops["cat"]((np.zeros(0, "f4"), X), 0), X)
    with pytest.raises(ValueError, match=r"cat: sizes .* differ; they must be equal but for dimension 0"):
        ops["cat"]((X, X[:, :1]))


@pytest.mark.parametrize(("mode", "expected"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_padding_modes(mode: str, expected: str) -> None:
    same(ops["pad"](X, (2, 1), mode), np.pad(X, ((0, 0), (0, 0), (2, 1)), expected))
    same(ops["pad"](X, (-1, 2)), np.pad(X[:, :, 1:], ((0, 0), (0, 0), (0, 2))))
    with pytest.raises(ValueError, match=r"pad: pad \[4, 0\] is too much for a dimension of size 4 in mode 'reflect'"):
        ops["pad"](X, (4, 0), "reflect")


@pytest.mark.parametrize(
    "index",
    [
        (np.array([1, 0]),),
        (None, np.array([[2], [0]])),
        (np.array([0, 1]), None, np.array([3, 1])),
        (np.array([0, 1]), np.array([2, 0])),
        (X > 5,),
        (None, X[0] > 5),
        (X[:, :, 0] > 3, np.array([1])),
    ],
)
def test_advanced_indexing_is_numpys(index: tuple[Any, ...]) -> None:
    key = tuple(slice(None) if part is None else part for part in index)
    same(ops["index"](X, index), X[key])
    expected = X.copy()
    expected[key] = -1
    same(ops["index_put"](X, index, np.float32([-1])), expected)


def test_index_put_accumulates_in_place() -> None:
    x = np.zeros(3, "i8")
    ops["index_put_"](x, (np.array([0, 0, 2]),), np.array([2**53, 1, 5]), True)
    np.testing.assert_array_equal(x, [2**53 + 1, 0, 5])
    with pytest.raises(IndexError, match="index_put_: index 3 is out of bounds for a dimension of size 3"):
        ops["index_put_"](x, (np.array([3]),), np.array([1]))


@pytest.mark.parametrize(
    ("reduce", "expected"),
    [("sum", [6, 2]), ("prod", [5, 2]), ("mean", [2, 2]), ("amax", [5, 2]), ("amin", [0, 2])],
)
def test_scatter_reduce(reduce: str, expected: list[int]) -> None:
    x = np.array([1, 2], "f4")
    source = np.array([5, 1 if reduce == "prod" else 0], "f4")
    result = ops["scatter_reduce"](x, 0, np.array([0, 0]), source, reduce)
    same(result, np.array(expected, "f4"))


def test_nan_sorts_last() -> None:
    x = np.array([1, np.nan, 0, np.nan, 1], "f4")
    values, indices = ops["sort"](x)
    same(indices, np.array([2, 0, 4, 1, 3]))
    same(values, np.array([0, 1, 1, np.nan, np.nan], "f4"))
    same(ops["sort"](x, 0, True)[1], np.array([1, 3, 0, 4, 2]))
    same(ops["topk"](X, 2, 1)[0], np.sort(X, 1)[:, ::-1][:, :2])
    same(ops["kthvalue"](X, 2, 0)[0], X[1])


def test_a_stable_sort_keeps_the_order_of_equals() -> None:
    x = random_array((40000,), "float32", 3).round(1)
    for descending, key in ((False, x), (True, -x)):
        expected = np.argsort(key, kind="stable")
        same(ops["sort"](x, stable=True, descending=descending)[1], expected)
        same(ops["argsort"](x, stable=True, descending=descending), expected)


def test_other_sorts_leave_equals_as_torch_does() -> None:
    x = np.array([1, 0] * 12)
    rising = [1, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 8, 10, 12, 6, 14, 16, 4, 18, 20, 2, 22, 0]
    falling = [0, 2, 22, 4, 6, 20, 8, 10, 18, 12, 14, 16, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1]
    for dtype in ("bool", "uint8", "int64", "float32", "float64"):
        same(ops["sort"](x.astype(dtype))[1], np.array(rising))
        same(ops["argsort"](x.astype(dtype)), np.array(rising))
        same(ops["sort"](x.astype(dtype), -1, True)[1], np.array(falling))
        same(ops["sort"](x.astype(dtype), stable=False)[1], np.array(rising))
    many = np.arange(40000) % 7  # of so many integers torch keeps the order
    same(ops["sort"](many)[1], np.argsort(many, kind="stable"))


@pytest.mark.parametrize("num_threads", (1, 2, 3))
def test_threads_do_not_change_results(num_threads: int) -> None:
    x = random_array((70, 1000), "float32", 3)
    index = np.arange(70000).reshape(70, 1000) % 7
    with tw.num_threads(num_threads):
        same(ops["sort"](x, 1)[0], np.sort(x, 1))
        expected = np.zeros((70, 7), "f4")
        for column in range(1000):
            expected[np.arange(70), index[:, column]] += x[:, column]
        same(ops["scatter_add"](np.zeros((70, 7), "f4"), 1, index, x), expected)


def test_lookups() -> None:
    table = np.arange(15, dtype="f4").reshape(5, 3)
    same(ops["embedding"](table, np.array([[0, 4], [1, 1]])), table[[[0, 4], [1, 1]]])
    means = ops["embedding_bag"](table, np.array([0, 2, 4]), np.array([0, 2]), False, 1)[0]
    same(means, np.array([[3, 4, 5], [12, 13, 14]], "f4"))
    same(ops["searchsorted"](np.array([1.0, 2, 2, 3]), np.array([2.0, 9]), right=True), np.array([3, 4]))
    with pytest.raises(IndexError, match="embedding: index 5 is out of bounds for a table of 5 rows"):
        ops["embedding"](table, np.array([5]))


def test_sets() -> None:
    values, inverse, counts = ops["_unique2"](np.array([3, 1, 3]), True, True, True)
    same(values, np.array([1, 3]))
    same(inverse, np.array([1, 0, 1]))
    same(counts, np.array([1, 2]))
    same(ops["unique_consecutive"](np.array([1, 1, 2, 1]))[0], np.array([1, 2, 1]))
    same(ops["bincount"](np.array([0, 3, 3]), None, 6), np.array([1, 0, 0, 2, 0, 0]))
    same(ops["nonzero"](X > 20), np.argwhere(X > 20))
    same(ops["isin"](np.array([1, 2]), np.array([2])), np.array([False, True]))


@pytest.mark.parametrize(
    "equation", ("ij,jk->ik", "ij,jk", "bij,bjk->bik", "ii->i", "ii", "i,j->ij", "...ij,...jk->...ik", "ij->")
)
def test_einsum_is_numpys(equation: str) -> None:
    left = equation.split("->")[0].split(",")
    sizes = dict(zip("bijk.", (2, 3, 3, 4, 2), strict=True))
    operands = [random_array(tuple(sizes[c] for c in term.replace("...", ".")), "float64", 5) for term in left]
    result = ops["einsum"](equation, operands)
    np.testing.assert_allclose(result.numpy(), np.einsum(equation, *operands), rtol=1e-12)


def test_einsum_of_halves_sums_in_float32() -> None:
    ones = np.ones((1, 4096), "f2")  # a sum of halves would stay at 2048
    same(ops["einsum"]("ij,kj->ik", [ones, ones]), np.array([[4096]], "f2"))


def test_a_dtype_that_is_none_is_refused() -> None:
    """A program may pass any number: it once indexed a table."""
    with pytest.raises(ValueError, match=r"dtype: 99 is none; float32 is 6, int64 is 4"):
        tw._core._testing.call_op("aten::view.dtype", np.ones(3, "f4"), 99)


@pytest.mark.parametrize("dtype", [tw.float16, tw.bfloat16, tw.complex64])
def test_every_dtype_is_added_up_at_its_places(dtype: tw.dtype) -> None:
    x, index = tw.to(tw.tensor([1.0, 2.0, 3.0]), dtype), tw.tensor([2, 0, 2])
    summed = tw.index_add(x, 0, index, x)
    assert summed.dtype == dtype
    assert tw.to(summed, tw.float32).tolist() == [3.0, 2.0, 7.0]
    assert tw.to(tw.scatter_add(x, 0, index, x), tw.float32).tolist() == [3.0, 2.0, 7.0]
    place = x.clone()
    tw.index_put_(place, [index], x, True)
    assert tw.to(place, tw.float32).tolist() == [3.0, 2.0, 7.0]


def test_reductions_at_places_of_16_bit_floats() -> None:
    x, index = tw.tensor([1.0, -2.0, 4.0], dtype=tw.float16), tw.tensor([0, 0, 2])
    for reduce, expected in {"amax": [1.0, 0.0, 4.0], "mean": [-0.5, 0.0, 4.0], "prod": [-2.0, 0.0, 4.0]}.items():
        result = tw.scatter_reduce(tw.zeros(3, dtype=tw.float16), 0, index, x, reduce, include_self=False)
        assert (result.dtype, result.tolist()) == (tw.float16, expected)


def test_an_empty_index_may_have_any_dtype() -> None:
    assert tw.gather(tw.ones(3, 4), 1, tw.empty(0, 0, dtype=tw.uint8)).shape == (0, 0)
    with pytest.raises(IndexError, match="gather: the index is uint8; it must be int64 or int32"):
        tw.gather(tw.ones(3), 0, tw.ones(1, dtype=tw.uint8))


def test_what_is_a_copy_and_what_is_not() -> None:
    x = tw.ones(2, 3, 4, 5)
    last = tw.permute(tw.ones(2, 4, 5, 3), [0, 3, 1, 2])

    def shares(of: tw.Tensor, result: tw.Tensor) -> bool:
        return bool(np.shares_memory(of.numpy(), result.numpy()))

    channels_last, contiguous, preserve = 2, 0, 1
    for given, memory_format, alias in (
        (x, channels_last, False),
        (x, contiguous, True),
        (x, preserve, True),
        (last, channels_last, True),
        (last, contiguous, False),
        (last, preserve, True),
    ):
        assert shares(given, tw.to(given, tw.float32, memory_format=memory_format)) is alias
        if memory_format != preserve:
            assert shares(given, tw.contiguous(given, memory_format=memory_format)) is alias
    steps = tw.arange(6)[::2]
    assert not shares(steps, tw.ravel(steps))
    assert shares(x, tw.ravel(x))
    assert shares(x, tw.positive(x))
    assert shares(x, tw.conj_physical(x))
    truth = tw.tensor(True)
    assert not shares(truth, tw.any(truth, []))
    assert not shares(truth, tw.all(truth, []))
    assert tw.view_copy(tw.tensor([[1, 2], [3, 4]]).t(), [4]).tolist() == [1, 3, 2, 4]


def test_ties_fall_as_torchs_algorithms_let_them() -> None:
    ties = tw.tensor([3, 1, 3, 2, 3, 1, 2, 3, 3, 1], dtype=tw.int64)
    assert tw.topk(ties, 4)[1].tolist() == [7, 0, 4, 8]
    assert tw.topk(ties, 3, largest=False)[1].tolist() == [5, 9, 1]
    assert [tw.kthvalue(ties, k)[1].item() for k in range(1, 11)] == [5, 1, 9, 6, 3, 8, 0, 7, 2, 4]


def test_what_is_put_in_place() -> None:
    x = tw.zeros(2, 3).t()
    tw.put_(x, tw.tensor([1, -1, 1]), tw.tensor([1.0, 2.0, 3.0]), True)
    assert x.tolist() == [[0, 4], [0, 0], [0, 2]]
    tw.as_strided_(x, [2, 2], [1, 1])
    assert x.shape == (2, 2)


def test_the_adjoint_is_conjugate() -> None:
    x = tw.tensor([[1 + 2j, 3j]])
    assert tw.adjoint(x).tolist() == [[1 - 2j], [-3j]]
    assert x.mH.tolist() == x.H.tolist() == [[1 - 2j], [-3j]]


def test_what_is_cut_off_does_not_go_around() -> None:
    x = tw.arange(6).view([1, 1, 6])
    for amounts, expected in {
        (-1, 1): [1, 2, 3, 4, 5, 1],
        (1, -1): [4, 0, 1, 2, 3, 4],
        (2, -2): [2, 3, 0, 1, 2, 3],
    }.items():
        assert tw.pad(x, list(amounts), "circular").tolist() == [[expected]]
    with pytest.raises(ValueError, match="leaves nothing of a dimension of size 6 to go around"):
        tw.pad(x, [-6, 2], "circular")
