"""Tensor as a class: ops are its methods, operators do what numpy's do, numbers and arrays stand on either side."""

from __future__ import annotations

import ast
import operator
import pickle
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from conftest import random_array
from hypothesis import given
from hypothesis import strategies as st

import threadwheel as tw

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow]
BITWISE = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
IN_PLACE = [
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ifloordiv,
    operator.imod,
    operator.ipow,
    operator.iand,
    operator.ior,
    operator.ixor,
    operator.ilshift,
    operator.irshift,
]
Binary = Callable[[Any, Any], Any]


def named(function: Any) -> str:
    return function.__name__


# --- methods ------------------------------------------------------------------------------------------


def test_every_op_on_a_tensor_is_a_method_of_its_name() -> None:
    methods = {
        schema.split("(")[0].split(".")[0].removeprefix("aten::")
        for schema in tw._core.schemas()
        if schema.startswith("aten::") and schema.split("(", 1)[1].startswith(("Tensor self", "Tensor(a!) self"))
    }
    assert len(methods) > 400 and methods <= set(dir(tw.Tensor))
    assert tw.Tensor.sum.__doc__ == tw.sum.__doc__ and "aten::sum" in tw.sum.__doc__


def test_the_stub_lists_the_members_of_the_class() -> None:
    tree = ast.parse(files("threadwheel").joinpath("_core.pyi").read_text())
    stub = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Tensor")
    listed = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    members = {name for name in dir(tw.Tensor) if not name.startswith("_")}
    assert {name for name in listed if not name.startswith("_")} == members
    operators = {name for name in vars(tw.Tensor) if name.startswith("__") and name.endswith("__")}
    # What every class has, or Python calls for itself.
    others = {"__init__", "__module__", "__doc__", "__new__", "__repr__", "__format__", "__reduce_ex__"}
    assert operators - others - listed == {"__array_priority__"} | {"__release_buffer__"} & operators


def test_methods_are_called_as_pytorch_calls_them() -> None:
    array = random_array((2, 3, 4))
    x = tw.from_numpy(array)
    np.testing.assert_array_equal(x.sum(1).numpy(), array.sum(1))
    np.testing.assert_array_equal(x.view(3, 8).numpy(), array.reshape(3, 8))
    np.testing.assert_array_equal(x.reshape(-1, 2).numpy(), array.reshape(-1, 2))
    np.testing.assert_array_equal(x.permute(0, 2, 1).numpy(), array.transpose(0, 2, 1))
    np.testing.assert_array_equal(x.transpose(0, -1).numpy(), array.swapaxes(0, -1))
    np.testing.assert_array_equal(x.mT.numpy(), array.swapaxes(1, 2))
    np.testing.assert_array_equal(x[0].T.numpy(), array[0].T)
    np.testing.assert_allclose(x.softmax(-1).sum(dim=-1).numpy(), np.ones((2, 3)), rtol=1e-6)
    np.testing.assert_array_equal(x.clone().fill_(3).numpy(), np.full_like(array, 3))
    np.testing.assert_array_equal(x.expand(5, 2, 3, 4)[4].numpy(), array)
    assert [part.shape for part in x.split(2, dim=1)] == [(2, 2, 4), (2, 1, 4)]
    assert x.max(dim=1)[0].shape == (2, 4) and x.max().item() == array.max()
    assert x.view(tw.int32).dtype == tw.int32 and x.view(tw.int32)[0, 0, 0].item() == array.view("i4")[0, 0, 0]


def test_several_results_have_their_names() -> None:
    x = tw.tensor([[3.0, 1.0], [2.0, 4.0]])
    largest = x.max(dim=1)
    assert largest.values.tolist() == [3, 4] and largest.indices.tolist() == [0, 1]
    values, indices = x.sort(descending=True)
    assert values.tolist() == [[3, 1], [4, 2]] and isinstance(largest, tuple) and indices.shape == (2, 2)
    assert type(tw.topk(x, 1)) is type(largest) and tw.aminmax(x).max == 4
    assert pickle.loads(pickle.dumps(largest)).values.tolist() == [3, 4]
    assert repr(tw.tensor([1.0]).max(0)) == "ValuesIndices(values=tensor(1.), indices=tensor(0))"


def test_sizes_and_strides_of_one_dimension() -> None:
    x = tw.zeros(2, 3, 4)
    assert (x.size(), x.size(0), x.size(-1), x.size(dim=1)) == ((2, 3, 4), 2, 4, 3)
    assert (x.stride(), x.stride(0), x.stride(-1)) == ((12, 4, 1), 12, 1)
    with pytest.raises(IndexError, match="size: dim is 3 for a tensor of 3 dimensions; expected -3 to 2"):
        x.size(3)
    with pytest.raises(IndexError, match="stride: the tensor has no dimensions"):
        tw.tensor(1).stride(0)


