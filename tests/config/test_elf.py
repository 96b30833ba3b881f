"""elf.py: agrees with the linker and binutils on real files, and refuses every damaged one with ElfError."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from elves import OPENMP_LOOP, PLAIN, Elves, needs_compiler, plan_source
from hypothesis import given, settings
from hypothesis import strategies as st

from threadwheel_build import elf
from threadwheel_build.errors import ElfError, UnsupportedElfError

pytestmark = needs_compiler


@pytest.fixture
def elves(tmp_path: Path) -> Elves:
    return Elves(tmp_path)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A library with everything that is read: both tables of symbols, a SONAME, an RPATH, a plan."""
    source = "namespace a { int defined_here() { return 1; } }" + plan_source({"label": "tbb"})
    return (
        Elves(tmp_path_factory.mktemp("sample"))
        .shared("sample.so", source, "-Wl,--hash-style=both", soname="sample.so.1", rpath="$ORIGIN:/x")
        .read_bytes()
    )


def read_all(data: bytes) -> None:
    """Everything that elf.py can be asked about a file."""
    file = elf.read(data)
    list(file.dynamic_symbols())
    list(file.static_symbols())
    file.section(".threadwheel_plan")


def exported(file: elf.Elf) -> set[str]:
    return {symbol.name for symbol in file.dynamic_symbols() if symbol.defined}


def test_needed_soname_and_runpath_are_those_of_the_linker(elves: Elves) -> None:
    library = elves.shared("liba.so", soname="liba.so.3")
    file = elf.read(
        elves.shared("b.so", soname="libb.so.1", links=[library], rpath="$ORIGIN:$ORIGIN/../..:/abs").read_bytes()
    )
    assert file.needed[0] == "liba.so.3"
    assert file.soname == "libb.so.1"
    assert file.rpath == ("$ORIGIN", "$ORIGIN/../..", "/abs")


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_rpath_is_read_with_old_and_new_tags(elves: Elves, tags: str) -> None:
    assert elf.read(elves.shared("a.so", PLAIN, f"-Wl,{tags}", rpath="$ORIGIN/lib").read_bytes()).rpath == (
        "$ORIGIN/lib",
    )


def test_a_library_without_soname_and_rpath_has_none(elves: Elves) -> None:
    file = elf.read(elves.shared("a.so").read_bytes())
    assert (file.soname, file.rpath) == (None, ())


