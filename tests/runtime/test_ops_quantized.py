"""Arithmetic, activations and pooling of quantized tensors: the numbers they stand for, rounded once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
X, Y = (RNG.uniform(-2, 2, (1, 4, 6, 6)).astype("f4") for _ in range(2))
Array = np.ndarray


def quantized(x: Array, scale: float = 0.02, zero_point: int = 120) -> tw.Tensor:
    return tw.quantize_per_tensor(x, scale, zero_point, tw.quint8)


def numbers(x: tw.Tensor) -> Array:
    return tw.dequantize(x).numpy()


def call_op(name: str, *args: object) -> tw.Tensor:
    """An op by its qualified name: these are no functions of the module."""
    return tw._core._testing.call_op(name, *args)[0]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("zero_point", [100, 101])
def test_sums_and_products_are_rounded_before_the_zero_point_is_added(relu: bool, zero_point: int) -> None:
    a, b = quantized(X, 0.125), quantized(Y, 0.25, 130)
    for name, expected in (("add", numbers(a) + numbers(b)), ("mul", numbers(a) * numbers(b))):
        got = call_op(f"quantized::{name}{'_relu' if relu else ''}", a, b, 0.5, zero_point)
        want = np.clip(np.rint((np.maximum(expected, 0) if relu else expected) / 0.5) + zero_point, 0, 255)
        np.testing.assert_array_equal(tw.int_repr(got).numpy(), want)


@pytest.mark.parametrize("zero_point", [100, 101])
def test_quantizing_rounds_the_sum_with_the_zero_point(zero_point: int) -> None:
    x = np.arange(-20, 20, dtype="f4") / 4
    want = np.rint(x / 0.5 + zero_point)
    assert tw.int_repr(tw.quantize_per_tensor(x, 0.5, zero_point, "quint8")).tolist() == want.tolist()
    channels = tw.quantize_per_channel(x[None], np.array([0.5]), np.array([zero_point]), 0, "quint8")
    assert tw.int_repr(channels)[0].tolist() == want.tolist()


def test_joining_keeps_the_first_parameters_or_takes_new_ones() -> None:
    a, b = quantized(X), quantized(Y, 0.015, 130)
    got = call_op("quantized::cat", [a, b], 1, None, None)
    assert (tw.q_scale(got), tw.q_zero_point(got), got.shape) == (0.02, 120, (1, 8, 6, 6))
    np.testing.assert_allclose(numbers(got)[:, :4], numbers(a))
    assert tw.q_zero_point(call_op("quantized::cat", [a, b], 1, 0.05, 7)) == 7
    with pytest.raises(ValueError, match="the tensors are quint8 and qint8; they must have one dtype"):
        call_op("quantized::cat", [a, tw.quantize_per_tensor(Y, 0.1, 0, tw.qint8)], 1, None, None)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda q: tw.relu(q), lambda x: np.maximum(x, 0)),
        (lambda q: tw.relu6(q), lambda x: np.clip(x, 0, 6)),
        (lambda q: tw.hardtanh(q, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5)),
        (lambda q: tw.clamp(q, -0.5, None), lambda x: np.maximum(x, -0.5)),
        (lambda q: tw.max_pool2d(q, [2, 2]), lambda x: x.reshape(1, 4, 3, 2, 3, 2).max((3, 5))),
        (lambda q: tw.avg_pool2d(q, [2, 2]), lambda x: x.reshape(1, 4, 3, 2, 3, 2).mean((3, 5))),
        (lambda q: tw.adaptive_avg_pool2d(q, [1, 1]), lambda x: x.mean((2, 3), keepdims=True)),
        (lambda q: tw.upsample_nearest2d(q, [12, 12]), lambda x: x.repeat(2, 2).repeat(2, 3)),
    ],
)
def test_results_have_the_parameters_of_the_input(
    call: Callable[[tw.Tensor], tw.Tensor], expected: Callable[[Array], Array]
) -> None:
    q = quantized(X)
    got = call(q)
    assert (got.dtype, tw.q_scale(got), tw.q_zero_point(got)) == (tw.quint8, 0.02, 120)
    np.testing.assert_allclose(numbers(got), expected(numbers(q)), atol=0.0101)


def test_in_place_activation_writes_its_input() -> None:
    q = quantized(X)
    assert tw.relu_(q) is q
    assert numbers(q).min() == 0


@pytest.mark.parametrize(("dtype", "low", "middle"), [("quint8", 0, 128), ("qint8", -128, 0)])
def test_bounded_functions_use_the_whole_range(dtype: str, low: int, middle: int) -> None:
    q = tw.quantize_per_tensor(X, 0.05, 3, dtype)
    for op, scale, zero_point in (
        (tw.sigmoid, 1 / 256, low),
        (tw.hardsigmoid, 1 / 256, low),
        (tw.tanh, 2 / 256, middle),
    ):
        got = op(q)
        assert (tw.q_scale(got), tw.q_zero_point(got)) == (scale, zero_point)
        np.testing.assert_allclose(numbers(got), op(numbers(q)).numpy(), atol=scale)


def test_floats_rounded_as_if_quantized() -> None:
    fake = tw.fake_quantize_per_tensor_affine(X, 0.02, 120, 0, 255)
    np.testing.assert_allclose(fake.numpy(), numbers(quantized(X)), atol=1e-6)
    scales, points = np.array([0.02, 0.05, 0.1, 1.0], "f4"), np.array([0, 3, 0, 1], "i4")
    each = tw.fake_quantize_per_channel_affine(X, scales, points, 1, -128, 127).numpy()
    for k in range(4):
        one = tw.fake_quantize_per_tensor_affine(X[:, k], float(scales[k]), int(points[k]), -128, 127)
        np.testing.assert_array_equal(each[:, k], one.numpy())
    with pytest.raises(ValueError, match="quant_min is 3 and quant_max 2"):
        tw.fake_quantize_per_tensor_affine(X, 0.1, 0, 3, 2)
    with pytest.raises(ValueError, match="fake_quantize_per_channel_affine: scale has sizes"):
        tw.fake_quantize_per_channel_affine(X, scales[:2], points, 1, 0, 1)


def rounded(x: Array, scale: float, zero_point: int) -> Array:
    return np.asarray((np.clip(np.rint(x / scale) + zero_point, 0, 255) - zero_point) * scale, "f4")


def normalized(x: Array, axes: tuple[int, ...]) -> Array:
    return np.asarray((x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5))


Q = numbers(quantized(X))
PER_CHANNEL = np.array([0.5, 1.0, 1.5, 2.0], "f4")
BATCH_NORM = (Q - 0.1) / np.sqrt(0.8 + 1e-5) * PER_CHANNEL[:, None, None] + PER_CHANNEL[:, None, None]
STATISTICS = (PER_CHANNEL, PER_CHANNEL, np.full(4, 0.1, "f4"), np.full(4, 0.8, "f4"), 1e-5)

LAYERS: dict[str, tuple[str, tuple[object, ...], Array]] = {
    "hardswish": ("hardswish", (), Q * np.clip(Q + 3, 0, 6) / 6),
    "sigmoid": ("sigmoid", (), 1 / (1 + np.exp(-Q))),
    "leaky_relu": ("leaky_relu", (0.1, False), np.where(Q > 0, Q, 0.1 * Q)),
    "prelu": ("prelu", (np.array([0.2], "f4"),), np.where(Q > 0, Q, np.float32(0.2) * Q)),
    "softmax": ("softmax", (1,), np.exp(Q) / np.exp(Q).sum(1, keepdims=True)),
    "layer_norm": ("layer_norm", ([6], None, None, 1e-5), normalized(Q, (3,))),
    "group_norm": (
        "group_norm",
        (2, None, None, 1e-5),
        normalized(Q.reshape(2, -1), (1,)).reshape(Q.shape),
    ),
    "instance_norm": ("instance_norm", (None, None, 1e-5), normalized(Q, (2, 3))),
    **{f"batch_norm{d}": (f"batch_norm{d}", STATISTICS, BATCH_NORM) for d in ("", "2d")},
    **{f"batch_norm{d}_relu": (f"batch_norm{d}_relu", STATISTICS, np.maximum(BATCH_NORM, 0)) for d in ("", "2d")},
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_compute_with_the_numbers_and_round_once(name: str) -> None:
    op, arguments, expected = LAYERS[name]
    got = call_op(f"quantized::{op}", quantized(X), *arguments, 0.05, 60)
    assert (tw.q_scale(got), tw.q_zero_point(got), got.dtype) == (0.05, 60, tw.quint8)
    steps = np.abs(numbers(got) - rounded(expected, 0.05, 60)) / 0.05
    assert steps.max() < 1.01 and (steps > 0.5).mean() < 0.02  # halves may be rounded either way


def test_activations_with_parameters_behind_the_result() -> None:
    q = quantized(X)
    elu, celu = (np.where(Q > 0, Q, a * np.expm1(Q / b)) for a, b in ((0.5, 1.0), (0.5, 0.5)))
    for got, expected in (
        (call_op("quantized::elu", q, 0.05, 60, 0.5), elu),
        (call_op("quantized::celu", q, 0.05, 60, 0.5), celu),
        (call_op("quantized::matmul", q, q, 0.05, 60), Q @ Q),
    ):
        np.testing.assert_allclose(numbers(got), rounded(expected, 0.05, 60), atol=0.051)
    np.testing.assert_allclose(numbers(call_op("quantized::relu6", q)), np.clip(Q, 0, 6), atol=1e-6)


def test_convolutions_in_one_dimension_take_one_number_each() -> None:
    weight = tw.quantize_per_tensor(RNG.uniform(-1, 1, (3, 6, 2)).astype("f4"), 0.01, 0, tw.qint8)
    with pytest.raises(ValueError, match=r"quantized::conv1d_prepack: weight .* expected \[out, in / groups, width\]"):
        call_op("quantized::conv1d_prepack", weight, None, [2, 2], [1], [1], 1)
