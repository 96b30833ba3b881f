"""The order in memory of new tensors: the operands' order, as PyTorch's. By it `reshape` and `contiguous` are views."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import threadwheel as tw

X = np.arange(24, dtype="f4").reshape(2, 3, 4)

KEEPING: dict[str, Callable[[tw.Tensor], tw.Tensor]] = {
    "number": lambda x: x + 1,
    "broadcast": lambda x: x * tw.ones(2, 1),
    "first of two": lambda x: x + tw.ones(4, 2, 3),
    "unary": lambda x: x.exp(),
    "comparison": lambda x: x > 3,
    "promotion": lambda x: x + tw.ones(4, 2, 3, dtype=tw.float64),
    "where": lambda x: tw.where(x > 3, x, 0.5),
    "clone": lambda x: x.clone(),
    "to": lambda x: x.to(tw.float64),
    "empty_like": lambda x: tw.empty_like(x),
    "zeros_like": lambda x: tw.zeros_like(x),
    "full_like": lambda x: tw.full_like(x, 2, dtype=tw.int32),
    "flip": lambda x: x.flip(0),
    "index_fill": lambda x: x.index_fill(0, tw.tensor([0]), 1.0),
    "put": lambda x: x.put(tw.tensor([0]), tw.tensor([1.0])),
    "sort": lambda x: x.sort(0)[0],
    "argsort": lambda x: x.argsort(1),
    "index_put": lambda x: x.index_put((tw.tensor([0]),), tw.tensor(1.0)),
}


@pytest.mark.parametrize("name", KEEPING)
def test_results_keep_the_order_of_their_operands(name: str) -> None:
    assert KEEPING[name](tw.from_numpy(X).permute(2, 0, 1)).stride() == (1, 12, 4)


def test_some_results_are_contiguous_all_the_same() -> None:
    x = tw.from_numpy(X).permute(2, 0, 1)
    for result in (x.masked_fill(x > 3, 1.0), 2**x, x.renorm(2.0, 0, 1.0), x.cumsum(0), x.softmax(-1)):
        assert result.stride() == (6, 3, 1)


def test_gaps_and_repeats_of_operands_are_not_kept() -> None:
    x = tw.from_numpy(X)
    assert (x[:, :, ::2] + 1).stride() == (6, 2, 1)
    assert (x.permute(2, 0, 1)[::2] + 1).stride() == (1, 6, 2)
    assert tw.tensor([1.0, 2.0]).expand(3, 2).clone().stride() == (2, 1)
    assert (tw.tensor([[1.0], [2.0]]).expand(2, 3) + 1).stride() == (3, 1)


def test_a_contiguous_format_can_be_asked_for() -> None:
    x = tw.from_numpy(X).permute(2, 0, 1)
    for copy in (x.contiguous(), x.clone(memory_format=0), (x + 1).contiguous()):
        assert copy.stride() == (6, 3, 1)


@pytest.mark.parametrize("dtype", ("float16", "float32", "int64", "bool"))
def test_values_do_not_depend_on_the_order(dtype: str) -> None:
    array = (X.T % 5).astype(dtype)
    x = tw.from_numpy(array)
    np.testing.assert_array_equal((x + x).numpy(), array + array)
    np.testing.assert_array_equal((x + x[:, :1]).numpy(), array + array[:, :1])
    np.testing.assert_array_equal((x == x.flip(0)).numpy(), array == array[::-1])
    np.testing.assert_array_equal(x.to(tw.float64).numpy(), array.astype("f8"))


def test_random_numbers_are_drawn_in_the_order_of_memory() -> None:
    like = tw.zeros(3, 2).t()
    tw.manual_seed(7)
    row_major = tw.rand(3, 2)
    tw.manual_seed(7)
    assert tw.rand_like(like).tolist() == row_major.t().tolist()
    tw.manual_seed(7)
    assert like.clone().uniform_().tolist() == row_major.t().tolist()
    tw.manual_seed(7)
    kept = tw.dropout(tw.ones(3, 2), 0.5, True)
    tw.manual_seed(7)
    assert tw.dropout(tw.ones(3, 2).t(), 0.5, True).tolist() == kept.t().tolist()
    p = tw.tensor([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    assert like.clone().bernoulli_(p).tolist() == p.tolist()


@tw.jit.script
def changed_copies(x: tw.Tensor) -> tuple[tw.Tensor, tw.Tensor]:
    y = x.t() + 1
    y.reshape(-1).zero_()
    z = x.t().clone()
    z.contiguous().zero_()
    return y, z


def test_programs_that_change_a_reordered_copy_leave_the_original() -> None:
    y, z = changed_copies(np.array([[1, 2], [3, 4]], "f4"))
    assert y.tolist() == [[2, 4], [3, 5]]
    assert z.tolist() == [[1, 3], [2, 4]]
