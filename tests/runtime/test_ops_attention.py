"""Attention against its definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


def softmax(x: Array) -> Array:
    e = np.exp(x - np.where(np.isneginf(x.max(-1, keepdims=True)), 0, x.max(-1, keepdims=True)))
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-300)  # type: ignore[no-any-return]


def reference(q: Array, k: Array, v: Array, mask: Any = 0.0, scale: float | None = None) -> Array:
    scores = q.astype("f8") @ k.swapaxes(-1, -2) * (scale or 1 / np.sqrt(q.shape[-1])) + mask
    return softmax(scores) @ v  # type: ignore[no-any-return]


attention = tw.scaled_dot_product_attention


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("rows", "keys"), [(1, 9), (5, 7), (70, 70), (130, 65)])
def test_masks_and_scale(dtype: str, rows: int, keys: int) -> None:
    q, k, v = (numbers(2, 3, n, 8, dtype=dtype) for n in (rows, keys, keys))
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(attention(q, k, v, scale=0.3).numpy(), reference(q, k, v, scale=0.3), **close)
    below = np.where(np.tril(np.ones((rows, keys), "?")), 0, -np.inf)
    np.testing.assert_allclose(attention(q, k, v, None, 0.0, True).numpy(), reference(q, k, v, below), **close)
    added = numbers(2, 1, rows, keys, dtype=dtype)
    np.testing.assert_allclose(attention(q, k, v, added).numpy(), reference(q, k, v, added), **close)
    allowed = RNG.random((rows, keys)) > 0.4
    allowed[0] = False  # nothing to attend to gives zeros
    np.testing.assert_allclose(
        attention(q, k, v, allowed).numpy(), reference(q, k, v, np.where(allowed, 0, -np.inf)), **close
    )


def test_fewer_heads_of_keys_are_shared_in_order() -> None:
    q, k, v = numbers(2, 6, 4, 8), numbers(2, 2, 5, 8), numbers(2, 2, 5, 8)
    expected = reference(q, k.repeat(3, 1), v.repeat(3, 1))
    np.testing.assert_allclose(attention(q, k, v, enable_gqa=True).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_views_of_one_projection() -> None:
    packed = numbers(2, 7, 3, 4, 8)
    q, k, v = (packed[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
    np.testing.assert_allclose(attention(q, k, v).numpy(), reference(q, k, v), rtol=1e-4, atol=1e-5)


def test_multi_head_attention_splits_and_averages() -> None:
    x, w, b, p, c = numbers(2, 5, 6), numbers(18, 6), numbers(18), numbers(6, 6), numbers(6)
    out, weights = tw._core.ops["_native_multi_head_attention"](x, x, x, 6, 2, w, b, p, c)
    q, k, v = ((x @ w.T + b)[..., 6 * i : 6 * i + 6].reshape(2, 5, 2, 3).transpose(0, 2, 1, 3) for i in range(3))
    probabilities = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(3))
    np.testing.assert_allclose(weights.numpy(), probabilities.mean(1), rtol=1e-4, atol=1e-5)
    merged = (probabilities @ v).transpose(0, 2, 1, 3).reshape(2, 5, 6)
    np.testing.assert_allclose(out.numpy(), merged @ p.T + c, rtol=1e-4, atol=1e-4)


def test_multi_head_attention_to_nothing_is_no_number() -> None:
    x, w, b, p, c = numbers(2, 3, 4), numbers(12, 4), numbers(12), numbers(4, 4), numbers(4)
    masked = np.array([[True] * 3, [False, False, True]])
    out, weights = tw._core.ops["_native_multi_head_attention"](x, x, x, 4, 2, w, b, p, c, masked, mask_type=1)
    assert np.isnan(out.numpy()[0]).all() and np.isnan(weights.numpy()[0]).all()
    assert np.isfinite(out.numpy()[1]).all() and (weights.numpy()[1, :, 2] == 0).all()


def test_errors() -> None:
    q = numbers(1, 2, 3, 4)
    with pytest.raises(NotImplementedError, match=r"dropout_p is 0\.5\d*; only 0 is supported"):
        attention(q, q, q, None, 0.5)
    with pytest.raises(ValueError, match="attn_mask is given and is_causal is true; use one of them"):
        attention(q, q, q, numbers(3, 3), 0.0, True)
    with pytest.raises(ValueError, match="query and key must agree in the last size"):
        attention(q, numbers(1, 2, 3, 5), q)
