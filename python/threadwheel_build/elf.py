"""Read what the dynamic loader and a linker would see of one 64-bit little endian ELF file.

Owns the file format: needed libraries, SONAME, RPATH and RUNPATH, symbol names, contents of a section.
What the names mean is runtimes.py's and audit_copies.py's. Files come from anywhere, so every offset and size
is checked before use and every loop has a bound: a bad file is an `ElfError`, never another exception.
Source: System V ABI (gabi) chapters 4 and 5; the GNU hash section as glibc and binutils read it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .errors import ElfError, NotLoadedElfError, UnsupportedElfError

MAGIC = b"\x7fELF"

_ET_REL, _ET_CORE = 1, 4
_PT_LOAD, _PT_DYNAMIC = 1, 2
_SHT_SYMTAB, _SHT_NOBITS, _SHT_DYNSYM = 2, 8, 11
_DT_NULL, _DT_NEEDED, _DT_HASH, _DT_STRTAB, _DT_SYMTAB = 0, 1, 4, 5, 6
_DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH, _DT_GNU_HASH = 10, 14, 15, 29, 0x6FFFFEF5
_STB_LOCAL, _STB_WEAK, _STT_SECTION, _STT_FILE = 0, 2, 3, 4

_EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
_PHDR = struct.Struct("<IIQQQQQQ")
_SHDR = struct.Struct("<IIQQQQIIQQ")
_SYM = struct.Struct("<IBBHQQ")
_DYN = struct.Struct("<QQ")

# Far above any file that exists (an unstripped libtorch has 1.5 million symbols, a C++ object built with
# -ffunction-sections some 100,000 sections): they only keep a hostile file from costing minutes.
_MAX_SYMBOLS = 8_000_000
_MAX_SECTIONS = 1_000_000
_MAX_DYNAMIC_ENTRIES = 100_000
_MAX_NAME_BYTES = 4096
_MAX_RPATH_BYTES = 1 << 20


class Symbol(NamedTuple):
    """A symbol without its version: `defined` here or wanted from elsewhere; `weak` may stay unbound."""

    name: str
    defined: bool
    weak: bool


class _Section(NamedTuple):
    name_offset: int
    type: int
    address: int
    offset: int
    size: int
    link: int


class _Segment(NamedTuple):
    offset: int
    address: int
    size: int


@dataclass(frozen=True, slots=True)
class _Strings:
    """A string table: `size` bytes at `offset` of the file."""

    data: bytes
    offset: int
    size: int

    def text(self, index: int, what: str, limit: int = _MAX_NAME_BYTES) -> str:
        """The name at `index`, at most `limit` bytes of it; bytes that are not UTF-8 are escaped."""
        if index >= self.size:
            raise ElfError(
                f"{what}: the name starts at byte {index} of a table of {self.size} bytes; the file is damaged"
            )
        start, end = self.offset + index, self.offset + self.size
        stop = self.data.find(b"\0", start, min(end, start + limit))
        if stop < 0 and end <= start + limit:
            raise ElfError(f"{what}: the name at byte {index} of its table has no end; the file is damaged")
        return self.data[start : stop if stop >= 0 else start + limit].decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class _SymbolTable:
    """`count` symbols at `offset` of the file, named in `strings`."""

    offset: int
    count: int
    strings: _Strings


@dataclass(frozen=True, slots=True)
class Elf:
    """One ELF file; made by `read`.

    `rpath` are the entries the loader uses: those of DT_RUNPATH, or of DT_RPATH where there is no
    DT_RUNPATH. An empty entry is kept: the loader takes it for the current directory.
    """

    needed: tuple[str, ...]
    soname: str | None
    rpath: tuple[str, ...]
    _data: bytes = field(repr=False)
    _sections: tuple[tuple[str, _Section], ...] = field(repr=False)
    _dynamic_table: _SymbolTable | None = field(repr=False)

    def dynamic_symbols(self) -> Iterator[Symbol]:
        """Yield what the loader binds: exported and imported symbols. Raises ElfError when damaged."""
        return _symbols(self._data, self._dynamic_table, "dynamic symbols")

    def static_symbols(self) -> Iterator[Symbol]:
        """Yield .symtab, hidden symbols included; nothing once stripped. Raises ElfError when damaged."""
        for name, section in self._sections:
            if section.type == _SHT_SYMTAB:
                yield from _symbols(self._data, self._linked_table(section), name)

    def section(self, name: str) -> bytes | None:
        """The contents of the first section called `name`; None when there is none."""
        for own_name, section in self._sections:
            if own_name == name and section.type == _SHT_NOBITS:
                return b""
            if own_name == name:
                return bytes(_slice(self._data, section.offset, section.size, name))
        return None

    def _linked_table(self, section: _Section) -> _SymbolTable:
        if section.link >= len(self._sections):
            raise ElfError(
                f"symbol table: its names are in section {section.link} of {len(self._sections)}; the file is damaged"
            )
        names = self._sections[section.link][1]
        strings = _strings(self._data, names.offset, names.size, "names of symbols")
        return _SymbolTable(section.offset, section.size // _SYM.size, strings)


def is_elf(head: bytes) -> bool:
    """Whether a file that starts with `head` (4 bytes are enough) says it is an ELF file."""
    return head[:4] == MAGIC


def read(data: bytes) -> Elf:
    """Read the ELF file `data`.

    Raises UnsupportedElfError for a sound file that is not examined, else ElfError for anything that is
    not a whole ELF file. Symbols are read on demand: iterating over them may raise ElfError too.
    """
    header = _header(data)
    sections = _sections(data, header)
    if any(name in (".dynamic", ".text") and section.type == _SHT_NOBITS for name, section in sections):
        raise NotLoadedElfError("a separate debug file, which no process loads")
    segments = _segments(data, header, sections)
    dynamic = _dynamic_entries(data, [s for kind, s in segments if kind == _PT_DYNAMIC])
    loads = [s for kind, s in segments if kind == _PT_LOAD]
    if not dynamic:
        return Elf((), None, (), data, sections, None)
    values = dict(reversed(dynamic))  # of equal tags the first wins
    strings = _dynamic_strings(data, loads, values)
    needed = tuple(strings.text(value, "DT_NEEDED") for tag, value in dynamic if tag == _DT_NEEDED)
    soname = strings.text(values[_DT_SONAME], "DT_SONAME") if _DT_SONAME in values else None
    path_tag = _DT_RUNPATH if _DT_RUNPATH in values else _DT_RPATH
    rpath = tuple(strings.text(values[path_tag], "DT_RPATH", _MAX_RPATH_BYTES).split(":")) if path_tag in values else ()
    return Elf(needed, soname, rpath, data, sections, _dynamic_table(data, loads, values, sections, strings))


class _Header(NamedTuple):
    segments_offset: int
    sections_offset: int
    num_segments: int
    num_sections: int
    names_section: int


def _slice(data: bytes, offset: int, size: int, what: str) -> memoryview:
    if offset + size > len(data):
        end = f"the end of the file at {len(data)}"
        raise ElfError(f"{what}: {size} bytes at {offset} reach past {end}; the file is cut short or damaged")
    return memoryview(data)[offset : offset + size]


def _strings(data: bytes, offset: int, size: int, what: str) -> _Strings:
    _slice(data, offset, size, what)
    return _Strings(data, offset, size)


def _header(data: bytes) -> _Header:
    if not is_elf(data):
        raise ElfError(f"starts with {data[:4].hex(' ') or 'nothing'}; an ELF file starts with {MAGIC.hex(' ')}")
    kind = bytes(_slice(data, 0, 16, "ELF identification"))
    if kind[4] not in (1, 2) or kind[5] not in (1, 2):
        raise ElfError(
            f"ELF identification: class {kind[4]} and byte order {kind[5]}; both are 1 or 2, so the file is damaged"
        )
    if (kind[4], kind[5]) != (2, 1):
        words = f"{'64' if kind[4] == 2 else '32'}-bit {'little' if kind[5] == 1 else 'big'} endian"
        raise UnsupportedElfError(f"a {words} file; only 64-bit little endian is read")
    fields = _EHDR.unpack(_slice(data, 0, _EHDR.size, "ELF header"))
    file_type, phoff, shoff = fields[1], fields[5], fields[6]
    phentsize, phnum, shentsize, shnum, shstrndx = fields[9:]
    if file_type == _ET_REL:
        raise NotLoadedElfError("a relocatable object, which no process loads")
    if file_type == _ET_CORE:
        raise NotLoadedElfError("a core dump, which no process loads")
    if phnum and phentsize != _PHDR.size:
        raise ElfError(
            f"ELF header: program headers of {phentsize} bytes; they have {_PHDR.size}, so the file is damaged"
        )
    if shoff and shentsize != _SHDR.size:
        raise ElfError(
            f"ELF header: section headers of {shentsize} bytes; they have {_SHDR.size}, so the file is damaged"
        )
    if not shoff:
        return _Header(phoff, 0, phnum, 0, 0)
    # Counts that do not fit 16 bits are in section 0.
    first = _SHDR.unpack(_slice(data, shoff, _SHDR.size, "section headers"))
    num_segments = first[7] if phnum == 0xFFFF else phnum
    return _Header(phoff, shoff, num_segments, shnum or first[5], first[6] if shstrndx == 0xFFFF else shstrndx)


def _sections(data: bytes, header: _Header) -> tuple[tuple[str, _Section], ...]:
    if not header.num_sections:
        return ()
    if header.num_sections > _MAX_SECTIONS:
        raise ElfError(f"section headers: {header.num_sections} of them; more than {_MAX_SECTIONS} are not read")
    table = _slice(data, header.sections_offset, header.num_sections * _SHDR.size, "section headers")
    found = [_Section(r[0], r[1], r[3], r[4], r[5], r[6]) for r in _SHDR.iter_unpack(table)]
    if not header.names_section:  # section 0 is none: a file whose sections have no names
        return tuple(("", section) for section in found)
    if header.names_section >= len(found):
        raise ElfError(
            f"section headers: the names are in section {header.names_section} of {len(found)}; the file is damaged"
        )
    names = _strings(data, found[header.names_section].offset, found[header.names_section].size, "section names")
    return tuple((names.text(section.name_offset, "section headers"), section) for section in found)


def _segments(data: bytes, header: _Header, sections: tuple[tuple[str, _Section], ...]) -> list[tuple[int, _Segment]]:
    table = _slice(data, header.segments_offset, header.num_segments * _PHDR.size, "program headers")
    # Only 65,535 fit the header itself, so a larger count came from section 0 and has that bound.
    if header.num_segments > max(0xFFFF, len(sections)):
        raise ElfError(f"program headers: {header.num_segments} of them; the file is damaged")
    return [(r[0], _Segment(r[2], r[3], r[5])) for r in _PHDR.iter_unpack(table) if r[0] in (_PT_LOAD, _PT_DYNAMIC)]


def _dynamic_entries(data: bytes, segments: list[_Segment]) -> list[tuple[int, int]]:
    """The dynamic section up to its end mark; empty for a program that is linked statically."""
    if not segments:
        return []
    entries: list[tuple[int, int]] = []
    table = _slice(data, segments[0].offset, segments[0].size // _DYN.size * _DYN.size, "dynamic section")
    for tag, value in _DYN.iter_unpack(table):
        if tag == _DT_NULL:
            break
        if len(entries) == _MAX_DYNAMIC_ENTRIES:
            raise ElfError(f"dynamic section: more than {_MAX_DYNAMIC_ENTRIES} entries; the file is damaged")
        entries.append((tag, value))
    return entries


def _file_offset(loads: list[_Segment], address: int, what: str) -> int:
    for segment in loads:
        if segment.address <= address < segment.address + segment.size:
            return segment.offset + address - segment.address
    raise ElfError(f"{what}: address {address:#x} is in no loaded segment; the file is damaged")


def _dynamic_strings(data: bytes, loads: list[_Segment], values: dict[int, int]) -> _Strings:
    if _DT_STRTAB not in values or _DT_STRSZ not in values:
        raise ElfError("dynamic section: has no string table; the file is damaged")
    offset = _file_offset(loads, values[_DT_STRTAB], "DT_STRTAB")
    return _strings(data, offset, values[_DT_STRSZ], "DT_STRTAB")


def _dynamic_table(
    data: bytes,
    loads: list[_Segment],
    values: dict[int, int],
    sections: tuple[tuple[str, _Section], ...],
    strings: _Strings,
) -> _SymbolTable | None:
    """Where the loader's symbols are, and how many.

    The dynamic section does not say the number. The section header does but may be removed; the hash
    tables do, but a GNU hash table of a library that exports nothing does not count its imports. So
    the largest of them.
    """
    if _DT_SYMTAB not in values:
        return None
    counts = [s.size // _SYM.size for _, s in sections if s.type == _SHT_DYNSYM and s.address == values[_DT_SYMTAB]]
    if _DT_HASH in values:
        offset = _file_offset(loads, values[_DT_HASH], "DT_HASH")
        counts.append(struct.unpack("<II", _slice(data, offset, 8, "DT_HASH"))[1])
    if _DT_GNU_HASH in values:
        counts.append(_gnu_hash_count(data, _file_offset(loads, values[_DT_GNU_HASH], "DT_GNU_HASH")))
    return _SymbolTable(_file_offset(loads, values[_DT_SYMTAB], "DT_SYMTAB"), max(counts, default=0), strings)


def _gnu_hash_count(data: bytes, offset: int) -> int:
    """One more than the last symbol of a GNU hash table: the end of the chain that starts last."""
    what = "DT_GNU_HASH"
    num_buckets, first_symbol, num_bloom_words, _ = struct.unpack("<IIII", _slice(data, offset, 16, what))
    _check_symbol_count(num_buckets, what)
    buckets_offset = offset + 16 + 8 * num_bloom_words
    chains_offset = buckets_offset + 4 * num_buckets
    buckets = _slice(data, buckets_offset, 4 * num_buckets, what)
    last = max((bucket for (bucket,) in struct.iter_unpack("<I", buckets)), default=0)
    if last < first_symbol:
        return int(first_symbol)
    while True:
        _check_symbol_count(last, what)
        (link,) = struct.unpack("<I", _slice(data, chains_offset + 4 * (last - first_symbol), 4, what))
        last += 1
        if link & 1:  # the mark of a chain's last symbol
            return int(last)


def _check_symbol_count(count: int, what: str) -> None:
    if count > _MAX_SYMBOLS:
        raise ElfError(f"{what}: {count} symbols; more than {_MAX_SYMBOLS} are not read")


def _symbols(data: bytes, table: _SymbolTable | None, what: str) -> Iterator[Symbol]:
    if table is None:
        return
    _check_symbol_count(table.count, what)
    text = table.strings.text
    for name, info, _, section, _, _ in _SYM.iter_unpack(_slice(data, table.offset, table.count * _SYM.size, what)):
        if name == 0 or info & 15 in (_STT_SECTION, _STT_FILE):
            continue
        defined = section != 0
        if defined or info >> 4 != _STB_LOCAL:  # a local symbol that is not defined is padding
            yield Symbol(text(name, what).partition("@")[0], defined, info >> 4 == _STB_WEAK)