def test_symbols_say_defined_and_weak(elves: Elves) -> None:
    source = "extern int strong(void); __attribute__((weak)) int weak(void); int here(void) { return strong() + (weak ? weak() : 0); }"
    symbols = {symbol.name: symbol for symbol in elf.read(elves.shared("a.so", source).read_bytes()).dynamic_symbols()}
    assert symbols["strong"] == ("strong", False, False)
    assert symbols["weak"] == ("weak", False, True)
    assert symbols["here"] == ("here", True, False)


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm of binutils is the reference")
@pytest.mark.parametrize("flag", ["-D", ""])
def test_symbols_agree_with_nm(elves: Elves, flag: str) -> None:
    path = elves.openmp_user()
    lines = subprocess.run(
        ["nm", *filter(None, [flag]), str(path)], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    file = elf.read(path.read_bytes())
    symbols = file.dynamic_symbols() if flag else file.static_symbols()
    assert {(s.name, s.defined) for s in symbols} == {
        (line.split()[-1].partition("@")[0], line.split()[-2] not in "Uwv") for line in lines
    }


def test_hidden_symbols_are_in_the_static_table_until_stripped(elves: Elves) -> None:
    path = elves.shared("a.so", '__attribute__((visibility("hidden"))) int hidden(void) { return 1; }')
    assert "hidden" in {symbol.name for symbol in elf.read(path.read_bytes()).static_symbols()}
    assert list(elf.read(elves.strip(path).read_bytes()).static_symbols()) == []


@pytest.mark.parametrize("style", ["gnu", "sysv"])
def test_dynamic_symbols_are_found_without_section_headers(elves: Elves, style: str) -> None:
    data = bytearray(elves.shared("a.so", OPENMP_LOOP, "-fopenmp", f"-Wl,--hash-style={style}").read_bytes())
    data[40:48], data[60:64] = bytes(8), bytes(4)  # e_shoff, e_shnum, e_shstrndx
    file = elf.read(bytes(data))
    assert "sum" in exported(file)
    assert "GOMP_parallel" in {symbol.name for symbol in file.dynamic_symbols() if not symbol.defined}
    assert file.section(".text") is None


def test_imports_are_found_where_nothing_is_exported(elves: Elves) -> None:
    source = "extern int wanted(void); __attribute__((constructor)) static void run(void) { wanted(); }"
    file = elf.read(elves.strip(elves.shared("a.so", source, "-nostdlib", "-Wl,--hash-style=gnu")).read_bytes())
    assert "wanted" in {symbol.name for symbol in file.dynamic_symbols() if not symbol.defined}


def test_a_section_is_given_with_its_padding_and_survives_strip(elves: Elves) -> None:
    path = elves.strip(elves.shared("a.so", "namespace a {}" + plan_source("text")))
    contents = elf.read(path.read_bytes()).section(".threadwheel_plan")
    assert contents is not None
    assert contents.rstrip(b"\0") == b"text"


def test_a_static_program_needs_nothing_and_shows_its_symbols(elves: Elves) -> None:
    path = elves.program("static", "void _start(void) {}", "-static", "-nostdlib")
    file = elf.read(path.read_bytes())
    assert file.needed == ()
    assert "_start" in {symbol.name for symbol in file.static_symbols() if symbol.defined}


@pytest.mark.parametrize(
    ("offset", "value", "text"),
    [
        (4, 1, "a 32-bit little endian file; only 64-bit little endian is read"),
        (5, 2, "a 64-bit big endian file; only 64-bit little endian is read"),
        (16, 1, "a relocatable object, which no process loads"),
        (16, 4, "a core dump, which no process loads"),
    ],
)
def test_other_kinds_of_elf_are_unsupported_with_a_reason(sample: bytes, offset: int, value: int, text: str) -> None:
    with pytest.raises(UnsupportedElfError) as caught:
        elf.read(sample[:offset] + bytes([value]) + sample[offset + 1 :])
    assert str(caught.value) == text


@pytest.mark.skipif(shutil.which("objcopy") is None, reason="objcopy of binutils makes the file")
def test_a_separate_debug_file_is_unsupported(elves: Elves) -> None:
    path = elves.shared("a.so", PLAIN, "-g")
    subprocess.run(["objcopy", "--only-keep-debug", str(path), f"{path}.debug"], check=True)
    with pytest.raises(UnsupportedElfError, match=r"^a separate debug file, which no process loads$"):
        elf.read(Path(f"{path}.debug").read_bytes())


def test_what_is_no_elf_file_says_what_it_starts_with() -> None:
    for data, start in ((b"", "nothing"), (b"PK\3\4", "50 4b 03 04")):
        with pytest.raises(ElfError, match=f"^starts with {start}; an ELF file starts with 7f 45 4c 46$"):
            elf.read(data)


def patched(data: bytes, offset: int, layout: str, *values: int) -> bytes:
    out = bytearray(data)
    struct.pack_into(layout, out, offset, *values)
    return bytes(out)


def test_damage_is_told_with_its_place_and_value(sample: bytes) -> None:
    size = len(sample)
    cases = {
        sample[:30]: "ELF header: 64 bytes at 0 reach past the end of the file at 30; the file is cut short or damaged",
        sample[:-1]: f"reach past the end of the file at {size - 1}; the file is cut short or damaged",
        patched(
            sample, 4, "<B", 7
        ): "ELF identification: class 7 and byte order 1; both are 1 or 2, so the file is damaged",
        patched(sample, 54, "<H", 7): "ELF header: program headers of 7 bytes; they have 56, so the file is damaged",
        patched(sample, 58, "<H", 7): "ELF header: section headers of 7 bytes; they have 64, so the file is damaged",
        patched(sample, 62, "<H", 999): "the names are in section 999 of",
    }
    for data, text in cases.items():
        with pytest.raises(ElfError) as caught:
            read_all(data)
        assert text in str(caught.value)


def section_headers(data: bytes) -> list[int]:
    (start,), (count,) = struct.unpack_from("<Q", data, 40), struct.unpack_from("<H", data, 60)
    return [start + 64 * i for i in range(count)]


def test_a_hostile_symbol_count_is_refused_before_it_is_read(sample: bytes) -> None:
    for header in section_headers(sample):
        if struct.unpack_from("<I", sample, header + 4)[0] in (2, 11):
            with pytest.raises(ElfError, match=r"symbols; more than 8000000 are not read$"):
                read_all(patched(sample, header + 32, "<Q", 1 << 40))


def test_a_name_outside_its_table_is_refused(sample: bytes) -> None:
    for header in section_headers(sample):
        if struct.unpack_from("<I", sample, header + 4)[0] == 2:
            (table,) = struct.unpack_from("<Q", sample, header + 24)
            with pytest.raises(
                ElfError,
                match=r"^\.symtab: the name starts at byte 4294967295 of a table of \d+ bytes; the file is damaged$",
            ):
                read_all(patched(sample, table + 24 * 5, "<IB", 0xFFFFFFFF, 0x12))


@settings(max_examples=300, deadline=None)
@given(share=st.floats(0, 1))
def test_a_truncated_file_is_only_ever_an_elf_error(sample: bytes, share: float) -> None:
    with pytest.raises(ElfError):  # section headers come last, so every cut shows
        read_all(sample[: int(share * (len(sample) - 1))])


# Headers and tables are a small part of a file: most mutations aim there, with values that break limits.
HOT_VALUES = st.sampled_from(
    [0, 1, 2, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF]
)


@settings(max_examples=800, deadline=None)
@given(data=st.data())
def test_a_mutated_file_is_read_or_an_elf_error(sample: bytes, data: st.DataObject) -> None:
    mutated = bytearray(sample)
    (start,) = struct.unpack_from("<Q", sample, 40)
    places = st.one_of(
        st.integers(0, 64 + 56 * 12),
        st.integers(start, len(sample) - 8),
        st.integers(0, len(sample) - 8),
        dynamic_places(sample),
    )
    for _ in range(data.draw(st.integers(1, 6))):
        width = data.draw(st.sampled_from([1, 2, 4, 8]))
        value = data.draw(st.one_of(HOT_VALUES, st.integers(0, len(sample)))) & ((1 << 8 * width) - 1)
        place = data.draw(places)
        mutated[place : place + width] = value.to_bytes(width, "little")
    try:
        read_all(bytes(mutated))
    except ElfError as err:
        assert str(err)


def dynamic_places(sample: bytes) -> st.SearchStrategy[int]:
    """Offsets inside the dynamic section, the hash tables and the symbols."""
    hot = [
        h for h in section_headers(sample) if struct.unpack_from("<I", sample, h + 4)[0] in (2, 5, 6, 11, 0x6FFFFFF6)
    ]
    spans = [struct.unpack_from("<QQ", sample, h + 24) for h in hot]
    return st.one_of([st.integers(offset, offset + size - 8) for offset, size in spans])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_after_the_magic_are_an_elf_error_or_nothing(tail: bytes) -> None:
    try:
        read_all(elf.MAGIC + b"\x02\x01\x01" + tail)
    except ElfError as err:
        assert str(err)