@pytest.mark.parametrize("name", sorted(tw._core.dtype_aliases))
def test_casts_are_named_as_dtypes(name: str) -> None:
    x = tw.ones(2)
    cast = getattr(x, name)()
    assert cast.dtype == tw._core.dtype_aliases[name] and cast.tolist() == [1, 1]
    assert x.float() is x


def test_conversions() -> None:
    x = tw.ones(2)
    for converted in (x.to(tw.float64), x.to("float64"), x.to(dtype=tw.float64), x.to("cpu", tw.float64), x.double()):
        assert converted.dtype == tw.float64
    assert x.to("cpu") is x and x.to(tw.float32) is x and x.to(tw.zeros(1, dtype=tw.int8)).dtype == tw.int8
    with pytest.raises(NotImplementedError, match="device is 'cuda'; supported is 'cpu'"):
        x.to("cuda")


def test_attributes_tell_the_truth() -> None:
    x = tw.zeros(2, 3, dtype=tw.complex64)
    assert (x.ndim, x.itemsize, x.nbytes, x.device) == (2, 8, 48, tw.device("cpu"))
    assert not (x.requires_grad or x.is_cuda or x.is_sparse or x.is_quantized)
    assert x.real.shape == x.imag.shape == (2, 3) and x.real.H.shape == x.real.mH.shape == (3, 2)
    assert x.data.data_ptr() == x.data_ptr()


def test_what_changes_a_tensor_gives_back_that_very_object() -> None:
    x = tw.ones(3)
    y = x
    assert x.add_(1) is x and x.contiguous() is x and tw.add(x, tw.ones(3), out=y) is y
    x += 1
    assert x is y and x.tolist() == [4, 4, 4]


def test_self_may_be_named_input() -> None:
    assert tw.sum(input=tw.ones(2, 2), dim=0).tolist() == [2, 2]
    with pytest.raises(TypeError, match="argument 'self' is given twice"):
        tw.relu(tw.ones(1), input=tw.ones(1))


def test_ints_may_stand_for_a_list_in_the_stub() -> None:
    text = files("threadwheel").joinpath("_core.pyi").read_text()
    assert "def permute(self, *dims: _int) -> Tensor: ..." in text


# --- operators ----------------------------------------------------------------------------------------


def operands(dtype: str) -> st.SearchStrategy[np.ndarray]:
    # Small and positive: as divisors, exponents and distances of shifts they are exact in every dtype.
    return st.lists(st.integers(1, 5), min_size=1, max_size=6).map(lambda values: np.array(values, dtype))


@pytest.mark.parametrize("function", ARITHMETIC, ids=named)
@given(left=operands("float32"), number=st.integers(1, 5) | st.sampled_from([0.5, 2.5]))
def test_arithmetic_with_numbers_and_arrays_on_either_side(function: Binary, left: np.ndarray, number: float) -> None:
    x, right = tw.from_numpy(left), left[::-1].copy()
    for got, expected in (
        (function(x, number), function(left, np.float32(number))),
        (function(number, x), function(np.float32(number), left)),
        (function(x, tw.from_numpy(right)), function(left, right)),
        (function(x, right), function(left, right)),
        (function(right, x), function(right, left)),
        (function(np.float32(number), x), function(np.float32(number), left)),
    ):
        assert isinstance(got, tw.Tensor) and got.dtype == tw.float32
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("function", [*BITWISE, *ARITHMETIC[:3], operator.floordiv, operator.mod], ids=named)
@given(left=operands("int32"), number=st.integers(1, 5))
def test_integers_stay_integers(function: Binary, left: np.ndarray, number: int) -> None:
    x, right = tw.from_numpy(left), left[::-1].copy()
    for got, expected in (
        (function(x, number), function(left, np.int32(number))),
        (function(number, x), function(np.int32(number), left)),
        (function(right, x), function(right, left)),
        (function(number, tw.tensor(3, dtype=tw.int32)), np.int32(function(number, 3))),
    ):
        assert got.dtype == tw.int32
        np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("function", COMPARISONS, ids=named)
def test_comparisons_are_elementwise(function: Binary) -> None:
    left, right = random_array((3, 4)), random_array((3, 4), seed=1)
    x = tw.from_numpy(left)
    for got, expected in (
        (function(x, tw.from_numpy(right)), function(left, right)),
        (function(x, right), function(left, right)),
        (function(left, tw.from_numpy(right)), function(left, right)),
        (function(x, 2), function(left, 2)),
        (function(2, x), function(2, left)),
    ):
        assert got.dtype == tw.bool
        np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("function", IN_PLACE, ids=named)
def test_in_place_operators_write_where_the_tensor_is(function: Binary) -> None:
    dtype = "f4" if function in (operator.itruediv, operator.ipow) else "i4"
    array = np.array([8, 9, 10], dtype)
    expected = function(array.copy(), np.array([1, 2, 3], dtype))
    x = tw.from_numpy(array)
    assert function(x, tw.tensor([1, 2, 3])) is x
    np.testing.assert_array_equal(array, expected)


