"""Makes TorchScript archives, good and bad ones, byte by byte; nothing here reads them. Standard library only."""

from __future__ import annotations

import io
import struct
import zipfile

END, END64, LOCATOR, ENTRY, HEADER = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"

# Where fields lie in an entry of the directory.
FLAGS, METHOD, CRC, STORED, SIZE = (8, "<H"), (10, "<H"), (16, "<I"), (20, "<I"), (24, "<I")
EXTRA_SIZE, DISK, OFFSET = (30, "<H"), (34, "<H"), (42, "<I")


# --- pickles ----------------------------------------------------------------------------------------


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def real(value: float) -> bytes:
    return b"G" + struct.pack(">d", value)


def name(qualified: str) -> bytes:
    module, _, last = qualified.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def list_of(*items: bytes) -> bytes:
    return b"](" + b"".join(items) + b"e"


def dict_of(*items: bytes) -> bytes:
    return b"}(" + b"".join(items) + b"u"


def call(function: str, *arguments: bytes) -> bytes:
    return name(function) + tuple_of(*arguments) + b"R"


def instance(type_name: str, state: bytes) -> bytes:
    return name(type_name) + b")\x81" + state + b"b"


def storage(key: str = "0", kind: str = "Float", numel: int = 4) -> bytes:
    return tuple_of(text("storage"), name(f"torch.{kind}Storage"), text(key), text("cpu"), number(numel)) + b"Q"


def numbers(*values: int) -> bytes:
    return tuple_of(*map(number, values))


HOOKS = b"ccollections\nOrderedDict\n)R"


def tensor(
    sizes: tuple[int, ...] = (2, 2),
    strides: tuple[int, ...] = (2, 1),
    offset: int = 0,
    source: bytes | None = None,
    rest: bytes = b"",
) -> bytes:
    source = storage() if source is None else source
    parts = (source, number(offset), numbers(*sizes), numbers(*strides), b"\x89", HOOKS, rest)
    return call("torch._utils._rebuild_tensor_v2", *parts)


def quantized(parameters: bytes, source: bytes | None = None, sizes: tuple[int, ...] = (2, 2)) -> bytes:
    source = storage("q", "QInt8", 4) if source is None else source
    strides = (2, 1)[-len(sizes) :]
    parts = (source, number(0), numbers(*sizes), numbers(*strides), parameters, b"\x89", HOOKS)
    return call("torch._utils._rebuild_qtensor", *parts)


def pickled(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


# --- archives ---------------------------------------------------------------------------------------

EMPTY = pickled(b")")


def records(data: bytes = b"N", **others: bytes) -> dict[str, bytes]:
    """The records of a small archive whose data.pkl holds the value; `others` by name, with __ for a slash."""
    base = {
        "data.pkl": pickled(data),
        "code/__torch__.py": b"class Net(Module):\n  pass\n",
        "data/0": struct.pack("<4f", 1, 2, 3, 4),
        "data/q": bytes([1, 2, 3, 255]),
        "constants.pkl": EMPTY,
        "version": b"3\n",
        "byteorder": b"little",
    }
    return base | {key.replace("__", "/"): value for key, value in others.items()}


def zipped(
    contents: dict[str, bytes], root: str = "m", method: int = zipfile.ZIP_STORED, aligned: bool = True
) -> bytes:
    """A zip archive of the records in one folder, each aligned to 64 bytes as torch does it, or to none of them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for key, value in contents.items():
            info = zipfile.ZipInfo(f"{root}/{key}" if root else key)
            info.compress_type = method
            begin = file.tell() + 30 + len(info.filename.encode()) + 4
            padding = -begin % 64 + (0 if aligned else 1)
            info.extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
            archive.writestr(info, value)
    return file.getvalue()


def archive(data: bytes = b"N", **others: bytes) -> bytes:
    return zipped(records(data, **others))


def package(**numbers: int) -> bytes:
    """A torch.package of modules of these names, each of which returns its number."""
    contents = {".data/extern_modules": b"", ".data/version": b"6\n"}
    for model, number_of_it in numbers.items():
        folder = f".data/ts_code/{model}"
        contents[f"{folder}/data.pkl"] = pickled(instance(f"__torch__.{model}.M", dict_of()))
        contents[f"{folder}/constants.pkl"] = EMPTY
        code = f"class M(Module):\n  def forward(self: __torch__.{model}.M) -> int:\n    return {number_of_it}\n"
        contents[f".data/ts_code/code/__torch__/{model}.py"] = code.encode()
    return zipped(contents)


def entry_of(data: bytes, record: str) -> int:
    """Where the directory's entry of a record begins."""
    begin = data.find(ENTRY)
    while begin >= 0:
        size = struct.unpack_from("<H", data, begin + 28)[0]
        if data[begin + 46 : begin + 46 + size] == record.encode():
            return begin
        begin = data.find(ENTRY, begin + 4)
    raise KeyError(record)


def patched(data: bytes, record: str, field: tuple[int, str], value: int) -> bytes:
    """The archive with a field of a record's entry in the directory changed."""
    return overwritten(data, entry_of(data, record) + field[0], struct.pack(field[1], value))


def overwritten(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def end_of(data: bytes) -> int:
    return data.rindex(END)


def with_end64(data: bytes, end64_offset: int | None = None, **changed: int) -> bytes:
    """The archive with zip64 end records, as torch writes it; the old end record refers to them."""
    end = end_of(data)
    count, size, offset = struct.unpack_from("<HII", data, end + 10)
    wide = {"disk": 0, "count": count, "size": size, "offset": offset} | changed
    record = END64 + struct.pack(
        "<QHHIIQQQQ", 44, 45, 45, wide["disk"], 0, wide["count"], wide["count"], wide["size"], wide["offset"]
    )
    locator = LOCATOR + struct.pack("<IQI", 0, end if end64_offset is None else end64_offset, 1)
    old = END + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:end] + record + locator + old


def streamed(data: bytes) -> bytes:
    """The archive with sizes and checksums in its directory only, as writers that stream leave it."""
    begin = data.find(HEADER)
    while begin >= 0:
        data = overwritten(overwritten(data, begin + 6, b"\x08\x08"), begin + 14, bytes(12))
        begin = data.find(HEADER, begin + 4)
    return data


def with_wide_entry(data: bytes, record: str) -> bytes:
    """The archive with one entry whose sizes and offset are in a zip64 field."""
    at = entry_of(data, record)
    name_size, extra_size = struct.unpack_from("<HH", data, at + 28)
    stored, size = struct.unpack_from("<II", data, at + 20)
    offset = struct.unpack_from("<I", data, at + 42)[0]
    field = struct.pack("<HHQQQ", 1, 24, size, stored, offset)
    for where, _ in (STORED, SIZE, OFFSET):
        data = overwritten(data, at + where, b"\xff" * 4)
    data = overwritten(data, at + 30, struct.pack("<H", extra_size + len(field)))
    data = data[: at + 46 + name_size] + field + data[at + 46 + name_size :]
    end = end_of(data)
    return overwritten(data, end + 12, struct.pack("<I", struct.unpack_from("<I", data, end + 12)[0] + len(field)))
