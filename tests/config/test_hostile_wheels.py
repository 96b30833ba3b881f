"""Wheels that somebody made to be taken for sound ones: audit and index refuse each in a sentence, and write nothing.

RECORD is mended to fit wherever it could give the change away.
"""

from __future__ import annotations

import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from commands import builder, tree
from elves import Families, claims_of, needs_compiler, record_hash, write_wheel

from threadwheel_build.audit import audit_wheel

pytestmark = needs_compiler

LIBRARY = "threadwheel/lib/libthreadwheel.so"
INFO = "threadwheel-0.1.0+tbb.dist-info"


def refused(path: Path, site: Path, *words: str, code: int = 1) -> None:
    """Neither command takes the wheel; `code` is what an audit leaves with."""
    audit, index = builder("audit", path), builder("index", path, "-o", site)
    assert (audit.returncode, index.returncode, site.exists()) == (code, 1, False), (audit.stdout, index.stderr)
    for text in words:
        assert text in audit.stdout + audit.stderr
        assert text in index.stderr


def rebuilt(wheel: Path, edit: Callable[[dict[str, bytes]], None]) -> Path:
    """The wheel with its files edited, and a RECORD that fits them."""
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    record = next(name for name in members if name.endswith("/RECORD"))
    del members[record]
    edit(members)
    rows = [f"{name},{record_hash(data)},{len(data)}" for name, data in members.items()]
    members[record] = "\n".join([*rows, f"{record},,"]).encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return wheel


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


# --- what a wheel says of itself


def claiming(families: Families, folder: Path, changes: Mapping[str, object], label: str = "native") -> Path:
    """A wheel of `label` whose build_info and embedded plan are changed alike; name and METADATA follow them."""
    claims = claims_of(label) | dict(changes)
    version = claims["version"] if claims["default"] else f"{claims['version']}+{claims['label']}"
    files = {LIBRARY: families.embedding("lie", claims), "threadwheel/build_info.json": json.dumps(claims).encode()}
    folder.mkdir()
    path = folder / f"threadwheel-{version}-cp311-cp311-linux_x86_64.whl"
    return write_wheel(path, files, version=str(version), requires=claims["requires"])


@pytest.mark.parametrize("label", ["../../x", "/etc/x", "a/b", "<b>", "", ".", "a b", "x;y"])
def test_a_label_that_is_no_part_of_a_name_is_refused(
    families: Families, tmp_path: Path, site: Path, label: str
) -> None:
    """It becomes a folder of the site, a part of its pages, and of the line to paste."""
    path = claiming(families, tmp_path / "w", {"label": label, "default": True})
    refused(path, site, f"label is {json.dumps(label)}, which is no label of a wheel; build again")


@pytest.mark.parametrize("version", ["1 2", "1;reboot", "1`reboot`", "$(x)", "<b>"])
def test_a_version_that_is_none_is_refused(families: Families, tmp_path: Path, site: Path, version: str) -> None:
    path = claiming(families, tmp_path / "w", {"version": version})
    refused(path, site, f"version is {json.dumps(version)}, which is no version of a wheel; build again")


def test_a_library_that_was_patched_together_with_build_info_is_not_indexed(
    families: Families, tmp_path: Path, site: Path
) -> None:
    """TBB's wheel renamed to OMP's throughout: labels of equal length fit into the binary."""

    def edit(members: dict[str, bytes]) -> None:
        for name in (LIBRARY, "threadwheel/build_info.json"):
            members[name] = members[name].replace(b'"label": "tbb"', b'"label": "omp"')
            members[name] = members[name].replace(b'\\"label\\": \\"tbb\\"', b'\\"label\\": \\"omp\\"')
        for name in [name for name in members if name.startswith(INFO)]:
            members[name.replace("+tbb", "+omp")] = members.pop(name).replace(b"+tbb", b"+omp")

    source = rebuilt(families.wheel(tmp_path / "w", "tbb"), edit)
    path = source.rename(source.with_name(source.name.replace("+tbb", "+omp")))
    done = builder("index", path, "-o", site)
    assert (done.returncode, site.exists()) == (1, False)
    words = "says the label omp and needs the runtimes tbb; that family has gnu-openmp, build again"
    assert f"{path}: {words}" in done.stderr
    assert builder("audit", path, "--expect", "omp").returncode == 1


def test_a_label_of_another_project_is_not_indexed(families: Families, tmp_path: Path, site: Path) -> None:
    path = claiming(families, tmp_path / "w", {"label": "cilk"})
    done = builder("index", path, "-o", site)
    assert (done.returncode, site.exists()) == (1, False)
    assert f"{path}: says the label cilk; the families of this project are omp, tbb, native" in done.stderr


