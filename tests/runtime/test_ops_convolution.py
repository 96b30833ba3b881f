"""Convolutions of one to three dimensions against their definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


def reference(x: Array, w: Array, stride: int, padding: int, dilation: int, groups: int) -> Array:
    """Cross-correlation, one output at a time."""
    dims = x.ndim - 2
    x = np.pad(x.astype("f8"), [(0, 0), (0, 0)] + [(padding, padding)] * dims)
    sizes = [(x.shape[i + 2] - dilation * (w.shape[i + 2] - 1) - 1) // stride + 1 for i in range(dims)]
    out = np.zeros((x.shape[0], w.shape[0], *sizes))
    width = w.shape[0] // groups
    for o in range(w.shape[0]):
        first = o // width * w.shape[1]
        for at in np.ndindex(*sizes):
            window = tuple(
                slice(p * stride, p * stride + dilation * (k - 1) + 1, dilation)
                for p, k in zip(at, w.shape[2:], strict=True)
            )
            out[(slice(None), o, *at)] = (
                (x[(slice(None), slice(first, first + w.shape[1]), *window)] * w[o]).reshape(x.shape[0], -1).sum(1)
            )
    return out


def spread(x: Array, stride: int) -> Array:
    """Zeros between the elements: a transposed convolution is a plain one of this, with the kernel turned."""
    out = np.zeros((*x.shape[:2], *((n - 1) * stride + 1 for n in x.shape[2:])), x.dtype)
    out[(slice(None), slice(None), *[slice(None, None, stride)] * (x.ndim - 2))] = x
    return out


CASES = [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2), (2, 1, 1, 4)]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), CASES)
def test_convolution(dtype: str, dims: int, stride: int, padding: int, dilation: int, groups: int) -> None:
    x, w, b = (
        numbers(2, 4, *(7, 6, 5)[:dims], dtype=dtype),
        numbers(4, 4 // groups, *(3, 2, 2)[:dims], dtype=dtype),
        numbers(4, dtype=dtype),
    )
    result = getattr(tw, f"conv{dims}d")(x, w, b, stride, padding, dilation, groups).numpy()
    expected = reference(x, w, stride, padding, dilation, groups) + b.reshape(-1, *[1] * dims)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)
    flags = [False] * 3 + [True]
    generic = tw._core.ops["_convolution"](x, w, b, [stride], [padding], [dilation], False, [0], groups, *flags)
    np.testing.assert_array_equal(generic.numpy(), result)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_transposed_convolution(dtype: str, dims: int, stride: int) -> None:
    x, w = numbers(2, 3, *(4, 3, 3)[:dims], dtype=dtype), numbers(3, 2, *[3] * dims, dtype=dtype)
    op = tw.conv_transpose1d if dims == 1 else tw.conv_transpose2d if dims == 2 else tw.conv_transpose3d
    turned = np.flip(w.swapaxes(0, 1), tuple(range(2, 2 + dims)))
    expected = reference(spread(x, stride), turned, 1, 1, 1, 1)
    np.testing.assert_allclose(op(x, w, None, stride, 1).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_padding_by_name_and_inputs_without_batch() -> None:
    x, w = numbers(3, 8), numbers(2, 3, 4)
    same = tw.conv1d(x, w, None, 1, "same").numpy()
    np.testing.assert_allclose(
        same, reference(np.pad(x, ((0, 0), (1, 2)))[None], w, 1, 0, 1, 1)[0], rtol=1e-4, atol=1e-5
    )
    np.testing.assert_array_equal(tw.conv1d(x, w, None, 2, "valid").numpy(), tw.conv1d(x, w, None, 2).numpy())


def test_result_does_not_depend_on_threads() -> None:
    x, w = numbers(3, 8, 20, 20, dtype="f8"), numbers(8, 1, 3, 3, dtype="f8")
    results = []
    for count in (1, 2, 5):
        with tw.num_threads(count):
            results.append(tw.conv2d(x, w, None, 1, 1, 1, 8).numpy().tobytes())
    assert len(set(results)) == 1


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tw.conv2d(numbers(1, 2, 5, 5), numbers(2, 2, 3, 3), None, 2, "same"), "that needs stride 1"),
        (
            lambda: tw.conv1d(numbers(1, 2, 5), numbers(2, 2, 3), None, 1, "full"),
            "padding is 'full'; expected 'same' or 'valid'",
        ),
        (
            lambda: tw.conv_transpose1d(numbers(1, 2, 5), numbers(2, 2, 3), None, 2, 0, 2),
            "output_padding is 2; it must be smaller",
        ),
        (lambda: tw.conv1d(numbers(1, 2, 5), numbers(2, 2, 3), None, [1, 1]), "stride has 2 numbers; expected 1 or 1"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert text in str(error.value)


def test_integers_are_convolved_exactly_or_refused() -> None:
    x, w = RNG.integers(-9, 9, (2, 4, 7, 6)), RNG.integers(-9, 9, (6, 2, 3, 2))
    bias = np.arange(6)
    got = tw.conv2d(x, w, bias, 2, 1, 1, 2)
    expected = reference(x, w, 2, 1, 1, 2) + bias.reshape(-1, 1, 1)
    assert got.dtype == tw.int64
    np.testing.assert_array_equal(got.numpy(), expected)
    assert tw.linear(x, np.ones((2, 6), "i8")).tolist() == np.stack([x.sum(-1)] * 2, -1).tolist()
    large = np.full((1, 1, 4), 2**30)
    assert tw.conv1d(large, large[..., :1] // 2**9).tolist() == [[[2**51] * 4]]
    with pytest.raises(
        NotImplementedError, match=r"may reach 1152921504606846976\.0\d*; supported are sums below 2\^53"
    ):
        tw.conv1d(large, large[..., :1])
    with pytest.raises(NotImplementedError, match="conv1d: unsupported dtype int32"):
        tw.conv1d(large.astype("i4"), large.astype("i4"))
