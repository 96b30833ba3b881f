"""Reads a wheel, the zip file, into a unit, and checks it against its RECORD.

Owns member names that lead outside and the comparison with RECORD, which only a wheel that makes our claims
has to pass. What is taken from a member is audit_units.py's; the claims are audit_claims.py's.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from .audit_claims import makes_claims
from .audit_report import Problem, listed
from .audit_units import MAX_DOCUMENT_BYTES, MAX_MEMBER_BYTES, Unit, chunks, shown

ZIP_MAGIC = b"PK\x03\x04"

_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")
_ANOTHER_WHEEL = "build or download the wheel again"


def read_wheel(path: Path) -> Unit:
    """Read every member of the wheel at `path`; what is wrong with it is in the unit's problems."""
    unit, archive = Unit(shown(path), "wheel"), None
    with unit.reading(unit.path, "give a whole wheel"):
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise ValueError("it is no regular file")
        archive = zipfile.ZipFile(path)
    if archive is None:
        return unit
    with archive:
        unit.problems += [problem for info in archive.infolist() for problem in _member_problems(unit, info)]
        # Not is_dir(), which fails on an empty name.
        members = [info for info in archive.infolist() if not info.filename.endswith("/")]
        for info in members:
            unit.take(info.filename, info.file_size, partial(archive.open, info), _ANOTHER_WHEEL)
        if makes_claims(unit):
            _check_record(unit, archive, members)
    return unit


def _member_problems(unit: Unit, info: zipfile.ZipInfo) -> Iterator[Problem]:
    """What installers could make of a member that is not one file at one place inside the wheel."""
    name = info.filename
    parts = name.removesuffix("/").split("/")
    # zipfile ends a name at the first zero byte, others do not.
    if "\0" in info.orig_filename or "\\" in name or any(part in ("", ".", "..") for part in parts):
        text = f"{unit.path}: member {name!r} names no file inside the wheel; build it again without that name"
        yield Problem("unsafe-name", text)
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        text = f"{unit.path}: member {name!r} is a link or a device; a wheel holds regular files, build it again"
        yield Problem("unsafe-member", text)


def _check_record(unit: Unit, archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> None:
    """Compare every member with RECORD: a half-written wheel must not pass as ours."""
    names = Counter(info.filename for info in members)
    records = [name for name in names if _RECORD.fullmatch(name)]
    if len(records) != 1:
        text = f"{unit.path}: has {len(records)} RECORD files; a wheel has one, build again"
        unit.problems.append(Problem("record", text))
        return
    rows: dict[str, list[str]] = {}
    digests: dict[str, list[str]] = {}
    with unit.reading(unit.where(records[0]), _ANOTHER_WHEEL):
        data = b"".join(_limited(archive, archive.getinfo(records[0]), MAX_DOCUMENT_BYTES))
        lines = data.decode("utf-8", "backslashreplace").splitlines()
        rows = {row[0]: row[1:3] for row in csv.reader(lines) if row}
    for info in members:
        with unit.reading(unit.where(info.filename), _ANOTHER_WHEEL):
            digests[info.filename] = _digest(_limited(archive, info, MAX_MEMBER_BYTES))
    unhashed = {records[0], f"{records[0]}.jws", f"{records[0]}.p7s"}  # RECORD cannot hold its own hash
    compared = set(rows) & set(digests) - unhashed
    wrong = {
        "twice in the wheel": {name for name, count in names.items() if count > 1},
        "not in RECORD": set(names) - set(rows) - unhashed,
        "in RECORD but not in the wheel": set(rows) - set(names) - unhashed,
        "of another hash or size than RECORD says": {name for name in compared if rows[name] != digests[name]},
    }
    texts = [f"{unit.path}: {listed(found)} {what}; build again" for what, found in wrong.items() if found]
    unit.problems += [Problem("record", text) for text in texts]


def _limited(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit_bytes: int) -> Iterator[bytes]:
    if info.file_size > limit_bytes:
        raise ValueError(f"it has {info.file_size} bytes and the audit reads {limit_bytes}")
    with archive.open(info) as file:
        yield from chunks(file)


def _digest(contents: Iterable[bytes]) -> list[str]:
    """Hash and size as a row of RECORD spells them."""
    digest, size_bytes = hashlib.sha256(), 0
    for chunk in contents:
        digest.update(chunk)
        size_bytes += len(chunk)
    return [f"sha256={base64.urlsafe_b64encode(digest.digest()).rstrip(b'=').decode()}", str(size_bytes)]