def test_a_swapped_library_is_refused(families: Families, tmp_path: Path, site: Path) -> None:
    """Of another build of the same name and version: its plan came with it."""
    path = families.wheel(tmp_path / "w", "native", {LIBRARY: families.library("tbb")})
    refused(path, site, 'label is "tbb" but "native" in threadwheel/build_info.json', "need or define tbb")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (b"Name: other\n", "says Name 2 times; it has one, build again"),
        (b"Version: 9\n", "says Version 2 times; it has one, build again"),
        (b"Requires-Dist: evil\n", "requires evil, numpy>=1.24, tbb>=2021.13 but"),
        (b'Requires-Dist: evil ; extra == "a" or python_version > "3"\n', "requires evil"),
        (b'Requires-Dist: evil; extra != "a"\n', "requires evil"),
        (b'Requires-Dist: evil; "a" not in extra\n', "requires evil"),
        (b'Requires-Dist: evil @ https://evil.example/;extra=="a"\n', "requires evil"),
    ],
)
def test_metadata_that_says_more_than_the_build_is_refused(
    families: Families, tmp_path: Path, site: Path, field: bytes, text: str
) -> None:
    def edit(members: dict[str, bytes]) -> None:
        members[f"{INFO}/METADATA"] += field

    refused(rebuilt(families.wheel(tmp_path / "w", "tbb"), edit), site, text)


@pytest.mark.parametrize("name", ["METADATA", "WHEEL"])
def test_a_field_that_is_no_text_is_refused(families: Families, tmp_path: Path, site: Path, name: str) -> None:
    def edit(members: dict[str, bytes]) -> None:
        members[f"{INFO}/{name}"] += b"Tag: caf\xe9\nRequires-Dist: caf\xe9\nVersion: caf\xe9\n"

    refused(rebuilt(families.wheel(tmp_path / "w", "tbb"), edit), site, "build again")


@pytest.mark.parametrize(
    "marker", ['extra == "plot"', "extra=='plot'", 'python_version > "3" and extra == "plot"', '(extra == "a_b")']
)
def test_a_requirement_of_an_extra_is_none_of_the_wheel(families: Families, tmp_path: Path, marker: str) -> None:
    def edit(members: dict[str, bytes]) -> None:
        members[f"{INFO}/METADATA"] += f"Provides-Extra: plot\nRequires-Dist: matplotlib; {marker}\n".encode()

    path = rebuilt(families.wheel(tmp_path / "w", "tbb"), edit)
    assert builder("audit", path, "--expect", "tbb").returncode == 0


def test_another_projects_wheel_must_be_what_its_name_says(families: Families, tmp_path: Path, site: Path) -> None:
    folder = tmp_path / "w"
    families.wheel(folder, "omp")
    for name, project in (("numpy-2.0-py3-none-any.whl", "evil"), ("numpy-2.0-py3-none-any\udcff.whl", "numpy")):
        path = folder / "numpy-2.0-py3-none-any.whl"
        write_wheel(path, {"x.py": b""}, name=project, version="2.0", requires=(), license_files=())
        path = path.rename(folder / name)
        done = builder("index", folder, "-o", site)
        assert (done.returncode, site.exists()) == (1, False)
        assert f"is the wheel of {project} 2.0 by its METADATA and not by its file name" in done.stderr
        path.unlink()


# --- the zip file


def with_member(wheel: Path, info: zipfile.ZipInfo, data: bytes) -> Path:
    """The wheel with one member more, which RECORD has too."""

    def edit(members: dict[str, bytes]) -> None:
        members[info.filename] = data

    rebuilt(wheel, edit)
    with zipfile.ZipFile(wheel) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, contents in members.items():
            archive.writestr(info if name == info.filename else name, contents)
    return wheel


