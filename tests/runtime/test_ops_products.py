"""Matrix products over ranks, dtypes and layouts, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i4", "u1", "c8", "c16"])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 4)),
        ((4,), (2, 4, 5)),
        ((2, 1, 3, 4), (5, 4, 6)),
        ((7, 3, 4), (4, 2)),
        ((0, 3, 4), (4, 2)),
        ((2, 0), (0, 3)),
    ],
)
def test_matmul_broadcasts_as_numpy(dtype: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, y = (numbers(*s, dtype="f8") * 5 for s in (a, b))
    x, y = np.abs(x).astype(dtype), np.abs(y).astype(dtype)
    result = tw.matmul(x, y).numpy()
    assert result.dtype == x.dtype
    np.testing.assert_allclose(result, x @ y, rtol=1e-5)


def test_views_are_multiplied_without_their_gaps() -> None:
    x, y = numbers(2, 4, 3, 6), numbers(2, 5, 3, 4)
    np.testing.assert_allclose(
        tw.matmul(x.transpose(0, 2, 1, 3)[..., ::2], y.transpose(0, 2, 3, 1)[:, :, :3]).numpy(),
        x.transpose(0, 2, 1, 3)[..., ::2] @ y.transpose(0, 2, 3, 1)[:, :, :3],
        rtol=1e-5,
        atol=1e-6,
    )


def test_int64_is_exact_beyond_doubles() -> None:
    big = 2**53 + 1
    assert tw.mm(np.array([[big, 1]]), np.array([[1], [1]])).tolist() == [[big + 1]]


def test_beta_zero_ignores_self() -> None:
    x = numbers(2, 3)
    result = tw.addmm(np.full((2, 2), np.nan, "f4"), x, x.T.copy(), beta=0, alpha=2)
    np.testing.assert_allclose(result.numpy(), 2 * x @ x.T, rtol=1e-5)
    for op, self, a, b in (
        (tw.baddbmm, numbers(1, 2), numbers(3, 2, 4), numbers(3, 4, 2)),
        (tw.addmv, numbers(2), numbers(2, 4), numbers(4)),
    ):
        np.testing.assert_allclose(
            op(self, a, b, beta=3, alpha=2).numpy(), 3 * self + 2 * (a @ b), rtol=1e-4, atol=1e-5
        )


def test_in_place_products_write_through_views() -> None:
    base, x = np.ones((2, 4), "f4"), numbers(2, 2)
    assert tw.addmm_(base[:, ::2], x, x).shape == (2, 2)
    np.testing.assert_allclose(base[:, ::2], 1 + x @ x, rtol=1e-5)
    assert (base[:, 1::2] == 1).all()


def test_products_of_vectors() -> None:
    x, y = numbers(3, dtype="c16") + 1j * numbers(3), numbers(3, dtype="c16")
    np.testing.assert_allclose(tw.vdot(x, y).item(), np.vdot(x, y))
    np.testing.assert_allclose(tw.outer(x, y).numpy(), np.outer(x, y))
    np.testing.assert_allclose(tw.inner(numbers(2, 3), numbers(4, 3)).numpy().shape, (2, 4))
    np.testing.assert_allclose(
        tw.tensordot(np.ones((2, 3, 4)), np.ones((4, 3, 5)), [1, 2], [1, 0]).numpy(), np.full((2, 5), 12.0)
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tw.matmul(np.float32(1), numbers(2)), "matmul: self has sizes [] and other has sizes [2]; "),
        (lambda: tw.bmm(numbers(2, 3, 4), numbers(3, 4, 5)), "are batches of different lengths; they must be equal"),
        (lambda: tw.addmm(numbers(3, 2, 2), numbers(2, 2), numbers(2, 2)), "expected sizes that broadcast to [2, 2]"),
        (
            lambda: tw.addmm(*[np.ones((2, 2), "i8")] * 3, alpha=1j),
            "addmm: alpha is complex and the result is int64; use a real number",
        ),
        (lambda: tw.linalg_multi_dot([]), "multi_dot: there are no tensors; expected one or more"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert text in str(error.value)


def test_fractions_of_factors_of_integers_do_not_count() -> None:
    x = tw.ones(2, 2, dtype=tw.int64)
    for name, arguments in (("addmm", (x, x, x)), ("addmv", (x[0], x, x[0])), ("baddbmm", (x[None], x[None], x[None]))):
        assert np.ravel(getattr(tw, name)(*arguments, beta=1.7, alpha=2.9).numpy())[0] == 1 + 2 * 2
    with pytest.raises(ValueError, match="addr: alpha is not an int and the result is int64; use an int"):
        tw.addr(x, x[0], x[0], alpha=0.5)
    truths = tw.tensor([True, False])
    assert tw.addr(tw.zeros(2, 2, dtype=tw.bool), truths, truths).tolist() == [[True, False], [False, False]]


def test_a_tensor_without_dimensions_is_a_factor() -> None:
    x = numbers(2, 3)
    np.testing.assert_array_equal(tw.inner(np.float32(2), x).numpy(), 2 * x)


def test_contracted_dimensions_of_size_one_repeat() -> None:
    a, b = numbers(1, 1, 4), numbers(2, 1, 3)
    expected = np.einsum("k,n->kn", a[0, 0], b.sum((0, 1)))
    np.testing.assert_allclose(tw.tensordot(a, b, [0, 1], [1, 0]).numpy(), expected, rtol=1e-5)


def test_sums_of_one_operand_are_of_the_dtype_of_sums() -> None:
    x = np.array([[100, 100], [1, 2]], dtype=np.uint8)
    result = tw.einsum("ij->i", [tw.tensor(x)])
    assert (result.dtype, result.tolist()) == (tw.int64, [200, 3])
    half = tw.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=tw.bfloat16)
    product = tw.einsum("ij,jk->ik", [half, half])
    assert (product.dtype, tw.to(product, tw.float32).tolist()) == (tw.bfloat16, [[7.0, 10.0], [15.0, 22.0]])


@pytest.mark.parametrize("dtype", ["i4", "u1", "c8"])
def test_linear_of_what_is_no_float(dtype: str) -> None:
    x, weight, bias = (np.abs(numbers(*s, dtype="f8") * 5).astype(dtype) for s in ((3, 2), (4, 2), (4,)))
    np.testing.assert_allclose(tw.linear(x, weight, bias).numpy(), x @ weight.T + bias, rtol=1e-5)


def test_products_are_added_in_place() -> None:
    x, v = numbers(3, 3, dtype="f8"), numbers(3, dtype="f8")
    for name, given, arguments, product in (
        ("addmv_", v, (x, v), x @ v),
        ("addr_", x, (v, v), np.outer(v, v)),
        ("addbmm_", x, (np.stack([x, x]), np.stack([x, x])), 2 * x @ x),
    ):
        target = tw.tensor(given)
        getattr(tw, name)(target, *arguments, beta=2, alpha=3)
        np.testing.assert_allclose(target.numpy(), 2 * given + 3 * product, err_msg=name)
    with pytest.raises(ValueError, match=r"addmv_: self has sizes \[1\]; the result has sizes \[3\]"):
        tw.addmv_(tw.zeros(1, dtype=tw.float64), x, v)
