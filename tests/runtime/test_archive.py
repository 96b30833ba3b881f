"""The reader of TorchScript archives: real ones of torch against Python's own zip and pickle modules, unusual ones
that are right, and broken ones, whose error texts are read."""

from __future__ import annotations

import gc
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import archives as make
import numpy as np
import pytest
from archives import call, dict_of, instance, list_of, name, number, pickled, real, storage, tensor, text, tuple_of
from hypothesis import given, settings
from hypothesis import strategies as st

import threadwheel as tw
from threadwheel import _core

DATA = Path(__file__).parents[1] / "data"
ZOO = sorted((DATA / "torchscript" / "zoo").glob("*.pt"))
view_bits = _core._testing.view_bits

# --- a second reader, of Python's modules and numpy --------------------------------------------------

# torch's name of a storage, numpy's of its bits, threadwheel's of its elements.
STORAGES = {
    "Float": ("f4", "float32"),
    "Double": ("f8", "float64"),
    "Half": ("f2", "float16"),
    "BFloat16": ("i2", "bfloat16"),
    "Long": ("i8", "int64"),
    "Int": ("i4", "int32"),
    "Short": ("i2", "int16"),
    "Char": ("i1", "int8"),
    "Byte": ("u1", "uint8"),
    "Bool": ("u1", "bool"),
    "QInt8": ("u1", "qint8"),
    "QUInt8": ("u1", "quint8"),
    "QInt32": ("i4", "qint32"),
}


class Instance:
    type_name = ""
    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class Reader(pickle._Unpickler):  # type: ignore[name-defined,misc]  # Python's own machine, which can be extended
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, records: dict[str, bytes], pickle_name: str) -> None:
        super().__init__(io.BytesIO(records[f"{pickle_name}.pkl"]))
        self.records, self.folder = records, pickle_name

    def persistent_load(self, pid: Any) -> np.ndarray:
        _, dtype, key, _, numel = pid
        return np.frombuffer(self.records[f"{self.folder}/{key}"], dtype, numel)

    def find_class(self, module: str, last: str) -> Any:
        if module.startswith("__torch__"):
            return type(last, (Instance,), {"type_name": f"{module}.{last}"})
        if module == "torch" and last.endswith("Storage"):
            return STORAGES[last.removesuffix("Storage")][0]
        return {
            "_rebuild_tensor_v2": lambda base, offset, sizes, strides, *_: strided(base, offset, sizes, strides),
            "_rebuild_qtensor": lambda base, offset, sizes, strides, parameters, *_: (
                "quantized",
                strided(base, offset, sizes, strides),
                *parameters[1:],
            ),
            "OrderedDict": dict,
            "restore_type_tag": lambda value, tag: (type(value).__name__, tag, value),
            "build_tensorlist": lambda value: ("list", "List[Tensor]", value),
            "build_intlist": lambda value: ("list", "List[int]", value),
            "device": lambda device: ("device", device),
            "per_tensor_affine": "per_tensor_affine",
            "per_channel_affine": "per_channel_affine",
        }[last]

    def load_reduce(self) -> None:
        if isinstance(self.stack[-1], tuple):
            super().load_reduce()
        else:  # torch's form of a member of an enumeration
            value, type_ = self.stack.pop(), self.stack.pop()
            self.stack.append(("enum", type_.type_name, value))

    dispatch[pickle.REDUCE[0]] = load_reduce


