"""Writes the files of this folder: `python3 tests/data/fuzz/make_corpus.py`. Standard library only.

Whole archives and pickles, and the same with one thing wrong, so that a fuzzer starts behind the first checks. The
files are the same at every run.
"""

from __future__ import annotations

import random
import struct
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "runtime"))
import archives as make  # noqa: E402
from archives import call, dict_of, instance, list_of, name, number, real, storage, tensor, text, tuple_of  # noqa: E402

MOST_BYTES = 2048
TAG = "torch.jit._pickle.restore_type_tag"


def values() -> dict[str, bytes]:
    """The value of a pickle by name; storages are at most 64 bytes, which is what the fuzz target gives."""
    scales = tensor((2,), (1,), 0, storage("s", "Double", 2))
    zeros = tensor((2,), (1,), 0, storage("z", "Long", 2))
    found = {
        "none": b"N",
        "constants": b"\x88\x89K\x05M\x05\x06J\xff\xff\xff\xff\x8a\x02\x01\x02(t\x87",
        "text": text("attribute"),
        "numbers": tuple_of(number(-(2**40)), real(0.5), b"K\1"),
        "nested": tuple_of(b")", b"K\1\x85", b"K\1N\x86", b"K\1NN\x87"),
        "lists": list_of(list_of(b"K\1"), b"]K\1a", b"(K\1l"),
        "dicts": list_of(dict_of(text("a"), b"K\1", text("b"), b"]"), b"}K\1Ns", b"(K\1Nd"),
        "memo": list_of(b"]q\0", b"h\0", b"Nr\1\0\0\0", b"j\1\0\0\0"),
        "enum": name("__torch__.a.Mode") + b"K\1R",
        "complex": call("builtins.complex", real(1), real(2)),
        "device": call("torch.device", text("cuda"), number(1)),
        "tag_list": call(TAG, list_of(b"K\1"), text("List[int]")),
        "tag_dict": call(TAG, dict_of(text("a"), b"N"), text("Dict[str, Optional[int]]")),
        "intlist": call("torch.jit._pickle.build_intlist", list_of(b"K\1")),
        "module": instance("__torch__.m.Net", dict_of(text("w"), tensor(), text("n"), instance("__torch__.A", b"N"))),
        "tensor_scalar": tensor((), ()),
        "tensor_empty": tensor((0, 3), (3, 1), 0, storage("e", "Float", 0)),
        "tensor_expanded": tensor((9, 2), (0, 1)),
        "tensor_shared": list_of(tensor(source=storage() + b"q\0"), tensor((2,), (2,), 1, b"h\0")),
        "tensor_state": tensor(rest=dict_of()),
        "quantized": make.quantized(tuple_of(name("torch.per_tensor_affine"), real(0.5), number(3))),
        "channels": make.quantized(tuple_of(name("torch.per_channel_affine"), scales, zeros, number(1))),
    }
    for kind in "Double Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble".split():  # noqa: SIM905
        found[f"dtype_{kind}"] = tensor(source=storage("0", kind, 4))
    return found


def archives() -> dict[str, bytes]:
    module = values()["module"]
    small = {
        "data.pkl": make.pickled(module),
        "data/0": struct.pack("<4f", 1, 2, 3, 4),
        "constants.pkl": make.EMPTY,
        "version": b"3\n",
        "byteorder": b"little",
    }
    package = {
        ".data/extern_modules": b"",
        ".data/version": b"6\n",
        ".data/ts_code/0/data.pkl": make.pickled(tensor(source=storage("0.storage"))),
        ".data/ts_code/0/constants.pkl": make.EMPTY,
        ".data/0.storage": struct.pack("<4f", 1, 2, 3, 4),
    }
    stored = make.zipped(small)
    return {
        "stored": stored,
        "deflated": make.zipped(small, method=zipfile.ZIP_DEFLATED),
        "unaligned": make.zipped(small, aligned=False),
        "extra": make.zipped(small | {"extra/labels.txt": b"a b"}),
        "traced": make.zipped(small | {"traced_inputs.pkl": make.pickled(dict_of(text("forward"), list_of(tensor())))}),
        "package": make.zipped(package),
        "zip64": make.with_end64(stored),
        "wide": make.with_wide_entry(stored, "m/data/0"),
        "streamed": make.streamed(stored),
        "legacy": make.zipped(small | {"model.json": b"{}"}),
        "version": make.zipped(small | {"version": b"11"}),
    }


def changed(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one of four things done to them."""
    at = chance.randrange(len(data))
    return [
        data[:at],
        data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :],
        data[:at] + chance.choice([b"\xff" * 4, bytes(4), b"\xff" * 8, b"\0\0\0\x80"]) + data[at + 4 :],
        data[:at] + data[at + chance.randrange(1, 9) :],
    ][chance.randrange(4)]


def main() -> None:
    for old in HERE.glob("*.bin"):
        old.unlink()
    chance = random.Random(0)
    files = {f"pickle_{key}": make.pickled(value) for key, value in values().items()}
    files |= {f"archive_{key}": value for key, value in archives().items()}
    for key, data in list(files.items()):
        files |= {f"{key}_changed{i}": changed(data, chance) for i in range(5 if key.startswith("archive") else 3)}
    files |= {"empty": b"", "torch_save": b"\x80\x02}.", "html": b"<html>", "flatbuffer": bytes(4) + b"PTMF"}
    for key, data in files.items():
        assert len(data) <= MOST_BYTES, (key, len(data))
        (HERE / f"{key}.bin").write_bytes(data)
    print(f"{len(files)} files, {sum(map(len, files.values()))} bytes")


if __name__ == "__main__":
    main()
