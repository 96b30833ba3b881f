"""Recurrent nets against their equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
Array = np.ndarray[Any, Any]


def numbers(*shape: int, dtype: str = "f4") -> Array:
    return RNG.standard_normal(shape).astype(dtype)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))  # type: ignore[no-any-return]


def lstm(x: Array, h: Array, c: Array, w: list[Array]) -> tuple[Array, Array, Array]:
    out = []
    for step in x:
        i, f, g, o = np.split(step @ w[0].T + h @ w[1].T + w[2] + w[3], 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.stack(out), h, c


def gru(x: Array, h: Array, w: list[Array]) -> tuple[Array, Array]:
    out = []
    for step in x:
        (r, z, n), (p, q, m) = np.split(step @ w[0].T + w[2], 3, -1), np.split(h @ w[1].T + w[3], 3, -1)
        update = sigmoid(z + q)
        h = update * h + (1 - update) * np.tanh(n + sigmoid(r + p) * m)
        out.append(h)
    return np.stack(out), h


def weights(gates: int, features: int, hidden: int, dtype: str = "f8") -> list[Array]:
    shapes = ((gates * hidden, features), (gates * hidden, hidden), (gates * hidden,), (gates * hidden,))
    return [numbers(*shape, dtype=dtype) * np.array(0.4, dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_two_layers_in_both_directions(dtype: str) -> None:
    x, h, c = numbers(6, 3, 5, dtype=dtype), numbers(4, 3, 7, dtype=dtype), numbers(4, 3, 7, dtype=dtype)
    cells = [weights(4, 5 if i < 2 else 14, 7, dtype) for i in range(4)]
    out, hn, cn = tw.lstm(x, [h, c], [t for cell in cells for t in cell], True, 2, 0.0, False, True, False)
    layer, states = x, []
    for i in (0, 2):
        forward, h1, c1 = lstm(layer, h[i], c[i], cells[i])
        backward, h2, c2 = lstm(layer[::-1], h[i + 1], c[i + 1], cells[i + 1])
        layer = np.concatenate([forward, backward[::-1]], -1)
        states += [(h1, c1), (h2, c2)]
    np.testing.assert_allclose(out.numpy(), layer, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(hn.numpy(), np.stack([s[0] for s in states]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(cn.numpy(), np.stack([s[1] for s in states]), rtol=1e-4, atol=1e-5)


def test_gru_batch_first() -> None:
    x, h, w = numbers(3, 6, 5, dtype="f8"), numbers(1, 3, 7, dtype="f8"), weights(3, 5, 7)
    out, hn = tw.gru(x, h, w, True, 1, 0.0, False, False, True)
    expected, last = gru(x.swapaxes(0, 1), h[0], w)
    np.testing.assert_allclose(out.numpy(), expected.swapaxes(0, 1), rtol=1e-9)
    np.testing.assert_allclose(hn.numpy()[0], last, rtol=1e-9)


def test_packed_sequences_end_where_they_end() -> None:
    x, lengths, w = numbers(6, 3, 5, dtype="f8"), [6, 4, 1], weights(4, 5, 7)
    data, sizes = tw._core.ops["_pack_padded_sequence"](x, np.array(lengths), False)
    assert sizes.numpy().tolist() == [3, 2, 2, 2, 1, 1]
    zero = np.zeros((1, 3, 7))
    out, hn, _ = tw.lstm(data, sizes, [zero, zero], w, True, 1, 0.0, False, False)
    padded, got = tw._core.ops["_pad_packed_sequence"](out, sizes, False, -1.0, -1)
    assert got.numpy().tolist() == lengths
    for i, length in enumerate(lengths):
        expected, last, _ = lstm(x[:length, i : i + 1], zero[0, :1], zero[0, :1], w)
        np.testing.assert_allclose(padded.numpy()[:length, i], expected[:, 0], rtol=1e-9)
        np.testing.assert_allclose(hn.numpy()[0, i], last[0], rtol=1e-9)
        assert (padded.numpy()[length:, i] == -1).all()


def test_cells_are_single_steps() -> None:
    x, h, c, w = numbers(3, 5, dtype="f8"), numbers(3, 7, dtype="f8"), numbers(3, 7, dtype="f8"), weights(4, 5, 7)
    hn, cn = tw.lstm_cell(x, [h, c], *w)
    _, expected_h, expected_c = lstm(x[None], h, c, w)
    np.testing.assert_allclose(hn.numpy(), expected_h, rtol=1e-9)
    np.testing.assert_allclose(cn.numpy(), expected_c, rtol=1e-9)
    plain = weights(1, 5, 7)
    np.testing.assert_allclose(
        tw.rnn_tanh_cell(x, h, *plain).numpy(),
        np.tanh(x @ plain[0].T + h @ plain[1].T + plain[2] + plain[3]),
        rtol=1e-9,
    )


def test_errors() -> None:
    x, h, w = numbers(6, 3, 5), numbers(1, 3, 7), weights(4, 5, 7, "f4")
    with pytest.raises(NotImplementedError, match="train is true and dropout"):
        tw.lstm(x, [h, h], w, True, 1, 0.5, True, False, False)
    with pytest.raises(ValueError, match="there are 3 weights for 1 layers; expected 4 for each layer and direction"):
        tw.lstm(x, [h, h], w[:3], True, 1, 0.0, False, False, False)
    with pytest.raises(ValueError, match=r"hx has sizes \[1, 2, 7\]"):
        tw.lstm(x, [h[:, :2], h[:, :2]], w, True, 1, 0.0, False, False, False)
    with pytest.raises(ValueError, match=r"w_hh has sizes \[28, 6\]"):
        tw.lstm(x, [h, h], [w[0], w[1][:, :6], *w[2:]], True, 1, 0.0, False, False, False)
    with pytest.raises(ValueError, match="expected one for each, falling"):
        tw._core.ops["_pack_padded_sequence"](x, np.array([7, 2, 1]), False)
