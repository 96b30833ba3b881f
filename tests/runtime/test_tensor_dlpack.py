"""DLPack: one memory for two libraries, owned until the last of them is done; what cannot be handed over."""

from __future__ import annotations

import ctypes
import gc
import weakref
from typing import Any

import numpy as np
import pytest
from conftest import NUMPY_DTYPES

import threadwheel as tw


class WatchedArray(np.ndarray):
    """An array that weak references may watch."""


def capsule_name(capsule: Any) -> bytes:
    get = ctypes.pythonapi.PyCapsule_GetName
    get.argtypes, get.restype = [ctypes.py_object], ctypes.c_char_p
    return get(capsule)


@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
@pytest.mark.parametrize(
    "take", [lambda x: x, lambda x: x.T, lambda x: x[::2, 1:], lambda x: x[:0], lambda x: x[0, :1]]
)
def test_memory_is_shared_with_numpy_both_ways(dtype: str, take: Any) -> None:
    array = take(np.arange(12).reshape(4, 3).astype(dtype))
    ours = tw.from_dlpack(array)
    assert ours.dtype.name == dtype and ours.shape == array.shape
    np.testing.assert_array_equal(ours.numpy(), array)
    theirs = np.from_dlpack(ours)
    np.testing.assert_array_equal(theirs, array)
    if array.size:
        assert np.shares_memory(ours.numpy(), array) and np.shares_memory(theirs, array)


def test_negative_strides_of_others() -> None:
    array = np.arange(6.0)[::-2]
    ours = tw.from_dlpack(array)
    np.testing.assert_array_equal(ours.numpy(), array)
    array[0] = -1
    assert ours[0] == -1


def test_bfloat16_goes_through_unchanged() -> None:
    x = tw.tensor([1.5, -2.0], dtype=tw.bfloat16)
    y = tw.from_dlpack(x)
    assert y.dtype == tw.bfloat16 and y.data_ptr() == x.data_ptr() and y.tolist() == [1.5, -2.0]


def test_a_capsule_can_be_given_and_is_taken_once() -> None:
    for version, name in ((None, b"dltensor"), ((1, 0), b"dltensor_versioned")):
        x = tw.ones(3)
        capsule = x.__dlpack__(max_version=version)
        assert capsule_name(capsule) == name
        assert tw.from_dlpack(capsule).data_ptr() == x.data_ptr()
        assert capsule_name(capsule) == b"used_" + name
        with pytest.raises(ValueError) as error:
            tw.from_dlpack(capsule)
        assert str(error.value) == "from_dlpack: the capsule holds no tensor that could be taken; each is taken once"


@pytest.mark.parametrize("version", [None, (1, 1)])
def test_whoever_has_the_tensor_keeps_its_memory(version: Any) -> None:
    array = np.ones(1000, "f4").view(WatchedArray)
    alive = weakref.ref(array)
    capsule = tw.from_numpy(array).__dlpack__(max_version=version)
    del array
    gc.collect()
    assert alive() is not None
    taken = tw.from_dlpack(capsule)
    del capsule
    gc.collect()
    assert alive() is not None and taken.sum() == 1000
    del taken
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("version", [None, (1, 1)])
def test_a_capsule_that_nobody_takes_frees_its_tensor(version: Any) -> None:
    array = np.ones(10, "f4").view(WatchedArray)
    alive = weakref.ref(array)
    capsule = tw.from_numpy(array).__dlpack__(max_version=version)
    del array, capsule
    gc.collect()
    assert alive() is None


def test_what_is_read_only_stays_so() -> None:
    array = np.ones(3)
    array.setflags(write=False)
    x = tw.from_numpy(array)
    assert not np.asarray(tw.from_dlpack(x)).flags.writeable
    with pytest.raises(BufferError) as error:
        x.__dlpack__()
    assert str(error.value) == (
        "__dlpack__: the tensor is read-only, which DLPack before 1.0 cannot say; ask for max_version=(1, 0) or a copy"
    )
    copied = tw.from_dlpack(x, copy=True)
    copied.fill_(2)
    assert array.sum() == 3 and copied.sum() == 6


def test_only_the_cpu_and_what_it_can_say() -> None:
    x = tw.ones(2)
    assert x.__dlpack_device__() == (1, 0)
    assert capsule_name(x.__dlpack__(dl_device=(1, 0), copy=False)) == b"dltensor"
    with pytest.raises(BufferError, match=r"^__dlpack__: dl_device is \(2, 0\); tensors are on the CPU, \(1, 0\)$"):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(ValueError, match=r"^__dlpack__: stream is 1; a CPU has no streams, leave it out$"):
        x.__dlpack__(stream=1)  # type: ignore[arg-type]
    with pytest.raises(
        BufferError, match=r"^__dlpack__: DLPack has no qint8; dequantize the tensor or pass its int_repr"
    ):
        tw.quantize_per_tensor(x, 0.1, 0, tw.qint8).__dlpack__()


def test_what_others_have_and_we_do_not() -> None:
    with pytest.raises(NotImplementedError) as error:
        tw.from_dlpack(np.ones(2, "u2"))
    assert str(error.value) == (
        "from_dlpack: the elements are of type code 1 with 16 bits and 1 lanes; convert them to one of threadwheel's dtypes"
    )
    with pytest.raises(TypeError) as wrong:
        tw.from_dlpack([1.0])
    assert str(wrong.value) == (
        "from_dlpack: the argument is a list; expected an object with __dlpack__ and __dlpack_device__, or a capsule"
    )

    class OnGpu:
        def __dlpack_device__(self) -> tuple[int, int]:
            return 2, 0

        def __dlpack__(self) -> None: ...

    with pytest.raises(
        NotImplementedError, match=r"^from_dlpack: the tensor is on a device of type 2; supported is 1, the"
    ):
        tw.from_dlpack(OnGpu())


def test_libraries_from_before_versions_are_understood() -> None:
    class Old:
        def __init__(self, tensor: tw.Tensor) -> None:
            self.tensor = tensor

        def __dlpack_device__(self) -> tuple[int, int]:
            return 1, 0

        def __dlpack__(self, stream: None = None) -> Any:
            return self.tensor.__dlpack__(stream=stream)

    x = tw.arange(3)
    assert tw.from_dlpack(Old(x)).data_ptr() == x.data_ptr()


@pytest.mark.parametrize("dtype", (np.int64, np.longlong, np.int32, np.float32, np.bool_))
def test_numpy_sees_its_own_types(dtype: type[np.generic]) -> None:
    """numpy has two types for eight bytes, and only one of them is np.int64."""
    tensor = tw.from_numpy(np.ones(2, dtype))
    expected = np.int64 if dtype is np.longlong else dtype
    for array in (tensor.numpy(), np.asarray(tensor), np.from_dlpack(tensor)):
        assert type(array[0]) is expected
