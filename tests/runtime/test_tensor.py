"""Tensor and numpy: one memory, whoever made it; layouts, lifetime, errors."""

from __future__ import annotations

import array
import gc
import sys
import weakref

import numpy as np
import pytest
from conftest import NUMPY_DTYPES, random_array

import threadwheel as tw


@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
def test_memory_is_shared_both_ways(dtype: str) -> None:
    base = np.zeros((4, 6), dtype)
    for x in (base, base.T, base[::2, ::-1], base[1:3, 2], np.array(1, dtype), base[:0]):
        tensor = tw.from_numpy(x)
        back = tensor.numpy()
        assert tensor.shape == x.shape and tensor.strides == x.strides and tensor.dtype.name == dtype
        assert tensor.dtype.itemsize == x.itemsize
        assert back.dtype == x.dtype and back.strides == x.strides
        if x.size:
            assert np.shares_memory(back, x)
            back[...] = 1
            assert x.all()


def test_results_are_shared_with_numpy() -> None:
    result = tw.add(random_array((3, 4)), 1)
    a, b = result.numpy(), np.asarray(result)
    a[1, 2] = 77
    assert b[1, 2] == 77 and result.numpy()[1, 2] == 77


def test_read_only_arrays_stay_read_only() -> None:
    x = np.ones(3, "f4")
    x.setflags(write=False)
    assert not tw.from_numpy(x).numpy().flags.writeable
    np.testing.assert_array_equal(tw.add(x, x).numpy(), [2, 2, 2])


def test_the_array_lives_as_long_as_the_tensor_and_no_longer() -> None:
    class Array(np.ndarray):
        pass

    x = np.ones(1000, "f4").view(Array)
    alive = weakref.ref(x)
    tensor = tw.from_numpy(x)
    del x
    gc.collect()
    assert alive() is not None and tensor.numpy().sum() == 1000
    del tensor
    gc.collect()
    assert alive() is None


def test_the_tensor_lives_as_long_as_its_arrays() -> None:
    array = tw.add(np.ones(100_000, "f4"), 1).numpy()
    gc.collect()
    assert (array == 2).all()


def test_ops_release_their_arguments() -> None:
    x = np.ones((4, 4), "f4")
    before = sys.getrefcount(x)
    for _ in range(10):
        tw.mm(x, x)
        tw.add(x, 1)
        with pytest.raises(TypeError):
            tw.mm(x, "no")
    assert sys.getrefcount(x) == before


def test_other_buffers_are_taken() -> None:
    assert tw.from_numpy(array.array("d", [1, 2])).tolist() == [1, 2]
    assert tw.from_numpy(memoryview(array.array("l", [1, 2]))).dtype == tw.int64
    assert tw.add(bytearray(b"\1\2"), 1).tolist() == [2, 3]


def test_array_protocol() -> None:
    tensor = tw.from_numpy(random_array((2, 3)))
    assert np.shares_memory(tensor.__array__(), tensor.numpy())
    assert not np.shares_memory(tensor.__array__(copy=True), tensor.numpy())
    assert tensor.__array__(np.float64).dtype == np.float64
    with pytest.raises(ValueError, match=r"^__array__: a copy is needed to change the dtype; allow it$"):
        tensor.__array__(np.float64, copy=False)
    assert np.sqrt(tw.from_numpy(np.array([4.0]))) == 2


def test_functions_of_numpy_take_tensors_as_arrays() -> None:
    array = random_array((3, 4))
    x = tw.from_numpy(array)
    for got, expected in (
        (np.sum(x, axis=1, keepdims=True), array.sum(1, keepdims=True)),
        (np.max(x, axis=0), array.max(0)),
        (np.mean(x), array.mean()),
        (np.concatenate([x, array], axis=1), np.concatenate([array, array], axis=1)),
        (np.where(x > 0, x, 0), np.where(array > 0, array, 0)),
        (np.sqrt(abs(x)), np.sqrt(abs(array))),
    ):
        assert isinstance(got, np.ndarray | np.floating)
        np.testing.assert_array_equal(got, expected)
    np.copyto(x, 0)
    assert not array.any()


def test_contiguous() -> None:
    x = random_array((30, 40, 50))
    for view in (x, x.T, x[::2, :, ::-1], np.broadcast_to(x[:, :1], (30, 9, 50)), x[..., 0], x[:0]):
        tensor = tw.from_numpy(view)
        assert tensor.is_contiguous() == view.flags.c_contiguous
        dense = tensor.contiguous()
        assert dense.is_contiguous()
        np.testing.assert_array_equal(dense.numpy(), view)


def test_sizes_as_torch_and_as_numpy_count() -> None:
    tensor = tw.from_numpy(np.ones((2, 3), "f8").T)
    assert (tensor.shape, tensor.size(), tensor.ndim, tensor.dim(), tensor.numel()) == ((3, 2), (3, 2), 2, 2, 6)
    assert (tensor.strides, tensor.stride()) == ((8, 24), (1, 3))
    assert len(tensor) == 3
    with pytest.raises(TypeError, match=r"^len\(\) of a tensor without dimensions$"):
        len(tw.sum(tensor))


def test_item_and_tolist() -> None:
    assert tw.sum(np.ones(5, "i4")).item() == 5
    assert tw.from_numpy(np.array([[1, 2], [3, 4]])).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match=r"^item: the tensor has 2 elements; only one element can become a number$"):
        tw.from_numpy(np.ones(2)).item()


def test_many_dimensions() -> None:
    x = random_array((1, 2, 1, 2, 1, 2, 1, 2, 1, 2))
    np.testing.assert_array_equal(tw.add(x, x.transpose()).numpy(), x + x.transpose())


def test_dtypes_are_complete() -> None:
    names = {*NUMPY_DTYPES, "bfloat16", "qint8", "quint8", "qint32"}
    assert set(tw._core.dtypes) == names
    assert tw.float32 == tw.float32 and tw.float32 != tw.float64 and len({tw.float32, tw.float32, tw.int8}) == 2
    assert repr(tw.bfloat16) == "threadwheel.bfloat16"


def test_dtypes_have_the_names_that_c_gave_them() -> None:
    assert {name: getattr(tw, name) for name in tw._core.dtype_aliases} == tw._core.dtype_aliases
    assert (tw.half, tw.float, tw.double, tw.long, tw.cfloat) == (
        tw.float16,
        tw.float32,
        tw.float64,
        tw.int64,
        tw.complex64,
    )


@pytest.mark.parametrize(
    ("value", "exception", "text"),
    [
        (
            np.ones(2, ">f4"),
            NotImplementedError,
            "has elements of format '>f'; convert it to one of threadwheel's dtypes",
        ),
        (np.array(["a"]), NotImplementedError, "has elements of format '1w'; convert it"),
        (np.zeros(3, "u4"), NotImplementedError, "has elements of format 'I'; convert it"),
        (
            np.zeros(3, "f4,f8")["f1"],
            NotImplementedError,
            "has a stride of 12 bytes for elements of 8; pass a copy of it",
        ),
        (
            np.frombuffer(b"\0" * 13, "u1")[1:].view("f4"),
            NotImplementedError,
            "is not aligned for its dtype; pass a copy of it",
        ),
        ([1.0], TypeError, "from_numpy: the argument is a list; expected a numpy array or another buffer"),
        (1.0, TypeError, "from_numpy: the argument is a float; expected a numpy array or another buffer"),
    ],
)
def test_what_cannot_be_a_tensor(value: object, exception: type[Exception], text: str) -> None:
    with pytest.raises(exception) as error:
        tw.from_numpy(value)
    assert text in str(error.value)
