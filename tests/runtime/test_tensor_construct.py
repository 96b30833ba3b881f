"""Tensors from Python's data, and their copies: constructors, numbers and lists back, copy, pickle."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threadwheel as tw

ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
ALL_DTYPES = [dtype for name, dtype in tw._core.dtypes.items() if not name.startswith("q")]


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, tw.int64, ()),
        (1.5, tw.float32, ()),
        (True, tw.bool, ()),
        (1j, tw.complex64, ()),
        ([], tw.float32, (0,)),
        ([[], []], tw.float32, (2, 0)),
        ([1, 2.5], tw.float32, (2,)),
        ([True, 2], tw.int64, (2,)),
        ([(1, 2), [3, 4]], tw.int64, (2, 2)),
        ([np.float64(1), np.float64(2)], tw.float64, (2,)),
        ([np.int32(1), 2], tw.int64, (2,)),
        ([np.ones(2, "f4"), np.zeros(2, "f4")], tw.float32, (2, 2)),
        ([tw.tensor(1.0), tw.tensor(2.0)], tw.float32, (2,)),
        (np.ones((2, 3), "i2"), tw.int16, (2, 3)),
        (tw.zeros(2, 1, dtype=tw.bfloat16), tw.bfloat16, (2, 1)),
        (range(3), None, None),
    ],
)
def test_what_becomes_of_data(data: Any, dtype: tw.DType | None, shape: tuple[int, ...] | None) -> None:
    if dtype is None:
        with pytest.raises(TypeError, match=r"^tensor: the data is a range; expected numbers, or lists of them$"):
            tw.tensor(data)
        return
    made = tw.tensor(data)
    assert (made.dtype, made.shape) == (dtype, shape)


def nested(depth: int) -> st.SearchStrategy[Any]:
    sizes = st.lists(st.integers(0, 3), min_size=depth, max_size=depth)
    return sizes.flatmap(lambda shape: blocks(tuple(shape)))


def blocks(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    if not shape:
        return st.integers(-(2**53), 2**53) | st.floats(width=32)
    return st.lists(blocks(shape[1:]), min_size=shape[0], max_size=shape[0])


@given(data=st.integers(0, 3).flatmap(nested))
def test_lists_come_back_as_they_were(data: Any) -> None:
    np.testing.assert_array_equal(tw.tensor(data, dtype=tw.float64).tolist(), np.array(data, "f8"))


@pytest.mark.parametrize("dtype", ALL_DTYPES, ids=lambda dtype: dtype.name)
def test_numbers_of_every_dtype_go_both_ways(dtype: tw.DType) -> None:
    made = tw.tensor([[0, 1], [1, 1]], dtype=dtype)
    assert made.dtype == dtype and made.tolist() == [[0, 1], [1, 1]]
    kind = type(made.tolist()[0][0])
    assert kind is (
        bool if dtype == tw.bool else complex if made.is_complex() else float if made.is_floating_point() else int
    )
    assert type(made[0, 1].item()) is kind and made[0, 1].tolist() == 1


@pytest.mark.parametrize(
    ("data", "exception", "text"),
    [
        ([[1, 2], [3]], ValueError, "tensor: element [1] is a list of 1; expected a list of 2, as the first one"),
        ([[1], 2], ValueError, "tensor: element [1] is a number; expected a list of 1, as the first one"),
        ([1, [2]], ValueError, "tensor: element [1] is a list of 1; expected a number"),
        ([[1], [[2]]], ValueError, "tensor: element [1][0] is a list of 1; expected a number"),
        (
            [[[1], [2]], [[3], "4"]],
            TypeError,
            "tensor: element [1][1] is a str; expected numbers, or lists of them",
        ),
        ([1, None], TypeError, "tensor: element [1] is a NoneType; expected numbers, or lists of them"),
        ("12", TypeError, "tensor: the data is a str; expected numbers, or lists of them"),
        (ENDLESS, ValueError, "tensor: the data has more than 64 lists in each other; expected fewer dimensions"),
        (2**64, ValueError, "int: 18446744073709551616 does not fit in 64 bits; use a smaller number"),
    ],
)
def test_errors_name_the_element(data: Any, exception: type[Exception], text: str) -> None:
    with pytest.raises(exception) as error:
        tw.tensor(data)
    assert str(error.value) == text


def test_numbers_must_fit_the_dtype() -> None:
    with pytest.raises(ValueError, match=r"tensor: the value is 300\.\d+, which int8 does not hold; use a wider dtype"):
        tw.tensor([1, 300], dtype=tw.int8)
    with pytest.raises(TypeError, match="argument 'dtype' must be a dtype, not int"):
        tw.tensor(1, dtype=3)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="tensor: device is 'cuda'; supported is 'cpu'"):
        tw.tensor(1, device="cuda")
    with pytest.raises(NotImplementedError, match="requires_grad is True; there are no gradients here"):
        tw.tensor(1.0, requires_grad=True)


def test_tensor_copies_and_as_tensor_shares() -> None:
    array = np.zeros(3, "f4")
    assert not np.shares_memory(tw.tensor(array).numpy(), array)
    assert np.shares_memory(tw.as_tensor(array).numpy(), array)
    x = tw.zeros(3)
    assert tw.as_tensor(x) is x and tw.tensor(x).data_ptr() != x.data_ptr()
    assert tw.as_tensor(array, dtype=tw.float64).dtype == tw.float64
    assert tw.as_tensor([1, 2], dtype="float32").tolist() == [1, 2]


def test_is_tensor() -> None:
    assert tw.is_tensor(tw.zeros(1)) and not tw.is_tensor(np.zeros(1)) and not tw.is_tensor(1)


def test_item_of_one_element_only() -> None:
    assert (tw.tensor([[2.5]]).item(), tw.tensor(True).item(), tw.tensor([3 + 1j]).item()) == (2.5, True, 3 + 1j)
    with pytest.raises(ValueError, match=r"^item: the tensor has 2 elements; only one element can become a number$"):
        tw.zeros(2).item()


def test_numpy_has_no_bfloat16() -> None:
    text = "tensor: bfloat16 does not exist in the buffer protocol or in numpy; convert it first"
    with pytest.raises(NotImplementedError) as error:
        tw.zeros(2, dtype=tw.bfloat16).numpy()
    assert str(error.value) == text


def test_lists_need_no_numpy(run_python: Any) -> None:
    code = "import sys, threadwheel as t; x = t.tensor([[1.5]]); print(x, x.tolist(), x.item(), 'numpy' in sys.modules)"
    assert run_python(code).stdout == "tensor([[1.5000]]) [[1.5]] 1.5 False\n"


@pytest.mark.parametrize("dtype", ALL_DTYPES, ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(dtype: tw.DType, protocol: int) -> None:
    x = tw.tensor([[0, 1, 1], [1, 0, 1]], dtype=dtype).T
    back = pickle.loads(pickle.dumps([x, x], protocol))
    assert back[0] is back[1] and back[0].dtype == dtype and back[0].tolist() == x.tolist()
    back[0].fill_(0)
    assert x.tolist() != back[0].tolist()


def test_pickle_hands_its_bytes_over_beside_it() -> None:
    x = tw.arange(1000)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(x, 5, buffer_callback=buffers.append)
    assert len(data) < 300 and len(buffers) == 1
    shared = pickle.loads(data, buffers=buffers)
    assert shared.data_ptr() == x.data_ptr() and shared.tolist() == x.tolist()


def test_pickle_of_damaged_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="pickle: the parts of a tensor do not belong together; it is damaged"):
        tw._core.restore_tensor("float32", [3], b"\0" * 8)
    with pytest.raises(ValueError, match="pickle: the parts of a tensor do not belong together; it is damaged"):
        tw._core.restore_tensor("float31", [2], b"\0" * 8)
    q = tw.quantize_per_tensor(tw.zeros(2), 0.1, 0, tw.qint8)
    with pytest.raises(NotImplementedError, match="pickle: unsupported dtype qint8; dequantize the tensor first"):
        pickle.dumps(q)


def test_copies() -> None:
    x = tw.arange(6).view(2, 3).T
    shallow, deep = copy.copy(x), copy.deepcopy([x, x])
    assert shallow is not x and shallow.data_ptr() == x.data_ptr() and shallow.stride() == x.stride()
    assert deep[0] is deep[1] and deep[0].data_ptr() != x.data_ptr() and deep[0].tolist() == x.tolist()
    q = tw.quantize_per_tensor(tw.ones(2), 0.5, 0, tw.qint8)
    assert [x.dequantize().tolist() for x in (copy.copy(q), copy.deepcopy(q), tw.tensor(q))] == [[1, 1]] * 3


def test_constants_and_device() -> None:
    assert (tw.pi, tw.e, tw.inf) == (np.pi, np.e, np.inf) and tw.nan != tw.nan
    cpu = tw.device("cpu")
    assert cpu == tw.zeros(1).device == tw.device("cpu", 0) == "cpu" and hash(cpu) == hash("cpu")
    assert (cpu.type, cpu.index, str(cpu), repr(cpu)) == ("cpu", None, "cpu", "device(type='cpu')")
    assert cpu != "cuda" and tw.zeros(2, device=cpu).to(cpu).shape == (2,)
    with pytest.raises(NotImplementedError, match="device: device is 'cuda:1'; supported is 'cpu'"):
        tw.device("cuda", 1)


def test_gradients_are_never_recorded() -> None:
    with tw.no_grad(), tw.inference_mode(), tw.enable_grad(), tw.set_grad_enabled(True):
        assert not tw.is_grad_enabled() and not tw.zeros(1).requires_grad

    @tw.no_grad()
    def double(x: tw.Tensor) -> tw.Tensor:
        return x * 2

    assert double(tw.ones(1)).item() == 2
