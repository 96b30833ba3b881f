"""Put a finished file into a folder so that it appears whole or not at all, even when killed.

Linux can write a file that has no name and give it one at the end; where a file system cannot, a
hidden neighbour is renamed instead.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def deliver(source: Path, folder: Path) -> Path:
    """Copy `source` into `folder` under its own name; replaces an older file of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    try:
        _link_unnamed(source, folder, target)
    except OSError:
        _rename_neighbour(source, target)
    return target


def _link_unnamed(source: Path, folder: Path, target: Path) -> None:
    descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o644)
    with os.fdopen(descriptor, "wb") as out, source.open("rb") as data:
        shutil.copyfileobj(data, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
        target.unlink(missing_ok=True)
        # The descriptor makes CPython call linkat(), which follows the /proc link; link() would not.
        os.link(f"/proc/self/fd/{out.fileno()}", target, src_dir_fd=out.fileno(), follow_symlinks=True)


def _rename_neighbour(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
