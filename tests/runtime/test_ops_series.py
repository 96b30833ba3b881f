"""Running extremes, differences, areas, quantiles, covariances: against numpy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 5))


def test_running_extremes_name_the_last_of_equals() -> None:
    x = np.array([[1.0, 3.0, 3.0, 2.0], [np.nan, 1.0, 5.0, 0.0]])
    for op, accumulate in ((tw.cummax, np.maximum), (tw.cummin, np.minimum)):
        values, places = op(x, 1)
        np.testing.assert_array_equal(values.numpy(), accumulate.accumulate(x, 1))
        np.testing.assert_array_equal(np.take_along_axis(x, places.numpy(), 1), values.numpy())
    assert tw.cummax(x, 1)[1].tolist() == [[0, 1, 2, 2], [0, 0, 0, 0]]
    np.testing.assert_array_equal(tw.cummax(X.T, 0)[0].numpy(), np.maximum.accumulate(X.T, 0))
    np.testing.assert_allclose(tw.logcumsumexp(X * 500, 1).numpy(), np.logaddexp.accumulate(X * 500, 1))
    edges = np.array([-np.inf, -np.inf, 1.0, np.inf, np.inf])
    np.testing.assert_array_equal(tw.logcumsumexp(edges, 0).numpy(), [-np.inf, -np.inf, 1, np.inf, np.inf])


def test_differences() -> None:
    np.testing.assert_allclose(tw.diff(X, 2, 0).numpy(), np.diff(X, 2, 0))
    np.testing.assert_allclose(tw.diff(X, prepend=X[:, :1], append=X).numpy(), np.diff(X, prepend=X[:, :1], append=X))
    assert tw.diff(np.array([True, False, False])).tolist() == [True, False]
    assert tw.diff(np.zeros((2, 0))).shape == (2, 0)


def area(y: np.ndarray, widths: Any, axis: int) -> np.ndarray:
    return (np.moveaxis(y, axis, -1)[..., 1:] + np.moveaxis(y, axis, -1)[..., :-1]) / 2 * widths


def test_areas() -> None:
    places = np.array([0.0, 0.5, 2.0, 2.5, 4.0])
    np.testing.assert_allclose(tw.trapezoid(X, places).numpy(), area(X, np.diff(places), 1).sum(-1))
    np.testing.assert_allclose(tw.trapezoid(X, dx=0.5, dim=0).numpy(), area(X, 0.5, 0).sum(-1))
    running = tw.cumulative_trapezoid(X, places)
    np.testing.assert_allclose(running.numpy(), area(X, np.diff(places), 1).cumsum(-1))
    assert tw.trapezoid(np.zeros((2, 0))).tolist() == [0, 0]
    with pytest.raises(ValueError, match="expected as many places as values"):
        tw.trapezoid(X, places[:3])


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantiles(method: Any) -> None:
    q = np.array([0.0, 0.3, 0.5, 1.0])
    got = tw.quantile(X, q, 1, True, interpolation=method)
    np.testing.assert_allclose(got.numpy(), np.quantile(X, q, 1, keepdims=True, method=method))
    holed = np.where(X > 1, np.nan, X)
    np.testing.assert_allclose(
        tw.nanquantile(holed, 0.3, 0, interpolation=method).numpy(), np.nanquantile(holed, 0.3, 0, method=method)
    )
    assert np.isnan(tw.quantile(holed, 0.5, interpolation=method).item()) == np.isnan(holed).any()


def test_quantiles_refuse_what_they_cannot_mean() -> None:
    with pytest.raises(ValueError, match="quantile: interpolation is 'cubic'; expected 'linear'"):
        tw.quantile(X, 0.5, interpolation="cubic")
    with pytest.raises(ValueError, match=r"q is 1\.5\d*; expected 0 to 1"):
        tw.quantile(X, 1.5)
    with pytest.raises(NotImplementedError, match="quantile: unsupported dtype int64"):
        tw.quantile(np.arange(3), 0.5)


def test_modes_are_the_least_of_the_most_frequent() -> None:
    values, places = tw.mode(np.array([[3, 1, 3, 1], [5, 5, 5, 0]]))
    assert (values.tolist(), places.tolist()) == ([1, 5], [3, 2])


def test_covariances_and_norms() -> None:
    np.testing.assert_allclose(tw.cov(X).numpy(), np.cov(X))
    np.testing.assert_allclose(tw.cov(X, correction=0).numpy(), np.cov(X, ddof=0))
    np.testing.assert_allclose(tw.corrcoef(X).numpy(), np.corrcoef(X))
    assert tw.cov(X[0]).item() == pytest.approx(X[0].var(ddof=1))
    short = tw.renorm(X, 2, 0, 1.0).numpy()
    np.testing.assert_allclose(np.linalg.norm(short, axis=1), np.minimum(np.linalg.norm(X, axis=1), 1), rtol=1e-6)
    scaled = tw.tensor(X)
    tw.renorm_(scaled, 2, 0, 1.0)
    np.testing.assert_array_equal(scaled.numpy(), short)
    often, heavy = np.arange(5), np.array([0.5, 1, 2, 0, 3])
    for weights in ({"fweights": often}, {"aweights": heavy}, {"fweights": often, "aweights": heavy}):
        for correction in (0, 1):
            expected = np.cov(X, ddof=correction, **weights)
            np.testing.assert_allclose(tw.cov(X, correction=correction, **weights).numpy(), expected)
    with pytest.raises(ValueError, match=r"fweights has sizes \[5\], float64; expected 5 integers of 0 or more"):
        tw.cov(X, fweights=heavy)


def test_sums_to_what_was_broadcast() -> None:
    np.testing.assert_allclose(tw.sum_to_size(X, [1, 5]).numpy(), X.sum(0, keepdims=True))
    np.testing.assert_allclose(tw.sum_to_size(X, [5]).numpy(), X.sum(0))
    with pytest.raises(ValueError, match=r"it does not broadcast from \[3\]"):
        tw.sum_to_size(X, [3])


def test_distances() -> None:
    x, y = X, X[::-1].copy()
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    np.testing.assert_allclose(tw.cosine_similarity(x, y).numpy(), (x * y).sum(1) / norms)
    assert tw.cosine_similarity(np.zeros((1, 3)), np.ones((1, 3))).tolist() == [0]
    np.testing.assert_allclose(tw.pairwise_distance(x, y, 1, 0.0).numpy(), np.abs(x - y).sum(1))
    assert tw.dist(x, y, 2).item() == pytest.approx(np.linalg.norm(x - y))
    pairs = list(itertools.combinations(range(4), 2))
    np.testing.assert_allclose(tw.pdist(x).numpy(), [np.linalg.norm(x[i] - x[j]) for i, j in pairs])
    with pytest.raises(NotImplementedError, match="cosine_similarity: unsupported dtype int64"):
        tw.cosine_similarity(np.ones((1, 2), "i8"), np.ones((1, 2), "i8"))


def test_products() -> None:
    a, b = RNG.standard_normal((2, 3)), RNG.standard_normal((4, 1, 2))
    np.testing.assert_allclose(tw.kron(a, b).numpy(), np.kron(a, b))
    left, right, weight, bias = X[:, :2], X[:, 2:], RNG.standard_normal((6, 2, 3)), np.arange(6.0)
    expected = np.einsum("ni,oij,nj->no", left, weight, right) + bias
    np.testing.assert_allclose(tw.bilinear(left, right, weight, bias).numpy(), expected)


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("r", [1, 2, 3])
def test_combinations(r: int, repeats: bool) -> None:
    x = np.array([5, 6, 8])
    make = itertools.combinations_with_replacement if repeats else itertools.combinations
    assert tw.combinations(x, r, repeats).tolist() == [list(each) for each in make(x.tolist(), r)]
    assert tw.combinations(x, 4).shape == (0, 4)


def test_losses_made_of_other_ops() -> None:
    x, y, signs = X, RNG.standard_normal((4, 5)), np.sign(RNG.standard_normal((4, 5)))
    p = 1 / (1 + np.exp(-y))
    plain = np.logaddexp(0, x) - p * x
    np.testing.assert_allclose(tw.binary_cross_entropy_with_logits(x, p, reduction=0).numpy(), plain)
    heavy = p * 3 * np.logaddexp(0, -x) + (1 - p) * np.logaddexp(0, x)
    got = tw.binary_cross_entropy_with_logits(x, p, None, np.full(5, 3.0), 2)
    assert got.item() == pytest.approx(heavy.sum())
    ranking = np.maximum(0, 0.5 - signs * (x - y))
    assert tw.margin_ranking_loss(x, y, signs, 0.5).item() == pytest.approx(ranking.mean())
    hinge = np.where(signs == 1, x, np.maximum(0, 1 - x))
    np.testing.assert_allclose(tw.hinge_embedding_loss(x, signs, 1.0, 0).numpy(), hinge)
    near, far = (np.linalg.norm(x - other + 1e-6, axis=1) for other in (y, -y))
    assert tw.triplet_margin_loss(x, y, -y).item() == pytest.approx(np.maximum(0, near - far + 1).mean())
    with pytest.raises(ValueError, match="margin_ranking_loss: reduction is 3; expected 0, 1 or 2"):
        tw.margin_ranking_loss(x, y, signs, 0.5, 3)


def test_losses_of_mixed_floats_have_the_wider_dtype() -> None:
    wide, half = X.astype("f4"), X.astype("f2")
    for loss in (tw.mse_loss, tw.l1_loss, tw.huber_loss, tw.smooth_l1_loss, tw.soft_margin_loss, tw.kl_div):
        for reduction in (0, 1):
            assert loss(wide, half, reduction).dtype == loss(half, wide, reduction).dtype == tw.float32
            assert loss(half, half, reduction).dtype == tw.float16


def test_integers_wrap_around_where_torchs_do() -> None:
    y, x = tw.tensor([5, 6, 4], dtype=tw.uint8), tw.tensor([9, 3, 1], dtype=tw.uint8)
    assert tw.cumulative_trapezoid(y, x).tolist() == [95.0, 213.0]  # (3 - 9) 11 and (1 - 3) 10, of uint8
    near, far = tw.tensor([3], dtype=tw.uint8), tw.tensor([9], dtype=tw.uint8)
    assert tw.margin_ranking_loss(far, near, tw.ones(1, dtype=tw.uint8), reduction=0).tolist() == [250.0]


def test_cosines_of_vectors_that_broadcast() -> None:
    x, y = np.ones((1, 2, 3)), np.full((2, 1, 3), 2.0)
    np.testing.assert_allclose(tw.cosine_similarity(x, y, 1).numpy(), np.ones((2, 3)))
