"""Nested tensors: what a transformer encoder makes of a padded batch. Everything else refuses them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import threadwheel as tw

LENGTHS = np.array([4, 0, 2])
X = tw.from_numpy(np.arange(3 * 5 * 2, dtype="f4").reshape(3, 5, 2))
MASK = tw.from_numpy(np.arange(5) < LENGTHS[:, None])


def nested(x: tw.Tensor = X, mask: tw.Tensor = MASK) -> tw.Tensor:
    made: tw.Tensor = tw._nested_tensor_from_mask(x, mask)
    return made


def to_padded(x: tw.Tensor, padding: float, *sizes: int) -> np.ndarray:
    padded: np.ndarray = tw.to_padded_tensor(x, padding, *([list(sizes)] if sizes else [])).numpy()
    return padded


def test_padding_replaces_what_lies_behind_the_sequences() -> None:
    expected = np.where(MASK.numpy()[..., None], X.numpy(), -1)
    np.testing.assert_array_equal(to_padded(nested(), -1.0), expected[:, :4])
    np.testing.assert_array_equal(to_padded(nested(), -1.0, 3, 5, 2), expected)
    wide = to_padded(nested(), 7.0, 3, 6, 3)
    np.testing.assert_array_equal(wide[:, :5, :2], np.where(expected == -1, 7, expected))
    assert (wide[:, 5:] == 7).all() and (wide[:, :, 2:] == 7).all()


def test_only_padding_at_the_end_is_packed() -> None:
    assert tw._nested_tensor_from_mask_left_aligned(X, MASK)
    assert not tw._nested_tensor_from_mask_left_aligned(X, tw.from_numpy(~MASK.numpy()))


def test_no_sequences() -> None:
    empty = nested(tw.zeros(0, 5, 2), tw.zeros(0, 5, dtype=tw.bool))
    assert to_padded(empty, 0.0).shape == (0, 0, 2)


def test_odd_numbers_of_elements() -> None:
    mask = np.array([[True, False, False]])
    padded = to_padded(nested(tw.ones(1, 3, 1), tw.from_numpy(mask)), 0.0, 1, 3, 1)
    np.testing.assert_array_equal(padded.ravel(), [1, 0, 0])


def encoder_layer(x: tw.Tensor, **options: tw.Tensor | int) -> tw.Tensor:
    rng = np.random.default_rng(0)
    shapes = [(6, 2), (6,), (2, 2), (2,)]
    attention = [tw.from_numpy(rng.standard_normal(shape, dtype="f4")) for shape in shapes]
    shapes = [(2,), (2,), (2,), (2,), (4, 2), (4,), (2, 4), (2,)]
    rest = [tw.from_numpy(rng.standard_normal(shape, dtype="f4")) for shape in shapes]
    made: tw.Tensor = tw._transformer_encoder_layer_fwd(x, 2, 1, *attention, False, False, 1e-5, *rest, **options)
    return made


def test_a_layer_sees_each_sequence_alone() -> None:
    layer = to_padded(encoder_layer(nested()), 0.0, 3, 5, 2)
    for row, length in enumerate(LENGTHS):
        if length:
            alone = encoder_layer(tw.from_numpy(X.numpy()[row : row + 1, :length]))
            np.testing.assert_allclose(layer[row, :length], alone.numpy()[0], rtol=1e-5, atol=1e-6)
        assert (layer[row, length:] == 0).all()


def test_a_layer_takes_no_mask_beside() -> None:
    with pytest.raises(ValueError, match="the batch is nested and there is a mask"):
        encoder_layer(nested(), mask=MASK, mask_type=1)


REFUSED: dict[str, Callable[[tw.Tensor], object]] = {
    "arithmetic": lambda x: x + x,
    "a constant": lambda x: x * 2,
    "a reduction": lambda x: x.sum(),
    "a product": lambda x: x @ x.transpose(1, 2),
    "a conversion": lambda x: x.to(tw.float64),
    "numpy": lambda x: x.numpy(),
    "dlpack": np.from_dlpack,
    "buffer": memoryview,
    "list": lambda x: x.tolist(),
    "size": lambda x: x.size(1),
    "sizes": lambda x: x.shape,
    "numel": lambda x: x.numel(),
    "a view": lambda x: to_padded(x[1:], 0.0),
    "another view": lambda x: to_padded(x.transpose(0, 1), 0.0),
    "a copy": lambda x: to_padded(tw.cat([x, x]), 0.0),
    "a dense tensor": lambda x: to_padded(X, 0.0),
    "fill": lambda x: x.zero_(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_others_refuse(name: str) -> None:
    with pytest.raises((NotImplementedError, BufferError, TypeError)):
        REFUSED[name](nested())


@pytest.mark.parametrize(
    ("x", "mask", "error"),
    [
        (X, tw.zeros(3, 5), "expected .*bool"),
        (X, tw.ones(3, 4, dtype=tw.bool), "expected"),
        (X[0], MASK, "expected"),
        (X, tw.from_numpy(~MASK.numpy()), "false before it is true"),
    ],
)
def test_masks_that_do_not_fit(x: tw.Tensor, mask: tw.Tensor, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        nested(x, mask)


def test_sizes_that_are_too_small() -> None:
    with pytest.raises(ValueError, match=r"output_size is \[3, 3, 2\]; the sequences need \[3, 4, 2\]"):
        to_padded(nested(), 0.0, 3, 3, 2)


def test_other_dtypes_name_the_way_out() -> None:
    with pytest.raises(NotImplementedError, match=r"float64.*enable_nested_tensor=False"):
        nested(X.to(tw.float64))


def test_text_says_what_it_is() -> None:
    assert repr(nested()) == "nested_tensor(3 sequences of 2 features)"