def test_products_and_signs() -> None:
    a, b = random_array((2, 3)), random_array((3, 4), seed=1)
    x = tw.from_numpy(a)
    np.testing.assert_array_equal((x @ tw.from_numpy(b)).numpy(), a @ b)
    np.testing.assert_array_equal((x @ b).numpy(), a @ b)
    np.testing.assert_array_equal((a @ tw.from_numpy(b)).numpy(), a @ b)
    x @= b
    assert x.shape == (2, 4)
    y = tw.tensor([-1, 2])
    assert ((-y).tolist(), (+y).tolist(), abs(y).tolist(), (~y).tolist()) == ([1, -2], [-1, 2], [1, 2], [0, -3])
    assert (~tw.tensor([True, False])).tolist() == [False, True]


def test_numbers_take_part_in_promotion_as_numbers() -> None:
    x, small = tw.ones(2, dtype=tw.int8), tw.ones(2, dtype=tw.float16)
    assert (x + 300_000 * 0).dtype == (3 // x).dtype == (2**x).dtype == tw.int8
    assert (x + 0.5).dtype == (0.5 // x).dtype == (1 / x).dtype == tw.float32
    assert (small * 2.0).dtype == (2.0 % small).dtype == tw.float16 and (1j * small.float()).dtype == tw.complex64
    assert (5 // tw.tensor(2, dtype=tw.int16)).dtype == tw.int16


def test_a_tensor_to_the_right_of_an_array_makes_it_a_tensor() -> None:
    array = before = np.ones(3, "f4")
    array += tw.ones(3)
    assert isinstance(array, tw.Tensor) and array.tolist() == [2, 2, 2] and before.tolist() == [1, 1, 1]


@pytest.mark.parametrize("function", [*ARITHMETIC, *BITWISE, *COMPARISONS[2:], operator.matmul], ids=named)
@pytest.mark.parametrize("other", [None, {}, object()])
def test_other_operands_are_pythons_matter(function: Binary, other: Any) -> None:
    for left, right in ((tw.ones(1), other), (other, tw.ones(1))):
        with pytest.raises(TypeError, match=r"not supported between|unsupported operand"):
            function(left, right)


def test_equality_with_something_else_is_identity() -> None:
    x = tw.ones(2)
    assert (x == "a") is False and (x != None) is True and (x == [1, 1]) is False  # noqa: E711
    assert {x: 1}[x] == 1 and len({x, tw.ones(2)}) == 2 and hash(x) == hash(x)


# --- numbers ------------------------------------------------------------------------------------------


def test_one_element_is_a_number() -> None:
    assert (bool(tw.tensor([[0.5]])), bool(tw.tensor(0)), int(tw.tensor(2.7)), float(tw.tensor(3))) == (
        True,
        False,
        2,
        3.0,
    )
    assert complex(tw.tensor(1 + 2j)) == 1 + 2j and range(9)[tw.tensor(4)] == 4 and "ab" * tw.tensor(2) == "abab"
    assert tw.zeros(tw.tensor(2), 3).shape == (2, 3)


@pytest.mark.parametrize(
    ("convert", "text"),
    [
        (
            bool,
            "bool: the tensor has 2 elements, so it is neither true nor false; use any() or all()",
        ),
        (int, "int: the tensor has 2 elements; only one element can become a number"),
        (float, "float: the tensor has 2 elements; only one element can become a number"),
        (complex, "complex: the tensor has 2 elements; only one element can become a number"),
        (operator.index, "index: the tensor is float32 of sizes [2]; only one integer can be an index"),
    ],
)
def test_several_elements_are_none(convert: Callable[[Any], Any], text: str) -> None:
    with pytest.raises((ValueError, TypeError)) as error:
        convert(tw.ones(2))
    assert str(error.value) == text


def test_complex_arguments_are_numbers() -> None:
    assert tw.add(tw.ones(1, dtype=tw.complex64), 1j).tolist() == [1 + 1j]


def test_methods_whose_ops_have_another_order() -> None:
    x = tw.tensor([1.0, -2.0])
    assert x.where(x > 0, 0.0).tolist() == [1, 0]
    assert x.where(tw.tensor([False, True]), tw.tensor([5.0, 6.0])).tolist() == [5, -2]
    made = tw.tensor([1], dtype=tw.int16).new_tensor([[1.5, 2.0]])
    assert (made.dtype, made.tolist()) == (tw.int16, [[1, 2]])
    assert x.new_tensor([1], dtype=tw.bool).tolist() == [True]


def test_types_of_tensors_have_their_old_names() -> None:
    names = {"float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long", "uint8": "Byte"}
    for dtype, name in names.items():
        assert tw.zeros((1,), dtype=dtype).type() == f"torch.{name}Tensor"
    assert tw.tensor([1.5]).type(tw.int32).dtype == tw.int32
    assert tw.tensor([1.5]).type("int32").dtype == tw.int32
