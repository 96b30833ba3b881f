"""x[...] and its assignment: what numpy gives, views where the index is basic, torch's rules where the two differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threadwheel as tw


def steps(size: int) -> st.SearchStrategy[slice]:
    bound = st.none() | st.integers(-size - 2, size + 2)
    return st.builds(slice, bound, bound, st.none() | st.integers(1, 3))


def positions(size: int) -> st.SearchStrategy[Any]:
    if size == 0:
        return st.just(np.zeros(0, "i8"))
    one = st.integers(-size, size - 1)
    return st.lists(one, min_size=1, max_size=3) | st.lists(one, min_size=2, max_size=2).map(np.array)


@st.composite
def indexed(draw: st.DrawFn, advanced: bool) -> tuple[tuple[int, ...], Any]:
    """The shape of an array, and an index that is right for it. At most one part is not basic."""
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    used = draw(st.integers(0, len(shape)))
    special = draw(st.integers(0, used - 1)) if advanced and used else -1
    ellipsis = draw(st.integers(-1, used))
    dims = list(range(used)) if ellipsis < 0 else [*range(ellipsis), *range(len(shape) - used + ellipsis, len(shape))]
    parts: list[Any] = []
    for number, dim in enumerate(dims):
        if number == ellipsis:
            parts.append(...)
        if draw(st.booleans()) and not advanced:
            parts.append(None)
        if number == special:
            parts.append(draw(positions(shape[dim])))
        elif shape[dim] and draw(st.booleans()) and not advanced:
            parts.append(draw(st.integers(-shape[dim], shape[dim] - 1)))
        else:
            parts.append(draw(steps(shape[dim])))
    if len(parts) == used and ellipsis >= 0:
        parts.append(...)
    return shape, parts[0] if len(parts) == 1 else tuple(parts)


def numbered(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape, dtype=int), dtype="f4").reshape(shape)


@given(case=indexed(advanced=False))
def test_basic_indices_give_views_of_what_numpy_gives(case: tuple[tuple[int, ...], Any]) -> None:
    shape, index = case
    array = numbered(shape)
    part = tw.from_numpy(array)[index]
    np.testing.assert_array_equal(part.numpy(), array[index])
    if array[index].size:
        assert np.shares_memory(part.numpy(), array)


@given(case=indexed(advanced=True))
def test_positions_give_copies_of_what_numpy_gives(case: tuple[tuple[int, ...], Any]) -> None:
    shape, index = case
    array = numbered(shape)
    np.testing.assert_array_equal(tw.from_numpy(array)[index].numpy(), array[index])


@given(case=indexed(advanced=False) | indexed(advanced=True), number=st.booleans())
def test_assignments_write_what_numpy_writes(case: tuple[tuple[int, ...], Any], number: bool) -> None:
    shape, index = case
    expected, got = numbered(shape), numbered(shape)
    # No position is written twice: which write would win is nobody's promise.
    value: Any = -1.5 if number else -np.ones(expected[index].shape, "f8")
    expected[index] = value
    tw.from_numpy(got)[index] = value
    np.testing.assert_array_equal(got, expected)


def test_masks() -> None:
    array = numbered((2, 3, 4))
    x = tw.from_numpy(array.copy())
    for mask in (array[:, 0, 0] > 3, array[..., 0] > 4, array > 7, np.array(True), np.array(False)):
        np.testing.assert_array_equal(x[tw.from_numpy(mask)].numpy(), array[mask])
        np.testing.assert_array_equal(x[mask].numpy(), array[mask])
    np.testing.assert_array_equal(x[array[..., 0] > 4, 1:].numpy(), array[array[..., 0] > 4, 1:])
    np.testing.assert_array_equal(x[:, [True, False, True]].numpy(), array[:, [True, False, True]])
    x[x > 20] = 0
    np.testing.assert_array_equal(x.numpy(), np.where(array > 20, 0, array))
    assert x[True].shape == (1, 2, 3, 4) and x[False].shape == (0, 2, 3, 4)


def test_positions_of_several_dimensions_go_together() -> None:
    array = numbered((4, 5, 6))
    x = tw.from_numpy(array)
    rows, columns = np.array([[0, 1], [2, 3]]), np.array([1, -1])
    np.testing.assert_array_equal(x[rows, columns].numpy(), array[rows, columns])
    np.testing.assert_array_equal(x[rows, :, columns].numpy(), array[rows, :, columns])
    np.testing.assert_array_equal(x[:, [0, 2], 1:3].numpy(), array[:, [0, 2], 1:3])
    np.testing.assert_array_equal(x[[]].numpy(), array[[]])


def test_an_integer_tensor_without_dimensions_is_an_int() -> None:
    x = tw.arange(6).view(2, 3)
    row = x[tw.tensor(1)]
    row.fill_(7)
    assert x.tolist() == [[0, 1, 2], [7, 7, 7]]
    assert x[tw.tensor(0) : tw.tensor(1)].tolist() == [[0, 1, 2]]
    assert [10, 20, 30][tw.tensor(2)] == 30


def test_values_are_converted_and_their_leading_dimensions_of_one_dropped() -> None:
    x = tw.zeros(2, 3)
    x[0] = np.ones((1, 1, 3), "i8")
    x[[1]] = tw.tensor([[[2.0, 3.0, 4.0]]], dtype=tw.float64)
    assert x.tolist() == [[1, 1, 1], [2, 3, 4]]
    x[:, 1] += 1
    x[x > 2] *= 2
    assert x.tolist() == [[1, 2, 1], [2, 8, 8]]


def test_parts_that_overlap_are_copied_as_if_at_once() -> None:
    x = tw.arange(5)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3]


def test_iteration_and_membership() -> None:
    x = tw.arange(6).view(3, 2)
    rows = list(x)
    rows[0].fill_(9)
    assert [row.tolist() for row in x] == [[9, 9], [2, 3], [4, 5]]
    assert 5 in x and 9.0 in x and 7 not in x and tw.tensor(3) in x
    first, *rest = x
    assert first.tolist() == [9, 9] and len(rest) == 2
    assert [row.tolist() for row in reversed(x)] == [[4, 5], [2, 3], [9, 9]]


@pytest.mark.parametrize(
    ("index", "exception", "text"),
    [
        (slice(None, None, -1), ValueError, "index: the step of a slice is -1; it must be 1 or more, use flip()"),
        (slice(None, None, 0), ValueError, "slice step cannot be zero"),
        (2, IndexError, "index 2 is out of bounds for a dimension of size 2"),
        ((0, 0, 0), IndexError, "index: it stands for 3 dimensions of a tensor that has 2"),
        ((..., 0, ...), IndexError, "index: there is more than one '...' in it; expected one at most"),
        (
            1.0,
            TypeError,
            "index: a part of it is a float; expected ints, slices, None, '...', tensors, arrays or lists",
        ),
        ("a", TypeError, "index: a part of it is a str; expected ints, slices, None, '...', tensors, arrays or lists"),
        (np.ones(2, "f4"), IndexError, "index: a tensor in an index is float32; expected integers or bools"),
        ([0, [1]], ValueError, "index: element [1] is a list of 1; expected a number"),
        ([5], IndexError, "index 5 is out of bounds for a dimension of size 2"),
        (np.array([True, False, True]), IndexError, "must be equal"),
    ],
)
def test_indices_that_are_wrong(index: Any, exception: type[Exception], text: str) -> None:
    x = tw.zeros(2, 3)
    for use in (lambda: x[index], lambda: x.__setitem__(index, 1)):
        with pytest.raises(exception) as error:
            use()
        assert text in str(error.value)


def test_values_that_cannot_be_assigned() -> None:
    x = tw.zeros(2, 3)
    with pytest.raises(TypeError) as wrong:
        x[0] = [1, 2, 3]  # type: ignore[assignment]
    assert str(wrong.value) == "assignment: the value is a list; expected a number, a tensor or an array"
    with pytest.raises(ValueError, match=r"copy_: sizes \[3\] and \[2\] do not broadcast"):
        x[0] = tw.zeros(2)
    with pytest.raises(ValueError, match="read-only"):
        frozen = np.zeros(3)
        frozen.setflags(write=False)
        tw.from_numpy(frozen)[0] = 1
    with pytest.raises(ValueError, match="assignment: the value is complex and the tensor float32"):
        x[0] = 1j
    with pytest.raises(TypeError, match="iter: the tensor has no dimensions"):
        iter(tw.tensor(1))
    with pytest.raises(TypeError, match="in: the element is a str; expected a number or a tensor"):
        "a" in x  # noqa: B015
