"""Reads a wheel into memory and writes it so that equal contents make equal bytes.

Owns the zip side of writing: order, times, modes, and a RECORD that fits. What belongs into a wheel is the
caller's; whether one is sound is the audit's (audit_wheels.py reads wheels that come from anywhere).
"""

from __future__ import annotations

import base64
import calendar
import csv
import hashlib
import io
import time
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

_EARLIEST = 315_532_800  # 1980-01-01: the zip format has no earlier time
_LATEST = 4_354_819_198  # 2107-12-31 23:59:58: and no later one
_REGULAR_FILE = 0o100000
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a wheel."""

    data: bytes
    is_executable: bool = False


def read(path: Path) -> dict[str, Member]:
    """Every file of the wheel at `path`, which must be one that the audit has passed."""
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        return {info.filename: Member(archive.read(info), bool(info.external_attr >> 16 & 0o111)) for info in infos}


def newest_time(path: Path) -> int:
    """The time of the newest file of the wheel at `path`, for `write`."""
    with zipfile.ZipFile(path) as archive:
        return max(calendar.timegm((*info.date_time, 0, 0, 0)) for info in archive.infolist())


def dist_info(names: Iterable[str]) -> str:
    """The folder with the metadata, of the names of a wheel's files."""
    return next(name.partition("/")[0] for name in names if name.endswith(".dist-info/RECORD"))


def headers(data: bytes) -> Message:
    """The fields of a METADATA or WHEEL file."""
    return BytesHeaderParser().parsebytes(data)


def write(path: Path, members: Mapping[str, Member], epoch_seconds: int) -> None:
    """Write `members` with a new RECORD; bytes depend on nothing but the arguments and the zlib in use.

    Every file gets the time `epoch_seconds`. The metadata goes last, as the format recommends.
    """
    info = dist_info(members)
    record = f"{info}/RECORD"
    names = sorted((name for name in members if name != record), key=lambda name: (name.startswith(f"{info}/"), name))
    moment = time.gmtime(min(max(epoch_seconds, _EARLIEST), _LATEST))[:6]
    files = [(name, members[name]) for name in names]
    files.append((record, Member(_record(files, record))))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, member in files:
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, _UNIX
            entry.external_attr = (_REGULAR_FILE | (0o755 if member.is_executable else 0o644)) << 16
            archive.writestr(entry, member.data)


def _record(files: Iterable[tuple[str, Member]], own_name: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, member in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(member.data).digest()).rstrip(b"=").decode()
        rows.writerow((name, f"sha256={digest}", len(member.data)))
    rows.writerow((own_name, "", ""))
    return text.getvalue().encode()
