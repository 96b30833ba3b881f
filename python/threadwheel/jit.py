"""TorchScript programs: archives of `torch.jit.save`, loaded and run without PyTorch."""

from __future__ import annotations

from os import PathLike

from . import _core
from ._core import ScriptMethod, ScriptModule

__all__ = ["ScriptMethod", "ScriptModule", "freeze", "load"]


def load(
    file: str | bytes | PathLike[str],
    map_location: str | None = None,
    _extra_files: dict[str, bytes] | None = None,
    *,
    model: str = "",
) -> ScriptModule:
    """Load an archive that `torch.jit.save` or `torch.package` wrote.

    `file` is its path, or its bytes. Weights stay in the file and are read when used; a program that writes them
    changes its own copy. `_extra_files` is filled as torch fills it: each key that it has gets the bytes of the file
    that was saved under that name. `model` names one of several programs of a package.

    Ops are looked up when a method is first called, so an op that threadwheel lacks matters only to methods that use
    it. Raises ValueError (ArgumentError) that names the record for a file that is damaged, NotImplementedError for one
    of another kind, OSError-like RuntimeError for one that cannot be opened.
    """
    if map_location not in (None, "cpu"):
        raise _core.ArgumentError(f"load: map_location is {map_location!r}; threadwheel runs on the CPU, leave it out")
    if _extra_files is not None:
        for name in _extra_files:
            _extra_files[name] = _core.read_record(file, f"extra/{name}")
    return _core.load_module(file, model)


def freeze(module: ScriptModule) -> ScriptModule:
    """Return the module's program with everything constant that nothing changes: weights, flags, sizes.

    Branches that depend on such values are decided, batch norms are folded into the layers before them, activations
    become part of those, and weights are arranged for the CPU once. The module itself stays as it is.
    """
    return _core.freeze_module(module)
