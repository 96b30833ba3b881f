"""Pointwise ops: promotion, every dtype, in-place results, accuracy. Results that are torch's own are literals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import threadwheel as tw

REALS = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
THREADS = (1, 2, 3)


def same(result: tw.Tensor, expected: Any) -> None:
    expected = np.asarray(expected)
    assert result.shape == expected.shape
    assert result.dtype.name == expected.dtype.name
    np.testing.assert_array_equal(result.numpy(), expected)


def as_float32(result: tw.Tensor) -> np.ndarray:
    return np.asarray(tw.to(result, "float32").numpy())


# --- 16-bit floats ---------------------------------------------------------------------------------


def test_every_float16_becomes_its_float32_and_back() -> None:
    every = np.arange(65536, dtype="u2").view("f2")
    wide = tw.to(every, "float32")
    same(wide, every.astype("f4"))
    numbers = ~np.isnan(every)
    np.testing.assert_array_equal(tw.to(wide, "float16").numpy()[numbers].view("u2"), every[numbers].view("u2"))


def test_float16_rounds_to_nearest_even() -> None:
    random = np.random.default_rng(1)
    x = (random.standard_normal(200_000) * 10.0 ** random.uniform(-9, 6, 200_000)).astype("f4")
    x[:6] = [65504, 65519.996, 65520, 2.0**-25, 2.0**-25 * 1.0001, -np.inf]
    with np.errstate(over="ignore"):
        same(tw.to(x, "float16"), x.astype("f2"))
    assert np.isnan(tw.to(np.array([np.nan], "f4"), "float16").numpy()).all()


@pytest.mark.parametrize(
    ("x", "rounded"),
    [
        (1.00390625, 1.0),
        (1.01171875, 1.015625),
        (1.00390637, 1.0078125),
        (-3.4e38, -np.inf),
        (np.nan, np.nan),
        (2.0**-133, 2.0**-133),
    ],
)
def test_bfloat16_rounds_to_nearest_even(x: float, rounded: float) -> None:
    np.testing.assert_array_equal(as_float32(tw.to(np.array([x], "f4"), "bfloat16")), np.array([rounded], "f4"))


def test_16_bit_floats_are_computed_in_float32() -> None:
    x = np.array([2048, 1, 0.1], "f2")
    same(
        tw.add(x, np.array([1, 2048, 0.2], "f2"), alpha=2),
        (x.astype("f4") + 2 * np.array([1, 2048, 0.2], "f2").astype("f4")).astype("f2"),
    )
    half, brain = tw.to(x, "float16"), tw.to(x, "bfloat16")
    assert tw.add(half, brain).dtype == tw.float32
    assert tw.mul(brain, 0.1).dtype == tw.bfloat16
    assert tw.mul(brain, np.ones(3, "i8")).dtype == tw.bfloat16


# --- conversions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", REALS)
@pytest.mark.parametrize("target", REALS)
def test_conversion_between_all_real_dtypes(source: str, target: str) -> None:
    x = (np.arange(700) % 13).astype(source)
    same(tw.to(x, target), x.astype(target))
    same(tw.to(x[::-3], target), x[::-3].astype(target))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("int64", [300, -300, 2, -2, 3000000000, -(2**63), -(2**63)]),
        ("int32", [300, -300, 2, -2, -(2**31), -(2**31), -(2**31)]),
        ("int8", [44, -44, 2, -2, 0, 0, 0]),
        ("uint8", [44, 212, 2, 254, 0, 0, 0]),
        ("bool", [True] * 7),
    ],
)
def test_floats_beyond_an_integer_dtype(target: str, expected: list[int]) -> None:
    x = np.array([300, -300, 2.7, -2.7, 3e9, 1e20, np.nan], "f4")
    same(tw.to(x, target), np.array(expected, target))


def test_complex_numbers_lose_their_imaginary_part() -> None:
    x = np.array([1.5 + 2j, 0 + 1j, 0j], "c8")
    same(tw.to(x, "float32"), np.array([1.5, 0, 0], "f4"))
    same(tw.to(x, "bool"), np.array([True, True, False]))
    same(tw.to(np.array([2], "i4"), "complex128"), np.array([2], "c16"))


def test_large_integers_are_exact() -> None:
    x = np.array([2**53 + 1, -(2**62) - 3], "i8")
    same(tw.add(x, x), x + x)
    same(tw.mul(x, 3), x * 3)
    same(tw.maximum(x, x - 1), x)
    same(tw.eq(x, x - 1), [False, False])
    same(tw.where(x > 0, x, x - 1), np.where(x > 0, x, x - 1))


# --- promotion -------------------------------------------------------------------------------------

F32, I32, I64, U8, B, C64 = (np.ones(2, d) for d in ("f4", "i4", "i8", "u1", "?", "c8"))


@pytest.mark.parametrize(
    ("result", "dtype"),
    [
        (lambda: tw.div(I32, I32), "float32"),
        (lambda: tw.div(I32, I32, rounding_mode="floor"), "int32"),
        (lambda: tw.exp(I64), "float32"),
        (lambda: tw.exp(B), "float32"),
        (lambda: tw.mul(C64, np.float64(2)), "complex64"),
        (lambda: tw.add(C64, np.ones(2)), "complex128"),
        (lambda: tw.eq(F32, I32), "bool"),
        (lambda: tw.abs(C64), "float32"),
        (lambda: tw.angle(I32), "float32"),
        (lambda: tw.clamp(I32, 0.5, 2), "float32"),
        (lambda: tw.where(B, F32, 2), "float32"),
        (lambda: tw.where(B, 1, 2), "int64"),
        (lambda: tw.where(B, 1.0, 2), "float32"),
        (lambda: tw.pow(I32, 0.5), "float32"),
        (lambda: tw.square(B), "int64"),
        (lambda: tw.logical_and(F32, I32), "bool"),
        (lambda: tw.floor(I32), "int32"),
    ],
)
def test_dtypes_of_results(result: Any, dtype: str) -> None:
    assert result().dtype.name == dtype


# --- arithmetic ------------------------------------------------------------------------------------


def test_division_of_integers() -> None:
    x, y = np.array([7, -7, 7, -7], "i4"), np.array([2, 2, -2, -2], "i4")
    same(tw.div(x, y, rounding_mode="floor"), x // y)
    same(tw.div(x, y, rounding_mode="trunc"), np.array([3, -3, -3, 3], "i4"))
    same(tw.remainder(x, y), x % y)
    same(tw.fmod(x, y), np.fmod(x, y))
    same(tw.floor_divide(np.array([-(2**63)], "i8"), np.array([-1], "i8")), np.array([-(2**63)], "i8"))


def test_division_of_floats() -> None:
    x, y = np.array([7, -7, 0.3, -0.3, np.inf, 1]), np.array([2, 2, 0.1, 0.1, 2, 0])
    with np.errstate(all="ignore"):
        same(tw.remainder(x, y), np.remainder(x, y))
        same(tw.div(x, y, rounding_mode="floor"), [3, -4, 2, -3, np.nan, np.inf])


def test_powers() -> None:
    same(tw.pow(np.array([2, -3, 0], "i8"), 5), np.array([32, -243, 0]))
    same(tw.pow(np.array([2, -1, 1], "i8"), np.array([-1, -3, -2])), np.array([0, -1, 1]))
    same(tw.pow(np.array([3.0, -2]), 2), [9.0, 4])
    same(tw.pow(2.0, np.array([3.0, -1])), [8, 0.5])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: tw.div(I32, np.zeros(2, "i4"), rounding_mode="trunc"),
            ValueError,
            "div: an integer is divided by zero; convert to a floating dtype first",
        ),
        (
            lambda: tw.div(I32, I32, rounding_mode="up"),
            ValueError,
            "div: rounding_mode is 'up'; expected None, 'trunc' or 'floor'",
        ),
        (
            lambda: tw.pow(I32, -1),
            ValueError,
            "pow: the exponent is -1 for integers; use a floating dtype or an exponent of 0 or more",
        ),
        (lambda: tw.sub(B, B), NotImplementedError, "sub: an operand is bool; use logical_not or bitwise_xor on bools"),
        (
            lambda: tw.lt(C64, C64),
            NotImplementedError,
            "lt: unsupported dtype complex64; supported are bools, integers, floats",
        ),
        (
            lambda: tw.floor(B),
            NotImplementedError,
            "floor: unsupported dtype bool; supported are integers and wider dtypes",
        ),
        (
            lambda: tw.bitwise_and(F32, F32),
            NotImplementedError,
            "bitwise_and: unsupported dtype float32; supported are bools, integers",
        ),
        (lambda: tw.clamp(F32), ValueError, "clamp: min and max are both None; give at least one"),
        (lambda: tw.gelu(F32, approximate="x"), ValueError, "gelu: approximate is 'x'; expected 'none' or 'tanh'"),
        (lambda: tw.where(I32, F32, F32), NotImplementedError, "where: the mask is int32; expected bool"),
        (lambda: tw.glu(np.ones(3, "f4")), ValueError, "glu: self has sizes [3] and dim is -1; that size must be even"),
        (
            lambda: tw.to_mkldnn(F32),
            NotImplementedError,
            "to_mkldnn: archives that are saved after optimize_for_inference lack the weights of their convolutions; "
            "save the module as it was, and freeze it when it is loaded",
        ),
        (
            lambda: tw.to(F32, "qint8"),
            NotImplementedError,
            "to: cannot convert from or to qint8; quantize or dequantize instead",
        ),
        (
            lambda: tw.hardtanh(U8, -1, 2),
            ValueError,
            "hardtanh: a number is -1.000000 for a tensor of uint8; expected 0 or more",
        ),
    ],
)
def test_refusals(call: Any, error: type, text: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == text


# --- in-place --------------------------------------------------------------------------------------


def test_in_place_ops_write_through_views() -> None:
    x = np.arange(12, dtype="f4").reshape(3, 4)
    expected = x.copy()
    expected[::2, 1:] += 10
    view = x[::2, 1:]
    assert tw.add_(view, 10).shape == (2, 3)
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(tw.mul_(x.T, x.T).numpy(), (expected * expected).T)


def test_in_place_results_are_converted() -> None:
    x = np.array([1.5, 2.5], "f4")
    tw.mul_(x, np.array([2.0, 3.0]))  # float64 operand
    np.testing.assert_array_equal(x, [3, 7.5])
    y = np.array([1.0, 2.0], "f4")
    tw.eq_(y, 2)
    np.testing.assert_array_equal(y, [0, 1])


def test_in_place_on_overlapping_memory_reads_before_it_writes() -> None:
    x = np.arange(1000, dtype="f8")
    expected = x[1:] + x[:-1]
    tw.add_(x[1:], x[:-1])
    np.testing.assert_array_equal(x[1:], expected)
    y = np.arange(1000, dtype="i4")
    tw.copy_(y[1:], y[:-1])
    np.testing.assert_array_equal(y[1:], np.arange(999))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: tw.add_(np.ones(2, "i4"), 1.5),
            "add: the result is float32 and the tensor to write to int32; convert that first",
        ),
        (
            lambda: tw.add_(np.ones(2), np.ones((3, 2))),
            "add: the result has sizes [3, 2] and the tensor to write to [2]; they must be the same",
        ),
        (
            lambda: tw.add_(np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,)), 1),
            "where elements share memory; pass a copy of it",
        ),
        (
            lambda: tw.exp_(np.broadcast_to(np.ones(1), (1,))),
            "exp: the tensor to write to is read-only; pass a copy of it",
        ),
        (
            lambda: tw.fill_(np.ones(2, "u1"), 300),
            "fill_: the value is 300.000000, which uint8 does not hold; use a wider dtype",
        ),
    ],
)
def test_in_place_refusals(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as raised:
        call()
    assert str(raised.value).endswith(text)


# --- accuracy --------------------------------------------------------------------------------------

# name, range, largest error allowed in units in the last place; measured values stand in vector_math.h.
FUNCTIONS = [
    ("expm1", np.expm1, -20, 80, 3),
    ("tanh", np.tanh, -12, 12, 3),
    ("sin", np.sin, -1000, 1000, 1),
    ("cos", np.cos, -1000, 1000, 1),
    ("sigmoid", lambda x: 1 / (1 + np.exp(-x)), -80, 80, 4),
    ("log", np.log, 1e-6, 1e6, 1),
]


@pytest.mark.parametrize(("name", "exact", "low", "high", "limit"), FUNCTIONS, ids=[f[0] for f in FUNCTIONS])
def test_float32_functions_are_accurate(name: str, exact: Any, low: float, high: float, limit: float) -> None:
    random = np.random.default_rng(0)
    for scale in (1, 1e-2, 1e-5):
        x = random.uniform(low * scale, high * scale, 40_000).astype("f4")
        wanted = exact(x.astype("f8"))
        error = np.abs(tw._core.ops[name](x).numpy() - wanted) / np.spacing(np.abs(wanted).astype("f4"))
        assert error.max() <= limit


def test_sine_of_angles_beyond_its_polynomial() -> None:
    x = np.array([1e6, -3e30, np.inf, np.nan, 1.0], "f4").repeat(50)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(tw.sin(x).numpy(), np.sin(x.astype("f8")), atol=1e-6)
        np.testing.assert_allclose(tw.cos(x).numpy(), np.cos(x.astype("f8")), atol=1e-6)


def test_special_values_pass_through_activations() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0], "f4")
    same(tw.relu(x), np.array([np.nan, np.inf, 0, 0], "f4"))
    same(tw.hardtanh(x), np.array([np.nan, 1, -1, 0], "f4"))
    same(tw.sigmoid(x), np.array([np.nan, 1, 0, 0.5], "f4"))
    same(tw.tanh(x), np.array([np.nan, 1, -1, 0], "f4"))
    same(tw.erf(x), np.array([np.nan, 1, -1, 0], "f4"))
    same(tw.clamp(x, 0, 1), np.array([np.nan, 1, 0, 0], "f4"))
    same(tw.maximum(x, np.float32(1)), np.array([np.nan, np.inf, 1, 1], "f4"))
    same(tw.fmax(x, np.float32(1)), np.array([1, np.inf, 1, 1], "f4"))


def test_clamping_bools() -> None:
    x, limit = np.array([True, False, True]), np.array([False, False, True])
    for ours in (tw.clamp_max(x, limit), tw.clamp(x, max=limit)):
        same(ours, x & limit)
    same(tw.clamp_min(x, limit), x | limit)
    same(tw.clamp(x, 0, 1), np.array([1, 0, 1]))
    for refused in (lambda: tw.clamp_max(x, True), lambda: tw.clamp(x, limit, x)):
        with pytest.raises(NotImplementedError, match="clamp: unsupported dtype bool"):
            refused()


def test_logit_of_integers() -> None:
    same(tw.logit(np.array([0, 1])), np.array([-np.inf, np.inf], "f4"))


def test_gelu() -> None:
    x = np.array([-1, 0, 1, 3], "f4")
    np.testing.assert_allclose(tw.gelu(x).numpy(), [-0.15865526, 0, 0.8413447, 2.9959507], rtol=1e-6)
    np.testing.assert_allclose(tw.gelu(x, approximate="tanh").numpy(), [-0.15880796, 0, 0.841192, 2.9963627], rtol=1e-6)


@pytest.mark.parametrize("name", ("sin", "tanh", "erf", "silu", "mish"))
def test_bits_do_not_depend_on_place_or_threads(name: str) -> None:
    x = np.random.default_rng(3).uniform(-20, 20, 100_001).astype("f4")
    function = tw._core.ops[name]
    whole = function(x).numpy()
    for part in (slice(1, 18), slice(0, 5000, 7), slice(99_990, None)):
        same(function(x[part]), whole[part])
    for num_threads in THREADS:
        tw.set_num_threads(num_threads)
        same(function(x), whole)


# --- complex ---------------------------------------------------------------------------------------


def test_parts_of_complex_tensors_are_views() -> None:
    x = np.array([1 + 2j, 3 - 4j], "c8")
    tw.mul_(tw.imag(x), 2)
    np.testing.assert_array_equal(x, [1 + 4j, 3 - 8j])
    same(tw.view_as_real(x), np.array([[1, 4], [3, -8]], "f4"))
    same(tw.view_as_complex(np.array([[1.0, 2.0]])), np.array([1 + 2j]))
    same(tw.complex(np.array([1.0]), np.array([-0.5])), np.array([1 - 0.5j]))
    np.testing.assert_allclose(tw.polar(np.array([2.0]), np.array([np.pi / 2])).numpy(), [2j], atol=1e-15)
    same(tw.conj(x), np.conj(x))


def test_older_names_are_the_same_ops() -> None:
    x, y = np.array([7.0, -8.0]), np.array([2.0, 3.0])
    assert tw.multiply(x, y).tolist() == tw.mul(x, y).tolist()
    assert tw.subtract(x, y, alpha=2).tolist() == tw.sub(x, y, alpha=2).tolist()
    assert tw.divide(x, y, rounding_mode="floor").tolist() == [3, -3]
    z = tw.tensor([1.0, 2.0])
    assert z.multiply_(3).subtract_(1).divide_(2) is z
    assert z.tolist() == [1, 2.5]


def test_leaky_activation_without_its_random_slopes() -> None:
    x = np.array([-6.0, 3.0])
    assert tw.rrelu(x, 0.25, 0.75).tolist() == [-3, 3]
    with pytest.raises(NotImplementedError, match="rrelu: training is true, which needs random numbers"):
        tw.rrelu(x, training=True)


def test_comparing_whole_tensors() -> None:
    x = tw.tensor([1.0, math.nan])
    assert not tw.equal(x, x)
    assert tw.equal(x[:1], x[:1].clone()) and not tw.equal(x[:1], x)
    assert tw.allclose(x, x + 1e-9, equal_nan=True) and not tw.allclose(x, x)


def test_dense_in_an_order_of_memory() -> None:
    image = tw.zeros(2, 3, 4, 5)
    last = tw.zeros(2, 4, 5, 3).permute(0, 3, 1, 2)
    order = [tw._core._testing.call_op("aten::is_contiguous.memory_format", x, 2)[0] for x in (image, last)]
    assert order == [False, True]


def test_complex_logarithms_and_sines() -> None:
    z = np.array([1e-9 + 1e-9j, -0.5 + 2j, 3 - 4j])
    np.testing.assert_allclose(tw.expm1(z).numpy()[1:], np.expm1(z)[1:], rtol=1e-12)
    np.testing.assert_allclose(tw.log1p(z).numpy()[1:], np.log1p(z)[1:], rtol=1e-12)
    assert tw.expm1(z).numpy()[0] == pytest.approx(1e-9 + 1e-9j, rel=1e-8)
    assert tw.log1p(z).numpy()[0] == pytest.approx(1e-9 + 1e-9j, rel=1e-8)
    np.testing.assert_allclose(tw.sinc(z).numpy()[1:], np.sin(np.pi * z[1:]) / (np.pi * z[1:]), rtol=1e-12)
    assert tw.sinc(np.zeros(1, "c16")).tolist() == [1]
