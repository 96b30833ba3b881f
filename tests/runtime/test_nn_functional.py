"""nn.functional: each function does in Python and in programs what its op does, with PyTorch's order of arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import threadwheel as tw
import threadwheel.nn.functional as F

X = tw.tensor([[0.5, -1.0, 2.0], [1.5, 0.0, -3.0]])
TARGET = tw.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
IMAGE = tw.arange(32, dtype=tw.float32).view(1, 2, 4, 4)
CHANNELS = tw.tensor([2.0, 4.0])


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: F.relu(x), lambda x: np.maximum(x, 0)),
        (lambda x: F.relu6(x), lambda x: np.clip(x, 0, 6)),
        (lambda x: F.elu(x, 0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
        (lambda x: F.celu(x, 0.5), lambda x: np.maximum(x, 0) + np.minimum(0, 0.5 * np.expm1(x / 0.5))),
        (lambda x: F.leaky_relu(x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
        (lambda x: F.hardtanh(x, -0.5, 1.0), lambda x: np.clip(x, -0.5, 1)),
        (lambda x: F.hardswish(x), lambda x: x * np.clip(x + 3, 0, 6) / 6),
        (lambda x: F.hardsigmoid(x), lambda x: np.clip(x / 6 + 0.5, 0, 1)),
        (lambda x: F.silu(x), lambda x: x / (1 + np.exp(-x))),
        (lambda x: F.mish(x), lambda x: x * np.tanh(softplus(x))),
        (lambda x: F.softsign(x), lambda x: x / (1 + np.abs(x))),
        (lambda x: F.tanhshrink(x), lambda x: x - np.tanh(x)),
        (lambda x: F.softmin(x, 1), lambda x: np.exp(-x) / np.exp(-x).sum(1, keepdims=True)),
        (lambda x: F.normalize(x), lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)),
        (lambda x: F.dropout(x, 0.3, training=False), lambda x: x),
    ],
)
def test_activations(call: Callable[[tw.Tensor], tw.Tensor], expected: Callable[[np.ndarray], np.ndarray]) -> None:
    np.testing.assert_allclose(call(X).numpy(), expected(X.numpy()), rtol=1e-5, atol=1e-6)


def takes_inplace(name: str) -> bool:
    function = getattr(F, name)
    return inspect.isfunction(function) and "inplace" in inspect.signature(function).parameters


# Outside of training dropout has nothing to write.
@pytest.mark.parametrize("name", [name for name in F.__all__ if takes_inplace(name) and name != "dropout"])
def test_in_place_variants_write_their_input(name: str) -> None:
    x = X.clone()
    assert getattr(F, name)(x, inplace=True) is x
    assert x.tolist() == getattr(F, name)(X).tolist() != X.tolist()


def test_layers_have_their_input_first() -> None:
    rows = tw.tensor([1, 0, 1])
    assert F.embedding(rows, X).tolist() == [X[1].tolist(), X[0].tolist(), X[1].tolist()]
    image, mean, variance = IMAGE.numpy(), np.array([1.0, 20.0]).reshape(2, 1, 1), np.array([4.0, 9.0]).reshape(2, 1, 1)
    got = F.batch_norm(IMAGE, tw.tensor([1.0, 20.0]), tw.tensor([4.0, 9.0]), CHANNELS, eps=0.0)
    scale = CHANNELS.numpy().reshape(2, 1, 1)
    np.testing.assert_allclose(got.numpy(), (image - mean) / np.sqrt(variance) * scale, rtol=1e-5)
    got = F.instance_norm(IMAGE, weight=CHANNELS, eps=0.0)
    own = image - image.mean((2, 3), keepdims=True)
    np.testing.assert_allclose(got.numpy(), own / image.std((2, 3), keepdims=True) * scale, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"scale_factor": 2}, lambda x: x.repeat(2, 2).repeat(2, 3)),
        ({"size": 8, "mode": "nearest-exact"}, lambda x: x.repeat(2, 2).repeat(2, 3)),
        ({"scale_factor": [0.5, 1.0], "mode": "area"}, lambda x: x.reshape(1, 2, 2, 2, 4).mean(3)),
        ({"size": [2, 2], "mode": "bilinear"}, lambda x: x.reshape(1, 2, 2, 2, 2, 2).mean((3, 5))),
        ({"size": [2, 2], "mode": "bilinear", "align_corners": True}, lambda x: x[:, :, ::3, ::3]),
        ({"size": [4, 4], "mode": "bicubic", "align_corners": True}, lambda x: x),
        ({"size": [4, 4], "mode": "bicubic", "antialias": True}, lambda x: x),
        (
            {"scale_factor": 0.5, "mode": "bilinear", "recompute_scale_factor": True},
            lambda x: x[:, :, 1::2, 1::2] - 2.5,
        ),
    ],
)
def test_interpolation(arguments: dict[str, Any], expected: Callable[[np.ndarray], np.ndarray]) -> None:
    np.testing.assert_allclose(F.interpolate(IMAGE, **arguments).numpy(), expected(IMAGE.numpy()), rtol=1e-5, atol=1e-4)


def test_interpolation_of_other_ranks_and_what_it_refuses() -> None:
    line, cube = IMAGE.view(1, 8, 4), IMAGE.view(1, 1, 2, 4, 4)
    assert F.interpolate(line, size=7, mode="linear", align_corners=True)[0, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert F.interpolate(cube, size=[2, 4, 4], mode="trilinear").tolist() == cube.tolist()
    assert F.interpolate(line, size=2, mode="area")[0, 0].tolist() == [0.5, 2.5]
    with pytest.raises(ValueError, match="interpolate: give one of size and scale_factor"):
        F.interpolate(IMAGE)
    with pytest.raises(ValueError, match="interpolate: mode 'trilinear' with 4 dimensions"):
        F.interpolate(IMAGE, size=2, mode="trilinear")
    with pytest.raises(ValueError, match="interpolate: antialias with mode 'linear'"):
        F.interpolate(line, size=2, mode="linear", antialias=True)


def resized(x: tw.Tensor, size: list[int], factor: float) -> list[tw.Tensor]:
    small = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
    return [small, F.interpolate(x, scale_factor=factor), F.unfold(x, 2, stride=2), F.unfold(x, [1, 2])]


def test_images_are_resized_in_programs_as_in_python() -> None:
    program = tw.jit.script(resized)
    for got, expected in zip(program(IMAGE, [3, 2], 1.5), resized(IMAGE, [3, 2], 1.5), strict=True):
        assert got.tolist() == expected.tolist()


def test_patches_and_grids() -> None:
    columns = F.unfold(IMAGE, 2, stride=2)
    assert columns.shape == (1, 8, 4)
    assert F.fold(columns, [4, 4], 2, stride=2).tolist() == IMAGE.tolist()
    theta = tw.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    grid = F.affine_grid(theta, [1, 2, 4, 4], align_corners=True)
    for mode, padding in (("bilinear", "zeros"), ("nearest", "border"), ("bicubic", "reflection")):
        sampled = F.grid_sample(IMAGE, grid, mode, padding, align_corners=True)
        np.testing.assert_allclose(sampled.numpy(), IMAGE.numpy(), atol=1e-4)
    with pytest.raises(ValueError, match="grid_sample: mode 'linear' with padding_mode 'zeros'"):
        F.grid_sample(IMAGE, grid, "linear")


def test_bags_of_rows() -> None:
    table, rows = tw.arange(8, dtype=tw.float32).view(4, 2), tw.tensor([0, 2, 3, 1])
    bags = F.embedding_bag(rows.view(2, 2), table, mode="sum")
    assert bags.tolist() == F.embedding_bag(rows, table, tw.tensor([0, 2]), mode="sum").tolist() == [[4, 6], [8, 10]]
    assert F.embedding_bag(rows.view(2, 2), table).tolist() == [[2, 3], [4, 5]]
    weights = tw.tensor([[1.0, 2.0], [0.0, 1.0]])
    weighed = F.embedding_bag(rows.view(2, 2), table, mode="sum", per_sample_weights=weights)
    assert weighed.tolist() == [[8, 11], [2, 3]]
    with pytest.raises(ValueError, match="give offsets with a vector of indices"):
        F.embedding_bag(rows, table)
    with pytest.raises(ValueError, match="mode is 'median'; expected 'sum', 'mean' or 'max'"):
        F.embedding_bag(rows.view(2, 2), table, mode="median")


@pytest.mark.parametrize(("reduction", "reduce"), [("mean", np.mean), ("sum", np.sum), ("none", lambda x: x)])
def test_losses_name_their_reduction(reduction: str, reduce: Callable[[np.ndarray], Any]) -> None:
    x, t = X.numpy(), TARGET.numpy()
    distance = np.abs(x - t)
    smooth = np.where(distance < 1, distance**2 / 2, distance - 0.5)
    logs = x - np.log(np.exp(x).sum(1, keepdims=True))
    cases = [
        (F.l1_loss(X, TARGET, reduction=reduction), distance),
        (F.mse_loss(X, TARGET, reduction=reduction), distance**2),
        (F.smooth_l1_loss(X, TARGET, reduction=reduction), smooth),
        (F.huber_loss(X, TARGET, reduction=reduction), smooth),
        (F.soft_margin_loss(X, TARGET, reduction=reduction), softplus(-t * x)),
        (F.kl_div(X, TARGET, reduction=reduction), np.where(t > 0, -x * t, 0)),
        (F.binary_cross_entropy(X.sigmoid(), TARGET, reduction=reduction), softplus(x) - x * t),
        (F.binary_cross_entropy_with_logits(X, TARGET, reduction=reduction), softplus(x) - x * t),
        (F.margin_ranking_loss(X, TARGET, TARGET, 0.5, reduction=reduction), np.maximum(0, 0.5 - t * (x - t))),
        (F.hinge_embedding_loss(X, 2 * TARGET - 1, reduction=reduction), np.where(t > 0, x, np.maximum(0, 1 - x))),
        (F.cross_entropy(X, tw.tensor([2, 1]), reduction=reduction), -logs[[0, 1], [2, 1]]),
        (F.nll_loss(X, tw.tensor([2, 1]), reduction=reduction), -x[[0, 1], [2, 1]]),
    ]
    for got, expected in cases:
        np.testing.assert_allclose(got.numpy(), reduce(expected), rtol=1e-4, atol=1e-6)


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^reduction is 'average'; expected 'none', 'mean' or 'sum'$"):
        F.mse_loss(X, TARGET, reduction="average")


def test_dropout_trains_unless_told() -> None:
    kept = F.dropout(X + 10).numpy() / (X + 10).numpy()
    assert set(np.round(kept.ravel(), 6)) <= {0, 2}
    np.testing.assert_array_equal(F.dropout(X, training=False).numpy(), X.numpy())


@pytest.mark.parametrize("name", [name for name in F.__all__ if inspect.isfunction(getattr(F, name))])
def test_functions_compile(name: str) -> None:
    """Those that are no ops: a program that uses them holds them."""
    tw.jit.script(getattr(F, name))


def test_the_others_are_the_ops_themselves() -> None:
    for name in F.__all__:
        function = getattr(F, name)
        assert inspect.isfunction(function) or function in tw._core.ops.values(), name