def strided(base: np.ndarray, offset: int, sizes: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    steps = tuple(stride * base.itemsize for stride in strides)
    return np.lib.stride_tricks.as_strided(base[offset:], sizes, steps)


def check_equal(got: Any, expected: Any) -> int:
    """Compare what the two readers read; the number of bytes in tensors."""
    if isinstance(expected, np.ndarray):
        bits = np.asarray(view_bits(got))
        assert bits.shape == expected.shape
        assert [s for s, n in zip(bits.strides, bits.shape, strict=True) if n > 1] == [
            s for s, n in zip(expected.strides, expected.shape, strict=True) if n > 1
        ]
        assert bits.tobytes() == expected.tobytes()
        return bits.nbytes
    if isinstance(expected, Instance):
        assert got[:2] == ("object", expected.type_name)
        return check_equal(got[2], expected.state)
    if isinstance(expected, dict):
        assert list(got) == list(expected)
        return sum(check_equal(got[key], expected[key]) for key in expected)
    if isinstance(expected, list | tuple):
        # A tuple of the file's own is marked as one; those with a kind are as the other reader has them.
        if isinstance(expected, tuple) and got[0] == "tuple":
            got = got[1:]
        assert len(got) == len(expected)
        return sum(map(check_equal, got, expected))
    assert type(got) is type(expected) and got == expected
    return 0


def test_the_zoo_is_there() -> None:
    assert len(ZOO) == 48


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_real_archives_are_read_as_python_reads_them(path: Path) -> None:
    got = _core.read_archive(path)
    with zipfile.ZipFile(path) as file:
        root = file.namelist()[0].split("/")[0]
        records = {each.removeprefix(root + "/"): file.read(each) for each in file.namelist()}
    assert got["root"] == root and got["records"] == list(records)
    version = records.get(".data/version") or records["version"]
    assert got["version"] == int(version)
    model = got["models"][""]
    size_bytes = check_equal(model["data"], Reader(records, "data").load())
    size_bytes += check_equal(model["constants"], Reader(records, "constants").load())
    weights = [value for key, value in records.items() if key.startswith(("data/", "constants/"))]
    assert size_bytes >= sum(map(len, weights)) or size_bytes > 0.9 * sum(map(len, weights))
    assert (got["traced_inputs"] is not None) == ("traced_inputs.pkl" in records)


def test_traced_inputs_have_shapes_and_no_values() -> None:
    """torch leaves their storages empty."""
    kind, tag, methods = _core.read_archive(DATA / "torchscript/zoo/convnext_trace.pt")["traced_inputs"]
    assert (kind, tag) == ("dict", "Dict[str, List[Any]]")
    kind, tag, (image,) = methods["forward"]
    assert (kind, tag, image.shape, image.dtype.name) == ("list", "List[Any]", (1, 3, 32, 32), "float32")
    assert not np.asarray(image).any() and not np.asarray(image).flags.writeable


# --- values ------------------------------------------------------------------------------------------


def value_of(value: bytes, **others: bytes) -> Any:
    return _core.read_archive(make.archive(value, **others))["models"][""]["data"]


VALUES: list[tuple[bytes, Any]] = [
    (b"N", None),
    (b"\x88", True),
    (b"\x89", False),
    (b"K\xff", 255),
    (b"M\xff\xff", 65535),
    (b"J\xfe\xff\xff\xff", -2),
    (b"\x8a\x00", 0),
    (b"\x8a\x01\xff", -1),
    (b"\x8a\x02\x00\x80", -32768),
    (number(2**63 - 1), 2**63 - 1),
    (number(-(2**63)), -(2**63)),
    (real(-0.1), -0.1),
    (real(float("inf")), float("inf")),
    (text("ä\n"), "ä\n"),
    (text(b"\xff"), "\udcff"),
    (b")", ("tuple",)),
    (b"K\x01\x85", ("tuple", 1)),
    (b"K\x01K\x02\x86", ("tuple", 1, 2)),
    (b"K\x01K\x02K\x03\x87", ("tuple", 1, 2, 3)),
    (b"(K\x01K\x02l", [1, 2]),
    (b"]K\x01aK\x02a", [1, 2]),
    (b"(K\x01Nd", {1: None}),
    (b"}K\x01Ns", {1: None}),
    (dict_of(text("b"), b"N", text("a"), b"N"), {"b": None, "a": None}),
    (call("builtins.complex", real(1), real(-2)), 1 - 2j),
    (call("torch.device", text("cpu")), ("device", "cpu")),
    (call("torch.device", text("cuda"), number(1)), ("device", "cuda:1")),
    (name("__torch__.a.Mode") + b"K\x01R", ("enum", "__torch__.a.Mode", 1)),
    (name("__torch__.a.Mode") + text("x") + b"R", ("enum", "__torch__.a.Mode", "x")),
    (instance("__torch__.a.Net", dict_of(text("x"), b"K\x01")), ("object", "__torch__.a.Net", {"x": 1})),
    (instance("__torch__.a.___torch_mangle_7.Net", b"K\x05"), ("object", "__torch__.a.___torch_mangle_7.Net", 5)),
    (name("__torch__.Net") + b")\x81", ("object", "__torch__.Net", None)),
    (call("torch.jit._pickle.build_intlist", list_of(b"K\x01")), ("list", "List[int]", [1])),
    (call("torch.jit._pickle.build_doublelist", list_of()), ("list", "List[float]", [])),
    (call("torch.jit._pickle.build_boollist", list_of()), ("list", "List[bool]", [])),
    (call("torch.jit._pickle.build_tensorlist", list_of()), ("list", "List[Tensor]", [])),
    (call("__main__.IntList", list_of()), ("list", "List[int]", [])),
    (
        call("torch.jit._pickle.restore_type_tag", dict_of(text("a"), b"K\x01"), text("Dict[str, int]")),
        ("dict", "Dict[str, int]", {"a": 1}),
    ),
]


@pytest.mark.parametrize(("value", "expected"), VALUES, ids=lambda v: repr(v)[:40])
def test_values(value: bytes, expected: Any) -> None:
    got = value_of(value)
    assert got == expected and type(got) is type(expected)


def test_what_is_memoised_is_one_value() -> None:
    first, second, third = value_of(list_of(list_of(b"K\x01") + b"q\x00", b"h\x00", list_of(b"K\x01")))
    assert first is second and first is not third
    assert value_of(list_of(text("a") + b"r\x05\0\0\0", b"j\x05\0\0\0")) == ["a", "a"]


def test_tensors_share_storages_and_keep_their_layout() -> None:
    base = storage() + b"q\x00"
    whole, column, row = value_of(list_of(tensor(source=base), tensor((2,), (2,), 1, b"h\0"), tensor((2,), (1,), 2)))
    assert column.stride() == (2,) and np.array_equal(column, [2, 4])
    np.asarray(whole)[:] = 7
    assert np.array_equal(column, [7, 7]) and np.array_equal(row, [7, 7])  # the third by key alone
    assert tw.add(row, 1).tolist() == [8, 8]


@pytest.mark.parametrize("kind", STORAGES)
def test_every_dtype(kind: str) -> None:
    raw = bytes(range(32))
    source = storage("1", kind, 2)
    if kind.startswith("Q"):
        scheme = tuple_of(name("torch.per_tensor_affine"), real(0.5), number(3))
        _, got, scale, zero_point = value_of(make.quantized(scheme, source, (2,)), data__1=raw)
        assert (scale, zero_point) == (0.5, 3)
    else:
        got = value_of(tensor((2,), (1,), 0, source), data__1=raw)
    assert got.dtype.name == STORAGES[kind][1]
    assert np.asarray(view_bits(got)).tobytes() == raw[: 2 * got.dtype.itemsize]


def test_complex_tensors() -> None:
    raw = np.array([1 + 2j, -3j], "complex128").tobytes()
    source = storage("1", "ComplexDouble", 2)
    assert np.array_equal(value_of(tensor((2,), (1,), 0, source), data__1=raw), [1 + 2j, -3j])


def test_per_channel_quantized_tensors() -> None:
    scales = tensor((2,), (1,), 0, storage("s", "Double", 2))
    zeros = tensor((2,), (1,), 0, storage("z", "Long", 2))
    scheme = tuple_of(name("torch.per_channel_affine"), scales, zeros, number(1))
    others = {"data__s": struct.pack("<2d", 0.5, 2), "data__z": struct.pack("<2q", -1, 1)}
    kind, values, got_scales, got_zeros, axis = value_of(make.quantized(scheme), **others)
    assert (kind, values.dtype.name, axis) == ("quantized", "qint8", 1)
    assert got_scales.tolist() == [0.5, 2] and got_zeros.tolist() == [-1, 1]


def test_empty_and_scalar_tensors() -> None:
    empty, scalar = value_of(list_of(tensor((0, 3), (3, 1), 0, storage("none", "Float", 0)), tensor((), (), 3)))
    assert empty.shape == (0, 3) and scalar.shape == () and scalar.item() == 4


def test_further_tensor_state_may_be_empty() -> None:
    assert value_of(tensor(rest=dict_of())).shape == (2, 2)


# --- files -------------------------------------------------------------------------------------------


def weights(source: Any) -> np.ndarray:
    return np.asarray(_core.read_archive(source)["models"][""]["data"])


@pytest.mark.parametrize(
    "change",
    [
        lambda data: make.zipped(data, method=zipfile.ZIP_DEFLATED),
        lambda data: make.zipped(data, aligned=False),
        lambda data: make.zipped(data, root="another name é"),
        lambda data: make.zipped({key: value for key, value in data.items() if key != "byteorder"}),
        lambda data: make.zipped(
            {key: value for key, value in data.items() if key != "version"} | {".data/version": b"6"}
        ),
        lambda data: make.with_end64(make.zipped(data)),
        lambda data: make.with_wide_entry(make.zipped(data), "m/data/0"),
        lambda data: make.streamed(make.zipped(data)),
        lambda data: make.zipped(data | {"folder/": b""}),
    ],
    ids=["deflated", "unaligned", "renamed", "no byteorder", ".data", "zip64 end", "zip64 entry", "streamed", "folder"],
)
def test_unusual_archives_are_read(change: Callable[[dict[str, bytes]], bytes], tmp_path: Path) -> None:
    data = change(make.records(tensor()))
    path = tmp_path / "model.pt"
    path.write_bytes(data)
    assert weights(data).tolist() == weights(path).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_real_archives_zipped_again(method: int) -> None:
    path = DATA / "torchscript" / "zoo" / "mlp_script.pt"
    with zipfile.ZipFile(path) as file:
        contents = {each.split("/", 1)[1]: file.read(each) for each in file.namelist()}
    got = _core.read_archive(make.zipped(contents, "other", method, aligned=False))
    check_equal(got["models"][""]["data"], Reader(contents, "data").load())


def test_weights_can_be_written_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    data = make.archive(tensor())
    path.write_bytes(data)
    first = weights(path)
    first[:] = 9
    gc.collect()
    assert first.tolist() == [[9, 9], [9, 9]]
    assert path.read_bytes() == data and weights(path)[0, 0] == 1
    path.unlink()
    assert first.sum() == 36  # the mapping lives as long as its tensors


def test_bytes_are_copied() -> None:
    data = make.archive(tensor())
    weights(data)[:] = 9
    assert weights(data)[0, 0] == 1


def test_stored_weights_are_views_of_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "mapped.pt"
    path.write_bytes(make.archive(tensor()))
    tensors = weights(path)
    maps = [line.split() for line in Path("/proc/self/maps").read_text().splitlines() if "mapped.pt" in line]
    ranges = [tuple(int(bound, 16) for bound in line[0].split("-")) for line in maps]
    assert any(begin <= tensors.ctypes.data < end for begin, end in ranges)
    assert all(line[1] == "rw-p" for line in maps)
    del tensors
    gc.collect()
    assert "mapped.pt" not in Path("/proc/self/maps").read_text()


def test_extra_files_and_records() -> None:
    data = make.archive(**{"extra__labels.txt": b"a\nb", "extra__deep__raw": b"\xff\0"})
    got = _core.read_archive(data)
    assert got["extra_files"] == {"labels.txt": b"a\nb", "deep/raw": b"\xff\0"}
    assert got["code_folder"] == "code/"
    assert _core.read_record(data, "code/__torch__.py").startswith(b"class Net")


def test_names_of_records_may_be_any_bytes() -> None:
    data = make.archive(extra__ab=b"x").replace(b"m/extra/ab", b"m/extra/\xff\xc3")
    got = _core.read_archive(data)
    assert got["extra_files"] == {"\udcff\udcc3": b"x"}
    assert _core.read_record(data, got["records"][-1]) == b"x"


def test_torch_packages() -> None:
    value = instance("__torch__.Net", dict_of(text("w"), tensor(source=storage("0.storage"))))
    contents = {
        ".data/extern_modules": b"",
        ".data/version": b"6\n",
        ".data/ts_code/0/data.pkl": pickled(value),
        ".data/ts_code/0/constants.pkl": make.EMPTY,
        ".data/ts_code/1/data.pkl": pickled(b"K\x07"),
        ".data/ts_code/1/constants.pkl": pickled(tuple_of(tensor(source=storage("0.storage")))),
        ".data/ts_code/code/__torch__.py": b"",
        ".data/0.storage": struct.pack("<4f", 1, 2, 3, 4),
    }
    got = _core.read_archive(make.zipped(contents))
    assert list(got["models"]) == ["0", "1"] and got["code_folder"] == ".data/ts_code/code/"
    w = np.asarray(got["models"]["0"]["data"][2]["w"])
    (_, constant) = got["models"]["1"]["constants"]
    w[:] = 5
    assert np.asarray(constant).tolist() == [[5, 5], [5, 5]]  # one storage


# --- files that are refused ----------------------------------------------------------------------------

GOOD = make.archive(tensor())
RECORD = "m/data/0"
AGAIN = "the file is damaged or cut short, copy or save it again"


def patch(field: tuple[int, str], value: int, record: str = RECORD) -> bytes:
    return make.patched(GOOD, record, field, value)


def twice(data: bytes) -> bytes:
    """The second of two entries gets the name of the first, and its header too."""
    return data.replace(b"m/data/1", b"m/data/0")


def renamed(new: bytes) -> bytes:
    assert len(new) == len(b"m/version")
    return GOOD.replace(b"m/version", new)


def without_end() -> bytes:
    return GOOD[: make.end_of(GOOD)]


def damaged_deflate() -> bytes:
    data = make.zipped(make.records(tensor()), method=zipfile.ZIP_DEFLATED)
    begin = struct.unpack_from("<I", data, make.entry_of(data, "m/code/__torch__.py") + 42)[0]
    begin += 30 + sum(struct.unpack_from("<HH", data, begin + 26))
    return make.overwritten(data, begin + 4, b"\xff\xff\xff\xff")


ZIP_FAULTS: dict[str, tuple[bytes, type[Exception], str]] = {
    "empty": (b"", tw.ArgumentError, "archive in memory: is empty; copy or save it again"),
    "pickle": (
        b"\x80\x02}q\x00.",
        NotImplementedError,
        "is a pickle by torch.save of before 1.6: weights, no code; load",
    ),
    "flatbuffer": (b"\0\0\0\0PTMF" + bytes(9), NotImplementedError, "is a flatbuffer of PyTorch Mobile (.ff); save"),
    "executorch": (b"\0\0\0\0ET12" + bytes(9), NotImplementedError, "is an ExecuTorch program (.pte); save"),
    "html": (b"\n<!DOCTYPE HTML><html>", NotImplementedError, "is a web page, maybe the error of a download; fetch"),
    "xml": (b"<?xml version='1.0'?><Error>", NotImplementedError, "is a web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", NotImplementedError, "is a pointer of Git LFS"),
    "gzip": (b"\x1f\x8b\x08\0", NotImplementedError, "is compressed with gzip; unpack it first"),
    "hdf5": (b"\x89HDF\r\n", NotImplementedError, "is an HDF5 file"),
    "gguf": (b"GGUF\3", NotImplementedError, "is a GGUF file"),
    "tar": (bytes(257) + b"ustar\0", NotImplementedError, "is a tar file; unpack it first"),
    "other": (b"ab\x01'", NotImplementedError, r"begins with 'ab\x01'' and is no zip archive; TorchScript archives"),
    "cut": (GOOD[:200], tw.ArgumentError, "begins as a zip archive but has no end record; " + AGAIN),
    "no end": (without_end(), tw.ArgumentError, "has no end record"),
    "trailing bytes": (GOOD + b"x", tw.ArgumentError, "has no end record"),
    "only an end": (make.END + bytes(18), tw.ArgumentError, "has no records; save it again with torch.jit.save"),
    "many disks": (
        make.overwritten(GOOD, make.end_of(GOOD) + 4, b"\1\0\1\0"),
        NotImplementedError,
        "is disk 1 of a zip archive of several; only whole archives can be read",
    ),
    "directory out of range": (
        make.overwritten(GOOD, make.end_of(GOOD) + 16, b"\0\0\0\x7f"),
        tw.ArgumentError,
        "bytes at byte 2130706432 reaches past the end record at byte ",
    ),
    "too many records": (
        make.overwritten(GOOD, make.end_of(GOOD) + 8, b"\xfe\xff\xfe\xff"),
        tw.ArgumentError,
        "bytes cannot hold 65534 records; " + AGAIN,
    ),
    "too few records": (
        make.overwritten(GOOD, make.end_of(GOOD) + 8, b"\1\0\1\0"),
        tw.ArgumentError,
        "bytes after its 1 records; " + AGAIN,
    ),
    "no entry": (
        make.overwritten(GOOD, make.entry_of(GOOD, RECORD), b"XX"),
        tw.ArgumentError,
        "there is no zip directory entry at byte ",
    ),
    "entry too long": (patch((32, "<H"), 60000), tw.ArgumentError, " reaches past the directory's end; " + AGAIN),
    "zip64 end out of range": (
        make.with_end64(GOOD, end64_offset=2**63),
        tw.ArgumentError,
        "the zip64 end record is said to lie at byte 9223372036854775808, out of range",
    ),
    "zip64 end elsewhere": (make.with_end64(GOOD, end64_offset=3), tw.ArgumentError, "no zip64 end record at byte 3"),
    "zip64 disks": (make.with_end64(GOOD, disk=1), NotImplementedError, "is one disk of a zip archive of several"),
    "zip64 count": (make.with_end64(GOOD, count=2**60), tw.ArgumentError, "cannot hold 1152921504606846976 records"),
    "zip64 size": (make.with_end64(GOOD, size=2**64 - 1), tw.ArgumentError, "directory of 18446744073709551615 bytes"),
    "zip64 offset": (make.with_end64(GOOD, offset=2**64 - 1), tw.ArgumentError, "at byte 18446744073709551615 reaches"),
    "zip64 disagrees": (
        make.overwritten(make.with_end64(GOOD), len(make.with_end64(GOOD)) - 12, b"\1\0\0\0"),
        tw.ArgumentError,
        "the end record and the zip64 end record disagree",
    ),
    "zip64 field missing": (
        patch(make.SIZE, 0xFFFFFFFF),
        tw.ArgumentError,
        "record 'm/data/0': its zip64 field is missing or too short",
    ),
    "on another disk": (patch(make.DISK, 2), NotImplementedError, "record 'm/data/0': lies on disk 2; only whole"),
    "encrypted": (
        patch(make.FLAGS, 1),
        NotImplementedError,
        "record 'm/data/0': is encrypted; save the archive without",
    ),
    "bzip2": (
        make.zipped(make.records(), method=zipfile.ZIP_BZIP2),
        NotImplementedError,
        "record 'm/data.pkl': is compressed by method 12; stored (0) and deflated (8) can be read",
    ),
    "stored sizes": (
        patch(make.SIZE, 17),
        tw.ArgumentError,
        "record 'm/data/0': is stored in 16 bytes and said to be of 17",
    ),
    "ratio": (
        make.patched(patch(make.METHOD, 8), RECORD, make.SIZE, 2**31),
        tw.ArgumentError,
        "record 'm/data/0': is said to expand from 16 to 2147483648 bytes; deflate expands by at most 1032",
    ),
    "out of range": (
        patch(make.OFFSET, 2**31),
        tw.ArgumentError,
        "record 'm/data/0': its 16 bytes at byte 2147483648 reach past byte ",
    ),
    "overlapping": (
        patch(make.OFFSET, 0),
        tw.ArgumentError,
        ", where the next record or the directory begins; " + AGAIN,
    ),
    "too long": (
        make.patched(patch(make.SIZE, 60), RECORD, make.STORED, 60),
        tw.ArgumentError,
        "record 'm/data/0': its 60 bytes at byte ",
    ),
    "not at a header": (
        patch(make.OFFSET, struct.unpack_from("<I", GOOD, make.entry_of(GOOD, RECORD) + 42)[0] - 1),
        tw.ArgumentError,
        "record 'm/data/0': there is no header at byte ",
    ),
    "other name in header": (
        GOOD.replace(b"m/data/0", b"m/data/x", 1),
        tw.ArgumentError,
        "record 'm/data/0': has another name in its own header",
    ),
    "crc": (patch(make.CRC, 0x12345678), tw.ArgumentError, "the directory says 12345678; " + AGAIN),
    "bad deflate": (damaged_deflate(), tw.ArgumentError, "record 'm/code/__torch__.py': its "),
    "duplicate": (
        twice(make.archive(data__1=b"1")),
        tw.ArgumentError,
        "record 'm/data/0': is there twice; names must be unique",
    ),
    "parent": (
        renamed(b"m/../../x"),
        tw.ArgumentError,
        "record 'm/../../x': its name contains '..'; names are relative",
    ),
    "absolute": (renamed(b"/m/versio"), tw.ArgumentError, "record '/m/versio': its name is absolute"),
    "nul": (renamed(b"m/vers\0on"), tw.ArgumentError, r"record 'm/vers\x00on': its name contains a NUL byte"),
    "backslash": (renamed(b"m\\version"), tw.ArgumentError, r"record 'm\version': its name contains a backslash"),
    "full folder": (renamed(b"m/versio/"), tw.ArgumentError, "'m/versio/': is named as a folder and has 2 bytes"),
    "no folder": (make.zipped(make.records(), root=""), tw.ArgumentError, "record, 'data.pkl', lies in no folder; a"),
    "legacy": (
        make.archive(**{"model.json": b"{}"}),
        NotImplementedError,
        "is of torch before 1.4 (it has model.json); load",
    ),
    "torch.export": (make.archive(archive_format=b"pt2"), NotImplementedError, "is a program of torch.export (.pt2)"),
    "torch.save": (
        make.zipped({"data.pkl": make.EMPTY, "version": b"3"}),
        NotImplementedError,
        "is made by torch.save: weights, no code (there is no constants.pkl); save",
    ),
    "other zip": (
        make.zipped({"a.txt": b""}),
        NotImplementedError,
        "is a zip archive without data.pkl and constants.pkl under 'm'",
    ),
    "big-endian": (
        make.archive(byteorder=b"big"),
        NotImplementedError,
        "its byteorder is 'big'; only 'little' can be read",
    ),
    "no version": (
        make.zipped({key: value for key, value in make.records().items() if key != "version"}),
        tw.ArgumentError,
        "has neither 'version' nor '.data/version'; save it again with torch.jit.save",
    ),
    "version 0": (make.archive(version=b"0"), NotImplementedError, "its version is '0'; 1 to 10 can be read"),
    "version 11": (make.archive(version=b"11\n"), NotImplementedError, "its version is '11'; 1 to 10 can be read"),
    "version text": (make.archive(version=b"3x"), NotImplementedError, "its version is '3x'; 1 to 10 can be read"),
    "empty package": (
        make.zipped({".data/extern_modules": b"", ".data/version": b"6"}),
        NotImplementedError,
        "is a torch.package without TorchScript models; save",
    ),
    "no data.pkl": (
        make.zipped({"constants.pkl": make.EMPTY, "version": b"3"}),
        tw.ArgumentError,
        "has no record 'data.pkl'; the file is incomplete, copy or save it again",
    ),
}


def read_all(data: bytes) -> None:
    got = _core.read_archive(data)
    for record in got["records"]:
        _core.read_record(data, record)


@pytest.mark.parametrize("fault", ZIP_FAULTS)
def test_bad_files_are_refused(fault: str) -> None:
    data, kind, message = ZIP_FAULTS[fault]
    with pytest.raises(kind) as caught:
        read_all(data)
    assert str(caught.value).startswith("archive in memory") and message in str(caught.value)


def test_bombs_are_refused_by_their_total() -> None:
    """Each record may expand as far as deflate can; all together may not."""
    size = 400_000_000
    data = make.archive(bomb=bytes(size // 1032 + 100))
    record = "m/bomb"
    data = make.patched(make.patched(data, record, make.METHOD, 8), record, make.SIZE, size)
    with pytest.raises(
        tw.ArgumentError, match=r"its \d+ bytes are said to expand to 400000000; at most 30\d+ are allowed"
    ):
        _core.read_archive(data)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"archive '.*none.pt': cannot open it: No such file or directory"):
        _core.read_archive(tmp_path / "none.pt")
    with pytest.raises(tw.ArgumentError, match="is not a regular file; pass the path of a TorchScript archive"):
        _core.read_archive(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(tw.ArgumentError, match="is not a regular file"):
        _core.read_archive(tmp_path / "pipe")
    with pytest.raises(tw.ArgumentError, match="the path contains a NUL byte"):
        _core.read_archive("a\0b")
    (tmp_path / "empty.pt").touch()
    with pytest.raises(tw.ArgumentError, match=r"archive '.*empty.pt': is empty"):
        _core.read_archive(tmp_path / "empty.pt")


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"Gr\xc3\xbc\xc3\x9fe.pt", "Grüße.pt"), (b"\xff.pt", r"\xff.pt"), (b"a" * 150 + b"/m.pt", "a/m.pt")],
)
def test_paths_are_told_as_they_were_given(name: bytes, shown: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        _core.read_archive(os.fsdecode(name))
    assert f"{shown}': cannot open it: " in str(caught.value)


# --- pickles that are refused ---------------------------------------------------------------------------

SCALES = tensor((2,), (1,), 0, storage("s", "Double", 2))
ZEROS = tensor((2,), (1,), 0, storage("z", "Long", 2))
VIEW_ARGUMENTS = (storage(), number(0), make.numbers(2, 2), make.numbers(2, 1))
TYPE_TAG = "torch.jit._pickle.restore_type_tag"


def rebuild(*arguments: bytes) -> bytes:
    return call("torch._utils._rebuild_tensor_v2", *arguments)


def nested(depth: int) -> bytes:
    return b"](" * depth + b"e" * depth


def affine(*parameters: bytes, scheme: str = "per_tensor_affine") -> bytes:
    return make.quantized(tuple_of(name(f"torch.{scheme}"), *parameters))


PICKLE_FAULTS: dict[str, tuple[bytes, str]] = {
    "cut": (
        text("a" * 9)[:-9],
        "byte 2: the pickle ends in the middle of an opcode; the file is damaged, copy or save it again",
    ),
    "cut name": (b"c__torch__\nA", "the pickle ends in the middle of an opcode"),
    "os.system": (
        call("os.system", text("true")),
        "byte 2: the pickle asks for 'os.system', which no TorchScript archive needs; do not use the file if",
    ),
    "builtins.eval": (name("builtins.eval"), "the pickle asks for 'builtins.eval'"),
    "torch.load": (name("torch.load"), "the pickle asks for 'torch.load'"),
    "odd class": (b"c__torch__.a\nB/../C\n", "the class name '__torch__.a.B/../C' is not made of letters, digits"),
    "empty atom": (b"c__torch__..a\nB\n", "the class name '__torch__..a.B' is not made of"),
    "opcode": (b"\x95" + bytes(8), r"opcode '\x95' is none that TorchScript archives use; do not use the file if"),
    "pop": (b"N0", "opcode '0' is none that"),
    "underflow": (b"\x86", "an opcode finds too few values before it"),
    "below a mark": (b"N(\x85", "an opcode finds too few values before it"),
    "no mark": (b"t", "an opcode finds no mark before it"),
    "two values": (b"NN", "the pickle does not end with one value"),
    "no value": (b"", "an opcode finds too few values before it"),
    "a name": (name("torch.FloatStorage"), "the pickle does not end with one value"),
    "open mark": (b"N(", "an opcode finds too few values before it"),
    "rest": (b"N.N", "the pickle ends 2 bytes before its record does"),
    "memo unset": (b"h\x05", "memo number 5 is used before it is set"),
    "memo huge": (b"Nr\xff\xff\xff\xff", "memo number 4294967295 in a pickle of 9 bytes"),
    "long": (b"\x8a\x09" + bytes(9), "an int has 9 bytes; at most 8 are allowed"),
    "append to": (b"NNa", "an opcode finds None; expected a list"),
    "set in": (b"](NNu", "an opcode finds a list; expected a dict"),
    "set on": (b"NNb", "an opcode finds None; expected an object"),
    "odd dict": (b"}(Nu", "a dict has a key without a value"),
    "key": (b"}(]Nu", "a key of a dict is a list; expected a number, a string or a tensor"),
    "name in list": (list_of(name("torch.device")), "a value contains a name of a class or function; expected values"),
    "storage in list": (list_of(storage()), "a value contains a storage; expected values in it"),
    "hidden in tuple": (
        list_of(b"K\x01" + name("torch.device") + b"\x86"),
        "a value contains a tuple with a storage or",
    ),
    "list in itself": (b"]q\x00(h\x00e", "a list would contain itself; cycles are not allowed"),
    "dict in itself": (b"}q\x00(Nh\x00u", "a dict would contain itself; cycles are not allowed"),
    "object in itself": (name("__torch__.A") + b")\x81q\x00h\x00b", "an object would contain itself"),
    "list in its arguments": (
        name(TYPE_TAG) + b"]" + text("List[Any]") + b"\x86q\x00R(h\x00e",
        "a list would contain itself; cycles are not allowed",
    ),
    "deep": (nested(300), "values are nested more than 256 deep; no more is allowed"),
    "deep tuples": (b"N" + b"\x85" * 300, "values are nested more than 256 deep"),
    "deep states": ((name("__torch__.A") + b")\x81") * 300 + b"N" + b"b" * 300, "values are nested more than 256 deep"),
    "two states": (instance("__torch__.A", b"K\1") + b"K\2b", "an object has two states; expected one"),
    "made of": (name("__torch__.A") + b"N\x85\x81", "an object is made of a tuple; expected an empty tuple"),
    "of type": (name("torch.device") + b")\x81", "an object is of a name of a class or function; expected a class of"),
    "call value": (b"N)R", "what is called is None; expected a global"),
    "call storage": (name("torch.FloatStorage") + b")R", "'torch.FloatStorage' is called and is no function"),
    "call with": (name("torch.device") + b"NR", "arguments are None; expected a tuple"),
    "call with many": (call("torch.device", *[b"N"] * 9), "there are 9 arguments; at most 8 are allowed"),
    "class with tuple": (name("__torch__.A") + b")R", "'__torch__.A' is called with a tuple; expected the value of an"),
    "OrderedDict": (call("collections.OrderedDict", b"]"), "an OrderedDict is made of arguments; expected none"),
    "device": (call("torch.device", number(1)), "torch.device is not called with a name and at most an index"),
    "complex": (call("builtins.complex", number(1), real(1)), "complex is not called with two floats"),
    "typed list": (
        call("torch.jit._pickle.build_intlist", b"N"),
        "'torch.jit._pickle.build_intlist' is called without",
    ),
    "tag": (call(TYPE_TAG, b"]", b"N"), "restore_type_tag is not called with a value and a string"),
    "tag on": (call(TYPE_TAG, b"N", text("List[int]")), "a type tag is on None; expected a list or a dict"),
    "two tags": (
        call(TYPE_TAG, call(TYPE_TAG, b"]", text("List[int]")), text("List[str]")),
        "a value has the type tags 'List[int]' and 'List[str]'; expected one",
    ),
    "pid": (b"NQ", "arguments are None; expected a tuple"),
    "pid parts": (
        tuple_of(text("module"), b"N", b"N", b"N", b"N") + b"Q",
        "a persistent id is not ('storage', type, key",
    ),
    "pid type": (
        tuple_of(text("storage"), name("torch.device"), text("0"), text("cpu"), number(1)) + b"Q",
        "a storage is of a name of a class or function; expected a storage type of torch",
    ),
    "pid key": (storage("k" * 300), "a storage's key is not a short string"),
    "pid count": (storage("0", "Float", -1), "the number of elements of storage '0' is not an int of 0 or more"),
    "pid overflow": (storage("0", "Double", 2**62), "that fits in memory"),
    "storage missing": (tensor(source=storage("9")), "has no record 'data/9'; the file is incomplete"),
    "storage short": (
        tensor(source=storage("0", "Float", 5)),
        "record 'data/0': has 16 bytes, 20 are referred to; the file is damaged",
    ),
    "key elsewhere": (tensor(source=storage("../data.pkl")), "has no record 'data/../data.pkl'"),
    "no storage": (rebuild(b"N", *VIEW_ARGUMENTS[1:], b"\x89", make.HOOKS), "a tensor's storage is None"),
    "few arguments": (rebuild(*VIEW_ARGUMENTS, b"\x89"), "_rebuild_tensor_v2 has 5 arguments; expected 6 or 7"),
    "offset": (tensor(offset=-1), "a tensor's offset is not an int of 0 or more"),
    "far offset": (tensor(offset=1), "offset 1 reaches past its storage of 4 elements"),
    "large offset": (tensor(offset=2**63 - 1), "offset 9223372036854775807 reaches past its storage"),
    "far empty": (tensor((0,), (1,), 5), "reaches past its storage of 4 elements"),
    "size": (tensor((-1, 2)), "one of a tensor's sizes is -1; it must be 0 or more"),
    "large size": (
        tensor((5, 1)),
        "a tensor of sizes [5, 1], strides [2, 1] and offset 0 reaches past its storage of 4",
    ),
    "stride": (tensor((2, 2), (2, -1)), "one of a tensor's strides is -1; it must be 0 or more"),
    "large stride": (tensor((2, 2), (2**62, 2**62)), "reaches past its storage of 4 elements"),
    "overflow": (tensor((3, 2), (2**62, 1)), "reaches past its storage of 4 elements"),
    "expanded": (
        tensor((2**40, 2**40), (0, 0)),
        "a tensor of sizes [1099511627776, 1099511627776] does not fit in memory",
    ),
    "expanded bytes": (tensor((2**62,), (0,)), "a tensor of sizes [4611686018427387904] does not fit in memory"),
    "ranks": (tensor((2, 2), (1,)), "a tensor has 2 sizes and 1 strides"),
    "rank": (tensor((1,) * 65, (1,) * 65), "a tensor has 65 sizes; at most 64 are allowed"),
    "sizes kind": (
        rebuild(storage(), number(0), b"N", b")", b"\x89", make.HOOKS),
        "a tensor's sizes are None; expected a tuple",
    ),
    "sizes items": (
        rebuild(storage(), number(0), b"N\x85", b")", b"\x89", make.HOOKS),
        "a tensor's sizes are not all ints",
    ),
    "requires_grad": (rebuild(*VIEW_ARGUMENTS, b"N", make.HOOKS), "a tensor's requires_grad is not a bool"),
    "hooks": (
        rebuild(*VIEW_ARGUMENTS, b"\x89", dict_of(b"K\1", b"N")),
        "a tensor has backward hooks; expected an empty",
    ),
    "qint as tensor": (
        tensor(source=storage("q", "QInt8")),
        "a tensor of qint8 has no scale; expected _rebuild_qtensor",
    ),
    "float as qtensor": (
        make.quantized(tuple_of(name("torch.per_tensor_affine"), real(1), number(0)), storage()),
        "a quantized tensor has elements of float32; expected qint8, quint8 or qint32",
    ),
    "no scheme": (make.quantized(b"N"), "a quantized tensor's parameters are not a tuple of scheme and numbers"),
    "scheme": (
        affine(b"N", b"N", scheme="device"),
        "a quantized tensor's scheme is 'torch.device'; expected per_tensor",
    ),
    "scale kind": (affine(number(1), number(0)), "parameters are not (per_tensor_affine, scale, zero point)"),
    "scale": (
        affine(real(float("nan")), number(0)),
        "a quantized tensor's scale is nan; it must be positive and finite",
    ),
    "channels kind": (
        affine(real(1), number(0), scheme="per_channel_affine"),
        "are not (per_channel_affine, scales, zero",
    ),
    "axis": (affine(SCALES, ZEROS, number(2), scheme="per_channel_affine"), "axis is 2; it must be in [0, 2)"),
    "scale dtypes": (
        affine(SCALES, SCALES, number(0), scheme="per_channel_affine"),
        "scales of float64 and zero points of float64; expected float64 and int64, or float32 both",
    ),
    "scale sizes": (
        affine(tensor((1,), (1,), 0, storage("s", "Double", 2)), ZEROS, number(0), scheme="per_channel_affine"),
        "has scales of sizes [1] and zero points of sizes [2]; there must be one for each index of dimension 0",
    ),
}

UNSUPPORTED: dict[str, tuple[bytes, str]] = {
    "sparse": (
        name("torch._utils._rebuild_sparse_tensor"),
        "'torch._utils._rebuild_sparse_tensor' is unsupported; archives",
    ),
    "subclass": (
        name("torch._tensor._rebuild_from_type_v2"),
        "is unsupported; archives with dense and quantized tensors",
    ),
    "tensor id": (name("torch.jit._pickle.build_tensor_from_id"), "is unsupported"),
    "complex half": (storage("0", "ComplexHalf"), "'torch.ComplexHalfStorage' is unsupported"),
    "conjugate": (
        tensor(rest=dict_of(text("conj"), b"\x88")),
        "a tensor is a conjugate or negative view; call resolve_conj() and resolve_neg() on it before saving",
    ),
}

OTHERS = {"data__s": struct.pack("<2d", 0.5, 2), "data__z": struct.pack("<2q", -1, 1)}


@pytest.mark.parametrize("fault", [*PICKLE_FAULTS, *UNSUPPORTED])
def test_bad_pickles_are_refused(fault: str) -> None:
    value, message = (PICKLE_FAULTS | UNSUPPORTED)[fault]
    with pytest.raises(tw.ArgumentError if fault in PICKLE_FAULTS else NotImplementedError) as caught:
        value_of(value, **OTHERS)
    assert message in str(caught.value)
    assert "archive in memory, record 'data.pkl': byte " in str(caught.value) or "storage" in fault or "key" in fault


def test_pickles_of_other_protocols_are_refused() -> None:
    for data in (b"", b"\x80", b"\x80\x04N.", b"N."):
        with pytest.raises(tw.ArgumentError, match=r"record 'constants.pkl': byte 0: (does not begin|the pickle ends)"):
            value_of(b"N", **{"constants.pkl": data})


def test_too_large_traced_inputs_are_refused() -> None:
    value = pickled(list_of(tensor(source=storage("0", "Float", 2**29))))
    message = "record 'traced_inputs.pkl': input '0' has 2147483648 bytes; at most 1073741824 are allowed"
    with pytest.raises(tw.ArgumentError, match=message):
        value_of(b"N", **{"traced_inputs.pkl": value})


def test_small_pickles_cannot_make_large_trees_of_python_objects() -> None:
    """Lists of twice the same list, a hundred times over: 2**100 leaves for whoever does not remember."""
    levels = b"".join(b"](h" + bytes([i]) + b"h" + bytes([i]) + b"eq" + bytes([i + 1]) for i in range(100))
    value = value_of(b"(]q\x00" + levels + b"l")
    assert len(value) == 101 and value[100][0] is value[100][1] is value[99]


# --- anything at all --------------------------------------------------------------------------------------

REFUSALS = (tw.ArgumentError, NotImplementedError)


@settings(max_examples=300)
@given(st.data())
def test_changed_archives_are_read_or_refused(data: st.DataObject) -> None:
    file = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_all(bytes(file[: data.draw(st.integers(0, len(file)))] if data.draw(st.booleans()) else file))
    except REFUSALS as error:
        assert str(error).startswith("archive in memory")


PIECES = [
    b"N", b"K\1", b"(", b"t", b"]", b"}", b"e", b"u", b"a", b"s", b"\x85", b"\x86", b"q\0", b"q\1", b"h\0", b"h\1", b"R",
    b"b", b"Q", b")", b"\x81", storage(), tensor(), text("a"), name("__torch__.A"), name(TYPE_TAG), list_of(b"N"),
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_any_pickle_is_read_or_refused(pieces: list[bytes]) -> None:
    try:
        value_of(b"".join(pieces))
    except REFUSALS as error:
        assert str(error).startswith("archive in memory, record 'data.pkl': byte ")


def test_ordered_dicts_are_dicts() -> None:
    assert value_of(make.HOOKS) == OrderedDict() and value_of(make.HOOKS + b"K\1Ns") == {1: None}
