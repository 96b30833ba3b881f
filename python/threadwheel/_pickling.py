"""How modules of programs travel to other processes: what pickle and copy make of them.

A module goes as its origin, a call that makes it anew, and the attributes that have changed since. So weights that are
still those of a file do not travel: each process maps the file, and all of a machine share its pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _core

Origin = tuple[Callable[..., _core.ScriptModule], tuple[Any, ...]]
Changes = list[tuple[list[str], Any]]


def load_again(file: str | bytes, model: str, fingerprint: int) -> _core.ScriptModule:
    """Load the archive that a module was loaded from. Raises ArgumentError if the file is another one now."""
    module, found = _core.load_module(file, model)
    if found != fingerprint:
        raise _core.ArgumentError(
            f"pickle: {file!r} is not the file that the module was loaded from; "
            "load the module anew, or load its bytes, which travel with it"
        )
    return _core.with_origin(module, (load_again, (file, model, fingerprint)))


def reduce_module(module: _core.ScriptModule, origin: Origin | None, is_frozen: bool) -> tuple[Any, ...]:
    """Return what `ScriptModule.__reduce__` does. Raises TypeError for an object that is only a part of a module."""
    if origin is None:
        raise TypeError(f"pickle: {module!r} is a part of a program; pickle the module that was loaded or compiled")
    make, arguments = origin
    return restore_module, (make, arguments, _core.list_changes(module, make(*arguments)), is_frozen)


def restore_module(
    make: Callable[..., _core.ScriptModule], arguments: tuple[Any, ...], changes: Changes, is_frozen: bool
) -> _core.ScriptModule:
    module = make(*arguments)
    for (*parents, name), value in changes:
        owner = module
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, name, value)
    return _core.freeze_module(module) if is_frozen else module
