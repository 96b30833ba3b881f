"""Losses and their reductions."""

from __future__ import annotations

import numpy as np
import pytest

import threadwheel as tw

X, Y = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([[0.0, -2.5], [4.0, 3.0]])


def test_reductions() -> None:
    square = (X - Y) ** 2
    np.testing.assert_allclose(tw.mse_loss(X, Y, 0).numpy(), square)
    assert tw.mse_loss(X, Y).item() == pytest.approx(square.mean())
    assert tw.mse_loss(X, Y, 2).item() == pytest.approx(square.sum())
    assert tw.l1_loss(X, Y).item() == pytest.approx(np.abs(X - Y).mean())
    np.testing.assert_allclose(tw.smooth_l1_loss(X, Y, 0).numpy(), [[0.5, 0.125], [3, 0]])
    np.testing.assert_allclose(tw.huber_loss(X, Y, 0, 2.0).numpy(), [[0.5, 0.125], [5, 0]])
    with pytest.raises(ValueError, match="mse_loss: reduction is 3; expected 0, 1 or 2"):
        tw.mse_loss(X, Y, 3)


def test_classes_are_weighed_and_ignored() -> None:
    logits, target, weight = X, np.array([1, 0]), np.array([2.0, 0.5])
    logs = X - np.log(np.exp(X).sum(1, keepdims=True))
    each = -np.array([0.5 * logs[0, 1], 2 * logs[1, 0]])
    np.testing.assert_allclose(tw.cross_entropy_loss(logits, target, weight, 0).numpy(), each)
    assert tw.cross_entropy_loss(logits, target, weight).item() == pytest.approx(each.sum() / 2.5)
    assert tw.nll_loss_nd(logs, target, ignore_index=1).item() == pytest.approx(-logs[1, 0])
    with pytest.raises(ValueError, match="a target is 5; expected 0 to 1"):
        tw.nll_loss_nd(logs, np.array([0, 5]))


def test_smoothed_classes_and_probabilities_cost_the_same() -> None:
    logits, target, smoothing = X, np.array([1, 0]), 0.3
    probabilities = np.eye(2)[target] * (1 - smoothing) + smoothing / 2
    each = -(probabilities * (X - np.log(np.exp(X).sum(1, keepdims=True)))).sum(1)
    for given in ({"target": target, "label_smoothing": smoothing}, {"target": probabilities}):
        np.testing.assert_allclose(tw.cross_entropy_loss(logits, reduction=0, **given).numpy(), each)
        assert tw.cross_entropy_loss(logits, **given).item() == pytest.approx(each.mean())
        assert tw.cross_entropy_loss(logits, reduction=2, **given).item() == pytest.approx(each.sum())
    smoothed = tw.cross_entropy_loss(logits, probabilities[::-1], label_smoothing=1.0, reduction=0)
    even = tw.cross_entropy_loss(logits, np.full((2, 2), 0.5), reduction=0)
    np.testing.assert_allclose(smoothed.numpy(), even.numpy())
    assert np.isnan(tw.cross_entropy_loss(np.ones(0), np.ones(0)).item())
    with pytest.raises(ValueError, match=r"label_smoothing is 1\.5\d*; expected 0 to 1"):
        tw.cross_entropy_loss(logits, target, label_smoothing=1.5)
    with pytest.raises(ValueError, match="expected int64 classes, or floating probabilities"):
        tw.cross_entropy_loss(logits, np.ones((2, 2), "i8"))


def test_smoothing_leaves_out_what_is_ignored() -> None:
    weight, target = np.array([2.0, 0.5]), np.array([1, 0])
    kept = tw.cross_entropy_loss(X[:1], target[:1], weight, label_smoothing=0.2)
    ignoring = tw.cross_entropy_loss(X, target, weight, ignore_index=0, label_smoothing=0.2)
    assert ignoring.item() == pytest.approx(kept.item())


def test_probabilities() -> None:
    p, y = np.array([0.25, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(tw.binary_cross_entropy(p, y, None, 0).numpy(), [np.log(4), 100, 0])
    with pytest.raises(ValueError, match=r"an element of self is 1\.5\d*; expected 0 to 1"):
        tw.binary_cross_entropy(p * 2 + 1, y)