@pytest.mark.parametrize(
    "name", ["../evil.py", "threadwheel/../../evil.py", "/etc/evil", "a\\b.py", "./threadwheel/x.py", "threadwheel//x.py", "threadwheel/../"]
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(families: Families, tmp_path: Path, site: Path, name: str) -> None:
    path = with_member(
        families.wheel(tmp_path / "w", "native"), zipfile.ZipInfo(name), b"" if name[-1] == "/" else b"x"
    )
    before = set(tree(tmp_path))
    refused(path, site, f"member {name!r} names no file inside the wheel; build it again without that name")
    assert set(tree(tmp_path)) == before


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_a_link_or_a_device_is_refused(families: Families, tmp_path: Path, site: Path, kind: int) -> None:
    info = zipfile.ZipInfo("threadwheel/link")
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    path = with_member(families.wheel(tmp_path / "w", "native"), info, b"/etc/passwd")
    refused(path, site, "member 'threadwheel/link' is a link or a device; a wheel holds regular files, build it again")


def test_a_name_that_others_read_on_behind_a_zero_byte_is_refused(
    families: Families, tmp_path: Path, site: Path
) -> None:
    path = with_member(families.wheel(tmp_path / "w", "native"), zipfile.ZipInfo("threadwheel/a.pyX.so"), b"x")
    path.write_bytes(path.read_bytes().replace(b"threadwheel/a.pyX.so", b"threadwheel/a.py\0.so"))
    refused(path, site, "member 'threadwheel/a.py' names no file inside the wheel", code=2)


def test_a_file_that_is_there_twice_is_refused(families: Families, tmp_path: Path, site: Path) -> None:
    path = families.wheel(tmp_path / "w", "native")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("threadwheel/__init__.py", b"import os")
    refused(path, site, "threadwheel/__init__.py twice in the wheel; build again")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_half_written_wheel_is_refused(families: Families, tmp_path: Path, site: Path, part: float) -> None:
    path = families.wheel(tmp_path / "w", "native")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    refused(path, site, f"{path}: cannot be read: file is not a zip file; give a whole wheel", code=2)


def test_a_wheel_with_a_hole_is_refused(families: Families, tmp_path: Path, site: Path) -> None:
    """All of its length is there, as after a crash of the machine, and a part is zeros."""
    path = families.wheel(tmp_path / "w", "native")
    data = bytearray(path.read_bytes())
    data[100:200] = bytes(100)
    path.write_bytes(data)
    refused(path, site, "cannot be read: ", code=2)


def test_a_file_that_unpacks_to_more_than_it_says_is_refused(families: Families, tmp_path: Path, site: Path) -> None:
    path = families.wheel(tmp_path / "w", "native", {"threadwheel/big.bin": bytes(50 << 20)})
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"threadwheel/big.bin") - 46
    assert data[entry : entry + 4] == b"PK\1\2"
    struct.pack_into("<I", data, entry + 24, 1000)
    path.write_bytes(data)
    refused(path, site, "threadwheel/big.bin: cannot be read: bad CRC-32", code=2)


def test_a_file_that_is_too_large_is_not_unpacked(families: Families, tmp_path: Path, site: Path) -> None:
    path = families.wheel(tmp_path / "w", "native", {"threadwheel/big.bin": b"x"})
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"threadwheel/big.bin") - 46
    struct.pack_into("<I", data, entry + 24, 0xF0000000)
    path.write_bytes(data)
    refused(path, site, "big.bin: cannot be read: it has 4026531840 bytes and the audit reads 1073741824", code=2)


def test_a_locked_file_is_refused(families: Families, tmp_path: Path, site: Path) -> None:
    path = families.wheel(tmp_path / "w", "native")
    data = bytearray(path.read_bytes())
    for start in (data.index(b"PK\3\4") + 6, data.index(b"PK\1\2") + 8):
        data[start] |= 1  # encrypted
    path.write_bytes(data)
    refused(path, site, "is encrypted, password required for extraction", code=2)


def test_a_pipe_called_a_wheel_is_not_waited_for(tmp_path: Path, site: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    os.mkfifo(folder / "threadwheel-0.1.0-cp311-cp311-linux_x86_64.whl")
    done = builder("index", folder, "-o", site)
    assert (done.returncode, site.exists()) == (1, False)
    assert "cannot be read: it is no regular file; give a whole wheel" in done.stderr
    done = builder("repair", next(folder.iterdir()), "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "cannot be read: it is no regular file" in done.stderr


def test_a_name_cannot_act_on_the_terminal(tmp_path: Path, site: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "\x1b[31mred\x07.whl").write_bytes(b"no zip")
    done = builder("index", folder, "-o", site)
    assert done.returncode == 1
    assert "\x1b" not in done.stderr
    assert "\\x1b[31mred\\x07.whl: cannot be read" in done.stderr


def test_a_changed_byte_ends_in_a_verdict(families: Families, tmp_path: Path) -> None:
    """Every byte of a wheel's directory in turn: no exception, whatever the verdict."""
    path = families.wheel(tmp_path / "w", "native")
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    for position in range(start, len(data)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :])
        assert audit_wheel(path).exit_code in (0, 1, 2)
