"""Put a finished file into a folder so that it appears whole or not at all, even when killed.

Linux can write a file that has no name and give it one at the end; where a file system cannot, a
hidden neighbour is renamed instead.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from .errors import BuildError

# What a file system answers that cannot make a file without a name; anything else (a full disk) is an error.
_NO_UNNAMED_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.EPERM}


def deliver(source: Path, folder: Path) -> Path:
    """Copy `source` into `folder` under its own name; replaces an older file of that name.

    Raises BuildError when the folder cannot be written; nothing is left in it then.
    """
    target = folder / source.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _link_unnamed(source, folder, target)
        except OSError as err:
            if err.errno not in _NO_UNNAMED_FILES:
                raise
            _rename_neighbour(source, target)
    except OSError as err:
        raise BuildError(f"{folder}: cannot be written: {err.strerror}; make room or choose another folder") from None
    return target


def _link_unnamed(source: Path, folder: Path, target: Path) -> None:
    descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o644)
    with os.fdopen(descriptor, "wb") as out, source.open("rb") as data:
        shutil.copyfileobj(data, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
        # A name cannot be taken over by a link, only by a rename: an older file stays until then.
        name = target
        if target.exists():
            name = _neighbour(target)
            name.unlink(missing_ok=True)
        # The descriptor makes CPython call linkat(), which follows the /proc link; link() would not.
        os.link(f"/proc/self/fd/{out.fileno()}", name, src_dir_fd=out.fileno(), follow_symlinks=True)
        name.replace(target)


def _rename_neighbour(source: Path, target: Path) -> None:
    part = _neighbour(target)
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _neighbour(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")
